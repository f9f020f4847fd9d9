"""Settings > Team > Authentication: the switch as it stands, and who may turn it (`authentication_turn` turns it)."""

from starlette.responses import Response

from nightlatch.actions import kinds, mandate
from nightlatch.actions.mandate import Policy
from nightlatch.actions.mandate_memory import MOST_DAYS
from nightlatch.instants import DAY
from nightlatch.policy import ManagedBy, permitted
from nightlatch.store.engine import Transaction
from nightlatch.vocabulary import Permission, Role
from nightlatch.web.context import Context
from nightlatch.web.pages.sign_in import go
from nightlatch.web.rendering import page as render
from nightlatch.web.routes import Route, form, page
from nightlatch.web.switch import PATH, attempt, blocked, change, read_seen, refusal_text, switch_path
from nightlatch.web.team import in_product, in_workspace, myself, ownerless, sees_two_factor

REMEMBER_CHOICES = (0, 1, 7, 14, 30)
"""Days that the page offers; 0 is never. The API takes any number up to the most."""


async def authentication_page(context: Context) -> Response:
    return await _authentication(context)


async def _authentication(
    context: Context, *, status: int = 200, errors: dict[str, str] | None = None
) -> Response:
    seen, mine = await read_seen(context), myself(context)
    policy = seen.policy
    return render(
        context,
        "authentication.html",
        status=status,
        errors=errors,
        **in_workspace(context),
        required=policy.required,
        required_from=policy.required_from,
        in_force=policy.in_force,
        passkeys_from=policy.resistant_from,
        passkeys_now=policy.resistant,
        at_once_until=policy.at_once_until,
        turned_on_by=seen.turned_on.actor_name if seen.turned_on is not None else None,
        turned_on_at=seen.turned_on.at if seen.turned_on is not None else None,
        counts=seen.counts,
        shows_two_factor=sees_two_factor(mine),
        may_manage=permitted(mine.role, Permission.MANAGE_AUTHENTICATION, mine.mandate),
        managed_by=policy.managed_by.value,
        may_set_managed_by=mine.role is Role.OWNER,
        blocked=blocked(context, seen),
        owners=[{"name": row.name} for row in seen.owners if row.account_id != context.facts.account][:5],
        ownerless=await ownerless(context, mine),
        manages_domains=context.may(kinds.SEE_DOMAINS, context.workspace_id) and not in_product(context),
        remember_choices=_choices(policy),
        remember_days=policy.remember_for // DAY if policy.remember_for is not None else 0,
        revision=str(policy.revision),
    )


def _choices(policy: Policy) -> list[tuple[str, str]]:
    """For how many days browsers may be remembered; what was set by the API otherwise is among them."""
    days = {*REMEMBER_CHOICES, (policy.remember_for or 0) // DAY}
    return [(str(each), _days(each)) for each in sorted(days)]


def _days(days: int) -> str:
    return "Never: ask at every sign-in" if days == 0 else "1 day" if days == 1 else f"{days} days"


async def managed_by_form(context: Context) -> Response:
    wanted = context.form.get("managed_by", "")
    if wanted not in {each.value for each in ManagedBy}:
        return await _authentication(context, errors={"managed_by": "Choose who may turn the switch."})

    def body(tx: Transaction) -> Policy:
        now = mandate.read_policy(tx, by=context.by, workspace_id=context.workspace_id)
        return change(
            tx, context, required=now.required, required_from=now.required_from, managed_by=ManagedBy(wanted)
        )

    refused = await attempt(context, body)
    if refused is not None:
        return await _authentication(context, status=refused.status, errors={"form": refusal_text(refused)})
    return go(context, f"{switch_path(context)}?said=managed-by")


async def remember_form(context: Context) -> Response:
    days = context.form.get("remember_days", "")
    if days not in {str(each) for each in range(MOST_DAYS + 1)}:
        return await _authentication(context, status=422, errors={"remember_days": "Choose for how long."})

    def body(tx: Transaction) -> Policy:
        now = mandate.read_policy(tx, by=context.by, workspace_id=context.workspace_id)
        return change(
            tx,
            context,
            required=now.required,
            required_from=now.required_from,
            managed_by=now.managed_by,
            remember_days=int(days),
        )

    refused = await attempt(context, body)
    if refused is not None:
        return await _authentication(context, status=refused.status, errors={"form": refusal_text(refused)})
    return go(context, f"{switch_path(context)}?said=remembering")


ROUTES: list[Route] = [
    page(PATH, kinds.SEE_POLICY, authentication_page),
    form(f"{PATH}/remember", kinds.CHANGE_POLICY, remember_form, shown_at=PATH),
    form(f"{PATH}/managed-by", kinds.CHANGE_POLICY, managed_by_form, shown_at=PATH),
]
