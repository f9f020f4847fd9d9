"""Mails about a lost device: asking for help, "not me", marked as lost, used again, accepted by a workspace."""

from typing import Unpack

from nightlatch.instants import Instant, ago
from nightlatch.mail import words
from nightlatch.mail.layout import Message
from nightlatch.mail.messages.common import (
    SETTINGS,
    Common,
    act,
    device,
    done_by,
    its_proofs,
    kind_of,
    letter,
    look,
    not_me_button,
    not_you,
    own_act,
    person,
    product,
    take_new_password,
    who_knows,
)
from nightlatch.mail.messages.common import workspace as named


def help_requested(
    *,
    workspace: str,
    name: str,
    account: str,
    link: str,
    used_at: Instant | None = None,
    **common: Unpack[Common],
) -> Message:
    """To those who may turn a teammate's 2FA off: somebody with that teammate's first factor asks for it."""
    team, who = named(workspace), words.name(name, "A teammate")
    return letter(
        common,
        f"Somebody asks for help to sign in to {team}",
        f"{_with_first_factor(common)} asks you to turn off the 2FA of {who}, because the phone or passkey is lost. "
        f"It may be {who}, or somebody who stole {_first_factor(common)}.",
        f"{_last_used(used_at, common['when'])} Call {who} on a number that you already had. A mail or a chat message "
        "is not enough.",
        button=act(common, "See who asks", link),
        facts=own_act(common, account),
    )


def help_contested(
    *, workspace: str, name: str, account: str, link: str, **common: Unpack[Common]
) -> Message:
    """To the same people: the person says by a mailed link that it was somebody else."""
    who = words.name(name, "A teammate")
    return letter(
        common,
        f"It was not them: do not turn off 2FA in {named(workspace)}",
        f"{who} says that it was somebody else who asked you for help to sign in. Do not turn off their 2FA. Tell "
        f"{who} that somebody {_has_theirs(common)}.",
        button=act(common, "See who asks", link),
        facts=done_by(common, name, ("Account", words.address(account))),
    )


def help_asked(
    *,
    workspace: str,
    account: str | None = None,
    not_me_link: str | None = None,
    **common: Unpack[Common],
) -> Message:
    """To the person, at every address: the admins were asked in their name."""
    return letter(
        common,
        "The admins were asked to help you sign in",
        f"Somebody who {who_knows(common)} says that your phone or passkey is lost, and asked the admins of "
        f"{words.name(workspace, 'your workspace', most=200)} to turn off your 2FA.",
        "If it was you: they will contact you another way, to see that it is really you. Nobody from "
        f"{product(common)} will ask for a code.",
        facts=own_act(common, account),
        not_you=f"Not you? Press the button: the admins are told, and every session ends. {take_new_password(common)}.",
        button=not_me_button(common, not_me_link),
    )


def contested(*, name: str | None = None, account: str | None = None, **common: Unpack[Common]) -> Message:
    """Somebody pressed “this was not me” in a mail: what it did, and the way back."""
    if name is None:
        done = "Every session of your account has ended."
    else:
        done = f"{device(name)} is suspended: it is not accepted, and what was opened with it has ended."
    return letter(
        common,
        "“This was not me” was pressed in a mail to you",
        f"{done} Nothing was removed, and nothing new was let in.",
        f"{take_new_password(common)}.",
        "Was it yours after all? Sign in with another second step and use it again from your settings. Without one, an "
        "admin of your workspace can turn your 2FA off, so that you set it up anew.",
        facts=own_act(common, account),
        button=look(common, "Look at your 2FA", SETTINGS),
    )


def authenticator_lost(
    *, name: str, method: str = "totp", account: str | None = None, **common: Unpack[Common]
) -> Message:
    """A person marked one of their own as lost."""
    return letter(
        common,
        f"{kind_of(method)} was marked as lost",
        f"{kind_of(method)}, {device(name)}, was marked as lost, with another second step of yours. "
        f"{its_proofs(method, 'are not accepted', 'is not accepted')}, and what was opened with it is closed. "
        "For 24 hours nothing weighty can be changed with what is left.",
        facts=own_act(common, account),
        not_you=not_you(common),
        button=look(common, "Look at your 2FA", SETTINGS),
    )


def authenticator_found(
    *, name: str, method: str = "totp", account: str | None = None, **common: Unpack[Common]
) -> Message:
    """What was lost or contested is used again."""
    kind = kind_of(method)
    return letter(
        common,
        f"{kind} works again",
        f"{kind}, {device(name)}, is accepted again, by a session that showed another second step of yours.",
        facts=own_act(common, account),
        not_you=not_you(common),
        button=look(common, "Look at your 2FA", SETTINGS),
    )


def authenticator_accepted(
    *,
    workspace: str,
    by: str,
    name: str,
    method: str = "totp",
    account: str | None = None,
    **common: Unpack[Common],
) -> Message:
    """A workspace relies on a person's authenticator from now on, because somebody there said so."""
    team = named(workspace)
    more = (("Account", words.address(account)),) if account else ()
    what = "passkey" if method == "passkey" else "authenticator app"
    return letter(
        common,
        f"{team} accepts your {what}",
        f"{person(by)} let {team} rely on your {what} {device(name)}. From now on it asks you for it.",
        facts=done_by(common, by, *more),
        not_you=f"You know nothing of it? Tell another admin or an owner of {team} at once.",
        button=look(common, "Look at your 2FA", SETTINGS),
    )


def _with_first_factor(common: Common) -> str:
    if common.get("keeper") is not None:
        return f"Somebody who is in this teammate's account at {product(common)}"
    return "Somebody with this teammate's password"


def _first_factor(common: Common) -> str:
    return "that account" if common.get("keeper") is not None else "the password"


def _has_theirs(common: Common) -> str:
    if common.get("keeper") is not None:
        return f"is in their account at {product(common)}"
    return "knows their password"


def _last_used(used_at: Instant | None, now: Instant | None) -> str:
    if used_at is None or now is None:
        return "Their app was not used yet."
    return f"Their app was last used {ago(now - used_at)}."
