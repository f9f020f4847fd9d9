"""Settings > Team > Audit log > Evidence: who had what on a day, as a page to print and as a CSV file."""

from collections.abc import Iterator
from typing import Any

from starlette.responses import Response, StreamingResponse

from nightlatch.actions import kinds
from nightlatch.actions.evidence import read_evidence
from nightlatch.audit.evidence import Evidence, Policy, State, Who
from nightlatch.audit.evidence_files import csv_chunks, day_of
from nightlatch.refusals import Refused
from nightlatch.web import sentences
from nightlatch.web.context import Context, with_query
from nightlatch.web.detail_words import in_words
from nightlatch.web.pages.sign_in import go
from nightlatch.web.rendering import page as render
from nightlatch.web.routes import Route, page
from nightlatch.web.team import in_workspace, team_path

A_PAGE = 500
"""Teammates on one page; resets and people who are gone are shown up to as many, and all are in the file."""


async def evidence_page(context: Context) -> Response:
    on, number = context.query("on"), _number(context.query("page"))
    try:
        shown = await context.query_store(
            lambda tx: _view(read_evidence(tx, workspace_id=context.workspace_id, on=on), number)
        )
    except Refused as refused:
        if not refused.errors:
            raise
        return _page(context, on[:20], {each.field: each.message for each in refused.errors})
    here = with_query(_path(context), on=on)
    return _page(
        context,
        on or day_of(context.now),
        evidence=shown,
        over=on not in ("", day_of(context.now)),
        csv_url=context.url(with_query(f"{_path(context)}.csv", on=on)),
        first_url=context.url(here) if number > 1 else None,
        next_url=context.url(with_query(here, page=str(number + 1))) if shown["more"] else None,
    )


def _page(context: Context, on: str, errors: dict[str, str] | None = None, **shown: Any) -> Response:
    nothing = {"evidence": None, "over": False, "csv_url": None, "first_url": None, "next_url": None}
    return render(
        context,
        "evidence.html",
        errors=errors,
        **in_workspace(context),
        on=on,
        today=day_of(context.now),
        **{**nothing, **shown},
    )


async def evidence_csv(context: Context) -> Response:
    """The same as a file; where there is none, the page says why."""
    on = context.query("on")
    try:
        found = await context.query_store(
            lambda tx: read_evidence(tx, workspace_id=context.workspace_id, on=on)
        )
    except Refused:
        return go(context, with_query(_path(context), on=on[:20]))
    name = f"evidence-{context.request.path_params['slug']}-{day_of(found.at)}.csv"
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(
        _encoded(found), headers=headers, media_type="text/csv; charset=utf-8; header=present"
    )


def _encoded(evidence: Evidence) -> Iterator[bytes]:
    """Pieces of the file, made in a thread as they are sent."""
    for chunk in csv_chunks(evidence):
        yield chunk.encode("utf-8", "replace")


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and 0 < len(text) < 7 and int(text) > 0 else 1


def _view(evidence: Evidence, number: int) -> dict[str, Any]:
    """What the page shows, made where the events were read: the whole of it may be large."""
    start = (number - 1) * A_PAGE
    counts = {str(state): evidence.count(state) for state in State}
    return {
        "name": evidence.name,
        "created_at": evidence.created_at,
        "at": evidence.at,
        "policy": _policy(evidence.policy, evidence.at),
        "counts": {"all": len(evidence.teammates), "not_known": evidence.count(None), **counts},
        "teammates": evidence.teammates[start : start + A_PAGE],
        "more": len(evidence.teammates) > start + A_PAGE,
        "resets": [
            {
                "name": each.name,
                "at": each.at,
                "by": _who(each.by),
                "reason": each.reason,
                "recognised_by": in_words("recognised_by", each.recognised_by) or None,
                "number_waived": each.number_waived,
                "completed_at": each.completed_at,
                "replaced_at": each.replaced_at,
                "asked_at": each.asked_at,
                "approved_by": _who(each.approved_by) if each.approved_by is not None else None,
            }
            for each in evidence.resets[:A_PAGE]
        ],
        "reset_count": len(evidence.resets),
        "exceptions": [
            {
                "name": each.name,
                "stands": each.stands(evidence.at),
                "at": each.at,
                "by": _who(each.by),
                "asked_by": each.asked_by,
                "reason": each.reason,
                "ends_at": each.ends_at,
                "ended_at": each.ended_at,
                "why": in_words("why", each.why, inside=True) or None,
            }
            for each in evidence.exceptions[:A_PAGE]
        ],
        "exception_count": len(evidence.exceptions),
        "gone": [
            {
                "name": each.name,
                "email": each.email,
                "role": each.role,
                "at": each.at,
                "by": _who(each.by),
                "left": each.left,
                "reason": each.reason,
            }
            for each in evidence.gone[:A_PAGE]
        ],
        "gone_count": len(evidence.gone),
        "restored": [{"at": each.at, "by": _who(each.by)} for each in evidence.restored[:A_PAGE]],
    }


def _policy(policy: Policy, at: int) -> dict[str, Any]:
    return {
        "state": str(policy.state(at)),
        "required_from": policy.required_from,
        "resistant_from": policy.resistant_from,
        "by": _who(policy.by),
        "at": policy.at,
        "reason": policy.reason,
        "managed_by": in_words("managed_by", policy.managed_by),
        "managed_by_by": _who(policy.managed_by_by),
        "managed_by_at": policy.managed_by_at,
    }


def _who(who: Who | None) -> str | None:
    return sentences.actor(who.kind, who.name) if who is not None else None


def _path(context: Context) -> str:
    return f"{team_path(context)}/audit/evidence"


ROUTES: list[Route] = [
    page("/w/{slug}/settings/team/audit/evidence", kinds.READ_AUDIT, evidence_page),
    page("/w/{slug}/settings/team/audit/evidence.csv", kinds.READ_AUDIT, evidence_csv),
]
