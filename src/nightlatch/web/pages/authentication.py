"""Settings > Team > Authentication: the switch, what it will do, since when, and who may turn it."""

from dataclasses import dataclass
from datetime import UTC, datetime

from starlette.responses import RedirectResponse, Response

from nightlatch.actions import kinds, mandate
from nightlatch.actions.mandate import Policy
from nightlatch.actions.reasons import clean_reason
from nightlatch.assurance import enrolled, limited
from nightlatch.instants import DAY, Instant, from_datetime, to_datetime
from nightlatch.policy import ManagedBy, permitted
from nightlatch.refusals import Code, Refused, invalid
from nightlatch.store import events, preview, standing, teammates
from nightlatch.store.engine import Body, Transaction
from nightlatch.store.query import Row
from nightlatch.vocabulary import Event, Permission, Role
from nightlatch.web.context import Context, with_query
from nightlatch.web.fields import form_errors
from nightlatch.web.pages.sign_in import go
from nightlatch.web.rendering import page as render
from nightlatch.web.routes import Route, form, page
from nightlatch.web.team import mail_state, myself, sees_two_factor, team_path

NOTICE = 14 * DAY
"""How much notice the date field suggests: enough for a holiday."""
_HOUR_OF_DAY = 9
_FASTER = "Somebody else has changed this meanwhile. This is how it is now; nothing of yours was saved."


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the pages of the switch are made of, on one snapshot."""

    policy: Policy
    counts: dict[str, int]
    owners: list[Row]
    enrolled_owners: list[int]
    turned_on: Row | None
    """The event by which it was turned on or scheduled."""


async def _seen(context: Context) -> _Seen:
    workspace_id = context.workspace_id

    def body(tx: Transaction) -> _Seen:
        policy = mandate.read_policy(tx, by=context.by, workspace_id=workspace_id)
        return _Seen(
            policy,
            _counts(tx, workspace_id),
            teammates.owners(tx, workspace_id),
            teammates.enrolled_owners(tx, workspace_id),
            _turned_on(tx, workspace_id) if policy.required else None,
        )

    return await context.query_store(body)


def _counts(tx: Transaction, workspace_id: int) -> dict[str, int]:
    active = [row for row in standing.counts(tx, workspace_id) if row.status == "active"]
    every = sum(row.number for row in active)
    using = sum(row.number for row in active if row.state == "on")
    return {"teammates": every, "with_two_factor": using, "without": every - using}


def _turned_on(tx: Transaction, workspace_id: int) -> Row | None:
    found = [
        row
        for event in (Event.MANDATE_TURNED_ON, Event.MANDATE_SCHEDULED)
        if (row := events.latest(tx, workspace_id, event)) is not None
    ]
    return max(found, key=lambda row: row.sequence, default=None)


def _blocked(context: Context, seen: _Seen) -> str | None:
    """Why this person cannot turn the switch as it stands."""
    mine = myself(context)
    if not permitted(mine.role, Permission.MANAGE_AUTHENTICATION, mine.mandate):
        return "not_permitted"
    if limited(context.facts, context.workspace_id):
        return "recovery_code"
    if seen.policy.required:
        return None
    if not enrolled(context.facts.authenticators, context.workspace_id):
        return "not_enrolled"
    return None if seen.enrolled_owners else "no_owner"


# --- the page of the switch ---


async def authentication_page(context: Context) -> Response:
    return await _authentication(context)


async def _authentication(
    context: Context, *, status: int = 200, errors: dict[str, str] | None = None
) -> Response:
    seen, mine = await _seen(context), myself(context)
    policy = seen.policy
    return render(
        context,
        "authentication.html",
        status=status,
        errors=errors,
        slug=context.request.path_params["slug"],
        workspace_name=context.place.name if context.place is not None else "",
        required=policy.required,
        required_from=policy.required_from,
        in_force=policy.in_force,
        turned_on_by=seen.turned_on.actor_name if seen.turned_on is not None else None,
        turned_on_at=seen.turned_on.at if seen.turned_on is not None else None,
        counts=seen.counts,
        shows_two_factor=sees_two_factor(mine),
        may_manage=permitted(mine.role, Permission.MANAGE_AUTHENTICATION, mine.mandate),
        managed_by=policy.managed_by.value,
        may_set_managed_by=mine.role is Role.OWNER,
        blocked=_blocked(context, seen),
        owners=[{"name": row.name} for row in seen.owners if row.account_id != context.facts.account][:5],
        revision=str(policy.revision),
    )


async def managed_by_form(context: Context) -> Response:
    wanted = context.form.get("managed_by", "")
    if wanted not in {each.value for each in ManagedBy}:
        return await _authentication(context, errors={"managed_by": "Choose who may turn the switch."})

    def body(tx: Transaction) -> Policy:
        now = mandate.read_policy(tx, by=context.by, workspace_id=context.workspace_id)
        return _change(
            tx, context, required=now.required, required_from=now.required_from, managed_by=ManagedBy(wanted)
        )

    refused = await _try(context, body)
    if refused is not None:
        return await _authentication(context, status=refused.status, errors={"form": _said(refused)})
    return go(context, f"{_path(context)}?said=managed-by")


# --- turning it on ---


async def on_page(context: Context) -> Response:
    seen = await _seen(context)
    if seen.policy.in_force or _blocked(context, seen) is not None:
        return RedirectResponse(context.url(_path(context)), 303)  # that page says why
    return await _on(context)


async def _on(context: Context, *, status: int = 200, errors: dict[str, str] | None = None) -> Response:
    workspace_id = context.workspace_id
    policy, facts, found, working = await context.query_store(
        lambda tx: (
            mandate.read_policy(tx, by=context.by, workspace_id=workspace_id),
            mandate.preview_facts(tx, by=context.by, workspace_id=workspace_id),
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
        return _change(tx, context, required=True, required_from=at, managed_by=now.managed_by)

    refused = await _try(context, body)
    if refused is not None:
        return await _on(context, status=refused.status, errors={"form": _said(refused)})
    said = "mandate-on" if at is None else "mandate-scheduled"
    return go(context, with_query(_path(context), said=said))


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
    seen = await _seen(context)
    if not seen.policy.required or _blocked(context, seen) is not None:
        return RedirectResponse(context.url(_path(context)), 303)
    return _off(context, seen)


def _off(
    context: Context, seen: _Seen, *, status: int = 200, errors: dict[str, str] | None = None
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
        return _off(context, await _seen(context), errors=errors)

    def body(tx: Transaction) -> Policy:
        now = mandate.read_policy(tx, by=context.by, workspace_id=context.workspace_id)
        return _change(tx, context, required=False, required_from=None, managed_by=now.managed_by)

    refused = await _try(context, body)
    if refused is not None:
        return _off(context, await _seen(context), status=refused.status, errors={"form": _said(refused)})
    return go(context, f"{_path(context)}?said=mandate-off")


# --- inside ---


def _change(
    tx: Transaction,
    context: Context,
    *,
    required: bool,
    required_from: Instant | None,
    managed_by: ManagedBy,
) -> Policy:
    """Change the policy that the page showed: by its revision, so that nobody overwrites what they have not seen."""
    revision = context.form.get("revision", "")
    return mandate.change_policy(
        tx,
        by=context.by,
        workspace_id=context.workspace_id,
        required=required,
        required_from=required_from,
        managed_by=managed_by,
        if_revision=int(revision) if revision.isascii() and revision.isdigit() and len(revision) < 19 else 0,
        reason=context.form.get("reason"),
    )


async def _try(context: Context, body: Body[Policy]) -> Refused | None:
    """Do it, or say on the page what stands against it; what the gate says goes to the gate."""
    try:
        await context.write(body)
    except Refused as refused:
        if refused.decision is not None or refused.code is Code.NOT_FOUND:
            raise
        return refused
    return None


def _said(refused: Refused) -> str:
    return _FASTER if refused.code is Code.REVISION_CONFLICT else refused.detail


def _path(context: Context) -> str:
    return f"{team_path(context)}/authentication"


_PATH = "/w/{slug}/settings/team/authentication"

ROUTES: list[Route] = [
    page(_PATH, kinds.SEE_POLICY, authentication_page),
    page(f"{_PATH}/on", kinds.PREVIEW_POLICY, on_page),
    form(f"{_PATH}/on", kinds.CHANGE_POLICY, on_form),
    page(f"{_PATH}/off", kinds.PREVIEW_POLICY, off_page),
    form(f"{_PATH}/off", kinds.CHANGE_POLICY, off_form),
    form(f"{_PATH}/managed-by", kinds.CHANGE_POLICY, managed_by_form, shown_at=_PATH),
]
