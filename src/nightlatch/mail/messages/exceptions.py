"""Mails about exceptions: somebody is given more time to set up 2FA. No link in them does anything by itself."""

from typing import Unpack

from nightlatch.instants import Instant
from nightlatch.mail import words
from nightlatch.mail.layout import Message
from nightlatch.mail.messages.common import (
    SETTINGS,
    Common,
    act,
    done_by,
    first_factor,
    letter,
    look,
    person,
)
from nightlatch.mail.messages.common import workspace as named


def exception_asked(
    *, workspace: str, by: str, name: str, reason: str, expires: Instant, link: str, **common: Unpack[Common]
) -> Message:
    """To those who can agree to it."""
    team, who = named(workspace), words.name(name, "a teammate")
    return letter(
        common,
        f"More time for a teammate in {team}: your agreement is asked for",
        f"{person(by)} asks that {who} may use {team} without the 2FA that it requires until "
        f"{words.moment(expires)}. That takes a second person: until somebody agrees, nothing changes for {who}.",
        button=act(common, "Look at it", link),
        facts=done_by(common, by, ("Reason", words.quoted(reason))),
    )


def exception_granted(
    *, workspace: str, by: str, reason: str, expires: Instant, **common: Unpack[Common]
) -> Message:
    """To the person who has more time now."""
    team = named(workspace)
    return letter(
        common,
        f"You have until {words.day(expires)} to set up 2FA for {team}",
        f"{team} asks everyone for 2FA, and you have not set up what it takes. You have more time: until "
        f"{words.moment(expires)} you can open it as before. Then it ends by itself. You can set up 2FA earlier, "
        "whenever you like; it takes about a minute.",
        button=look(common, "Set up 2FA", SETTINGS),
        facts=done_by(common, by, ("Reason", words.quoted(reason))),
        not_you=f"Did you not ask for this? Tell an owner of {team}: until then {first_factor(common)} alone opens it.",
    )


def exception_given(
    *,
    workspace: str,
    by: str,
    asker: str,
    name: str,
    reason: str,
    expires: Instant,
    link: str,
    **common: Unpack[Common],
) -> Message:
    """To the owners, when somebody has more time."""
    team, who = named(workspace), words.name(name, "a teammate")
    return letter(
        common,
        f"A teammate may use {team} without the required 2FA until {words.day(expires)}",
        f"{person(asker)} asked for it, and {person(by)} agreed: until {words.moment(expires)} {who} can open {team} "
        "without the 2FA that it requires. It ends by itself, and an admin can end it earlier.",
        button=act(common, "See all exceptions", link),
        facts=done_by(common, by, ("Asked by", person(asker)), ("Reason", words.quoted(reason))),
        not_you="Does this look wrong? End it on that page, and ask those two.",
    )


def exception_refused(*, workspace: str, by: str, name: str, link: str, **common: Unpack[Common]) -> Message:
    """To the admin who asked."""
    team, who = named(workspace), words.name(name, "a teammate")
    return letter(
        common,
        f"No more time for a teammate in {team}",
        f"You asked that {who} may use {team} without the required 2FA for a while. {person(by)} did not agree, so "
        f"nothing has changed for {who}.",
        button=act(common, "See all exceptions", link),
        facts=done_by(common, by),
    )


def exception_ended(*, workspace: str, by: str, **common: Unpack[Common]) -> Message:
    """To the person whose time has ended before its day."""
    team = named(workspace)
    return letter(
        common,
        f"Your extra time to set up 2FA for {team} has ended",
        f"The time that you had in {team} without the required 2FA has ended early. If {team} asks for 2FA already, "
        "you set it up before you can open it again: it takes about a minute.",
        button=look(common, "Set up 2FA", SETTINGS),
        facts=done_by(common, by),
    )


def exception_over(*, workspace: str, by: str, name: str, link: str, **common: Unpack[Common]) -> Message:
    """To the owners, when somebody's time has ended before its day."""
    team, who = named(workspace), words.name(name, "a teammate")
    return letter(
        common,
        f"The extra time of a teammate in {team} has ended",
        f"{who} could open {team} without the required 2FA for a while. That has ended before its day.",
        button=act(common, "See all exceptions", link),
        facts=done_by(common, by),
    )
