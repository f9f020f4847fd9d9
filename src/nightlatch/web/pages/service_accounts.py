"""Settings > Team > Service accounts: the machines of the workspace, apart from its teammates; tokens and sponsors."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from nightlatch.actions import kinds, service_accounts
from nightlatch.actions.service_accounts import ServiceAccount
from nightlatch.ids import to_text
from nightlatch.refusals import Refused
from nightlatch.store.engine import Transaction
from nightlatch.web import token_forms
from nightlatch.web.apps import of_nightlatch
from nightlatch.web.context import Context
from nightlatch.web.fields import address_field, at_fields
from nightlatch.web.pages.sign_in import go
from nightlatch.web.rendering import page as render
from nightlatch.web.routes import Route, form, page
from nightlatch.web.team import in_workspace, team_path


def _path(context: Context) -> str:
    return f"{team_path(context)}/service-accounts"


def _one_path(context: Context) -> str:
    return f"{_path(context)}/{to_text(context.id())}"


def _everywhere(context: Context) -> dict[str, Any]:
    return {
        **in_workspace(context),
        "me_email": context.known.person.email if context.known.person is not None else "",
    }


def _shown(each: ServiceAccount) -> dict[str, Any]:
    return {
        "id": to_text(each.id),
        "name": each.name,
        "sponsor": {"name": each.sponsor.name, "email": each.sponsor.email, "gone": each.sponsor.gone},
        "created_at": each.created_at,
        "created_by": each.created_by,
        "suspended_at": each.suspended_at,
        "tokens": each.tokens,
        "last_used_at": each.last_used_at,
    }


# --- all of them ---


async def list_page(context: Context) -> Response:
    of_nightlatch(context)
    return await _list(context)


async def _list(context: Context, *, status: int = 200, errors: Mapping[str, str] | None = None) -> Response:
    found = await context.query_store(lambda tx: service_accounts.every(tx, context.workspace_id))
    services = [_shown(each) for each in found]
    return render(
        context,
        "service_accounts.html",
        status=status,
        errors=errors,
        services=services,
        **_everywhere(context),
    )


async def add_form(context: Context) -> Response:
    text = context.form.get
    try:
        sponsor = address_field(text("sponsor", ""), "sponsor") if text("sponsor", "").strip() else None
        added = await context.write(
            lambda tx: service_accounts.add(
                tx,
                by=context.by,
                workspace_id=context.workspace_id,
                name=text("name", ""),
                sponsor=sponsor,
            )
        )
    except Refused as refused:
        return await _list(context, status=refused.status, errors=at_fields(refused))
    return go(context, f"{_path(context)}/{to_text(added.id)}?said=service-added")


# --- one ---


async def one_page(context: Context) -> Response:
    of_nightlatch(context)
    return await _one(context)


async def _one(context: Context, *, status: int = 200, errors: Mapping[str, str] | None = None) -> Response:
    service, tokens = await _read(context)
    return render(
        context,
        "service_account.html",
        status=status,
        errors=errors,
        service=_shown(service),
        tokens=[token_forms.shown(each) for each in tokens],
        scopes=token_forms.offered(machine=True),
        lives=token_forms.lives(),
        **_everywhere(context),
    )


async def _read(context: Context) -> tuple[ServiceAccount, list[service_accounts.ApiToken]]:
    service_id = context.id()
    return await context.read(lambda tx: service_accounts.read(tx, context.workspace_id, service_id))


async def sponsor_form(context: Context) -> Response:
    service_id = context.id()

    def work(tx: Transaction) -> ServiceAccount:
        return service_accounts.change(
            tx, by=context.by, workspace_id=context.workspace_id, service_id=service_id, sponsor=sponsor
        )

    try:
        sponsor = address_field(context.form.get("sponsor", ""), "sponsor")
        await context.write(work)
    except Refused as refused:
        return await _one(context, status=refused.status, errors=at_fields(refused))
    return go(context, f"{_one_path(context)}?said=service-sponsored")


async def make_token_form(context: Context) -> Response:
    form, service_id = context.form, context.id()
    try:
        ends = token_forms.runs_out(context)
        made = await context.write(
            lambda tx: service_accounts.make_token(
                tx,
                by=context.by,
                workspace_id=context.workspace_id,
                service_id=service_id,
                name=form.get("name", ""),
                scopes=token_forms.chosen(form),
                expires_at=ends,
            )
        )
    except Refused as refused:
        return await _one(context, status=refused.status, errors=at_fields(refused))
    service, _ = await _read(context)
    return render(
        context,
        "api_token_made.html",
        token=token_forms.new(made),
        path=_one_path(context),
        service=service.name,
    )


async def end_token_form(context: Context) -> Response:
    service_id, token_id = context.id(), context.id("token_id")
    await context.write(
        lambda tx: service_accounts.end_token(
            tx, by=context.by, workspace_id=context.workspace_id, service_id=service_id, token_id=token_id
        )
    )
    return go(context, f"{_one_path(context)}?said=token-ended")


# --- removing ---


async def remove_page(context: Context) -> Response:
    of_nightlatch(context)
    service, _ = await _read(context)
    return render(context, "service_account_remove.html", service=_shown(service), **_everywhere(context))


async def remove_form(context: Context) -> Response:
    service_id = context.id()
    await context.write(
        lambda tx: service_accounts.remove(
            tx, by=context.by, workspace_id=context.workspace_id, service_id=service_id
        )
    )
    return go(context, f"{_path(context)}?said=service-removed")


_ALL = "/w/{slug}/settings/team/service-accounts"
_ONE = f"{_ALL}/{{id}}"

ROUTES: list[Route] = [
    page(_ALL, kinds.SEE_SERVICES, list_page),
    form(_ALL, kinds.MANAGE_SERVICES, add_form),
    page(_ONE, kinds.SEE_SERVICES, one_page),
    form(f"{_ONE}/sponsor", kinds.MANAGE_SERVICES, sponsor_form, shown_at=_ONE),
    form(f"{_ONE}/tokens", kinds.MANAGE_SERVICES, make_token_form, shown_at=_ONE),
    form(f"{_ONE}/tokens/{{token_id}}/end", kinds.END_SERVICE, end_token_form, shown_at=_ONE),
    page(f"{_ONE}/remove", kinds.SEE_SERVICES, remove_page),
    form(f"{_ONE}/remove", kinds.END_SERVICE, remove_form),
]
