"""One connection: what to register at the provider, client ID and secret, its rule, testing it, removing it."""

from collections.abc import Mapping
from datetime import UTC, datetime, time
from typing import Any

from starlette.responses import Response

from nightlatch.actions import connection_rule, connections, kinds, sso_reports
from nightlatch.actions.connections import Connection
from nightlatch.actions.sso_outcomes import Way
from nightlatch.ids import to_text
from nightlatch.instants import DAY, MINUTE, Duration, Instant, from_datetime, to_datetime
from nightlatch.policy import SsoRule
from nightlatch.refusals import Refused, invalid, not_found
from nightlatch.store.connections import OIDC
from nightlatch.web import sso_ways
from nightlatch.web.apps import of_nightlatch
from nightlatch.web.connections import rule_of
from nightlatch.web.context import Context
from nightlatch.web.fields import at_fields
from nightlatch.web.pages.connections import ALL, shown, sso_path
from nightlatch.web.pages.sign_in import go
from nightlatch.web.rendering import page as render
from nightlatch.web.routes import Route, form, page
from nightlatch.web.team import in_workspace, myself

_ONE = f"{ALL}/{{id}}"
USUAL_SECOND = ("mfa", "otp", "hwk", "swk")
"""Values that providers use for a second factor (RFC 8176), to begin from."""


def _path(context: Context) -> str:
    return f"{sso_path(context)}/{to_text(context.id())}"


async def _read(context: Context) -> Connection:
    connection_id = context.id()
    return await context.read(lambda tx: connections.read(tx, context.workspace_id, connection_id))


async def one_page(context: Context) -> Response:
    of_nightlatch(context)
    return await _one(context)


async def _one(context: Context, *, status: int = 200, errors: Mapping[str, str] | None = None) -> Response:
    found = await _read(context)
    rule = found.acceptance
    end = rule.exempt_until if rule.exempt_until is not None else context.now + 30 * DAY
    return render(
        context,
        "connection.html",
        status=status,
        errors=errors,
        connection=shown(context, found),
        second="\n".join(sorted(rule.second) if rule.rule is SsoRule.ACCEPT else USUAL_SECOND),
        resistant="\n".join(sorted(rule.resistant)),
        max_age=str(rule.max_age // MINUTE) if rule.max_age is not None else "",
        until=to_datetime(end).date().isoformat(),
        owner=myself(context).role.value == "owner",
        **in_workspace(context),
    )


async def change_form(context: Context) -> Response:
    text, connection_id = context.form.get, context.id()
    before = await _read(context)
    try:
        await context.write(
            lambda tx: connections.change(
                tx,
                by=context.by,
                workspace_id=context.workspace_id,
                connection_id=connection_id,
                name=text("name", ""),
                client_id=text("client_id") if before.kind == OIDC else None,
                secret=text("secret"),
                joins=text("joins") == "yes",
            )
        )
    except Refused as refused:
        return await _again(context, refused)
    return go(context, f"{_path(context)}?said=connection-changed")


async def rule_form(context: Context) -> Response:
    connection_id = context.id()
    try:
        rule = rule_of(context.form.get("rule", ""))
        given = _given(context, rule)
        await context.write(
            lambda tx: connection_rule.set_rule(
                tx,
                by=context.by,
                workspace_id=context.workspace_id,
                connection_id=connection_id,
                rule=rule,
                **given,
            )
        )
    except Refused as refused:
        return await _again(context, refused)
    return go(context, f"{_path(context)}?said=connection-rule")


async def _again(context: Context, refused: Refused) -> Response:
    return await _one(context, status=refused.status, errors=at_fields(refused))


def _given(context: Context, rule: SsoRule) -> dict[str, Any]:
    """What belongs to the rule that was chosen; the fields of the others are left aside."""
    text = context.form.get
    if rule is SsoRule.ACCEPT:
        return {
            "second": text("second", "").split(),
            "resistant": text("resistant", "").split(),
            "max_age": _minutes(text("max_age", "")),
        }
    return {"exempt_until": _day(text("exempt_until", ""))} if rule is SsoRule.EXEMPT else {}


def _minutes(text: str) -> Duration | None:
    text = text.strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 7):
        raise invalid("max_age", "Write a number of minutes, or leave it empty.")
    return int(text) * MINUTE


def _day(text: str) -> Instant:
    """The end of a day, in UTC."""
    try:
        day = datetime.fromisoformat(text.strip()).date()
    except ValueError:
        raise invalid("exempt_until", "Write a date, such as 2026-12-24.") from None
    return from_datetime(datetime.combine(day, time(23, 59, 59), UTC))


# --- testing ---


async def test_form(context: Context) -> Response:
    found = await _read(context)
    return await sso_ways.off(context, found.id, Way.TEST)


async def report_page(context: Context) -> Response:
    session = context.known.session
    if session is None:
        raise not_found()
    found, flow_id = await _read(context), context.id("flow_id")
    told = await context.read(
        lambda tx: sso_reports.read(tx, flow_id=flow_id, connection_id=found.id, session_id=session.id)
    )
    return render(
        context,
        "connection_report.html",
        connection=shown(context, found),
        told={"code": None, "detail": None, **told},
        **in_workspace(context),
    )


# --- removing ---


async def remove_page(context: Context) -> Response:
    of_nightlatch(context)
    return render(
        context,
        "connection_remove.html",
        connection=shown(context, await _read(context)),
        **in_workspace(context),
    )


async def remove_form(context: Context) -> Response:
    connection_id = context.id()
    try:
        await context.write(
            lambda tx: connections.remove(
                tx, by=context.by, workspace_id=context.workspace_id, connection_id=connection_id
            )
        )
    except Refused as refused:
        return await _again(context, refused)
    return go(context, f"{sso_path(context)}?said=connection-removed")


ROUTES: list[Route] = [
    page(_ONE, kinds.SEE_CONNECTIONS, one_page),
    form(_ONE, kinds.MANAGE_CONNECTIONS, change_form),
    form(f"{_ONE}/rule", kinds.MANAGE_CONNECTIONS, rule_form, shown_at=_ONE),
    form(f"{_ONE}/test", kinds.TEST_CONNECTION, test_form, shown_at=_ONE),
    page(f"{_ONE}/test/{{flow_id}}", kinds.TEST_CONNECTION, report_page),
    page(f"{_ONE}/remove", kinds.SEE_CONNECTIONS, remove_page),
    form(f"{_ONE}/remove", kinds.MANAGE_CONNECTIONS, remove_form, shown_at=_ONE),
]
