"""What pages and API of a workspace's team have in common."""

from typing import Any

from nightlatch.actions.previewing import PreviewFacts
from nightlatch.facts import Teammate
from nightlatch.policy import permitted
from nightlatch.refusals import not_found
from nightlatch.store import cursors, teammates
from nightlatch.store.query import Row
from nightlatch.vocabulary import Permission
from nightlatch.web.context import Context

_EVENTS = "events"
"""The name of the events' order in cursors: the newest first, by sequence."""


def team_path(context: Context) -> str:
    """The Teammates page of the workspace in the path."""
    return f"/w/{context.request.path_params['slug']}/settings/team"


def in_workspace(context: Context) -> dict[str, Any]:
    """Which workspace a page is about, for its template."""
    return {
        "slug": context.request.path_params["slug"],
        "workspace_name": context.place.name if context.place is not None else "",
    }


def myself(context: Context) -> Teammate:
    """The viewer's own membership, as the gate saw it."""
    mine = context.facts.teammate(context.workspace_id)
    if mine is None:
        raise not_found()
    return mine


def in_product(context: Context) -> bool:
    """Whether a product says who is in the workspace in the path, and in which role."""
    return context.place is not None and context.place.app_id is not None


async def ownerless(context: Context, mine: Teammate) -> bool:
    """Whether a product has taken away the last owner with 2FA of a workspace that asks for it (law 8)."""
    if not in_product(context) or mine.mandate.required_from is None or not sees_two_factor(mine):
        return False
    workspace_id = context.workspace_id
    return not await context.read(lambda tx: teammates.enrolled_owners(tx, workspace_id))


def sees_two_factor(mine: Teammate) -> bool:
    """Whether a teammate may know about the 2FA of others."""
    return any(
        permitted(mine.role, each, mine.mandate)
        for each in (Permission.MANAGE_AUTHENTICATION, Permission.RESET)
    )


def mail_state(context: Context, facts: PreviewFacts) -> dict[str, Any]:
    """Whether mail works, by what became of the latest: state, since when, and what stands in its way."""
    if context.front.config.mail.kind in ("folder", "console"):
        return {"state": "demo", "at": None, "trouble": None}
    if facts.mail_error is not None:
        return {"state": "failing", "at": facts.oldest_waiting, "trouble": facts.mail_error}
    if facts.last_delivered is None:
        return {"state": "untried", "at": None, "trouble": None}
    return {"state": "works", "at": facts.last_delivered, "trouble": None}


def event_cursor(row: Row) -> str:
    """Where a page of events that ends with this one ended."""
    return cursors.encode(_EVENTS, [row.sequence])


def events_before(cursor: str) -> int | None:
    """The sequence before which a page of events begins. Raises Refused (`invalid`) for what is no cursor of them."""
    if not cursor:
        return None
    (sequence,) = cursors.decode(_EVENTS, cursor, [int])
    return int(sequence)
