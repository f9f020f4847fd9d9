"""Mails of a workspace that takes passkeys alone: before its date, on it, a reminder, and to those who are ready.

They may leave later than they were written, so they name the date and count no days.
"""

from typing import Unpack

from nightlatch.instants import Instant
from nightlatch.mail import words
from nightlatch.mail.layout import Message
from nightlatch.mail.messages.common import Common, act, done_by, letter, person, product
from nightlatch.mail.messages.common import workspace as named
from nightlatch.mail.messages.teams import YOURS_ALONE

_WHAT = (
    "A passkey is your fingerprint, your face or your screen lock, on a phone, a computer or a security key. A false "
    "page cannot use it."
)
_SUBJECTS = {
    "reminder": "A reminder: set up a passkey for {team}",
    "1_day": "Last day: {team} asks for a passkey from {day}",
    "3_days": "Before {day}: set up a passkey for {team}",
}


def strength_notice(
    *, workspace: str, by: str, stage: str, from_instant: Instant | None, link: str, **common: Unpack[Common]
) -> Message:
    """To a teammate without a passkey: as it is announced (`announce`), as its date comes nearer (`7_days`, `3_days`,
    `1_day`), on it (`start`), or as a `reminder`. `from_instant`: None where it is required already."""
    team = named(workspace)
    if from_instant is None:
        subject = "{team} now asks for a passkey: set yours up to open it"
        need = f"You need it before you can open {team}; a code from an app is not enough there any more."
    else:
        subject = "{team} asks for a passkey from {day}: set yours up"
        need = (
            f"Until {words.moment(from_instant)} you can keep working as you do now. After that a code from an app is "
            f"not enough to open {team}."
        )
    day = words.day(from_instant) if from_instant is not None else ""
    chosen = _SUBJECTS.get(stage, subject) if from_instant is not None or stage == "reminder" else subject
    who = f"{person(by)} reminds you" if stage == "reminder" else f"{person(by)} asks everyone in {team}"
    return letter(
        common,
        chosen.format(team=team, day=day),
        f"{who} to set up a passkey for {team}. {need}",
        _WHAT,
        button=act(common, "Set up a passkey", link),
        notes=(YOURS_ALONE,),
        facts=done_by(common, by),
        not_you=f"In doubt whether this is real? Ask {person(by)}, or open {product(common)} the way you always do: it "
        "says the same.",
    )


def strength_ready(
    *, workspace: str, by: str, from_instant: Instant | None, **common: Unpack[Common]
) -> Message:
    """To a teammate who has a passkey when their workspace begins to require one."""
    team = named(workspace)
    since = "" if from_instant is None else f" from {words.day(from_instant)}"
    start = "now asks everyone for a passkey" if from_instant is None else "will ask everyone for a passkey"
    return letter(
        common,
        f"{team} {start}{since}: you are ready",
        f"{person(by)} decided that everyone in {team} signs in with a passkey{since}. You have one: you are ready, "
        "and there is nothing to do.",
        notes=("Do set up a second one on another device, so that one that is lost does not lock you out.",),
        facts=done_by(common, by),
    )
