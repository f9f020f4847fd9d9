"""What a person has yet to set up, and until when: the banner on the pages of workspaces and settings."""

from dataclasses import dataclass

from nightlatch.access import decide_workspace
from nightlatch.actions.snoozing import LAST_DAY, due
from nightlatch.assurance import enrolled
from nightlatch.decision import Allow
from nightlatch.instants import DAY, HOUR, MINUTE, Duration, Instant
from nightlatch.store import snoozes
from nightlatch.store.engine import Unavailable
from nightlatch.web.context import Context

MOST = 3
"""Banners on one page; the workspaces' list tells of all."""


@dataclass(frozen=True, slots=True)
class Due:
    """One workspace that will ask this person for 2FA."""

    slug: str
    name: str
    at: Instant
    left: str
    """The time left in words, as in "in 3 days"."""
    may_wait: bool
    """There is more than a day left: it may be put away until tomorrow."""
    passkey: bool
    """They have 2FA: it is a passkey that they lack."""


async def look(context: Context) -> tuple[Due, ...]:
    """The banners of a page: of the workspace in the path, else of all of them, the soonest first; mostly none."""
    facts, now = context.facts, context.now
    found = [
        (at, each.workspace)
        for each in facts.teammates
        if (context.place is None or context.place.id == each.workspace)
        and (at := due(facts, each.workspace)) is not None
        and isinstance(decide_workspace(facts, each.workspace), Allow)
    ]
    account = facts.account
    if not found or account is None:
        return ()
    try:
        snoozed = await context.read(lambda tx: snoozes.of_account(tx, account))
    except Unavailable:
        snoozed = {}
    places = context.known.places or {}
    shown = [
        Due(
            places[id].slug,
            places[id].name,
            at,
            left(at - now),
            at - now > LAST_DAY,
            enrolled(facts.authenticators, id),
        )
        for at, id in sorted(found)
        if id not in snoozed or at - now <= LAST_DAY
    ]
    return tuple(shown[:MOST])


def left(duration: Duration) -> str:
    """How long from now, in its two largest units, rounded down: "in 3 days", "in 1 day and 4 hours"."""
    if duration < MINUTE:
        return "in less than a minute"
    parts, names = [], ((DAY, "day"), (HOUR, "hour"), (MINUTE, "minute"))
    for at, (unit, name) in enumerate(names):
        if duration < unit:
            continue
        parts.append(_counted(duration // unit, name))
        if at + 1 < len(names):
            smaller, its_name = names[at + 1]
            rest = duration % unit // smaller
            if rest:
                parts.append(_counted(rest, its_name))
        break
    return f"in {' and '.join(parts)}"


def _counted(count: int, name: str) -> str:
    return f"{count} {name}" if count == 1 else f"{count} {name}s"
