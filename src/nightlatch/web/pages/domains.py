"""Settings > Team > Authentication > Domains: claiming a domain, its DNS record to copy, checking, letting it go."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from nightlatch.actions import domains, kinds
from nightlatch.actions.domains import Domain
from nightlatch.ids import to_text
from nightlatch.refusals import Refused
from nightlatch.web.apps import of_nightlatch
from nightlatch.web.context import Context
from nightlatch.web.domains import check
from nightlatch.web.fields import at_fields
from nightlatch.web.pages.sign_in import go
from nightlatch.web.rendering import page as render
from nightlatch.web.routes import Route, form, page
from nightlatch.web.team import in_workspace, team_path


def _path(context: Context) -> str:
    return f"{team_path(context)}/authentication/domains"


def _shown(each: Domain) -> dict[str, Any]:
    return {
        "id": to_text(each.id),
        "domain": each.domain,
        "record_name": each.record_name,
        "record": each.proof,
        "created_at": each.created_at,
        "proved_at": each.proved_at,
    }


# --- all of them ---


async def list_page(context: Context) -> Response:
    of_nightlatch(context)
    return await _list(context)


async def _list(context: Context, *, status: int = 200, errors: Mapping[str, str] | None = None) -> Response:
    found = await context.read(lambda tx: domains.every(tx, context.workspace_id))
    shown = [_shown(each) for each in found]
    return render(
        context, "domains.html", status=status, errors=errors, domains=shown, **in_workspace(context)
    )


async def claim_form(context: Context) -> Response:
    typed = context.form.get("domain", "")
    try:
        claimed = await context.write(
            lambda tx: domains.claim(tx, by=context.by, workspace_id=context.workspace_id, domain=typed)
        )
    except Refused as refused:
        return await _list(context, status=refused.status, errors=at_fields(refused))
    return go(context, f"{_path(context)}/{to_text(claimed.id)}")


# --- one ---


async def one_page(context: Context) -> Response:
    of_nightlatch(context)
    return await _one(context, await _read(context))


async def _read(context: Context) -> Domain:
    domain_id = context.id()
    return await context.read(lambda tx: domains.read(tx, context.workspace_id, domain_id))


async def _one(
    context: Context,
    domain: Domain,
    *,
    found: tuple[str, ...] | None = None,
    status: int = 200,
    errors: Mapping[str, str] | None = None,
) -> Response:
    return render(
        context,
        "domain.html",
        status=status,
        errors=errors,
        domain=_shown(domain),
        found=found,
        **in_workspace(context),
    )


async def check_form(context: Context) -> Response:
    try:
        checked = await check(context, context.id())
    except Refused as refused:
        return await _one(
            context, await _read(context), status=refused.status, errors={"form": refused.detail}
        )
    if checked.domain.proved_at is not None:
        return go(context, f"{_path(context)}?said=domain-proved")
    return await _one(context, checked.domain, found=checked.found)


async def remove_page(context: Context) -> Response:
    of_nightlatch(context)
    return render(context, "domain_remove.html", domain=_shown(await _read(context)), **in_workspace(context))


async def remove_form(context: Context) -> Response:
    domain_id = context.id()
    await context.write(
        lambda tx: domains.remove(tx, by=context.by, workspace_id=context.workspace_id, domain_id=domain_id)
    )
    return go(context, f"{_path(context)}?said=domain-removed")


_ALL = "/w/{slug}/settings/team/authentication/domains"
_ONE = f"{_ALL}/{{id}}"

ROUTES: list[Route] = [
    page(_ALL, kinds.SEE_DOMAINS, list_page),
    form(_ALL, kinds.MANAGE_DOMAINS, claim_form),
    page(_ONE, kinds.SEE_DOMAINS, one_page),
    form(f"{_ONE}/check", kinds.MANAGE_DOMAINS, check_form, shown_at=_ONE),
    page(f"{_ONE}/remove", kinds.SEE_DOMAINS, remove_page),
    form(f"{_ONE}/remove", kinds.MANAGE_DOMAINS, remove_form),
]
