"""Mails about a workspace: who is in it, what it asks for."""

from typing import Unpack

from nightlatch.instants import Instant
from nightlatch.mail import words
from nightlatch.mail.layout import Message
from nightlatch.mail.messages.common import (
    Common,
    act,
    done_by,
    first_factor,
    good_until,
    installation,
    letter,
    look,
    person,
    product,
)
from nightlatch.mail.messages.common import workspace as named

SECOND_STEP = "a passkey, or a code from an app on your phone"
"""What 2FA takes, where any second step will do."""
ANY_APP = (
    "Any authenticator app will do, such as Google Authenticator, 1Password or Authy. "
    "It takes about a minute."
)
YOURS_ALONE = (
    "The link is yours alone: do not pass it on. If it has run out, it opens a page that mails you a new one."
)


def invitation(
    *,
    workspace: str,
    inviter: str,
    role: str,
    link: str,
    never_link: str,
    expires: Instant,
    **common: Unpack[Common],
) -> Message:
    """To an invited address. Its reader may know nobody here: no name that anybody typed stands in the subject."""
    return letter(
        common,
        f"You are invited to a workspace on {installation(common)}",
        f"{_quoted(inviter, 'Somebody')} invites you to join {_quoted(workspace, 'a workspace')} "
        f"as {words.role(role)}.",
        button=act(common, "See the invitation", link),
        notes=(good_until(expires),),
        facts=done_by(common, None),
        not_you="You do not know what this is about? Then leave it: nothing happens, and the invitation "
        "runs out.",
        unsubscribe=never_link,
    )


def _quoted(text: str, otherwise: str) -> str:
    """A name of a stranger's, in quotation marks: it is theirs, not ours."""
    named = words.name(text, "")
    return f"“{named}”" if named else otherwise


def mandate_enrol(
    *, workspace: str, by: str, from_instant: Instant | None, link: str, **common: Unpack[Common]
) -> Message:
    """To a teammate without 2FA when a workspace starts to require it: at once (None) or from an instant."""
    team = named(workspace)
    if from_instant is None:
        subject = f"{team} now asks everyone for 2FA: set yours up"
        need = f"From now on you need it before you can open {team}."
    else:
        subject = f"{team} asks everyone for 2FA from {words.day(from_instant)}: set yours up"
        need = (
            f"Until {words.moment(from_instant)} you can keep working as you do now. "
            f"After that you need it before you can open {team}."
        )
    return letter(
        common,
        subject,
        f"{person(by)} decided that everyone in {team} signs in with 2FA: beside {first_factor(common)}, "
        f"{SECOND_STEP}. {need}",
        button=act(common, "Set up 2FA", link),
        notes=(ANY_APP, YOURS_ALONE),
        facts=done_by(common, by),
        not_you=f"In doubt whether this is real? Ask {person(by)}, or open {product(common)} the way you "
        "always do: it says the same.",
    )


def mandate_ready(
    *, workspace: str, by: str, from_instant: Instant | None, **common: Unpack[Common]
) -> Message:
    """To a teammate who has 2FA when their workspace starts to require it."""
    team = named(workspace)
    start = "now asks everyone for 2FA" if from_instant is None else "will ask everyone for 2FA"
    since = "" if from_instant is None else f" from {words.day(from_instant)}"
    return letter(
        common,
        f"{team} {start}{since}: you are ready",
        f"{person(by)} decided that everyone in {team} signs in with 2FA{since}. "
        "You already do: you are ready, and there is nothing to do.",
        notes=("Do keep your recovery codes where you can reach them without your phone or passkey.",),
        facts=done_by(common, by),
    )


def mandate_off(*, workspace: str, by: str, **common: Unpack[Common]) -> Message:
    """To the teammates of a workspace that stopped requiring 2FA."""
    team = named(workspace)
    return letter(
        common,
        f"{team} no longer asks everyone for 2FA",
        f"{person(by)} decided that 2FA is up to each person in {team} again. "
        "If you use it, it stays on. We suggest that you keep it: a stolen password alone then opens "
        "nothing.",
        button=look(common, "Open your settings", "/settings/user"),
        facts=done_by(common, by),
    )


def teammate_removed(*, workspace: str, by: str | None = None, **common: Unpack[Common]) -> Message:
    """To a person who was removed from a workspace."""
    team = named(workspace)
    return letter(
        common,
        f"You are no longer in {team}",
        f"You were removed from the workspace {team}, and what you had open there has ended. "
        "Your account and your other workspaces are as they were.",
        facts=done_by(common, by),
        not_you="Did you not expect this? Ask the people you work with there.",
    )


def role_changed(*, workspace: str, role: str, by: str | None = None, **common: Unpack[Common]) -> Message:
    """To a teammate whose role changed."""
    team = named(workspace)
    return letter(
        common,
        f"You are now {words.role(role)} in {team}",
        f"Your role in {team} was changed. You are now {words.role(role)}.",
        facts=done_by(common, by),
        not_you="Did you not expect this? Ask an owner of the workspace.",
    )


def break_glass(*, operator: str, reason: str, what: str, **common: Unpack[Common]) -> Message:
    """To all owners before the operator acts past the rules."""
    return letter(
        common,
        f"Emergency access by the operator of {installation(common)}",
        f"{words.name(operator, 'The operator')} runs this installation of {installation(common)} and is using "
        "emergency access in a workspace of which you are an owner. Every owner gets this mail.",
        facts=done_by(
            common,
            words.name(operator, "The operator"),
            ("What", words.name(what, "", most=300)),
            ("Reason", words.quoted(reason)),
        ),
        not_you="Nobody told you about this? Ask the other owners and the operator at once, and look "
        "into the workspace's audit log.",
    )
