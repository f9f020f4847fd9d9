"""A rollout: whom the mandate meets, told before, and how far the team has come."""

from nightlatch.actions import kinds
from nightlatch.actions.progress import read_progress
from nightlatch.audit.evidence_files import day_of
from nightlatch.ids import to_text
from nightlatch.store.preview import Group
from nightlatch.store.preview_sso import PARTS, ByConnection
from nightlatch.web.answers import Answer
from nightlatch.web.api import policy_models as models
from nightlatch.web.api.workspaces import text_or_none
from nightlatch.web.context import Context
from nightlatch.web.rollout import chat_text, look, suggested
from nightlatch.web.routes import Route, api
from nightlatch.web.team import mail_state


async def preview(context: Context) -> Answer:
    met = await look(context)
    facts, people, mail = met.facts, met.people, mail_state(context, met.facts)
    begins = suggested(context.now, met.policy)
    return Answer(
        models.PolicyPreview(
            set_up=_group(people.set_up),
            will_be_asked=_group(people.will_be_asked),
            with_passkey=_group(people.with_passkey),
            without_passkey=_group(people.without_passkey),
            invited=_group(people.invited),
            exempt=_group(people.exempt),
            by_sso=_group(people.by_sso),
            connections=[_connection(each) for each in met.connections],
            managers_not_set_up=_group(people.managers_not_set_up),
            managers_without_codes=_group(people.managers_without_codes),
            refused_tokens=_group(people.refused_tokens),
            service_accounts=_group(people.service_accounts),
            products=_group(people.products),
            kept_by=people.kept_by,
            working_now=met.working_now,
            owners=facts.owners,
            enrolled_owners=facts.enrolled_owners,
            owners_with_passkey=facts.owners_with_passkey,
            only_owner=facts.only_owner,
            i_am_enrolled=facts.i_am_enrolled,
            i_have_passkey=facts.i_have_passkey,
            mail=models.MailHealth(state=mail["state"], at=text_or_none(mail["at"]), trouble=mail["trouble"]),
            suggested_from=text_or_none(begins),
            chat_text=chat_text(context, met.policy, begins),
        )
    )


def _group(group: Group) -> models.Group:
    return models.Group(count=group.count, names=list(group.names))


def _connection(each: ByConnection) -> models.PreviewConnection:
    return models.PreviewConnection(
        id=to_text(each.id),
        name=each.name,
        ready=each.ready,
        rule=each.rule.value,
        exempt_until=text_or_none(each.exempt_until),
        people=_group(each.people),
        **{what: _group(getattr(each, what)) for what in PARTS},
    )


async def progress(context: Context) -> Answer:
    workspace_id = context.workspace_id
    seen = await context.query_store(lambda tx: read_progress(tx, by=context.by, workspace_id=workspace_id))
    policy = seen.policy
    return Answer(
        models.Progress(
            set_up=seen.set_up,
            teammates=seen.teammates,
            left=seen.left,
            exempt=seen.exempt,
            required_from=text_or_none(policy.required_from),
            announced_at=text_or_none(policy.announced_at),
            in_force=policy.in_force,
            days=[
                models.ProgressDay(day=day_of(each.day), set_up=each.set_up, teammates=each.teammates)
                for each in seen.days
            ],
        )
    )


ROUTES: list[Route] = [
    api(
        "GET",
        "/workspaces/{slug}/policy/preview",
        kinds.PREVIEW_POLICY,
        preview,
        answer=models.PolicyPreview,
        summary="Whom requiring 2FA would meet",
    ),
    api(
        "GET",
        "/workspaces/{slug}/policy/progress",
        kinds.PREVIEW_POLICY,
        progress,
        answer=models.Progress,
        summary="How far the team has come, day by day",
    ),
]
