"""What every message is told, and the sentences that several of them share."""

from dataclasses import dataclass
from typing import NotRequired, TypedDict
from urllib.parse import urlencode

from nightlatch.instants import Instant
from nightlatch.mail import words
from nightlatch.mail.layout import Button, Letter, Message, checked_link, compose


@dataclass(frozen=True, slots=True)
class Keeper:
    """The product that keeps the reader's account."""

    id: str
    """As text, for links."""
    name: str


class Common(TypedDict):
    """The arguments that every message takes beside its own."""

    product: str
    """The name on pages and in mails."""
    keeper: NotRequired[Keeper | None]
    """Whose name and sign-in the mail speaks of instead, for the people of a product."""
    origin: str
    """The configured base URL with its path prefix; every link must be below it."""
    when: Instant | None
    """When it happened."""
    where: str
    """The network address it came from, or ""."""
    agent: str
    """The browser in words (`readable_agent`), or ""."""
    copy_of: NotRequired[str | None]
    """In a copy to an address that is only told: the account's own address."""


SETTINGS = "/settings/user"
SIGN_IN = "/sign-in"
_COPY = (
    "This is a copy: you get it because this address was given for notices about the account, whose holder was told "
    "the same."
)


def not_you(common: Common) -> str:
    """What to do about an act of somebody else's."""
    return f"Not you? Somebody may be using your account. {_new_password(common)}."


def not_your_2fa(common: Common) -> str:
    """The same where it was 2FA that was set up or changed."""
    return (
        f"Not you? Somebody may be using your account. {_new_password(common)}; they can turn off 2FA that is not "
        "yours, and you set up your own."
    )


def _new_password(common: Common) -> str:
    return f"{take_new_password(common)}. Then tell an admin of your workspace"


def take_new_password(common: Common) -> str:
    """How a reader gets a new password, and what that does."""
    if common.get("keeper") is not None:
        return f"Change your password at {product(common)} now, and sign out everywhere there"
    return (
        "Choose “Forgot your password?” on the sign-in page now and take a new one: that ends every session"
    )


def first_factor(common: Common) -> str:
    """What comes before the second step."""
    if common.get("keeper") is not None:
        return f"your sign-in at {product(common)}"
    return "your password"


def who_knows(common: Common) -> str:
    """Of whoever has the reader's first factor."""
    if common.get("keeper") is not None:
        return f"gets into your account at {product(common)}"
    return "knows your password"


def product(common: Common) -> str:
    """The name that the reader knows, on one line: of the product that keeps them, else ours."""
    keeper = common.get("keeper")
    if keeper is not None:
        return words.name(keeper.name, "the product")
    return installation(common)


def installation(common: Common) -> str:
    """The name of this installation, on one line."""
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


_KINDS = {
    "totp": ("An authenticator app", "Codes from it"),
    "passkey": ("A passkey", "It"),
}


def kind_of(method: str) -> str:
    """What a person calls an authenticator of this method: "An authenticator app", "A passkey"."""
    return _KINDS.get(method, _KINDS["totp"])[0]


def its_proofs(method: str, are: str, is_: str) -> str:
    """A sentence about what is shown with it: "Codes from it are not accepted", "It is not accepted"."""
    subject = _KINDS.get(method, _KINDS["totp"])[1]
    return f"{subject} {is_ if method == 'passkey' else are}"


def act(common: Common, label: str, link: str, *, last: bool = False) -> Button:
    """The button that the mail is for."""
    return Button(label, checked_link(link, common["origin"]), last)


def look(common: Common, label: str, path: str) -> Button:
    """A button to one of our own pages, at the end of a mail that only tells."""
    keeper = common.get("keeper")
    if keeper is not None:
        path = by_way_of(keeper.id, path)
    return Button(label, checked_link(common["origin"].rstrip("/") + path, common["origin"]), last=True)


def not_me_button(common: Common, link: str | None) -> Button:
    """For whoever reads of something that they did not do; without a link, the way to one's settings."""
    if link is None:
        return look(common, "Look at your 2FA", SETTINGS)
    return Button("This was not me", checked_link(link, common["origin"]), last=True)


def by_way_of(keeper: str, path: str) -> str:
    """One of our paths through the sign-in of a product, whatever browser it is opened in."""
    return f"{SIGN_IN}?{urlencode({'at': keeper, 'next': path})}"


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
    unsubscribe: str = "",
) -> Message:
    """Composes a message. `unsubscribe`: the link by which its reader is never written to like this again."""
    through = installation(common) if common.get("keeper") is not None else ""
    copied = common.get("copy_of")
    if copied:
        facts = (("Account", words.address(copied)), *(each for each in facts if each[0] != "Account"))
        notes = (*notes, _COPY)
    if unsubscribe:
        unsubscribe = checked_link(unsubscribe, common["origin"])
    return compose(
        Letter(product(common), subject, opening, button, notes, facts, not_you, through, unsubscribe)
    )


def _when(common: Common) -> tuple[tuple[str, str], ...]:
    return (("When", words.moment(common["when"])),) if common["when"] is not None else ()


def _present(*facts: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple((label, value) for label, value in facts if value)
