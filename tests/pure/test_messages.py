"""Every mail, with friendly and with hostile values: one link, no secret beside it, no markup, no second line."""

import importlib
import inspect
import json
import pkgutil
import re
import unicodedata
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightlatch import instants
from nightlatch.mail import messages as package
from nightlatch.mail import words
from nightlatch.mail.agents import readable_agent
from nightlatch.mail.layout import STYLE, Message
from nightlatch.mail.messages import (
    MESSAGES,
    arguments,
    check,
    render,
)
from nightlatch.mail.messages.common import Keeper

ORIGIN = "https://2fa.acme.example/2fa"
LINK = f"{ORIGIN}/tickets/7Jx1b6o2hQv0Yt9Wc4Zr8KfL3mNpSdUe5aGiBwXyTzA"
AT = instants.from_text("2026-11-24T09:14:00Z")
VALUES = {
    "domain": "acme.example",
    "until": 1_764_600_000_000_000,
    "lapsed": False,
    "workspace": "Acme",
    "inviter": "Dana Ruiz",
    "by": "Dana Ruiz",
    "role": "member",
    "link": LINK,
    "undo_link": LINK,
    "lift_link": LINK,
    "not_me_link": LINK,
    "used_at": AT - 2 * instants.HOUR,
    "never_link": f"{ORIGIN}/never-again/{LINK[-43:]}",
    "expires": AT + 7 * instants.DAY,
    "from_instant": AT + 7 * instants.DAY,
    "reason": "lost her phone",
    "name": "Pixel 9",
    "left": 3,
    "stage": "3_days",
    "slug": "acme",
    "strength": "phishing_resistant",
    "set_up": 41,
    "number": True,
    "old": "old.ana@example.com",
    "new": "new.ana@example.org",
    "account": "ana@example.com",
    "operator": "root",
    "what": "2FA is turned off for Ana Ruiz",
    "method": "totp",
    "when": AT,
    "where": "203.0.113.9",
    "agent": "Firefox on Windows",
    "app": "Acme Notes",
    "asker": "Kim Lee",
    "sponsor": "Kim Lee",
    "approval": False,
    "passkey": False,
    "approver": "Kim Lee",
    "why": "second_step",
}
ADDRESSES = {"old", "new", "account"}
TYPED = (
    "workspace",
    "inviter",
    "by",
    "asker",
    "sponsor",
    "approver",
    "why",
    "role",
    "reason",
    "name",
    "operator",
    "what",
    "method",
    "agent",
    "where",
    "app",
)
HOSTILE = [
    "Verify at http://evil.example/login now",
    "evil.example",
    "www.evil.example/pay",
    "//evil.example",
    "ev\N{ZERO WIDTH SPACE}il.exa\N{SOFT HYPHEN}mple",
    "evil\N{IDEOGRAPHIC FULL STOP}example",
    "evil\N{ONE DOT LEADER}example",
    "mailto:mallory@evil.example",
    "tel:+15550100",
    "javascript:alert(1)",
    "\\\\evil\\share",
    "https:/\\evil.example",
    "<script>alert(1)</script><a href='x'>here</a>",
    '"><img src=x onerror=alert(1)>',
    "{link} {style} {0} %s ${x} {{7*7}}",
    "Acme\r\nBcc: everybody@evil.example\r\n\r\nHello",
    "\N{RIGHT-TO-LEFT OVERRIDE}emca\N{POP DIRECTIONAL FORMATTING}",
    "אקמה 123",
    "a" + "\N{COMBINING ACUTE ACCENT}" * 200,
    "\0\x1b[31m\x85\N{LINE SEPARATOR}\ud800\N{LANGUAGE TAG}\ue000",
    "x" * 5000,
    "x " * 5000,
    "",
    " \t\n",
]
LINKISH = re.compile(
    r"[a-z][a-z0-9+.-]*:/|//|www\.|\w\.\w{2}|[\w.]@[\w-]+\.|\\\\|(?:mailto|tel|javascript):\S", re.IGNORECASE
)
ALLOWED_TAGS = {
    *("html", "head", "meta", "title", "style", "body", "div", "h1"),
    *("p", "a", "br", "span", "dl", "dt", "dd"),
}


