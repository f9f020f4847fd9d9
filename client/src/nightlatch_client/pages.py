"""The few small pages that the client itself shows: whole in themselves, no script, light and dark."""

import base64
import hashlib
import re
from collections.abc import Iterable
from html import escape
from pathlib import Path

from nightlatch_client.answers import Answer, Headers
from nightlatch_client.forms import Caught

_STYLE = Path(__file__).with_name("pages.css").read_text(encoding="utf-8")
_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_ID = re.compile(r"(?:^|[_-])(?:id|uuid)$|[a-z]I[dD]$")
_LINE = 60
"""Characters that an input of one line shows well."""
_ROWS = 14


def page(
    status: int,
    title: str,
    paragraphs: Iterable[str],
    *,
    name: str,
    way: tuple[str, str] | None = None,
    retry_after: int | None = None,
) -> Answer:
    """A page that says what is, and the way on (text, path)."""
    text = "".join(f"<p>{escape(each)}</p>" for each in paragraphs)
    link = (
        f'<p class="ways"><a class="button" href="{escape(way[1])}">{escape(way[0])}</a></p>' if way else ""
    )
    more: Headers = [("retry-after", str(retry_after))] if retry_after is not None else []
    return _answer(status, title, text + link, name, "no-referrer", "; form-action 'none'", more)


def way_on(target: str, *, name: str) -> Answer:
    """Leads to another origin where a redirect would be held against a form that the browser has sent before."""
    text = "<p>If nothing happens, go on yourself.</p>"
    link = f'<p class="ways"><a class="button" href="{escape(target)}">Go on</a></p>'
    head = f'<meta http-equiv="refresh" content="0;url={escape(target)}">\n'
    title = "You are on your way"
    return _answer(200, title, text + link, name, "no-referrer", "; form-action 'none'", [], head)


def form_page(caught: Caught, *, name: str, home: str) -> Answer:
    """A form that was caught, filled in, with its button. Nothing is sent before the person presses it."""
    form = caught.form
    fields = "".join(
        _hidden(field, value) if not value or _technical(field) else _editable(number, field, value)
        for number, (field, value) in enumerate(form.fields)
    )
    again = "".join(
        f'<label for="again-{number}">{escape(_words(field))}</label>'
        f'<input id="again-{number}" type="{kind}" name="{escape(field)}"{more}>'
        for number, (field, kind, more) in enumerate(_asked_again(caught))
    )
    note = (
        '<p class="note">Files and passwords are not kept, so they are asked for again.</p>' if again else ""
    )
    kind = ' enctype="multipart/form-data"' if form.multipart else ""
    body = (
        "<p>Your second step is done. This is what you were about to send; nothing was sent yet. "
        "You can still change it.</p>"
        f'<form method="post" action="{escape(caught.target)}"{kind} accept-charset="utf-8">{fields}{note}{again}'
        '<p class="ways"><button>Send it now</button>'
        f'<a href="{escape(home)}">Do not send it</a></p></form>'
    )
    # `same-origin`: with `no-referrer` browsers would say `Origin: null` when the form is sent. And no `form-action`,
    # which browsers apply to every redirect that follows; the product's own way on may lead anywhere.
    return _answer(200, "Send what you had filled in?", body, name, "same-origin", "", [])


def _asked_again(caught: Caught) -> Iterable[tuple[str, str, str]]:
    for field in caught.form.passwords:
        yield field, "password", ' autocomplete="off"'
    for field in caught.form.files:
        yield field, "file", " multiple"


def _answer(
    status: int,
    title: str,
    body: str,
    name: str,
    referrer: str,
    form_action: str,
    more: Headers,
    head: str = "",
) -> Answer:
    document = (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{escape(title)} | {escape(name)}</title>\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n<meta name="robots" content="noindex">\n'
        f"{head}<style>{_STYLE}</style>\n</head>\n<body>\n<header>{escape(name)}</header>\n"
        f"<main>\n<h1>{escape(title)}</h1>\n{body}\n</main>\n</body>\n</html>\n"
    )
    policy = f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; frame-ancestors 'none'{form_action}"
    headers: Headers = [
        ("content-type", "text/html; charset=utf-8"),
        ("content-security-policy", policy),
        ("cache-control", "no-store"),
        ("referrer-policy", referrer),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        *more,
    ]
    return Answer(status, headers, document.encode("utf-8", "replace"))


def _words(field: str) -> str:
    return field.replace("_", " ").replace("-", " ").strip().capitalize() or field


def _hidden(field: str, value: str) -> str:
    return f'<input type="hidden" name="{escape(field)}" value="{escape(value)}">'


def _editable(number: int, field: str, value: str) -> str:
    """A field as a person can still change it. Of what kind it was, a form that is sent does not say."""
    name, words, id = escape(field), escape(_words(field)), f"field-{number}"
    if value == "on":  # what a ticked box sends
        box = f'<input id="{id}" type="checkbox" name="{name}" checked>'
        return f'<p class="tick">{box} <label for="{id}">{words}</label></p>'
    label, off = f'<label for="{id}">{words}</label>', 'autocomplete="off" dir="auto"'
    if len(value) > _LINE or "\n" in value or "\r" in value:
        rows = min(_ROWS, value.count("\n") + len(value) // _LINE + 2)
        # Of a text that begins with a new line browsers take that away, so one is put before it.
        return f'{label}<textarea id="{id}" rows="{rows}" name="{name}" {off}>\n{escape(value)}</textarea>'
    return f'{label}<input id="{id}" type="text" name="{name}" value="{escape(value)}" {off}>'


def _technical(field: str) -> bool:
    """Fields that mean nothing to people: they are sent, and not shown."""
    name = field.lower()
    return "csrf" in name or "token" in name or field.startswith("_") or _ID.search(field) is not None
