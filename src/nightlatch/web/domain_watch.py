"""Looking once a day for the DNS records of proved domains: whoever has lost a domain vouches for nobody there."""

from nightlatch.actions import domains
from nightlatch.actions.by import SYSTEM
from nightlatch.actions.domains import Due
from nightlatch.instants import MINUTE, Duration
from nightlatch.resolver import Unanswered
from nightlatch.web.house import Front

PAUSE: Duration = 10 * MINUTE


async def look_again(front: Front) -> int:
    """One look at those that are due; how many they were."""
    due = await front.house.store.query(domains.due)
    for each in due:
        await _look(front, each)
    if due:
        front.wake_mail()
    return len(due)


async def _look(front: Front, again: Due) -> None:
    resolver = front.house.resolver()
    found: tuple[str, ...] | None
    try:
        found = await front.outside.run(lambda: resolver.texts(again.record_name))
    except Unanswered:
        found = None
    await front.house.store.write(lambda tx: domains.recheck(tx, by=SYSTEM, again=again, found=found))
