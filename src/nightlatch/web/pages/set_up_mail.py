"""The part of set-up that shows the mailbox: "We will mail you a link" (law 14)."""

from typing import Any

from starlette.responses import Response

from nightlatch.access import decide
from nightlatch.actions import kinds, sso_linking, tickets
from nightlatch.actions.mailing import settled_address
from nightlatch.addresses import masked
from nightlatch.assurance import relied_on, very_first
from nightlatch.decision import Allow
from nightlatch.facts import ResetId, WorkspaceId
from nightlatch.ids import to_text
from nightlatch.refusals import Code, Refused
from nightlatch.store import accounts, resets
from nightlatch.store import tickets as stored
from nightlatch.store.engine import Transaction
from nightlatch.store.query import Row
from nightlatch.web import links
from nightlatch.web.context import Context, with_query
from nightlatch.web.pages import set_up_asked
from nightlatch.web.pages.set_up_asked import Asked
from nightlatch.web.pages.sign_in import go
from nightlatch.web.rendering import page as render
from nightlatch.web.routes import Route, form

NEXT = "next"
"""Where the person was going, kept in the browser while they are in their mailbox."""


async def mail_page(context: Context, asked: Asked, **more: Any) -> Response:
    """Ask for the link, or look for it in the mailbox."""
    plane = plane_of_ticket(context, asked)
    teammate = context.facts.teammate(plane) if plane is not None else None
    reset_id = teammate.reset if teammate is not None else None
    account_id = context.facts.account or 0
    email, reset, ticket = await context.read(lambda tx: _told(tx, account_id, plane, reset_id))
    sent = bool(context.query("sent")) and ticket is not None
    present = context.known.person.email if context.known.person is not None else ""
    values = await set_up_asked.about(context, asked.place, asked.next)
    values |= {
        "state": "sent" if sent else "ask",
        "email": email if email == present else masked(email),
        "purpose": "reset" if reset is not None else "self",
        "needs_number": reset is not None and len(reset.number_tag) > 0,
        "by": reset.requester if reset is not None else None,
        "sent_at": ticket.created_at if ticket is not None and sent else None,
        "workspace": asked.place.slug if asked.place is not None else "",
        "again_url": context.url(asked.path),
        "providers": await _providers(context, asked) if reset is None else [],
        "here": asked.path,
    }
    return keep_next(context, render(context, "set_up_mail.html", **(values | more)), asked)


async def _providers(context: Context, asked: Asked) -> list[dict[str, str]]:
    """The workspace's own providers that know this person: a fresh sign-in there is as good as the mailbox (law 14)."""
    if asked.place is None and not any(each.connection for each in context.facts.proofs):
        return []
    found = await context.read(lambda tx: sso_linking.own(tx, by=context.by))
    here = asked.workspace_id
    return [
        {"id": to_text(each.id), "name": each.name}
        for each in found
        if each.since is not None and here in (None, each.workspace_id)
    ]


def keep_next(context: Context, response: Response, asked: Asked) -> Response:
    """Remember where the person was going: they may go on by a link in their mailbox instead of this page."""
    return links.keep(context, response, NEXT, asked.next) if asked.next else response


def _told(
    tx: Transaction, account_id: int, plane: WorkspaceId | None, reset_id: ResetId | None
) -> tuple[str, Row | None, Row | None]:
    """Where the link goes, the reset behind it, and the ticket that would work now."""
    account = accounts.by_id(tx, account_id)
    reset = resets.by_id(tx, reset_id) if reset_id is not None else None
    email = "" if account is None else account.email if reset is not None else settled_address(tx, account)
    return email, reset, stored.newest_open(tx, account_id, plane)


def plane_of_ticket(context: Context, asked: Asked) -> WorkspaceId | None:
    """What the ticket is for: the very first binding of an account is made for all its workspaces at once."""
    facts = context.facts
    if very_first(facts) and not any(each.reset for each in facts.teammates):
        return None
    if asked.place is not None:
        return asked.place.id
    for each in facts.teammates:
        action = kinds.ASK_TICKET.at(each.workspace)
        if not relied_on(facts, each.workspace) and isinstance(decide(facts, action), Allow):
            return tickets.default_workspace(context.known) or each.workspace
    return None


async def mail_form(context: Context) -> Response:
    asked = set_up_asked.read(context)
    plane = plane_of_ticket(context, asked)
    try:
        await context.write(lambda tx: tickets.send(tx, by=context.by, workspace_id=plane))
    except Refused as refused:
        if refused.code is not Code.TOO_MANY_ATTEMPTS:
            raise
        return await mail_page(context, asked, status=429, errors={"form": refused.detail})
    return go(context, with_query(asked.path, sent="1"))


ROUTES: list[Route] = [form("/set-up/mail", kinds.SEE_SESSION, mail_form, shown_at="/set-up")]
