"""Inviting teammates by a CSV file, uploaded or pasted: a report with a line for each line."""

from starlette.responses import Response

from nightlatch.actions import kinds
from nightlatch.actions.inviting_sheet import Told, invite_sheet
from nightlatch.invite_sheet import MOST_ROWS, Line, read_sheet
from nightlatch.policy import may_grant
from nightlatch.refusals import Code, Refused, invalid
from nightlatch.vocabulary import Role
from nightlatch.web.context import Context
from nightlatch.web.fields import form_errors
from nightlatch.web.pages.invite import not_by_product
from nightlatch.web.rendering import page as render
from nightlatch.web.routes import LARGE_BODY_LIMIT, Route, form, page
from nightlatch.web.team import in_workspace, myself


async def sheet_page(context: Context) -> Response:
    await not_by_product(context)
    if context.refill.get("file"):  # caught by the gate: a file cannot be filled in again, but its text can
        context.refill = {"sheet": context.refill["file"]}
    return _sheet(context)


def _sheet(context: Context, *, status: int = 200, errors: dict[str, str] | None = None) -> Response:
    mine = myself(context)
    return render(
        context,
        "invite_sheet.html",
        status=status,
        errors=errors,
        **in_workspace(context),
        roles=[each.value for each in Role if may_grant(mine.role, each)],
        most=MOST_ROWS,
    )


async def sheet_form(context: Context) -> Response:
    await not_by_product(context)
    lines: list[Line] = []
    with form_errors() as errors:
        lines = read_sheet(_text(context))
    if errors:
        return _sheet(context, errors=errors)
    try:
        told = await context.write(
            lambda tx: invite_sheet(tx, by=context.by, workspace_id=context.workspace_id, lines=lines)
        )
    except Refused as refused:
        if refused.decision is not None or refused.code is not Code.TOO_MANY_ATTEMPTS:
            raise
        return _sheet(context, status=refused.status, errors={"form": refused.detail})
    return _report(context, told)


def _text(context: Context) -> str:
    """What was pasted, or else the file; a caught form comes back with the file's text in the field."""
    text = context.form.get("sheet", "")
    file = context.form.get("file", "")
    if text.strip() and file.strip():
        raise invalid("sheet", "Choose a file, or paste its text: not both.")
    if not text.strip() and not file.strip():
        raise invalid("sheet", "Choose a file, or paste its text.")
    return text if text.strip() else file


def _report(context: Context, told: list[Told]) -> Response:
    return render(
        context,
        "invite_sheet_result.html",
        **in_workspace(context),
        lines=[
            {
                "number": each.line.number,
                "address": each.line.address.display if each.line.address is not None else each.line.text,
                "role": each.line.role.value if each.line.role is not None else None,
                "outcome": each.outcome,
                "why": each.line.why,
            }
            for each in told
        ],
        sent=sum(each.outcome == "sent" for each in told),
    )


_SHEET = "/w/{slug}/settings/team/invite/csv"

ROUTES: list[Route] = [
    page(_SHEET, kinds.INVITE, sheet_page),
    form(_SHEET, kinds.INVITE, sheet_form, body_limit=LARGE_BODY_LIMIT),
]
