"""The audit events of a world."""

import json
from dataclasses import dataclass
from typing import Any

from nightlatch.store import events as store_events
from nightlatch.vocabulary import Event
from tests.support.world import World


@dataclass(frozen=True)
class Told:
    """One event."""

    event: Event
    actor: tuple[str, int | None, str]
    subject: tuple[str, int | None, str]
    workspace_id: int | None
    detail: dict[str, Any]


def events(world: World, *, subject: int | None = None, workspace: int | None = None) -> list[Told]:
    """All events, or those about somebody or of a workspace, the oldest first."""
    rows = world.read(lambda tx: store_events.page(tx, anywhere=True, most=1000))
    return [
        Told(
            Event(row.event),
            (row.actor_kind, row.actor_id, row.actor_name),
            (row.subject_kind, row.subject_id, row.subject_name),
            row.workspace_id,
            json.loads(row.detail),
        )
        for row in reversed(rows)
        if subject in (None, row.subject_id) and workspace in (None, row.workspace_id)
    ]


def details(world: World, name: str) -> list[dict[str, Any]]:
    """What all events of one name say, the oldest first."""
    return [each.detail for each in events(world) if each.event == name]
