"""Who is in the simulated company, and what habits they have. Pure: the same seed makes the same people."""

import random
from dataclasses import dataclass
from enum import StrEnum

from nightlatch.instants import DAY, HOUR, MINUTE, Duration


class Habit(StrEnum):
    """How somebody treats a mail that asks for something."""

    PROMPT = "prompt"
    """Does it when they read the first one."""
    REMINDED = "reminded"
    """Does it at the second or third."""
    LAST_MINUTE = "last_minute"
    """Does it when nothing opens any more."""
    LATE_READER = "late_reader"
    """Reads mail days after it came: the link in it is over by then."""
    AWAY = "away"
    """On leave when it begins."""


SHARES = {
    Habit.PROMPT: 0.55,
    Habit.REMINDED: 0.25,
    Habit.LAST_MINUTE: 0.12,
    Habit.LATE_READER: 0.05,
    Habit.AWAY: 0.03,
}
LOSES_PHONE = 0.03
"""Within the time that is played."""
KEEPS_CODES = 0.7
"""Of those who lose a phone: can get at their recovery codes."""
MAIL_BOUNCES = 0.01
PASSWORD_STOLEN = 0.02
MAILBOX_STOLEN = 0.005


@dataclass(frozen=True, slots=True)
class Character:
    """One person, before anything has happened."""

    number: int
    habit: Habit
    mails_needed: int
    """How many mails it takes until they set up."""
    reads_after: Duration
    works_every: Duration
    works_from: Duration
    """After the start of the play."""
    loses_phone_at: Duration | None
    keeps_codes: bool
    mail_works_from: Duration
    """Until then their mailbox takes nothing."""
    password_stolen_at: Duration | None
    mailbox_stolen_at: Duration | None


def cast(people: int, length: Duration, start: Duration, chance: random.Random) -> list[Character]:
    """`people` characters for a play of `length`, in which the mandate begins after `start`."""
    return [_character(number, length, start, chance) for number in range(people)]


def _character(number: int, length: Duration, start: Duration, chance: random.Random) -> Character:
    habit = chance.choices(list(SHARES), list(SHARES.values()))[0]
    away = habit is Habit.AWAY
    return Character(
        number,
        habit,
        {Habit.PROMPT: 1, Habit.REMINDED: chance.choice([2, 3])}.get(habit, 99 if away else 4),
        chance.randrange(36, 120) * HOUR
        if habit is Habit.LATE_READER
        else round(chance.lognormvariate(4.2, 1.0)) * MINUTE,
        chance.choice([1, 2, 3]) * DAY,
        (start + chance.randrange(1, 10) * DAY if away else 0) + chance.randrange(8 * 60, 18 * 60) * MINUTE,
        _some_time(LOSES_PHONE, length, chance),
        chance.random() < KEEPS_CODES,
        start + chance.randrange(4, 72) * HOUR if chance.random() < MAIL_BOUNCES else 0,
        _some_time(PASSWORD_STOLEN, length, chance),
        _some_time(MAILBOX_STOLEN, length, chance),
    )


def _some_time(share: float, length: Duration, chance: random.Random) -> Duration | None:
    return chance.randrange(length) if chance.random() < share else None
