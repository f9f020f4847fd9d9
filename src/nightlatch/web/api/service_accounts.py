"""The service accounts of a workspace and their tokens."""

from nightlatch.actions import kinds, service_accounts
from nightlatch.actions.service_accounts import ServiceAccount
from nightlatch.ids import from_text
from nightlatch.ids import to_text as id_text
from nightlatch.instants import to_text
from nightlatch.refusals import Code, invalid
from nightlatch.web.answers import Answer
from nightlatch.web.api import token_models as shapes
from nightlatch.web.api import tokens
from nightlatch.web.context import Context
from nightlatch.web.routes import Route, api


def _shown(each: ServiceAccount) -> shapes.ServiceAccount:
    return shapes.ServiceAccount.model_construct(
        id=id_text(each.id),
        name=each.name,
        sponsor=shapes.ServiceSponsor.model_construct(
            id=id_text(each.sponsor.teammate_id),
            name=each.sponsor.name,
            email=each.sponsor.email,
            gone=each.sponsor.gone,
        ),
        suspended=each.suspended_at is not None,
        created_at=to_text(each.created_at),
        created_by=each.created_by,
        tokens=each.tokens,
        last_used_at=to_text(each.last_used_at) if each.last_used_at is not None else None,
    )


def _sponsor(text: str | None) -> int | None:
    if text is None:
        return None
    found = from_text(text)
    if found is None:
        raise invalid("sponsor", "The sponsor is a teammate of this workspace.")
    return found


async def listed(context: Context) -> Answer:
    found = await context.query_store(lambda tx: service_accounts.every(tx, context.workspace_id))
    items = [_shown(each) for each in found]
    return Answer(shapes.ServiceAccounts.model_construct(items=items, next_cursor=None))


async def add(context: Context, body: shapes.NewServiceAccount) -> Answer:
    sponsor = _sponsor(body.sponsor)
    added = await context.write(
        lambda tx: service_accounts.add(
            tx, by=context.by, workspace_id=context.workspace_id, name=body.name, sponsor=sponsor
        )
    )
    return Answer(_shown(added), 201)


async def change(context: Context, body: shapes.ServiceAccountChange) -> Answer:
    service_id, sponsor = context.id(), _sponsor(body.sponsor)
    changed = await context.write(
        lambda tx: service_accounts.change(
            tx,
            by=context.by,
            workspace_id=context.workspace_id,
            service_id=service_id,
            name=body.name,
            sponsor=sponsor,
        )
    )
    return Answer(_shown(changed))


async def remove(context: Context) -> Answer:
    service_id = context.id()
    await context.write(
        lambda tx: service_accounts.remove(
            tx, by=context.by, workspace_id=context.workspace_id, service_id=service_id
        )
    )
    return Answer(status=204)


# --- tokens ---


async def its_tokens(context: Context) -> Answer:
    service_id = context.id()
    _, found = await context.read(lambda tx: service_accounts.read(tx, context.workspace_id, service_id))
    items = [tokens.shown(each) for each in found]
    return Answer(shapes.ApiTokens.model_construct(items=items, next_cursor=None))


async def make_token(context: Context, body: shapes.NewServiceToken) -> Answer:
    service_id, ends = context.id(), tokens.expiry(body.expires_at)
    return tokens.made(
        await context.write(
            lambda tx: service_accounts.make_token(
                tx,
                by=context.by,
                workspace_id=context.workspace_id,
                service_id=service_id,
                name=body.name,
                scopes=body.scopes,
                expires_at=ends,
            )
        )
    )


async def end_token(context: Context) -> Answer:
    service_id, token_id = context.id(), context.id("token_id")
    await context.write(
        lambda tx: service_accounts.end_token(
            tx,
            by=context.by,
            workspace_id=context.workspace_id,
            service_id=service_id,
            token_id=token_id,
        )
    )
    return Answer(status=204)


_ALL = "/workspaces/{slug}/service-accounts"
_ONE = f"{_ALL}/{{id}}"

ROUTES: list[Route] = [
    api(
        "GET",
        _ALL,
        kinds.SEE_SERVICES,
        listed,
        answer=shapes.ServiceAccounts,
        summary="The service accounts of a workspace",
    ),
    api(
        "POST",
        _ALL,
        kinds.MANAGE_SERVICES,
        add,
        body=shapes.NewServiceAccount,
        answer=shapes.ServiceAccount,
        status=201,
        summary="Add a service account",
        codes=(Code.CONFLICT,),
    ),
    api(
        "PATCH",
        _ONE,
        kinds.MANAGE_SERVICES,
        change,
        body=shapes.ServiceAccountChange,
        answer=shapes.ServiceAccount,
        summary="Another name, or another sponsor: a suspended one works again with it",
    ),
    api(
        "DELETE",
        _ONE,
        kinds.END_SERVICE,
        remove,
        status=204,
        summary="Remove a service account: its tokens end",
    ),
    api(
        "GET",
        f"{_ONE}/tokens",
        kinds.SEE_SERVICES,
        its_tokens,
        answer=shapes.ApiTokens,
        summary="The tokens of a service account",
    ),
    api(
        "POST",
        f"{_ONE}/tokens",
        kinds.MANAGE_SERVICES,
        make_token,
        body=shapes.NewServiceToken,
        answer=shapes.MadeApiToken,
        status=201,
        summary="A token that reads in this workspace alone; it is shown once",
        codes=(Code.CONFLICT,),
    ),
    api(
        "DELETE",
        f"{_ONE}/tokens/{{token_id}}",
        kinds.END_SERVICE,
        end_token,
        status=204,
        summary="End a token of a service account",
    ),
]
