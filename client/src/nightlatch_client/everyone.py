"""Keeping Nightlatch's lists of teammates in step with the product's: everybody, at start and each night."""

import asyncio
import inspect
import logging
import random
from collections.abc import AsyncIterable, Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nightlatch_client.errors import Misconfigured, Refused
from nightlatch_client.values import Person, Synced

if TYPE_CHECKING:
    from nightlatch_client.nl import Nightlatch

log = logging.getLogger("nightlatch_client")
DAY = 24 * 3600.0
People = Iterable[Person] | AsyncIterable[Person]
Everyone = Callable[[], People | Awaitable[People]]
"""Yields the people of all workspaces: a function, a generator, or either of them asynchronous."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one workspace's list."""

    workspace: str
    name: str
    people: int
    synced: Synced | None = None
    refused: Refused | None = None


async def sync_everyone(nl: "Nightlatch", *, dry_run: bool = False, confirm: bool = False) -> list[Outcome]:
    """Give the list of each workspace. One that is refused keeps no other from being given.

    Raises Misconfigured where no function is marked by `@nl.everyone`, ValueError where somebody comes twice in a
    workspace, Unavailable where Nightlatch does not answer.
    """
    if nl.people is None:
        raise Misconfigured("No function is marked by @nl.everyone (Django: EVERYONE).")
    outcomes = []
    for workspace, people in grouped(await collect(nl.people)).items():
        name = people[0].workspace_name
        try:
            synced = await nl.areplace_team(workspace, name, people, dry_run=dry_run, confirm=confirm)
            outcomes.append(Outcome(workspace, name, len(people), synced=synced))
        except Refused as refused:
            outcomes.append(Outcome(workspace, name, len(people), refused=refused))
    return outcomes


async def collect(function: Everyone) -> list[Person]:
    """Everybody that the function yields. A plain function runs in a thread: it may ask a database."""
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        return await _all(function())
    return await _all(await asyncio.to_thread(_called, function))


def grouped(people: Iterable[Person]) -> dict[str, list[Person]]:
    """The people of each workspace."""
    groups: dict[str, dict[str, Person]] = {}
    for person in people:
        if not isinstance(person, Person):
            raise TypeError(f"@nl.everyone yields Person, not {type(person).__name__}")
        group = groups.setdefault(person.workspace, {})
        if person.id in group:
            raise ValueError(f"person {person.id} comes twice in workspace {person.workspace}")
        group[person.id] = person
    return {workspace: list(group.values()) for workspace, group in groups.items()}


async def keep_in_step(
    nl: "Nightlatch",
    *,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    chance: Callable[[], float] = random.random,
) -> None:
    """Give everybody's lists soon after the start and then nightly, spread out; runs until it is cancelled.

    Several workers may each do so: giving the same list again changes nothing.
    """
    failures = 0
    await sleep(30 * chance())
    while True:
        try:
            _tell(await sync_everyone(nl))
        except Exception as error:
            failures += 1
            log.warning("the lists of teammates could not be given: %s: %s", type(error).__name__, error)
            await sleep(min(3600.0, 30.0 * 2 ** min(failures, 10)) * (0.5 + chance() / 2))
        else:
            failures = 0
            await sleep(DAY * (0.95 + chance() / 10))


def _tell(outcomes: list[Outcome]) -> None:
    for each in outcomes:
        if each.refused is not None:
            log.error("the list of workspace %s was refused: %s", each.workspace, each.refused)
    log.info("the lists of %d workspaces were given", len(outcomes))


def _called(function: Everyone) -> Any:
    found = function()
    return list(found) if isinstance(found, Iterable) else found


async def _all(found: Any) -> list[Person]:
    if inspect.isawaitable(found):
        found = await found
    if isinstance(found, AsyncIterable):
        return [person async for person in found]
    return list(found)
