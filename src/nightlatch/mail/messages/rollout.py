"""Mails of a mandate on its way: its notices, reminders, a fresh link, and how far the team is.

They may leave later than they were written, so they name the date and count no days.
"""

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
    letter,
    look,
    person,
    product,
)
from nightlatch.mail.messages.common import workspace as named
from nightlatch.mail.messages.teams import ANY_APP, SECOND_STEP, YOURS_ALONE

_SUBJECTS = {
    "7_days": "{team} asks everyone for 2FA from {day}: set yours up",
    "3_days": "Before {day}: set up 2FA for {team}",
    "1_day": "Last day: {team} asks for 2FA from {day}",
    "start": "{team} now asks for 2FA: set yours up to open it",
}


def mandate_notice(
    *, workspace: str, by: str, stage: str, from_instant: Instant, link: str, **common: Unpack[Common]
) -> Message:
    """To a teammate without 2FA as the date comes nearer (`7_days`, `3_days`, `1_day`), and on it (`start`)."""
    team, day = named(workspace), words.day(from_instant)
    if stage == "start":
        need = f"Since {words.moment(from_instant)} you need it before you can open {team}."
    else:
        need = (
            f"Until {words.moment(from_instant)} you can keep working as you do now. "
            f"After that you need it before you can open {team}."
        )
    return letter(
        common,
        _SUBJECTS.get(stage, _SUBJECTS["7_days"]).format(team=team, day=day),
        f"You have not set up 2FA for {team} yet: beside {first_factor(common)}, {SECOND_STEP}. {need}",
        button=act(common, "Set up 2FA", link),
        notes=(ANY_APP, YOURS_ALONE),
        facts=done_by(common, by),
        not_you=_doubt(common, by),
    )


def mandate_reminder(
    *, workspace: str, by: str, from_instant: Instant | None, link: str, **common: Unpack[Common]
) -> Message:
    """To a teammate without 2FA of whom somebody thought. `from_instant`: the date that comes; None: it is required."""
    team = named(workspace)
    need = (
        f"You need it before you can open {team}."
        if from_instant is None
        else f"From {words.moment(from_instant)} on you need it before you can open {team}."
    )
    return letter(
        common,
        f"A reminder: set up 2FA for {team}",
        f"{person(by)} reminds you to set up 2FA for {team}: beside {first_factor(common)}, "
        f"{SECOND_STEP}. {need}",
        button=act(common, "Set up 2FA", link),
        notes=(ANY_APP, YOURS_ALONE),
        facts=done_by(common, by),
        not_you=_doubt(common, by),
    )


def mandate_link(
    *, workspace: str, link: str, expires: Instant, passkey: bool = False, **common: Unpack[Common]
) -> Message:
    """To a teammate without 2FA whose link had run out, and on whose page somebody pressed the button for another.
    `passkey`: only that will do."""
    team, thing = named(workspace), "a passkey" if passkey else "2FA"
    return letter(
        common,
        f"Your new link to set up {thing} for {team}",
        f"The link in an older mail had run out. Here is a new one: it shows that this mailbox is yours, and leads "
        f"you straight on to {thing} for {team}.",
        button=act(common, f"Set up {thing}", link),
        notes=(good_until(expires),),
        facts=done_by(common, None),
        not_you="You did not ask for it? Then leave it: it opens nothing by itself.",
    )


def mandate_summary(
    *,
    workspace: str,
    slug: str,
    stage: str,
    set_up: int,
    left: int,
    from_instant: Instant,
    strength: str | None = None,
    **common: Unpack[Common],
) -> Message:
    """To the owners at each stage: how many of the team are set up, and how many are left. `strength`: where a passkey
    is required."""
    team, everybody = named(workspace), set_up + left
    date, what = words.moment(from_instant), "a passkey" if strength else "2FA"
    begun = "since" if stage == "start" else "from"
    since = f"{what[0].upper()}{what[1:]} is required {begun} {date}."
    rest = (
        "Everybody is ready: there is nothing to do."
        if left == 0
        else f"{left} {'is' if left == 1 else 'are'} left, and {'was' if left == 1 else 'were'} mailed a link. "
        "You can remind them, and see who they are."
    )
    return letter(
        common,
        f"{team}: {set_up} of {everybody} have set up {what}",
        f"{set_up} of {everybody} teammates of {team} have {what}. {rest}",
        since,
        button=look(common, "See how far the team is", f"/w/{slug}/settings/team/authentication/progress"),
        facts=done_by(common, None),
    )


def _doubt(common: Common, by: str) -> str:
    return (
        f"In doubt whether this is real? Ask {person(by)}, or open {product(common)} the way you always do: it says "
        "the same."
    )
