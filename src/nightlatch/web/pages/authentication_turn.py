"""Turning the switch: what will happen, said before; now or from a date; and off again, with a reason."""

from datetime import UTC, datetime

from starlette.responses import RedirectResponse, Response

from nightlatch.actions import kinds, mandate, previewing
from nightlatch.actions.mandate import Policy
from nightlatch.actions.reasons import clean_reason
from nightlatch.instants import DAY, Instant, from_datetime, to_datetime
from nightlatch.refusals import invalid
from nightlatch.store import preview
from nightlatch.store.engine import Transaction
from nightlatch.web.context import Context, with_query
from nightlatch.web.fields import form_errors
from nightlatch.web.pages.sign_in import go
from nightlatch.web.rendering import page as render
from nightlatch.web.routes import Route, form, page
from nightlatch.web.switch import PATH, Seen, attempt, blocked, change, read_seen, refusal_text, switch_path
from nightlatch.web.team import mail_state

NOTICE = 14 * DAY
"""How much notice the date field suggests: enough for a holiday."""
_HOUR_OF_DAY = 9


# --- turning it on ---


async def on_page(context: Context) -> Response:
    seen = await read_seen(context)
    if seen.policy.in_force or blocked(context, seen) is not None:
        return RedirectResponse(context.url(switch_path(context)), 303)  # that page says why
    return await _on(context)


async def _on(context: Context, *, status: int = 200, errors: dict[str, str] | None = None) -> Response:
    workspace_id = context.workspace_id
    policy, facts, found, working = await context.query_store(
        lambda tx: (
            mandate.read_policy(tx, by=context.by, workspace_id=workspace_id),
            previewing.preview_facts(tx, by=context.by, workspace_id=workspace_id),
            preview.preview(tx, workspace_id),
            preview.working_now(tx, workspace_id),
        )
    )
    groups = {"set_up": found.set_up, "will_be_asked": found.will_be_asked, "invited": found.invited}
    return render(
        context,
        "authentication_confirm.html",
        status=status,
        errors=errors,
        slug=context.request.path_params["slug"],
        workspace_name=context.place.name if context.place is not None else "",
        preview={name: each.count for name, each in groups.items()} | {"working_now": working},
        people={name: list(each.names) for name, each in groups.items()},
        mail=mail_state(context, facts),
        only_owner=facts.only_owner,
        scheduled_from=policy.required_from,
        suggested_from=_suggested(context.now, policy.required_from),
        revision=str(policy.revision),
    )


def _suggested(now: Instant, scheduled: Instant | None) -> str:
    """For the date field: the date that stands, or two weeks from now in the morning."""
    if scheduled is not None:
        return f"{to_datetime(scheduled):%Y-%m-%dT%H:%M}"
    day = to_datetime(now + NOTICE)
    return f"{day:%Y-%m-%d}T{_HOUR_OF_DAY:02d}:00"


async def on_form(context: Context) -> Response:
    at: Instant | None = None
    errors: dict[str, str] = {}
    if context.form.get("when") == "from":
        with form_errors() as errors:
            at = _instant(context.form.get("from_at", ""), context.now)
    elif context.form.get("when") != "now":
        errors["when"] = "Choose when."
    if errors:
        return await _on(context, errors=errors)

    def body(tx: Transaction) -> Policy:
        now = mandate.read_policy(tx, by=context.by, workspace_id=context.workspace_id)
        return change(tx, context, required=True, required_from=at, managed_by=now.managed_by)

    refused = await attempt(context, body)
    if refused is not None:
        return await _on(context, status=refused.status, errors={"form": refusal_text(refused)})
    said = "mandate-on" if at is None else "mandate-scheduled"
    return go(context, with_query(switch_path(context), said=said))


def _instant(text: str, now: Instant) -> Instant:
    """What a date field holds, in UTC. Raises Refused (at `from_at`) for anything that is no moment to come."""
    try:
        moment = datetime.strptime(text.strip()[:16], "%Y-%m-%dT%H:%M").replace(tzinfo=UTC)
    except ValueError:
        raise invalid("from_at", "Enter a date and a time, for example 2026-12-08T09:00.") from None
    instant = from_datetime(moment)
    if instant <= now:
        raise invalid("from_at", "This moment has passed. Choose a later one, or “Now”.")
    return instant


# --- turning it off ---


async def off_page(context: Context) -> Response:
    seen = await read_seen(context)
    if not seen.policy.required or blocked(context, seen) is not None:
        return RedirectResponse(context.url(switch_path(context)), 303)
    return _off(context, seen)


def _off(
    context: Context, seen: Seen, *, status: int = 200, errors: dict[str, str] | None = None
) -> Response:
    return render(
        context,
        "authentication_off.html",
        status=status,
        errors=errors,
        slug=context.request.path_params["slug"],
        workspace_name=context.place.name if context.place is not None else "",
        in_force=seen.policy.in_force,
        counts=seen.counts,
        revision=str(seen.policy.revision),
    )


async def off_form(context: Context) -> Response:
    with form_errors() as errors:
        clean_reason(context.form.get("reason", ""), needed=True)
    if errors:
        return _off(context, await read_seen(context), errors=errors)

    def body(tx: Transaction) -> Policy:
        now = mandate.read_policy(tx, by=context.by, workspace_id=context.workspace_id)
        return change(tx, context, required=False, required_from=None, managed_by=now.managed_by)

    refused = await attempt(context, body)
    if refused is not None:
        return _off(
            context, await read_seen(context), status=refused.status, errors={"form": refusal_text(refused)}
        )
    return go(context, f"{switch_path(context)}?said=mandate-off")


ROUTES: list[Route] = [
    page(f"{PATH}/on", kinds.PREVIEW_POLICY, on_page),
    form(f"{PATH}/on", kinds.CHANGE_POLICY, on_form),
    page(f"{PATH}/off", kinds.PREVIEW_POLICY, off_page),
    form(f"{PATH}/off", kinds.CHANGE_POLICY, off_form),
]
