"""The teammates of a workspace: listing them, their roles, removing them."""

from typing import Any

from nightlatch.actions import kinds, teammates
from nightlatch.ids import to_text as id_text
from nightlatch.instants import to_text
from nightlatch.refusals import Code, Refused, WayOut, not_found
from nightlatch.store import listing
from nightlatch.store.listing import Item
from nightlatch.vocabulary import Role
from nightlatch.web.answers import Answer
from nightlatch.web.api import reading
from nightlatch.web.api import team_models as models
from nightlatch.web.api.workspaces import text_or_none
from nightlatch.web.context import Context
from nightlatch.web.routes import Route, api
from nightlatch.web.team import myself, sees_two_factor


async def items(context: Context) -> Answer:
    mine = myself(context)
    sees = sees_two_factor(mine)
    two_factor, flag, sort = context.query("two_factor"), context.query("flag"), context.query("sort")
    if (two_factor or flag or sort.removeprefix("-") in listing.MULTI) and not sees:
        raise Refused(
            Code.NOT_PERMITTED,
            "Your role in this workspace does not include knowing who has 2FA.",
            WayOut("Ask an owner or admin of the workspace.", f"/w/{context.request.path_params['slug']}"),
        )
    limit = reading.limit(context)
    found = await context.query_store(
        lambda tx: listing.page(
            tx,
            context.workspace_id,
            q=context.query("q"),
            role=context.query("role"),
            two_factor=two_factor,
            flag=flag,
            status=context.query("status"),
            sort=sort or "name",
            after=context.query("cursor") or None,
            limit=limit,
        )
    )
    counts = found.counts
    by_state = {state: counts.by_state.get(state, 0) for state in listing.STATES}
    return Answer(
        models.Teammates.model_validate(
            {
                "items": [_shown(each, sees=sees) for each in found.items],
                "next_cursor": found.next_cursor,
                "counts": {
                    "teammates": counts.all,
                    "invited": counts.invited,
                    "matching": counts.matching,
                    "two_factor": by_state if sees else None,
                    "flags": dict(counts.by_flag) if sees else None,
                },
            }
        )
    )


def _shown(item: Item, *, sees: bool) -> dict[str, Any]:
    active = item.status == "active"
    return {
        "id": id_text(item.id),
        "name": item.name,
        "email": item.email,
        "role": item.role.value,
        "status": item.status,
        "two_factor": _two_factor(item) if active and sees else None,
        "last_sign_in_at": text_or_none(item.last_sign_in_at),
        "joined_at": to_text(item.joined_at) if active else None,
        "invited_at": None if active else to_text(item.joined_at),
    }


def _two_factor(item: Item) -> dict[str, Any]:
    return {
        "state": item.state,
        "flags": list(item.flags),
        "methods": list(item.methods),
        "since": text_or_none(item.since),
        "due": text_or_none(item.due),
    }


async def show(context: Context) -> Answer:
    id, mine = context.id(), myself(context)
    found = await context.read(lambda tx: listing.one(tx, context.workspace_id, id))
    if found is None or found.status != "active":
        raise not_found()
    return Answer(models.Teammate.model_validate(_shown(found, sees=sees_two_factor(mine))))


async def change_role(context: Context, body: models.RoleBody) -> Answer:
    id, role = context.id(), Role(body.role)
    await context.write(
        lambda tx: teammates.change_role(
            tx, by=context.by, workspace_id=context.workspace_id, teammate_id=id, role=role
        )
    )
    found = await context.read(lambda tx: listing.one(tx, context.workspace_id, id))
    if found is None:
        raise not_found()
    sees = sees_two_factor(myself(context)) and (
        found.account_id != context.facts.account or role is not Role.MEMBER
    )
    return Answer(models.Teammate.model_validate(_shown(found, sees=sees)))


async def remove(context: Context) -> Answer:
    id = context.id()
    await context.write(
        lambda tx: teammates.remove(tx, by=context.by, workspace_id=context.workspace_id, teammate_id=id)
    )
    return Answer(status=204)


_ONE = "/workspaces/{slug}/teammates/{id}"

ROUTES: list[Route] = [
    api(
        "GET",
        "/workspaces/{slug}/teammates",
        kinds.SEE_TEAM,
        items,
        answer=models.Teammates,
        query={
            "q": {"type": "string", "maxLength": 200},
            "role": {"enum": [each.value for each in Role]},
            "two_factor": {"enum": list(listing.STATES)},
            "flag": {"enum": list(listing.FLAGS)},
            "status": {"enum": list(listing.STATUSES)},
            "sort": {"enum": list(listing.SORTS), "default": "name"},
            **reading.PAGING,
        },
        summary="The Teammates table",
    ),
    api("GET", _ONE, kinds.SEE_TEAM, show, answer=models.Teammate, summary="One teammate"),
    api(
        "PATCH",
        _ONE,
        kinds.CHANGE_ROLE,
        change_role,
        body=models.RoleBody,
        answer=models.Teammate,
        summary="Give a teammate another role; nobody grants above their own",
        codes=(Code.LAST_OWNER,),
    ),
    api(
        "DELETE",
        _ONE,
        kinds.REMOVE_TEAMMATE,
        remove,
        status=204,
        summary="Remove a teammate",
        codes=(Code.LAST_OWNER,),
    ),
]
