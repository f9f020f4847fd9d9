"""A browser's name out of its User-Agent, in words a person knows.

Nothing of the header itself is ever repeated: whoever sends the request writes it.
"""

_MOST = 512  # characters looked at

# The first that is found wins: later ones are named by the earlier ones too.
_PROGRAMS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Vivaldi", "Vivaldi"),
    ("FxiOS", "Firefox"),
    ("Firefox", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Chromium", "Chromium"),
    ("Safari", "Safari"),
    ("curl/", "curl"),
    ("python", "a Python program"),
    ("Python", "a Python program"),
    ("Go-http", "a Go program"),
    ("okhttp", "an app"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Macintosh", "Mac"),
    ("Mac OS X", "Mac"),
    ("Linux", "Linux"),
    ("X11", "Linux"),
)


def readable_agent(user_agent: str) -> str:
    """`Firefox on Windows`, or as much of it as can be told; "" where there is no header at all."""
    text = user_agent[:_MOST]
    if not text.strip():
        return ""
    program = _first(_PROGRAMS, text) or "an unknown browser"
    system = _first(_SYSTEMS, text)
    return f"{program} on {system}" if system else program


def _first(known: tuple[tuple[str, str], ...], text: str) -> str:
    return next((words for mark, words in known if mark in text), "")
