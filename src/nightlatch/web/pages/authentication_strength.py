"""Which second step a workspace takes while 2FA is required: any, or a passkey alone, now or from a date."""

from typing import Any

from starlette.responses import RedirectResponse, Response

from nightlatch.actions import kinds, mandate
from nightlatch.actions.mandate import Policy
from nightlatch.actions.reasons import clean_reason
from nightlatch.instants import Instant
from nightlatch.policy import ProofStrength
from nightlatch.store.engine import Transaction
from nightlatch.web.context import Context, with_query
from nightlatch.web.fields import form_errors
from nightlatch.web.pages.authentication_turn import chosen, for_field
from nightlatch.web.pages.sign_in import go
from nightlatch.web.rendering import page as render
from nightlatch.web.rollout import groups_of, look, suggested_strength
from nightlatch.web.routes import Route, form, page
from nightlatch.web.switch import PATH, attempt, blocked, change, read_seen, refusal_text, switch_path
from nightlatch.web.team import in_workspace


async def strength_page(context: Context) -> Response:
    seen = await read_seen(context)
    if not seen.policy.in_force or blocked(context, seen) is not None:
        return RedirectResponse(context.url(switch_path(context)), 303)  # that page says why
    return await _strength(context)


async def _strength(context: Context, *, status: int = 200, errors: dict[str, str] | None = None) -> Response:
    met = await look(context)
    policy = met.policy
    return render(
        context,
        "authentication_strength.html",
        status=status,
        errors=errors,
        **in_workspace(context),
        strength=policy.strength.value,
        passkeys_from=policy.resistant_from,
        passkeys_now=policy.resistant,
        at_once_until=policy.passkeys_at_once_until,
        groups=_groups(context, met),
        i_have_passkey=met.facts.i_have_passkey,
        owners_with_passkey=met.facts.owners_with_passkey,
        suggested_from=for_field(suggested_strength(context.now, policy)),
        revision=str(policy.revision),
    )


def _groups(context: Context, met: Any) -> dict[str, Any]:
    groups = groups_of(context, met)
    nothing = met.people.will_be_asked.count + met.people.exempt.count + met.people.set_up.count
    nothing -= met.people.with_passkey.count + met.people.without_passkey.count
    return groups | {"nothing": {"count": max(0, nothing), "names": [], "path": None}}


async def strength_form(context: Context) -> Response:
    at, errors = chosen(context)
    if errors:
        return await _strength(context, errors=errors)
    return await _turn(
        context, ProofStrength.PHISHING_RESISTANT, at, "passkeys-from" if at else "passkeys-on"
    )


async def weaker_form(context: Context) -> Response:
    with form_errors() as errors:
        clean_reason(context.form.get("reason", ""), needed=True)
    if errors:
        return await _strength(context, errors=errors)
    return await _turn(context, ProofStrength.ANY, None, "passkeys-off")


async def _turn(context: Context, strength: ProofStrength, at: Instant | None, said: str) -> Response:
    refused = await attempt(context, lambda tx: _change(tx, context, strength, at))
    if refused is not None:
        return await _strength(context, status=refused.status, errors={"form": refusal_text(refused)})
    return go(context, with_query(switch_path(context), said=said))


def _change(tx: Transaction, context: Context, strength: ProofStrength, at: Instant | None) -> Policy:
    now = mandate.read_policy(tx, by=context.by, workspace_id=context.workspace_id)
    return change(
        tx,
        context,
        required=now.required,
        required_from=now.required_from,
        managed_by=now.managed_by,
        strength=strength,
        strength_from=at,
    )


ROUTES: list[Route] = [
    page(f"{PATH}/strength", kinds.PREVIEW_POLICY, strength_page),
    form(f"{PATH}/strength", kinds.CHANGE_POLICY, strength_form),
    form(f"{PATH}/strength/off", kinds.CHANGE_POLICY, weaker_form, shown_at=f"{PATH}/strength"),
]
