"""What was in force and was turned off is required again at once or, for a while, not at all.

Else "off, and on again from a date" would postpone what cannot be postponed. The same for 2FA, and for passkeys alone.
"""

from nightlatch.instants import DAY, Duration, Instant
from nightlatch.mail import words
from nightlatch.refusals import Code, Refused, WayOut
from nightlatch.store.query import Row

GRACE_AGAIN_AFTER: Duration = 30 * DAY
"""For so long after."""


def at_once_until(now: Instant, row: Row) -> Instant | None:
    """Until when a workspace's mandate is required at once or not at all; None where it may have a date."""
    return _until(now, row.turned_off_at) if row.required_from is None else None


def passkeys_at_once_until(now: Instant, row: Row) -> Instant | None:
    """The same of passkeys alone."""
    return _until(now, row.resistant_ended_at) if row.resistant_from is None else None


def refuse_a_date(row: Row, what: str, ended_at: Instant, until: Instant) -> None:
    """Raises Refused (`grace_used`). `what`: "2FA was", "A passkey was"."""
    raise Refused(
        Code.GRACE_USED,
        f"{what} required here until {words.day(ended_at)}. Until {words.day(until)} it can be "
        "required again at once, but not from a later date: everybody had their time to set it up.",
        WayOut("See what is required.", f"/w/{row.slug}/settings/team/authentication"),
    )


def _until(now: Instant, ended_at: Instant | None) -> Instant | None:
    until = (ended_at or 0) + GRACE_AGAIN_AFTER
    return until if now < until else None
