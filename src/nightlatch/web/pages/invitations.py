"""The invited side of an invitation: a new account and straight on, or joining with the account that is there."""

from dataclasses import replace
from typing import Any

from starlette.responses import Response

from nightlatch import addresses
from nightlatch.actions import enrolment, joining, kinds
from nightlatch.actions.by import By
from nightlatch.actions.joining import Accepted, Invitation, Joined, State
from nightlatch.actions.tokens import Token, hash_token, new_token
from nightlatch.names import clean_name
from nightlatch.refusals import Code, Refused
from nightlatch.store.engine import Transaction
from nightlatch.web import flows, links
from nightlatch.web.context import Context, with_query
from nightlatch.web.fields import form_errors
from nightlatch.web.pages.dead_links import dead_link
from nightlatch.web.pages.sign_in import go
from nightlatch.web.rendering import page as render
from nightlatch.web.routes import Route, form, page

COOKIE = "invitation"


async def open_link(context: Context) -> Response:
    return links.exchange(context, COOKIE, "/invitation")


async def invitation_page(context: Context) -> Response:
    token = links.token_of(context, COOKIE)
    if token is None:
        return dead_link(context, "invitation", "unknown")
    return await _invitation(context, token)


async def _invitation(context: Context, token: str, **more: Any) -> Response:
    found = await context.read(lambda tx: joining.look(tx, hash_token(token)))
    if found.state is not State.OPEN:
        return dead_link(context, "invitation", found.state, found.inviter or None)
    values = {
        "state": _state(context, found),
        "inviter": found.inviter,
        "workspace_name": found.workspace_name,
        "role": found.role.value,
        "email": found.email,
        "expires": found.expires_at,
        "requires_two_factor": _requires(found),
        "passkey": found.passkey,
        "sign_in_url": context.url("/sign-in?next=/invitation"),
    }
    return render(context, "invitation.html", **(values | more))


def _requires(found: Invitation) -> bool:
    """Who joins after the announcement has no grace: also while its date is still to come."""
    return found.required_from is not None


def _state(context: Context, found: Invitation) -> str:
    """What this visitor can do with it. Whoever is signed in is never mixed up with the invited address (F33)."""
    person = context.known.person
    if person is None:
        return "sign_in" if found.has_account else "new"
    mine = addresses.parse(person.email).key == addresses.parse(found.email).key
    return "ready" if mine else "other"


async def new_account_form(context: Context) -> Response:
    token = links.token_of(context, COOKIE)
    if token is None:
        return dead_link(context, "invitation", "unknown")
    found = await context.read(lambda tx: joining.look(tx, hash_token(token)))
    if found.state is not State.OPEN or _state(context, found) != "new":
        return await _invitation(context, token)
    name, password_hash = "", ""
    with form_errors() as errors:
        name = clean_name(context.form.get("name", ""))
    with form_errors() as about_password:
        words = [found.email, context.form.get("name", ""), found.workspace_name, found.slug]
        password_hash = await flows.hashed_password(context, context.form.get("password", ""), words)
    errors |= about_password
    if errors:
        return await _invitation(context, token, errors=errors)
    session_token = new_token()
    required = _requires(found)
    try:
        accepted = await context.write(
            lambda tx: _accept(tx, context, hash_token(token), name, password_hash, session_token, required)
        )
    except Refused as refused:
        if refused.code not in (Code.CONFLICT, Code.EXPIRED, Code.ALREADY_USED):
            raise
        return await _invitation(context, token)  # it says what has become of it meanwhile
    context.session_token = accepted.token
    home = f"/w/{accepted.slug}"
    if required:
        return links.forget(
            context, go(context, with_query("/set-up", workspace=accepted.slug, next=home)), COOKIE
        )
    return links.forget(context, go(context, with_query(home, said="joined")), COOKIE)


def _accept(
    tx: Transaction,
    context: Context,
    token_hash: bytes,
    name: str,
    password_hash: str,
    session_token: Token,
    required: bool,
) -> Accepted:
    """The account, its session, and where 2FA is required at once the set-up that follows: one unbroken flow."""
    by, kind = context.by, context.session_kind
    accepted = joining.accept_new(
        tx,
        by=by,
        token_hash=token_hash,
        name=name,
        password_hash=password_hash,
        session_token=session_token,
        kind=kind,
    )
    if required:
        new: By = replace(
            by,
            kind="account",
            id=accepted.account_id,
            name=name,
            token_hash=accepted.token.hash,
            credential=kind,
        )
        enrolment.begin(tx, by=new, name="", replaces=None, workspace_id=accepted.workspace_id)
    return accepted


async def join_form(context: Context) -> Response:
    token = links.token_of(context, COOKIE)
    if token is None:
        return dead_link(context, "invitation", "unknown")
    found = await context.read(lambda tx: joining.look(tx, hash_token(token)))
    if found.state is not State.OPEN or _state(context, found) != "ready":
        return await _invitation(context, token)
    joined: Joined = await context.write(
        lambda tx: joining.accept_existing(tx, by=context.by, token_hash=hash_token(token))
    )
    return links.forget(context, go(context, with_query(f"/w/{joined.slug}", said="joined")), COOKIE)


ROUTES: list[Route] = [
    page("/invitations/{token}", kinds.OPEN, open_link, path_in_log="/invitations/-"),
    page("/invitation", kinds.OPEN, invitation_page),
    form("/invitation", kinds.OPEN, new_account_form),
    form("/invitation/join", kinds.JOIN, join_form, shown_at="/invitation"),
]
