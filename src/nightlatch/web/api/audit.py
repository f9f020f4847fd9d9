"""A workspace's audit events."""

import json

from nightlatch.actions import kinds
from nightlatch.ids import to_text as id_text
from nightlatch.instants import to_text
from nightlatch.store import events
from nightlatch.store.query import Row
from nightlatch.vocabulary import Event
from nightlatch.web.answers import Answer
from nightlatch.web.api import reading
from nightlatch.web.api import team_models as models
from nightlatch.web.context import Context
from nightlatch.web.routes import Route, api
from nightlatch.web.team import event_cursor, events_before


async def items(context: Context) -> Answer:
    event = reading.one_of(context, "event", tuple(Event))
    actor, limit = reading.id_in_query(context, "actor"), reading.limit(context)
    since, until = reading.instant(context, "from"), reading.instant(context, "to")
    before = events_before(context.query("cursor"))
    rows = await context.query_store(
        lambda tx: events.page(
            tx,
            workspace_id=context.workspace_id,
            event=event or None,
            actor=actor,
            since=since,
            until=until,
            before=before,
            most=limit + 1,
        )
    )
    shown, slug = rows[:limit], context.request.path_params["slug"]
    return Answer(
        models.AuditEvents.model_construct(
            items=[_shown(each, slug) for each in shown],
            next_cursor=event_cursor(shown[-1]) if len(rows) > limit else None,
        )
    )


def _shown(row: Row, slug: str) -> models.AuditEvent:
    return models.AuditEvent.model_construct(
        id=id_text(row.id),
        at=to_text(row.at),
        event=row.event,
        actor=models.Actor.model_construct(kind=row.actor_kind, id=_id(row.actor_id), name=row.actor_name),
        subject=models.Subject.model_construct(
            kind=row.subject_kind, id=_id(row.subject_id), name=row.subject_name
        ),
        workspace=slug,
        ip=row.ip,
        user_agent=row.user_agent,
        detail=json.loads(row.detail),
    )


def _id(value: int | None) -> str | None:
    return id_text(value) if value is not None else None


_INSTANT = {"type": "string", "format": "date-time"}

ROUTES: list[Route] = [
    api(
        "GET",
        "/workspaces/{slug}/audit-events",
        kinds.READ_AUDIT,
        items,
        answer=models.AuditEvents,
        query={
            "from": _INSTANT | {"description": "inclusive"},
            "to": _INSTANT | {"description": "exclusive"},
            "actor": {"type": "string", "minLength": 13, "maxLength": 13, "description": "an account's id"},
            "event": {"enum": [each.value for each in Event]},
            **reading.PAGING,
        },
        summary="Who did what, the newest first",
    )
]
