"""Choosing a workspace, making one, its home, leaving it."""

from typing import Any

from starlette.responses import Response

from nightlatch import addresses
from nightlatch.access import decide_workspace
from nightlatch.actions import apps, kinds, teammates, workspaces
from nightlatch.actions.snoozing import due
from nightlatch.assurance import enrolled
from nightlatch.decision import Allow, Challenge, Enrol
from nightlatch.facts import Teammate
from nightlatch.policy import ProofStrength, permitted
from nightlatch.refusals import Code, Refused, not_found
from nightlatch.store import invitations, listing
from nightlatch.vocabulary import Permission
from nightlatch.web.context import Context
from nightlatch.web.fields import form_errors
from nightlatch.web.pages.sign_in import go
from nightlatch.web.rendering import page as render
from nightlatch.web.routes import Route, form, page
from nightlatch.web.sign_up import is_open, no_workspaces

_DECISIONS = {Allow: "allow", Challenge: "challenge", Enrol: "enrol"}


async def workspaces_page(context: Context) -> Response:
    person = context.known.person
    # The address of a product's person is the product's word alone: it tells nothing about who is invited elsewhere.
    own = person is not None and person.app_id is None
    key = addresses.parse(person.email).key if person is not None and own else ""
    pending = await context.read(lambda tx: invitations.of_address(tx, key)) if own else []
    return render(
        context,
        "workspaces.html",
        memberships=[_membership(context, each) for each in context.facts.teammates],
        invitations=[
            {
                "workspace_name": row.workspace_name,
                "inviter": row.inviter,
                "sent_at": row.sent_at,
                "expires": row.expires_at,
            }
            for row in pending
        ],
        may_create=own and is_open(context.front.config),
    )


def _membership(context: Context, teammate: Teammate) -> dict[str, Any]:
    place = (context.known.places or {})[teammate.workspace]
    decision = decide_workspace(context.facts, teammate.workspace)
    return {
        "slug": place.slug,
        "name": place.name,
        "role": teammate.role.value,
        "decision": _DECISIONS.get(type(decision), "deny"),
        "due": _due(context, teammate),
    }


def _due(context: Context, teammate: Teammate) -> int | None:
    """From when the workspace will require 2FA, where the person has none there yet."""
    return due(context.facts, teammate.workspace)


# --- a new one ---


async def new_page(context: Context) -> Response:
    return _new(context)


def _new(context: Context, **more: Any) -> Response:
    return render(context, "workspace_new.html", origin=context.front.config.origin, **more)


async def new_form(context: Context) -> Response:
    name, slug, slugs = context.form.get("name", ""), context.form.get("slug", ""), []
    with form_errors() as errors:
        try:
            created = await context.write(
                lambda tx: workspaces.create(
                    tx, by=context.by, name=name, slug=slug, sign_up_open=is_open(context.front.config)
                )
            )
        except Refused as refused:
            if refused.code is not Code.SLUG_TAKEN:
                raise
            return _new(context, errors={"slug": refused.detail})
        slugs.append(created.slug)
    return _new(context, errors=errors) if errors else go(context, f"/w/{slugs[0]}")


# --- its home ---


async def home_page(context: Context) -> Response:
    workspace_id, teammate = context.workspace_id, context.facts.teammate(context.workspace_id)
    place = context.place
    if place is None or teammate is None:
        raise not_found()
    numbers = None
    if permitted(teammate.role, Permission.RESET, teammate.mandate):
        counts = (await context.query_store(lambda tx: listing.page(tx, workspace_id, limit=1))).counts
        numbers = {
            "teammates": counts.all,
            "with_two_factor": counts.with_two_factor,
            "invited": counts.invited,
            "of_passkeys": teammate.mandate.strength is ProofStrength.PHISHING_RESISTANT,
        }
    products = await context.read(lambda tx: apps.open_to(tx, workspace_id, teammate.role))
    return render(
        context,
        "workspace_home.html",
        workspace_name=place.name,
        role=teammate.role.value,
        two_factor_on=enrolled(context.facts.authenticators, workspace_id),
        due=_due(context, teammate),
        required=teammate.mandate.in_force(context.now),
        scheduled_from=teammate.mandate.required_from if teammate.mandate.scheduled(context.now) else None,
        numbers=numbers,
        apps=[
            {
                "name": name,
                "addresses": [{"url": f"{each}/", "host": each.partition("://")[2]} for each in origins],
            }
            for name, origins in products
        ],
    )


# --- leaving ---


async def leave_page(context: Context) -> Response:
    refused = await context.read(
        lambda tx: teammates.may_not_leave(tx, by=context.by, workspace_id=context.workspace_id)
    )
    return _leave(context, refused)


def _leave(context: Context, refused: Refused | None, status: int = 200) -> Response:
    place = context.place
    way = refused.way_out if refused is not None else None
    return render(
        context,
        "leave_workspace.html",
        status=status,
        slug=place.slug if place is not None else "",
        workspace_name=place.name if place is not None else "",
        refused=refused.detail if refused is not None else None,
        way={"text": way.text.rstrip("."), "path": way.path} if way is not None else None,
    )


async def leave_form(context: Context) -> Response:
    try:
        await context.write(lambda tx: teammates.leave(tx, by=context.by, workspace_id=context.workspace_id))
    except Refused as refused:
        if refused.code is not Code.LAST_OWNER:
            raise
        return _leave(context, refused, status=409)
    return go(context, "/workspaces?said=left")


ROUTES: list[Route] = [
    page("/workspaces", kinds.READ_ACCOUNT, workspaces_page),
    page("/workspaces/new", kinds.CREATE_WORKSPACE, new_page, closed=no_workspaces),
    form("/workspaces/new", kinds.CREATE_WORKSPACE, new_form, closed=no_workspaces),
    page("/w/{slug}", kinds.USE, home_page),
    page("/w/{slug}/leave", kinds.READ_ACCOUNT, leave_page),
    form("/w/{slug}/leave", kinds.LEAVE, leave_form),
]
