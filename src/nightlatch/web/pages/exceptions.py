"""More time to set up 2FA: asking for it, agreeing to it, ending it, and the list of all."""

from typing import Any

from starlette.responses import Response

from nightlatch.actions import exceptions, exceptions_rules, kinds
from nightlatch.actions.exceptions_ending import is_open
from nightlatch.actions.reasons import clean_reason
from nightlatch.facts import Teammate
from nightlatch.ids import to_text as id_text
from nightlatch.instants import DAY, Instant, from_text, to_text
from nightlatch.policy import ManagedBy, permitted
from nightlatch.refusals import Code, Refused, invalid
from nightlatch.store import cursors
from nightlatch.store import exceptions as stored
from nightlatch.store.query import Row
from nightlatch.vocabulary import Permission
from nightlatch.web.context import Context, with_query
from nightlatch.web.detail_words import in_words
from nightlatch.web.fields import form_errors
from nightlatch.web.pages.sign_in import go
from nightlatch.web.pages.team_member import explained
from nightlatch.web.rendering import page as render
from nightlatch.web.routes import Route, form, page
from nightlatch.web.team import in_workspace, myself, team_path

A_PAGE = 50
_ORDER = "exceptions"


# --- the list ---


async def exceptions_page(context: Context) -> Response:
    return await _list(context)


async def _list(context: Context, refused: Refused | None = None) -> Response:
    workspace_id, after = context.workspace_id, None
    if context.query("cursor") and refused is None:
        try:
            at, id = cursors.decode(_ORDER, context.query("cursor"), [int, int])
        except Refused:
            return go(context, _path(context))
        after = (int(at), int(id))
    rows = await context.query_store(lambda tx: stored.newest(tx, workspace_id, A_PAGE + 1, after))
    shown, mine = rows[:A_PAGE], myself(context)
    more = cursors.encode(_ORDER, [shown[-1].requested_at, shown[-1].id]) if len(rows) > A_PAGE else ""
    return render(
        context,
        "exceptions.html",
        status=refused.status if refused is not None else 200,
        **in_workspace(context),
        exceptions=[_row(context, mine, each) for each in shown],
        kept_for_owners=mine.mandate.managed_by is ManagedBy.OWNERS,
        refused=explained(refused),
        first_url=context.url(_path(context)) if after is not None else None,
        next_url=context.url(with_query(_path(context), cursor=more)) if more else None,
    )


def _row(context: Context, mine: Teammate, row: Row) -> dict[str, Any]:
    opened = is_open(row, context.now)
    stood = row.approved_at is not None
    me = context.facts.account
    return {
        "id": id_text(row.id),
        "name": row.name,
        "email": row.email,
        "state": ("stands" if stood else "waiting") if opened else ("over" if stood else "refused"),
        "reason": row.reason,
        "requested_by": row.requester,
        "requested_at": row.requested_at,
        "approved_by": row.approver,
        "approved_at": row.approved_at,
        "ends_at": row.ends_at,
        "ended_at": row.ended_at,
        "ended_by": row.ended_by,
        "why": in_words("why", row.ended_why, inside=True) or None,
        "is_mine": row.requested_by == me,
        "may_approve": opened
        and not stood
        and me not in (row.requested_by, row.account_id)
        and permitted(mine.role, Permission.MANAGE_AUTHENTICATION, mine.mandate),
        "may_end": opened,
    }


async def approve_form(context: Context) -> Response:
    id = context.id()
    return await _done(
        context,
        lambda tx: exceptions.approve(tx, by=context.by, workspace_id=context.workspace_id, exception_id=id),
        "more-time-given",
    )


async def end_form(context: Context) -> Response:
    id = context.id()
    return await _done(
        context,
        lambda tx: exceptions.end(tx, by=context.by, workspace_id=context.workspace_id, exception_id=id),
        "more-time-ended",
    )


async def _done(context: Context, act: Any, said: str) -> Response:
    try:
        await context.write(act)
    except Refused as refused:
        if refused.decision is not None or refused.code not in (Code.CONFLICT, Code.NOT_PERMITTED):
            raise
        return await _list(context, refused)
    return go(context, f"{_path(context)}?said={said}")


# --- asking ---


async def ask_page(context: Context) -> Response:
    return _ask(context, await _look(context))


async def _look(context: Context) -> exceptions.Looked:
    id = context.id()
    return await context.read(
        lambda tx: exceptions.look(tx, by=context.by, workspace_id=context.workspace_id, teammate_id=id)
    )


def _ask(
    context: Context,
    looked: exceptions.Looked,
    errors: dict[str, str] | None = None,
    refused: Refused | None = None,
) -> Response:
    against = refused or looked.against
    return render(
        context,
        "more_time.html",
        status=refused.status if refused is not None else 200,
        errors=errors,
        **in_workspace(context),
        teammate={"id": id_text(looked.id), "name": looked.name, "email": looked.email},
        refused=explained(against),
        until=looked.until,
        approvers=[each.name for each in looked.approvers],
        first_day=_day(max(context.now, looked.begins) + DAY),
        last_day=_day(context.now + exceptions_rules.LONGEST),
        week=_day(min(max(context.now, looked.begins) + 7 * DAY, context.now + exceptions_rules.LONGEST)),
    )


async def ask_form(context: Context) -> Response:
    id = context.id()
    reason, until = context.form.get("reason", ""), context.form.get("until", "")
    with form_errors() as errors:
        reason = clean_reason(reason, needed=True)
    with form_errors() as more:
        ends_at = end_of(until, context.now)
    errors |= more
    if errors:
        return _ask(context, await _look(context), errors)
    try:
        await context.write(
            lambda tx: exceptions.ask(
                tx,
                by=context.by,
                workspace_id=context.workspace_id,
                teammate_id=id,
                reason=reason,
                ends_at=ends_at,
            )
        )
    except Refused as refused:
        if refused.decision is not None or refused.code is Code.NOT_FOUND:
            raise
        if refused.errors:
            return _ask(context, await _look(context), {"until": refused.errors[0].message})
        return _ask(context, await _look(context), refused=refused)
    return go(context, f"{_path(context)}?said=more-time-asked")


def end_of(day: str, now: Instant) -> Instant:
    """The last instant of a day in UTC, at most 30 days from now. Raises Refused (`invalid`, at `until`)."""
    try:
        start = from_text(f"{day}T00:00:00Z") if len(day) == 10 else None
    except ValueError:
        start = None
    if start is None:
        raise invalid("until", "Choose a day.")
    longest = now + exceptions_rules.LONGEST
    if start + DAY <= now or start > longest:
        raise invalid("until", f"Choose a day from today to {to_text(longest)[:10]}.")
    return min(start + DAY, longest)


def _day(instant: Instant) -> str:
    return to_text(instant)[:10]


def _path(context: Context) -> str:
    return f"{team_path(context)}/exceptions"


_TEAM = "/w/{slug}/settings/team"

ROUTES: list[Route] = [
    page(f"{_TEAM}/exceptions", kinds.SEE_EXCEPTIONS, exceptions_page),
    form(
        f"{_TEAM}/exceptions/{{id}}/approve",
        kinds.APPROVE_EXCEPTION,
        approve_form,
        shown_at=f"{_TEAM}/exceptions",
    ),
    form(f"{_TEAM}/exceptions/{{id}}/end", kinds.END_EXCEPTION, end_form, shown_at=f"{_TEAM}/exceptions"),
    page(f"{_TEAM}/{{id}}/more-time", kinds.ASK_EXCEPTION, ask_page),
    form(f"{_TEAM}/{{id}}/more-time", kinds.ASK_EXCEPTION, ask_form),
]
