"""Inviting teammates, by one address or a pasted list; sending an invitation again, taking it back."""

from starlette.responses import Response

from nightlatch import addresses
from nightlatch.actions import invitations, kinds
from nightlatch.actions.invitations import MOST_AT_A_TIME, Invited, Outcome
from nightlatch.addresses import Pasted
from nightlatch.instants import DAY
from nightlatch.policy import may_grant
from nightlatch.refusals import Code, Refused
from nightlatch.store.invitations import INVITATION_LIFE
from nightlatch.vocabulary import Role
from nightlatch.web.context import Context
from nightlatch.web.pages.sign_in import go
from nightlatch.web.rendering import page as render
from nightlatch.web.routes import LARGE_BODY_LIMIT, Route, form, page
from nightlatch.web.team import in_product, in_workspace, myself, team_path

_LOWEST_FIRST = sorted(Role, key=lambda each: each.rank)
_OUTCOMES = {
    Outcome.SENT: "sent",
    Outcome.ALREADY_TEAMMATE: "teammate",
    Outcome.ALREADY_INVITED: "invited",
    Outcome.LIMITED: "limited",
    Outcome.DECLINED: "declined",
}


async def invite_page(context: Context) -> Response:
    await not_by_product(context)
    return _invite(context)


async def not_by_product(context: Context) -> None:
    """Nobody is invited to a product's workspace. Raises Refused."""
    if in_product(context):
        await context.read(lambda tx: invitations.refuse_in_product(tx, context.workspace_id))


def _invite(context: Context, *, status: int = 200, errors: dict[str, str] | None = None) -> Response:
    mine = myself(context)
    return render(
        context,
        "invite.html",
        status=status,
        errors=errors,
        **in_workspace(context),
        roles=[each.value for each in _LOWEST_FIRST if may_grant(mine.role, each)],
        required=mine.mandate.required_from is not None,
        expires_days=INVITATION_LIFE // DAY,
    )


async def invite_form(context: Context) -> Response:
    await not_by_product(context)
    errors: dict[str, str] = {}
    pasted = _pasted(context.form.get("emails", ""), errors)
    role = context.form.get("role", "")
    if role not in {each.value for each in Role}:
        errors["role"] = "Choose a role."
    if errors or pasted is None:
        return _invite(context, errors=errors)
    try:
        invited = await context.write(
            lambda tx: invitations.invite(
                tx,
                by=context.by,
                workspace_id=context.workspace_id,
                pasted=pasted.addresses,
                role=Role(role),
            )
        )
    except Refused as refused:
        if refused.decision is not None or refused.code not in (Code.TOO_MANY_ATTEMPTS, Code.NOT_PERMITTED):
            raise
        return _invite(context, status=refused.status, errors={"form": refused.detail})
    return _result(context, pasted, invited, role)


def _pasted(text: str, errors: dict[str, str]) -> Pasted | None:
    """The addresses of a pasted list, or why there are none."""
    try:
        pasted = addresses.parse_many(text, MOST_AT_A_TIME)
    except addresses.BadAddress as bad:
        errors["emails"] = bad.reason
        return None
    if pasted.addresses:
        return pasted
    if pasted.unread:
        errors["emails"] = f"“{pasted.unread[0].text}” cannot be invited. {pasted.unread[0].reason}"
    else:
        errors["emails"] = "Enter at least one e-mail address."
    return None


def _result(context: Context, pasted: Pasted, invited: Invited, role: str) -> Response:
    results = [
        {"address": each.address.display, "outcome": _OUTCOMES[each.outcome], "why": None}
        for each in invited.results
    ]
    unread = [
        {"address": each.text, "outcome": "not_an_address", "why": each.reason} for each in pasted.unread
    ]
    return render(
        context,
        "invite_result.html",
        **in_workspace(context),
        role=role,
        results=[*unread, *results],
        sent=invited.sent,
        duplicates=pasted.duplicates,
    )


async def resend_form(context: Context) -> Response:
    invitation_id = context.id()
    await context.write(
        lambda tx: invitations.resend(
            tx, by=context.by, workspace_id=context.workspace_id, invitation_id=invitation_id
        )
    )
    return go(context, f"{team_path(context)}?said=invitation-resent")


async def revoke_form(context: Context) -> Response:
    invitation_id = context.id()
    await context.write(
        lambda tx: invitations.revoke(
            tx, by=context.by, workspace_id=context.workspace_id, invitation_id=invitation_id
        )
    )
    return go(context, f"{team_path(context)}?said=invitation-revoked")


_TEAM = "/w/{slug}/settings/team"

ROUTES: list[Route] = [
    page(f"{_TEAM}/invite", kinds.INVITE, invite_page),
    form(f"{_TEAM}/invite", kinds.INVITE, invite_form, body_limit=LARGE_BODY_LIMIT),
    form(f"{_TEAM}/invitations/{{id}}/resend", kinds.INVITE, resend_form, shown_at=_TEAM),
    form(f"{_TEAM}/invitations/{{id}}/revoke", kinds.INVITE, revoke_form, shown_at=_TEAM),
]