class Page(HTMLParser):
    """What an HTML part holds."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.pieces: list[str] = []
        self.open: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"style", "title"} & set(self.open):
            self.pieces.append(data)

    @property
    def hrefs(self) -> set[str]:
        return {value or "" for name, value in self.attributes if name == "href"}

    @property
    def text(self) -> str:
        return " ".join("".join(self.pieces).split())


def values_for(kind: str, **changed: object) -> dict[str, object]:
    return {name: changed.get(name, VALUES[name]) for name in arguments(kind)}


def rendered(kind: str, **changed: object) -> Message:
    values = json.loads(json.dumps(values_for(kind, **changed)))
    return render(kind, values, product="Nightlatch", origin=ORIGIN)


def links_in(text: str) -> set[str]:
    return set(re.findall(r"https?://\S+", text))


def without(text: str, *parts: str) -> str:
    for part in parts:
        text = text.replace(part, "")
    return text


def check_message(message: Message, *shown_addresses: str) -> Page:
    page = Page(message.html)
    assert links_in(message.text) == page.hrefs
    never = message.unsubscribe  # an invitation has this second link, and no other mail has two
    assert not never or never in page.hrefs
    assert len(page.hrefs - {never}) <= 1
    (link,) = page.hrefs - {never} or {""}
    if link:
        assert link.startswith(ORIGIN + "/")
        assert f"\n{link}\n" in message.text  # whole, on a line of its own
    ours = (link, never, "203.0.113.9", *shown_addresses)
    assert not LINKISH.search(without(message.text, *ours)), LINKISH.search(without(message.text, *ours))
    assert not LINKISH.search(without(page.text, *ours))
    assert page.tags <= ALLOWED_TAGS
    assert {name for name, _ in page.attributes} <= {
        "href",
        "class",
        "lang",
        "dir",
        "charset",
        "name",
        "content",
    }
    assert message.subject == " ".join(message.subject.split())
    assert 10 < len(message.subject) < 140
    for whole in (message.subject, message.text, message.html):
        assert not any(unicodedata.category(letter) in ("Cs", "Co") for letter in whole)
        assert not any(ord(letter) < 32 and letter != "\n" for letter in whole)
        assert not set(whole) & set("\u202a\u202b\u202c\u202d\u202e\u200b\u2028\u2029\x85")
        assert whole.count("\u2068") == whole.count("\u2069")
    assert all(len(line) <= 72 or " " not in line.strip() for line in message.text.splitlines())
    return page


@pytest.mark.parametrize("kind", MESSAGES)
def test_a_mail_says_the_same_in_both_parts(kind):
    message = rendered(kind)
    page = check_message(message, "new.ana@example.org", "ana@example.com", "o…a@example·com")
    for paragraph in message.text.split("\n\n")[:-1]:
        said = " ".join(paragraph.split())
        if "https://" not in said and not re.match(r"(Who|When|From|With|Account):", said):
            assert said.rstrip(":") in page.text
    assert "24 November 2026 at 09:14 UTC" in message.text
    assert "Nobody will ever ask you for a password or a code" in " ".join(message.text.split())


@pytest.mark.parametrize("kind", MESSAGES)
@pytest.mark.parametrize("typed", HOSTILE)
def test_hostile_names_stay_names(kind, typed):
    changed = dict.fromkeys(TYPED, typed)
    message = render(kind, values_for(kind, **changed), product="Nightlatch", origin=ORIGIN)
    check_message(message, "new.ana@example.org", "ana@example.com", "o…a@example·com")
    assert "<script" not in message.html
    assert "<img" not in message.html


@pytest.mark.parametrize("kind", [kind for kind in MESSAGES if ADDRESSES & arguments(kind).keys()])
@pytest.mark.parametrize("typed", [*HOSTILE, "www.evil.example/@x.org", "http://evil.example/@x.org"])
def test_hostile_addresses_stay_text(kind, typed):
    message = render(
        kind, values_for(kind, **dict.fromkeys(ADDRESSES, typed)), product="Nightlatch", origin=ORIGIN
    )
    check_message(message)


@given(st.text(max_size=80))
def test_no_name_whatever_becomes_a_link(typed):
    for name in (words.name(typed, "x"), words.quoted(typed), words.name(typed + ".example", "x")):
        assert not re.search(r"\w\.\w{2}|//|:/", name)
        assert name == " ".join(name.split())
        assert not any(unicodedata.category(letter) in ("Cc", "Cs", "Co", "Zl", "Zp") for letter in name)


@pytest.mark.parametrize(
    "typed, shown",
    [
        ("Dana Ruiz", "Dana Ruiz"),
        ("  Dana \n Ruiz ", "Dana Ruiz"),
        ("J.R. Ewing", "J.R. Ewing"),
        ("Dr. Ana Lund-O'Neil", "Dr. Ana Lund-O'Neil"),
        ("Node.js Team", "Node·js Team"),
        ("Shift 12:30", "Shift 12:30"),
        ("http://a.bc", "http: / /a·bc"),
        ("x" * 61, "x" * 59 + "…"),
        ("👩‍💻 Team", "👩‍💻 Team"),
        ("אקמה", "\u2068אקמה\u2069"),
        ("\u202e", "otherwise"),
        ("\u200d", "otherwise"),
    ],
)
def test_names(typed, shown):
    assert words.name(typed, "otherwise") == shown


OF_PRODUCTS = sorted(
    {*MESSAGES}
    - {"invitation", "sign_in_unblock", "token_made"}
    - {
        name
        for name in MESSAGES
        if name.startswith(("password_", "email_", "sign_up", "sso_", "connection_"))
    }
)
"""What the people of a product are ever sent: the others are about passwords and addresses of our own."""


@pytest.mark.parametrize("kind", OF_PRODUCTS)
def test_a_mail_to_a_products_people_speaks_in_its_name(kind):
    keeper = Keeper("0123456789abc", "Acme Notes")
    message = render(kind, values_for(kind), product="Nightlatch", origin=ORIGIN, keeper=keeper)
    page = check_message(message, "new.ana@example.org", "ana@example.com")
    said = " ".join(message.text.split())
    assert "Acme Notes uses Nightlatch for 2FA, which sent this." in said
    assert "Sent by" not in said
    assert "your password" not in re.sub("Change your password (at Acme Notes|there)", "", said)
    assert "Forgot" not in said
    for link in page.hrefs - {LINK}:
        assert link.startswith(f"{ORIGIN}/sign-in?at=0123456789abc&next=%2F")


@pytest.mark.parametrize("typed", HOSTILE)
def test_a_products_hostile_name_stays_a_name(typed):
    for kind in OF_PRODUCTS:
        keeper = Keeper("0123456789abc", typed)
        message = render(kind, values_for(kind), product="Nightlatch", origin=ORIGIN, keeper=keeper)
        check_message(message, "new.ana@example.org", "ana@example.com")


def test_the_registry_holds_every_message():
    modules = [
        importlib.import_module(f"{package.__name__}.{each.name}")
        for each in pkgutil.iter_modules(package.__path__)
        if each.name not in ("common", "sorts")
    ]
    written = {
        name
        for module in modules
        for name, found in inspect.getmembers(module, inspect.isfunction)
        if found.__module__ == module.__name__ and not name.startswith("_")
    }
    assert written == set(MESSAGES)
    for kind, message in MESSAGES.items():
        kinds = {parameter.kind for parameter in inspect.signature(message).parameters.values()}
        assert kinds <= {inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.VAR_KEYWORD}
        for types in arguments(kind).values():
            assert set(types) <= {str, int, bool, type(None)}


@pytest.mark.parametrize("kind", MESSAGES)
def test_optional_values_may_be_left_out(kind):
    nothing = {name: None for name, types in arguments(kind).items() if type(None) in types}
    message = rendered(kind, **nothing, where="", agent="")
    check_message(message, "new.ana@example.org", "old.ana@example.com", "ana@example.com", "o…a@example·com")
    assert not re.search(r"(When|From|With):", message.text)


def test_values_are_checked_before_they_are_kept():
    good = values_for("mandate_off")
    check("mandate_off", good)
    with pytest.raises(KeyError):
        check("no_such_mail", good)
    for wrong in (
        {name: value for name, value in good.items() if name != "by"},
        good | {"link": LINK},
        good | {"by": 7},
        good | {"workspace": None},
        good | {"when": True},
        good | {"product": "Other"},
    ):
        with pytest.raises(TypeError) as refused:
            check("mandate_off", wrong)
        assert "Dana" not in str(refused.value)


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/tickets/x",
        "http://2fa.acme.example/2fa/tickets/x",
        "https://2fa.acme.example/2fatickets/x",
        ORIGIN,
        ORIGIN + "@evil.example/",
        LINK + "\nhttps://evil.example/",
        LINK + " x",
        LINK + '"><script>',
        LINK + "\u202e",
        "",
    ],
)
def test_a_link_elsewhere_is_never_mailed(link):
    with pytest.raises(ValueError, match="link of this installation") as refused:
        rendered("reset", link=link)
    assert "evil" not in str(refused.value)


@pytest.mark.parametrize("origin", ["http://localhost:8000", "http://[::1]:8000", ORIGIN, ORIGIN + "/"])
def test_links_below_any_origin(origin):
    link = origin.rstrip("/") + "/tickets/a-B_9"
    message = render("reset", values_for("reset", link=link), product="Nightlatch", origin=origin)
    assert f"\n{link}\n" in message.text
    assert Page(message.html).hrefs == {link}


def test_no_outsiders_text_in_the_subject_of_an_invitation():
    message = rendered("invitation", workspace="Win a phone", inviter="Call us")
    assert message.subject == "You are invited to a workspace on Nightlatch"
    assert "Win a phone" in message.text
    assert message.html.count("Win a phone") == 1


@pytest.mark.parametrize(
    "kind", ["invitation", "mandate_enrol", "mandate_ready", "mandate_off", "reset", "role_changed"]
)
def test_what_another_person_did_does_not_tell_where_they_sat(kind):
    message = rendered(kind)
    assert "203.0.113.9" not in message.text + message.html
    assert "Firefox" not in message.text + message.html


@pytest.mark.parametrize(
    "kind, changed, subject",
    [
        ("mandate_enrol", {"from_instant": None}, "Acme now asks everyone for 2FA: set yours up"),
        ("mandate_enrol", {}, "Acme asks everyone for 2FA from 1 December 2026: set yours up"),
        ("mandate_ready", {"from_instant": None}, "Acme now asks everyone for 2FA: you are ready"),
        ("reset", {}, "2FA was turned off for your account in Acme"),
        ("reset_notice", {}, "2FA was turned off for your account in Acme"),
        ("ticket", {"workspace": None}, "Set up 2FA: one tap to go on"),
        ("recovery_code_used", {"left": 3}, "A recovery code was used: 3 left"),
        ("recovery_code_used", {"left": 0}, "A recovery code was used: that was the last one, make new ones"),
        ("role_changed", {"role": "owner"}, "You are now an owner in Acme"),
    ],
)
def test_subjects(kind, changed, subject):
    assert rendered(kind, **changed).subject == subject


def test_a_reset_tells_of_the_number_and_does_not_hold_it():
    message = rendered("reset")
    assert "number of 8 digits that Dana Ruiz will read to you" in " ".join(message.text.split())
    assert not re.search(r"\d{6,}", without(message.text, LINK))
    assert LINK not in rendered("reset_notice").text


def test_a_reset_whose_number_was_waived_tells_of_none():
    message = rendered("reset", number=False)
    assert "number" not in without(message.text, LINK)
    assert "open the link and set up 2FA again." in " ".join(message.text.split())


def test_the_new_mailbox_learns_the_old_address_only_masked():
    message = rendered("email_confirm")
    assert "old.ana" not in message.text + message.html
    assert "o…a@example·com" in message.text


@pytest.mark.parametrize("kind", MESSAGES)
def test_nothing_more_technical_than_2fa(kind):
    message = rendered(kind)
    prose = without(message.text, LINK, ORIGIN).lower()
    if kind in ("token_made", "service_account_suspended", "service_account_sponsor"):
        prose = re.sub(r"api tokens?|service account", "", prose)  # to those who work with them
    for word in ("totp", "otp", "mfa", "aal", "credential", "token", "mandate", "bind", "unbound", "enrol"):
        assert not re.search(rf"\b{word}\b", prose), word
    assert "authenticator" not in without(prose, "authenticator app", "google authenticator")


@pytest.mark.parametrize("kind", MESSAGES)
def test_one_style_sheet_and_nothing_fetched(kind):
    html = rendered(kind).html
    assert html.count("<style>") == 1
    assert f"<style>{STYLE}</style>" in html
    assert "style=" not in html
    assert "src=" not in html
    assert "url(" not in html
    assert "prefers-color-scheme: dark" in html


@pytest.mark.parametrize(
    "header, words_shown",
    [
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:130.0) Gecko/20100101 Firefox/130.0",
            "Firefox on Windows",
        ),
        (
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) "
                "Chrome/129.0.0.0 Safari/537.36"
            ),
            "Chrome on Mac",
        ),
        (
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
                "Chrome/129.0.0.0 Safari/537.36 Edg/129.0.0.0"
            ),
            "Edge on Windows",
        ),
        (
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 17_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
                "Version/17.6 Mobile/15E148 Safari/604.1"
            ),
            "Safari on iPhone",
        ),
        (
            (
                "Mozilla/5.0 (Linux; Android 14; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) "
                "Chrome/129.0.0.0 Mobile Safari/537.36"
            ),
            "Chrome on Android",
        ),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0", "Firefox on Linux"),
        ("Mozilla/5.0 (X11; CrOS x86_64) Chrome/129.0.0.0 Safari/537.36", "Chrome on ChromeOS"),
        ("curl/8.5.0", "curl"),
        ("python-httpx/0.28", "a Python program"),
        ("<script>alert(1)</script> http://evil.example", "an unknown browser"),
        ("", ""),
        ("  ", ""),
    ],
)
def test_readable_agent(header, words_shown):
    assert readable_agent(header) == words_shown


@given(st.text(max_size=600))
def test_readable_agent_repeats_nothing(header):
    assert re.fullmatch(r"[A-Za-z ]*", readable_agent(header))


@pytest.mark.parametrize("kind", ["ticket", "mandate_link"])
@pytest.mark.parametrize("passkey, thing", [(False, "set up 2fa"), (True, "set up a passkey")])
def test_the_mails_of_a_link_name_what_it_is_for(kind: str, *, passkey: bool, thing: str) -> None:
    mail = rendered(kind, passkey=passkey)
    assert thing in mail.subject.lower()
    assert thing in mail.text.lower()
    assert ("2fa for" in mail.text.lower()) is not passkey
