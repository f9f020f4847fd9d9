"""Mails about a reset that waits (an admin's, or an owner's): asked for, done, ended. The way back: `two_factor`."""

from typing import Unpack

from nightlatch.instants import Instant
from nightlatch.mail import words
from nightlatch.mail.layout import Message
from nightlatch.mail.messages.common import Common, act, done_by, letter, person
from nightlatch.mail.messages.common import workspace as named

_WHY = {
    "second_step": "a right code was entered for that account, so its owner is not locked out",
    "withdrawn": "whoever had asked for it took it back",
    "owner": "an owner stopped it",
    "mail": "it was stopped by the link in the mail",
    "requester": "whoever had asked for it may not ask for it any more",
    "removed": "the person is no longer in the workspace",
    "role": "the person has a higher role now",
    "last_owner": "nobody else among the owners has 2FA",
    "nothing": "there was no 2FA left to turn off",
    "lapsed": "no second owner approved it in time",
    "replaced": "the operator of this installation turned it off instead",
}


def reset_waiting(
    *,
    workspace: str,
    by: str,
    reason: str,
    expires: Instant,
    approval: bool,
    link: str | None = None,
    **common: Unpack[Common],
) -> Message:
    """To the person at every address: somebody asked to turn off their 2FA. The link stops it; copies have none."""
    team, admin = named(workspace), person(by)
    if approval:
        when = f"It is done only if a second owner of {team} approves it, until {words.moment(expires)}."
        code = ""
    else:
        when = f"It will be done on {words.moment(expires)}, or earlier if a second owner approves it."
        code = " Signing in with your second step, or with a recovery code, stops it, too."
    return letter(
        common,
        f"Somebody asked to turn off your 2FA in {team}",
        f"{admin} says that you are locked out of {team}, and asked to turn off your 2FA there. {when}",
        "Are you locked out? Then there is nothing to do: you get a mail with the way back. "
        f"If you are not, stop it now.{code}",
        button=act(common, "Look at it and stop it", link) if link is not None else None,
        notes=(
            "Opening the link changes nothing until you press the button on the page."
            if link is not None
            else "The link that stops it went to the account's own address.",
        ),
        facts=done_by(common, by, ("Reason", words.quoted(reason))),
        not_you=f"You know nothing of this? Stop it, and tell an owner of {team} at once.",
    )


def reset_waiting_owner(
    *,
    workspace: str,
    by: str,
    name: str,
    reason: str,
    expires: Instant,
    approval: bool,
    link: str,
    **common: Unpack[Common],
) -> Message:
    """To every owner: what waits, and where to approve or stop it."""
    team, who = named(workspace), words.name(name, "a teammate")
    if approval:
        when = (
            f"{who} stopped such a reset with a right code within the last 30 days, so this one takes the approval "
            f"of a second owner, until {words.moment(expires)}."
        )
    else:
        when = (
            f"It will be done on {words.moment(expires)}. An owner can stop it, and a second owner can approve it "
            "before."
        )
    return letter(
        common,
        f"2FA is to be turned off for an owner or admin of {team}",
        f"{person(by)} says that {who} is locked out of {team}, and asked to turn off their 2FA there. {when}",
        f"Ask {who}, on a number that you already had, whether it is true.",
        button=act(common, "Approve or stop it", link),
        facts=done_by(common, by, ("Reason", words.quoted(reason))),
        not_you=f"Does nobody know of this? Stop it, and ask {person(by)}.",
    )


def reset_done(
    *, workspace: str, by: str, name: str, approver: str | None, link: str, **common: Unpack[Common]
) -> Message:
    """To the owners, and to whoever asked."""
    team, who = named(workspace), words.name(name, "a teammate")
    agreed = f" {person(approver)} approved it." if approver is not None else ""
    return letter(
        common,
        f"2FA is turned off for an owner or admin of {team}",
        f"As {person(by)} asked, 2FA is turned off for {who} in {team}.{agreed} A mail with a link to set it up again "
        "went to them; it works only with the number.",
        button=act(common, "See the teammates", link),
        facts=done_by(common, by),
    )


def reset_ended(*, workspace: str, by: str, name: str | None, why: str, **common: Unpack[Common]) -> Message:
    """To the person (`name` is None), the owners, and whoever asked: it will not be done."""
    team = named(workspace)
    whose = f"The 2FA of {words.name(name, 'a teammate')}" if name is not None else "Your 2FA"
    reason = _WHY.get(why, "it was stopped")
    return letter(
        common,
        f"2FA stays on for {'an owner or admin' if name is not None else 'your account'} in {team}",
        f"{whose} in {team} is not turned off: {reason}.",
        facts=done_by(common, by),
        not_you=""
        if name is not None
        else f"Is this not what you want, because you are locked out? Tell an owner of {team}.",
    )
