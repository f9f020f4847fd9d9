"""Turning the switch: what will happen, said before; now or from a date; and off again, with a reason."""

from datetime import UTC, datetime

from starlette.responses import RedirectResponse, Response

from nightlatch.actions import kinds, mandate
from nightlatch.actions.mandate import Policy
from nightlatch.actions.reasons import clean_reason
from nightlatch.instants import Instant, from_datetime, to_datetime
from nightlatch.policy import ProofStrength
from nightlatch.refusals import invalid
from nightlatch.store.engine import Transaction
from nightlatch.web.context import Context, with_query
from nightlatch.web.fields import form_errors
from nightlatch.web.pages.sign_in import go
from nightlatch.web.rendering import page as render
from nightlatch.web.rollout import chat_text, connections_of, groups_of, look, suggested
from nightlatch.web.routes import Route, form, page
from nightlatch.web.switch import PATH, Seen, attempt, blocked, change, read_seen, refusal_text, switch_path
from nightlatch.web.team import in_workspace, mail_state

_FIELD = "%Y-%m-%dT%H:%M"
"""How a date field writes a moment."""

# --- turning it on ---


async def on_page(context: Context) -> Response:
    seen = await read_seen(context)
    if seen.policy.in_force or blocked(context, seen) is not None:
        return RedirectResponse(context.url(switch_path(context)), 303)  # that page says why
    return await _on(context)


async def _on(context: Context, *, status: int = 200, errors: dict[str, str] | None = None) -> Response:
    met = await look(context)
    policy, begins = met.policy, suggested(context.now, met.policy)
    return render(
        context,
        "authentication_confirm.html",
        status=status,
        errors=errors,
        **in_workspace(context),
        groups=groups_of(context, met),
        connections=connections_of(context, met),
        kept_by=met.people.kept_by,
        strength=policy.strength.value,
        i_have_passkey=met.facts.i_have_passkey,
        working_now=met.working_now,
        mail=mail_state(context, met.facts),
        only_owner=met.facts.only_owner,
        scheduled_from=policy.required_from,
        at_once_until=policy.at_once_until,
        suggested_from=for_field(begins) if begins is not None else None,
        chat=chat_text(context, policy, begins),
        revision=str(policy.revision),
    )


async def on_form(context: Context) -> Response:
    strength = strength_of(context)
    at, errors = chosen(context)
    if errors:
        return await _on(context, errors=errors)

    def body(tx: Transaction) -> Policy:
        now = mandate.read_policy(tx, by=context.by, workspace_id=context.workspace_id)
        return change(
            tx,
            context,
            required=True,
            required_from=at,
            managed_by=now.managed_by,
            strength=strength,
            strength_from=at if strength is ProofStrength.PHISHING_RESISTANT else None,
        )

    refused = await attempt(context, body)
    if refused is not None:
        return await _on(context, status=refused.status, errors={"form": refusal_text(refused)})
    said = "mandate-on" if at is None else "mandate-scheduled"
    return go(context, with_query(switch_path(context), said=said))


def strength_of(context: Context) -> ProofStrength:
    """What second step was chosen; any, where nothing was."""
    keys = context.form.get("strength") == ProofStrength.PHISHING_RESISTANT
    return ProofStrength.PHISHING_RESISTANT if keys else ProofStrength.ANY


def chosen(context: Context) -> tuple[Instant | None, dict[str, str]]:
    """From when it is to be so, by the form: None is now. Beside it what is wrong, by field."""
    if context.form.get("when") != "from":
        return None, {} if context.form.get("when") == "now" else {"when": "Choose when."}
    at: Instant | None = None
    with form_errors() as errors:
        at = _instant_of(context.form.get("from_at", ""), context.now)
    return at, errors


def for_field(at: Instant) -> str:
    """A moment as a date field holds it, in UTC."""
    return f"{to_datetime(at):{_FIELD}}"


def _instant_of(text: str, now: Instant) -> Instant:
    """What a date field holds, in UTC. Raises Refused (at `from_at`) for anything that is no moment to come."""
    try:
        moment = datetime.strptime(text.strip()[:16], _FIELD).replace(tzinfo=UTC)
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
        **in_workspace(context),
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
