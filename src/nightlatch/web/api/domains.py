"""The domains that a workspace claims, and their proof by DNS."""

from typing import Any

from nightlatch.actions import domains, kinds
from nightlatch.actions.domains import Domain
from nightlatch.ids import to_text as id_text
from nightlatch.instants import to_text
from nightlatch.refusals import Code
from nightlatch.web.answers import Answer
from nightlatch.web.api import domain_models as shapes
from nightlatch.web.context import Context
from nightlatch.web.domains import check as look
from nightlatch.web.routes import Route, api


def _values(each: Domain) -> dict[str, Any]:
    return {
        "id": id_text(each.id),
        "domain": each.domain,
        "record_name": each.record_name,
        "record": each.proof,
        "created_at": to_text(each.created_at),
        "proved_at": to_text(each.proved_at) if each.proved_at is not None else None,
    }


async def listed(context: Context) -> Answer:
    found = await context.read(lambda tx: domains.every(tx, context.workspace_id))
    items = [shapes.Domain.model_construct(**_values(each)) for each in found]
    return Answer(shapes.Domains.model_construct(items=items, next_cursor=None))


async def claim(context: Context, body: shapes.NewDomain) -> Answer:
    claimed = await context.write(
        lambda tx: domains.claim(tx, by=context.by, workspace_id=context.workspace_id, domain=body.domain)
    )
    return Answer(shapes.Domain.model_construct(**_values(claimed)), 201)


async def check(context: Context) -> Answer:
    checked = await look(context, context.id())
    return Answer(shapes.CheckedDomain.model_construct(**_values(checked.domain), found=list(checked.found)))


async def remove(context: Context) -> Answer:
    domain_id = context.id()
    await context.write(
        lambda tx: domains.remove(tx, by=context.by, workspace_id=context.workspace_id, domain_id=domain_id)
    )
    return Answer(status=204)


_ALL = "/workspaces/{slug}/domains"

ROUTES: list[Route] = [
    api(
        "GET",
        _ALL,
        kinds.SEE_DOMAINS,
        listed,
        answer=shapes.Domains,
        summary="The domains that a workspace claims",
    ),
    api(
        "POST",
        _ALL,
        kinds.MANAGE_DOMAINS,
        claim,
        body=shapes.NewDomain,
        answer=shapes.Domain,
        status=201,
        summary="Claim a domain; the answer says which DNS record proves it",
        codes=(Code.CONFLICT,),
    ),
    api(
        "POST",
        f"{_ALL}/{{id}}/check",
        kinds.MANAGE_DOMAINS,
        check,
        answer=shapes.CheckedDomain,
        summary="Look for the DNS record now",
        codes=(Code.CONFLICT,),
    ),
    api(
        "DELETE",
        f"{_ALL}/{{id}}",
        kinds.MANAGE_DOMAINS,
        remove,
        status=204,
        summary="Let a domain go",
    ),
]
