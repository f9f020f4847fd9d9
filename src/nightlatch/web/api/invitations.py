"""Inviting people to a workspace, from the workspace's side. The invited side is in `account`."""

from nightlatch.actions import invitations, kinds
from nightlatch.addresses import Address
from nightlatch.ids import to_text as id_text
from nightlatch.instants import Instant, to_text
from nightlatch.refusals import Code, FieldError, Refused, invalid
from nightlatch.store import cursors
from nightlatch.store import invitations as stored
from nightlatch.store.query import Row
from nightlatch.vocabulary import Role
from nightlatch.web.answers import Answer
from nightlatch.web.api import reading
from nightlatch.web.api import team_models as models
from nightlatch.web.api.sign_in import address
from nightlatch.web.context import Context
from nightlatch.web.routes import LARGE_BODY_LIMIT, Route, api

_ORDER = "invitations"
_MOST_ERRORS = 20


async def pending(context: Context) -> Answer:
    limit, after = reading.limit(context), 0
    if context.query("cursor"):
        (position,) = cursors.decode(_ORDER, context.query("cursor"), [int])
        after = int(position)
    rows = await context.query_store(
        lambda tx: stored.page(tx, context.workspace_id, after=after, most=limit + 1)
    )
    shown = rows[:limit]
    return Answer(
        models.PendingInvitations.model_construct(
            items=[_shown(each, context.now) for each in shown],
            next_cursor=cursors.encode(_ORDER, [shown[-1].id]) if len(rows) > limit else None,
        )
    )


def _shown(row: Row, now: Instant) -> models.PendingInvitation:
    return models.PendingInvitation.model_construct(
        id=id_text(row.id),
        email=row.email,
        role=row.role,
        inviter=row.inviter,
        status="expired" if row.expires_at <= now else "pending",
        created_at=to_text(row.created_at),
        sent_at=to_text(row.sent_at),
        expires_at=to_text(row.expires_at),
    )


async def invite(context: Context, body: models.Invite) -> Answer:
    wanted = _addresses(body)
    invited = await context.write(
        lambda tx: invitations.invite(
            tx, by=context.by, workspace_id=context.workspace_id, pasted=wanted, role=Role(body.role)
        )
    )
    return Answer(
        models.InviteAnswer.model_construct(
            items=[
                models.InviteItem.model_construct(
                    email=each.address.display,
                    outcome=each.outcome.value,
                    id=id_text(each.invitation_id) if each.invitation_id is not None else None,
                )
                for each in invited.results
            ]
        ),
        201,
    )


def _addresses(body: models.Invite) -> list[Address]:
    """Every address, or all that is wrong with them: of a list either all are invited or none."""
    if (body.email is None) is (body.emails is None):
        raise invalid("emails", "Give email, or emails.")
    if body.email is not None:
        return [address(body.email)]
    found: list[Address] = []
    errors: list[FieldError] = []
    for number, text in enumerate(body.emails or []):
        try:
            found.append(address(text, f"emails.{number}"))
        except Refused as refused:
            errors += refused.errors
    if errors:
        raise Refused(
            Code.INVALID, "Some of these are no e-mail addresses.", errors=tuple(errors[:_MOST_ERRORS])
        )
    return found


async def resend(context: Context) -> Answer:
    id = context.id()
    await context.write(
        lambda tx: invitations.resend(tx, by=context.by, workspace_id=context.workspace_id, invitation_id=id)
    )
    return Answer(status=202)


async def revoke(context: Context) -> Answer:
    id = context.id()
    await context.write(
        lambda tx: invitations.revoke(tx, by=context.by, workspace_id=context.workspace_id, invitation_id=id)
    )
    return Answer(status=204)


_ALL = "/workspaces/{slug}/invitations"

ROUTES: list[Route] = [
    api(
        "GET",
        _ALL,
        kinds.READ_INVITATIONS,
        pending,
        answer=models.PendingInvitations,
        query=reading.PAGING,
        summary="Invitations that are not accepted yet",
    ),
    api(
        "POST",
        _ALL,
        kinds.INVITE,
        invite,
        body=models.Invite,
        body_limit=LARGE_BODY_LIMIT,
        answer=models.InviteAnswer,
        status=201,
        summary="Invite one address, or up to 500; what became of each",
        codes=(Code.TOO_MANY_ATTEMPTS,),
    ),
    api(
        "POST",
        f"{_ALL}/{{id}}/resend",
        kinds.INVITE,
        resend,
        status=202,
        summary="Mail an invitation again; the older link is dead",
        codes=(Code.CONFLICT, Code.TOO_MANY_ATTEMPTS),
    ),
    api(
        "DELETE",
        f"{_ALL}/{{id}}",
        kinds.INVITE,
        revoke,
        status=204,
        summary="Take an invitation back",
    ),
]
