"""Workspaces and their policy: whether everybody needs 2FA, since when, and who may say so."""

import re
from typing import NoReturn

from nightlatch.actions import kinds, mandate, teammates, workspaces
from nightlatch.actions.mandate import Policy
from nightlatch.instants import DAY, Instant, to_text
from nightlatch.policy import ManagedBy, ProofStrength
from nightlatch.refusals import Code, Refused, WayOut, invalid, not_found
from nightlatch.store.engine import Transaction
from nightlatch.web.answers import Answer
from nightlatch.web.api import team_models as models
from nightlatch.web.api.reading import parsed_instant
from nightlatch.web.context import Context
from nightlatch.web.routes import Route, api
from nightlatch.web.sign_up import is_open, no_workspaces
from nightlatch.web.team import myself

_TAG = re.compile(r'"([0-9]{1,18})"', re.ASCII)
"""A strong entity tag of a policy (RFC 9110 section 8.8.3): its revision."""


def text_or_none(instant: Instant | None) -> str | None:
    """An instant as text."""
    return to_text(instant) if instant is not None else None


# --- workspaces ---


async def create(context: Context, body: models.NewWorkspace) -> Answer:
    sign_up_open = is_open(context.front.config)
    made = await context.write(
        lambda tx: workspaces.create(
            tx, by=context.by, name=body.name, slug=body.slug, sign_up_open=sign_up_open
        )
    )
    off = models.WorkspaceTwoFactor(required=False, required_from=None, in_force=False)
    answer = models.Workspace(slug=made.slug, name=made.name, role="owner", two_factor=off)
    location = context.url(f"/api/v1/workspaces/{made.slug}")
    return Answer(answer, 201, {"Location": location})


async def show(context: Context) -> Answer:
    place, mine = context.place, myself(context)
    if place is None:
        raise not_found()
    return Answer(
        models.Workspace(
            slug=place.slug,
            name=place.name,
            role=mine.role.value if context.facts.account is not None else None,
            two_factor=models.WorkspaceTwoFactor(
                required=mine.mandate.required_from is not None,
                required_from=text_or_none(mine.mandate.required_from),
                in_force=mine.mandate.in_force(context.now),
            ),
        )
    )


async def leave(context: Context) -> Answer:
    await context.write(lambda tx: teammates.leave(tx, by=context.by, workspace_id=context.workspace_id))
    return Answer(status=204)


# --- policy ---


async def show_policy(context: Context) -> Answer:
    policy = await context.read(
        lambda tx: mandate.read_policy(tx, by=context.by, workspace_id=context.workspace_id)
    )
    return _answer(policy)


def _answer(policy: Policy) -> Answer:
    body = models.Policy(
        two_factor=models.TwoFactorPolicy(
            required=policy.required,
            required_from=text_or_none(policy.required_from),
            strength=policy.strength.value,
            strength_from=text_or_none(policy.resistant_from),
            managed_by=policy.managed_by.value,
        ),
        remember_browsers=policy.remember_for // DAY if policy.remember_for is not None else None,
        in_force=policy.in_force,
        revision=policy.revision,
        changed_at=text_or_none(policy.changed_at),
        changed_by=policy.changed_by,
        announced_at=text_or_none(policy.announced_at),
        at_once_until=text_or_none(policy.at_once_until),
        passkeys_at_once_until=text_or_none(policy.passkeys_at_once_until),
    )
    return Answer(body, headers={"ETag": f'"{policy.revision}"'})


async def change_policy(context: Context, body: models.PolicyChange) -> Answer:
    wanted = body.two_factor
    at, strength_from = _required_from(wanted), _strength_from(wanted)
    tags = context.request.headers.get("if-match")
    if tags is None:
        _no_revision(context)

    def work(tx: Transaction) -> Policy:
        now = mandate.read_policy(tx, by=context.by, workspace_id=context.workspace_id)
        return mandate.change_policy(
            tx,
            by=context.by,
            workspace_id=context.workspace_id,
            required=wanted.required,
            required_from=at,
            managed_by=ManagedBy(wanted.managed_by) if wanted.managed_by is not None else now.managed_by,
            if_revision=_named(tags, now.revision),
            reason=body.reason,
            strength=ProofStrength(wanted.strength) if wanted.strength is not None else None,
            strength_from=strength_from,
            remember_days=_remember_days(body),
        )

    return _answer(await context.write(work))


def _required_from(wanted: models.TwoFactorChange) -> Instant | None:
    if wanted.required_from is None:
        return None
    if not wanted.required:
        raise invalid("two_factor.required_from", "This goes with required: true alone.")
    return parsed_instant(wanted.required_from, "two_factor.required_from")


def _strength_from(wanted: models.TwoFactorChange) -> Instant | None:
    if wanted.strength_from is None:
        return None
    return parsed_instant(wanted.strength_from, "two_factor.strength_from")


def _remember_days(body: models.PolicyChange) -> int | None:
    """As `wanted_memory` wants it: left out, it stays what it is; null turns it off."""
    return (body.remember_browsers or 0) if "remember_browsers" in body.model_fields_set else None


def _named(tags: str, revision: int) -> int:
    """The present revision, if If-Match names it (RFC 9110 section 13.1.1); else one that no policy has."""
    named = [_TAG.fullmatch(each.strip()) for each in tags.split(",")]
    if tags.strip() == "*" or any(each is not None and int(each[1]) == revision for each in named):
        return revision
    return 0


def _no_revision(context: Context) -> NoReturn:
    slug = context.request.path_params["slug"]
    raise Refused(
        Code.REVISION_REQUIRED,
        "Say which revision you are changing: read the policy, and send its ETag as If-Match.",
        WayOut("Read the policy.", f"/api/v1/workspaces/{slug}/policy"),
    )


_IF_MATCH = {"If-Match": {"type": "string", "description": "the ETag of the policy as it was read"}}

ROUTES: list[Route] = [
    api(
        "POST",
        "/workspaces",
        kinds.CREATE_WORKSPACE,
        create,
        body=models.NewWorkspace,
        answer=models.Workspace,
        status=201,
        summary="Make a workspace and be its owner, where NIGHTLATCH_SIGN_UP is open",
        codes=(Code.SLUG_TAKEN, Code.NOT_PERMITTED, Code.TOO_MANY_ATTEMPTS),
        closed=no_workspaces,
    ),
    api(
        "GET",
        "/workspaces/{slug}",
        kinds.READ_WORKSPACE,
        show,
        answer=models.Workspace,
        summary="A workspace",
    ),
    api(
        "POST",
        "/workspaces/{slug}/leave",
        kinds.LEAVE,
        leave,
        status=204,
        summary="Leave a workspace",
        codes=(Code.LAST_OWNER,),
    ),
    api(
        "GET",
        "/workspaces/{slug}/policy",
        kinds.SEE_POLICY,
        show_policy,
        answer=models.Policy,
        summary="Whether 2FA is required",
    ),
    api(
        "PUT",
        "/workspaces/{slug}/policy",
        kinds.CHANGE_POLICY,
        change_policy,
        body=models.PolicyChange,
        answer=models.Policy,
        headers=_IF_MATCH,
        summary="Require 2FA, now or from an instant, or stop requiring it; needs If-Match",
        codes=(
            Code.REVISION_REQUIRED,
            Code.REVISION_CONFLICT,
            Code.MANDATE_IN_FORCE,
            Code.GRACE_USED,
            Code.NOT_ENROLLED,
            Code.CONFLICT,
        ),
    ),
]
