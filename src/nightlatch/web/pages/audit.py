"""Settings > Team > Audit log: who did what to whom, when and from where, in sentences."""

import json
from datetime import UTC, datetime
from typing import Any

from starlette.responses import Response

from nightlatch.actions import kinds
from nightlatch.ids import to_text as id_text
from nightlatch.instants import DAY, Instant, from_datetime
from nightlatch.mail.agents import readable_agent
from nightlatch.refusals import Refused
from nightlatch.store import cursors, events
from nightlatch.store.query import Row
from nightlatch.web import sentences
from nightlatch.web.context import Context, with_query
from nightlatch.web.event_sentences import IN_WORKSPACES
from nightlatch.web.pages.sign_in import go
from nightlatch.web.rendering import page as render
from nightlatch.web.routes import Route, page
from nightlatch.web.team import event_cursor, events_before, in_workspace, team_path

A_PAGE = 50


async def audit_page(context: Context) -> Response:
    filters = _filters(context)
    try:
        before = events_before(context.query("cursor"))
    except Refused:
        return go(context, with_query(_path(context), **filters))
    since, until = _day(filters["from"]), _day(filters["to"])
    rows = await context.query_store(
        lambda tx: events.page(
            tx,
            workspace_id=context.workspace_id,
            event=filters["event"] or None,
            actor_name=filters["actor"],
            since=since,
            until=until + DAY if until is not None else None,
            before=before,
            most=A_PAGE + 1,
        )
    )
    shown, more = rows[:A_PAGE], len(rows) > A_PAGE
    here = with_query(_path(context), **filters)
    return render(
        context,
        "audit.html",
        **in_workspace(context),
        events=[_entry(row) for row in shown],
        filters={"since": filters["from"], "until": filters["to"]}
        | {name: filters[name] for name in ("actor", "event")},
        filtered=any(filters.values()),
        event_names=[(each.value, sentences.label(each)) for each in IN_WORKSPACES],
        first_url=context.url(here) if before is not None else None,
        next_url=context.url(with_query(here, cursor=event_cursor(shown[-1]))) if more else None,
    )


def _filters(context: Context) -> dict[str, str]:
    """What the address bar asks for; what it says wrongly is as if it were not there."""
    actor, event = context.query("actor")[:200], context.query("event")
    return {
        "from": context.query("from") if _day(context.query("from")) is not None else "",
        "to": context.query("to") if _day(context.query("to")) is not None else "",
        "actor": actor.strip() if cursors.storable(actor) else "",
        "event": event if event in IN_WORKSPACES else "",
    }


def _day(text: str) -> Instant | None:
    """The first instant of a day, in UTC."""
    if len(text) != 10:
        return None
    try:
        return from_datetime(datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC))
    except ValueError:
        return None


def _entry(row: Row) -> dict[str, Any]:
    detail = json.loads(row.detail)
    text, more = sentences.tell(sentences.told(row, detail))
    who = sentences.actor(row.actor_kind, row.actor_name)
    return {
        "id": id_text(row.id),
        "at": row.at,
        "event": row.event,
        "text": text,
        "actor": who[:1].upper() + who[1:],
        "subject": row.subject_name or None,
        "ip": row.ip or None,
        "user_agent": readable_agent(row.user_agent) or None,
        "detail": more,
    }


def _path(context: Context) -> str:
    return f"{team_path(context)}/audit"


ROUTES: list[Route] = [page("/w/{slug}/settings/team/audit", kinds.READ_AUDIT, audit_page)]
