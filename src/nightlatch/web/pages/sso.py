"""Signing in at a company's provider: finding it by one's address, going there, coming back, connecting an account."""

from starlette.responses import Response

from nightlatch.actions import kinds, sso, sso_linking
from nightlatch.actions.sso_outcomes import Way
from nightlatch.decision import Challenge
from nightlatch.ids import to_text
from nightlatch.refusals import Refused, not_found
from nightlatch.store import connections
from nightlatch.store.engine import Transaction
from nightlatch.vocabulary import Reason
from nightlatch.web import sso_ways
from nightlatch.web.context import Context, with_query
from nightlatch.web.fields import address_field, form_errors
from nightlatch.web.pages.sign_in import go
from nightlatch.web.rendering import page as render
from nightlatch.web.routes import Route, form, page
from nightlatch.web.sso_offers import offers_to

# --- finding it ---


async def find_page(context: Context) -> Response:
    return render(context, "sso_find.html", email="", offers=None, next=context.next_path)


async def find_form(context: Context) -> Response:
    """What an address learns is what its domain is routed to, whether anybody has that address or not."""
    typed = context.form.get("email", "")
    with form_errors() as errors:
        address = address_field(typed)
    if errors:
        return render(
            context, "sso_find.html", errors=errors, email=typed, offers=None, next=context.next_path
        )
    offers = await offers_to(context, address.display)
    return render(context, "sso_find.html", email=address.display, offers=offers, next=context.next_path)


# --- there and back ---


async def door_page(context: Context) -> Response:
    """The address of a connection itself, which an admin may hand out."""
    connection_id = context.id()
    begun = await context.read(lambda tx: sso.look(tx, connection_id))
    return render(
        context, "sso_door.html", name=begun.name, id=to_text(begun.connection_id), next=context.next_path
    )


async def door_form(context: Context) -> Response:
    return await sso_ways.off(context, context.id(), Way.SIGN_IN, target=context.next_path)


async def step_up_form(context: Context) -> Response:
    fresh = bool(context.form.get("fresh"))
    return await sso_ways.off(context, context.id(), Way.STEP_UP, target=context.next_path, fresh=fresh)


async def callback_page(context: Context) -> Response:
    return await sso_ways.back(context, context.id(), dict(context.request.query_params))


# --- connecting ---


async def connect_page(context: Context) -> Response:
    """Whoever may not connect yet is led through what it takes, and comes back here."""
    connection_id = context.id()

    def body(tx: Transaction) -> tuple[str, str]:
        row = connections.by_id(tx, connection_id)
        if row is None:
            raise not_found()
        sso_linking.may_connect(tx, context.by, row)
        return row.name, row.workspace_name

    try:
        name, workspace_name = await context.write(body)
    except Refused as refused:
        leads_on = _leads_on(context, refused)
        if leads_on is None:
            raise
        return go(context, leads_on)
    return render(
        context,
        "sso_connect.html",
        name=name,
        workspace_name=workspace_name,
        id=to_text(connection_id),
        next=context.next_path,
    )


def _leads_on(context: Context, refused: Refused) -> str | None:
    """To what has to be shown first, and back here: also where the workspace itself takes its provider alone."""
    decision = refused.decision
    if not isinstance(decision, Challenge) or decision.reason is Reason.NO_SESSION or not decision.methods:
        return None
    here = with_query(f"/sso/{to_text(context.id())}/connect", next=context.next_path)
    place = (context.known.places or {}).get(decision.workspace or 0)
    return with_query(
        "/step-up",
        workspace=place.slug if place is not None else "",
        using=decision.methods[0],
        next=here,
    )


async def connect_form(context: Context) -> Response:
    """The provider asks anew: whoever is signed in there by chance is not who is to be connected."""
    return await sso_ways.off(context, context.id(), Way.LINK, target=context.next_path, fresh=True)


async def disconnect_form(context: Context) -> Response:
    connection_id = context.id()
    await context.write(lambda tx: sso_linking.disconnect(tx, by=context.by, connection_id=connection_id))
    return go(context, "/settings/user?said=sso-disconnected")


ROUTES: list[Route] = [
    page("/sign-in/sso", kinds.OPEN, find_page),
    form("/sign-in/sso", kinds.OPEN, find_form),
    page("/sso/{id}", kinds.OPEN, door_page),
    form("/sso/{id}", kinds.OPEN, door_form),
    page("/sso/{id}/callback", kinds.OPEN, callback_page),
    form("/sso/{id}/step-up", kinds.PRESENT_FIRST, step_up_form, shown_at="/step-up"),
    page("/sso/{id}/connect", kinds.SEE_SESSION, connect_page),
    form("/sso/{id}/connect", kinds.SEE_SESSION, connect_form),
    form("/sso/{id}/disconnect", kinds.SEE_SESSION, disconnect_form, shown_at="/settings/user"),
]
