"""What every message is told, and the sentences that several of them share."""

from typing import TypedDict

from nightlatch.instants import Instant
from nightlatch.mail import words
from nightlatch.mail.layout import Button, Letter, Message, checked_link, compose


class Common(TypedDict):
    """The arguments that every message takes beside its own."""

    product: str
    """The name on pages and in mails."""
    origin: str
    """The configured base URL with its path prefix; every link must be below it."""
    when: Instant | None
    """When it happened."""
    where: str
    """The network address it came from, or ""."""
    agent: str
    """The browser in words (`readable_agent`), or ""."""


SETTINGS = "/settings/user"
SIGN_IN = "/sign-in"

_NEW_PASSWORD = (
    "Choose “Forgot your password?” on the sign-in page now and take a new one: that ends every session. "
    "Then tell an admin of your workspace"
)
NOT_YOU = f"Not you? Somebody may be using your account. {_NEW_PASSWORD}."
NOT_YOUR_2FA = (
    f"Not you? Somebody may be using your account. {_NEW_PASSWORD}; they can turn off 2FA that is not yours, "
    "and you set up your own."
)


def product(common: Common) -> str:
    """The product's name on one line."""
    return words.one_line(common["product"], 60) or "Nightlatch"


def workspace(text: str) -> str:
    """A workspace's name."""
    return words.name(text, "your workspace")


def person(text: str) -> str:
    """A person's name."""
    return words.name(text, "An admin")


def device(text: str) -> str:
    """The name a person gave an authenticator app, in quotation marks, or nothing of it."""
    named = words.name(text, "")
    return f"“{named}”" if named else "without a name"


def act(common: Common, label: str, link: str) -> Button:
    """The button that the mail is for."""
    return Button(label, checked_link(link, common["origin"]))


def look(common: Common, label: str, path: str) -> Button:
    """A button to one of our own pages, at the end of a mail that only tells."""
    return Button(label, checked_link(common["origin"].rstrip("/") + path, common["origin"]), last=True)


def own_act(common: Common, account: str | None = None) -> tuple[tuple[str, str], ...]:
    """The facts of something done with the reader's own account: whose, when, from where, with what."""
    return _present(
        ("Account", words.address(account) if account else ""),
        *_when(common),
        ("From", words.source(common["where"])),
        ("With", words.name(common["agent"], "")),
    )


def done_by(common: Common, by: str | None, *more: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    """The facts of something another person did: who, when. Where they sat is nobody's business."""
    return _present(("Who", person(by) if by else ""), *_when(common), *more)


def good_until(expires: Instant | None) -> str:
    """How long a link works."""
    until = f", until {words.moment(expires)}" if expires is not None else ", and only for a limited time"
    return f"The link works once{until}. Opening it changes nothing until you press the button on the page."


def letter(
    common: Common,
    subject: str,
    *opening: str,
    button: Button | None = None,
    notes: tuple[str, ...] = (),
    facts: tuple[tuple[str, str], ...] = (),
    not_you: str = "",
) -> Message:
    """Composes a message."""
    return compose(Letter(product(common), subject, opening, button, notes, facts, not_you))


def _when(common: Common) -> tuple[tuple[str, str], ...]:
    return (("When", words.moment(common["when"])),) if common["when"] is not None else ()


def _present(*facts: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple((label, value) for label, value in facts if value)
