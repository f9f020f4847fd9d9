"""A lost device: asking for help, marking one's own as lost, and what a workspace accepts."""

from nightlatch.actions import accepting, kinds, losing
from nightlatch.actions import help as asking
from nightlatch.ids import to_text as id_text
from nightlatch.instants import to_text
from nightlatch.refusals import Code
from nightlatch.web.answers import Answer
from nightlatch.web.api import help_models as models
from nightlatch.web.api.authenticators import workspace_of
from nightlatch.web.context import Context
from nightlatch.web.routes import Route, api


async def ask(context: Context, body: models.HelpBody) -> Answer:
    workspace_id = workspace_of(context, body.workspace)
    asked = await context.write(lambda tx: asking.ask(tx, by=context.by, workspace_id=workspace_id))
    return Answer(
        models.HelpAsked(
            items=[
                models.HelpPlace(
                    workspace=each.slug, name=each.name, asked_at=to_text(each.asked_at), now=each.now
                )
                for each in asked
            ]
        ),
        202,
    )


async def mark_lost(context: Context) -> Answer:
    id = context.id()
    await context.write(lambda tx: losing.mark_lost(tx, by=context.by, authenticator_id=id))
    return Answer(status=204)


async def use_again(context: Context) -> Answer:
    id = context.id()
    await context.write(lambda tx: losing.found(tx, by=context.by, authenticator_id=id))
    return Answer(status=204)


def _shown(each: accepting.Offered) -> models.Acceptable:
    return models.Acceptable.model_validate(
        {
            "id": id_text(each.id),
            "method": each.method.value,
            "name": each.name,
            "bound_at": to_text(each.bound_at),
        }
    )


async def acceptable(context: Context) -> Answer:
    id = context.id()
    looked = await context.read(
        lambda tx: accepting.look(tx, by=context.by, workspace_id=context.workspace_id, teammate_id=id)
    )
    return Answer(models.Acceptables(items=[_shown(each) for each in looked.offered]))


async def accept(context: Context, body: models.AcceptBody) -> Answer:
    id = context.id()
    accepted = await context.write(
        lambda tx: accepting.accept(
            tx,
            by=context.by,
            workspace_id=context.workspace_id,
            authenticator_id=id,
            reason=body.reason,
        )
    )
    return Answer(_shown(accepted))


ROUTES: list[Route] = [
    api(
        "POST",
        "/me/help-requests",
        kinds.ASK_HELP,
        ask,
        body=models.HelpBody,
        answer=models.HelpAsked,
        status=202,
        summary="The second factor is lost: ask the admins",
        codes=(Code.CONFLICT, Code.TOO_MANY_ATTEMPTS, Code.NOT_FOUND),
    ),
    api(
        "POST",
        "/me/authenticators/{id}/lost",
        kinds.READ_ACCOUNT,
        mark_lost,
        status=204,
        summary="Mark one's own authenticator as lost, with another second factor",
        codes=(Code.CONFLICT, Code.STEP_UP_REQUIRED),
    ),
    api(
        "POST",
        "/me/authenticators/{id}/use-again",
        kinds.READ_ACCOUNT,
        use_again,
        status=204,
        summary="Use one again that was lost or contested, with another second factor",
        codes=(Code.CONFLICT, Code.STEP_UP_REQUIRED, Code.SECOND_FACTOR_REQUIRED),
    ),
    api(
        "GET",
        "/workspaces/{slug}/teammates/{id}/authenticators",
        kinds.LOOK_AT_RESET,
        acceptable,
        answer=models.Acceptables,
        summary="What of a teammate's the workspace could accept",
    ),
    api(
        "POST",
        "/workspaces/{slug}/authenticators/{id}/accept",
        kinds.ACCEPT_AUTHENTICATOR,
        accept,
        body=models.AcceptBody,
        answer=models.Acceptable,
        summary="Rely on an authenticator of a teammate from now on",
        codes=(Code.NOT_PERMITTED,),
    ),
]
