"""For how long a workspace lets browsers be remembered: a setting only while nothing is required there."""

from nightlatch.instants import DAY, Duration, Instant
from nightlatch.refusals import Code, Refused, WayOut, invalid
from nightlatch.store.query import Row

MOST_DAYS = 30


def wanted_memory(row: Row, required_from: Instant | None, days: int | None) -> Duration | None:
    """For how long browsers are to be remembered; None for never. `row`: the workspace as it is; `required_from`: its
    mandate as it will be; `days`: None leaves the setting as it is, 0 turns it off.

    A mandate, now or from a date, ends the setting. Raises Refused: `invalid`, `conflict`.
    """
    if days is not None and not 0 <= days <= MOST_DAYS:
        raise invalid("remember_browsers", f"Choose 1 to {MOST_DAYS} days, or never.")
    if required_from is None:
        kept: Duration | None = row.remember_for
        return kept if days is None else days * DAY or None
    if days:
        raise Refused(
            Code.CONFLICT,
            "Browsers can only be remembered where 2FA is not required, now or from a date.",
            WayOut("See what is required.", f"/w/{row.slug}/settings/team/authentication"),
        )
    return None
