"""Personal API tokens: one's own, and what the one that asks is."""

from typing import Literal

from nightlatch.access import decide_workspace
from nightlatch.actions import api_tokens, kinds
from nightlatch.actions.api_tokens import ApiToken, Made
from nightlatch.decision import Allow, Deny, Enrol
from nightlatch.facts import Teammate, WorkspaceId
from nightlatch.ids import to_text as id_text
from nightlatch.instants import Instant, to_text
from nightlatch.refusals import Code, invalid, not_found
from nightlatch.web.answers import Answer
from nightlatch.web.api import models, reading
from nightlatch.web.api import token_models as shapes
from nightlatch.web.context import Context
from nightlatch.web.routes import Route, api


def shown(each: ApiToken) -> shapes.ApiToken:
    """A token for its list."""
    return shapes.ApiToken.model_construct(
        id=id_text(each.id),
        name=each.name,
        scopes=[scope.value for scope in each.scopes],
        workspace=each.workspace[0] if each.workspace is not None else None,
        created_at=to_text(each.created_at),
        expires_at=to_text(each.expires_at),
        expired=each.expired,
        last_used_at=to_text(each.last_used_at) if each.last_used_at is not None else None,
    )


def made(done: Made) -> Answer:
    """A new token, this once."""
    fields = shown(done.shown).model_dump()
    return Answer(shapes.MadeApiToken.model_construct(**fields, token=done.token.text), 201)


def expiry(text: str | None) -> Instant | None:
    """When a token is to run out. Raises Refused."""
    return reading.parsed_instant(text, "expires_at") if text is not None else None


async def own(context: Context) -> Answer:
    found = await context.read(lambda tx: api_tokens.own(tx, by=context.by))
    return Answer(shapes.ApiTokens.model_construct(items=[shown(each) for each in found], next_cursor=None))


async def make(context: Context, body: shapes.NewApiToken) -> Answer:
    ends, workspace_id = expiry(body.expires_at), _workspace(context, body.workspace)
    done = await context.write(
        lambda tx: api_tokens.make(
            tx,
            by=context.by,
            name=body.name,
            scopes=body.scopes,
            expires_at=ends,
            workspace_id=workspace_id,
        )
    )
    return made(done)


def _workspace(context: Context, slug: str | None) -> WorkspaceId | None:
    if slug is None:
        return None
    place = context.known.place_by_slug(slug)
    if place is None:
        raise invalid("workspace", "You are in no workspace of this name.")
    return place.id


async def end(context: Context) -> Answer:
    token_id = context.id()
    await context.write(lambda tx: api_tokens.end(tx, by=context.by, token_id=token_id))
    return Answer(status=204)


# --- the token that asks ---


async def asking(context: Context) -> Answer:
    known = context.known
    token, facts, person = known.token, known.facts, known.person
    if token is None or facts.token is None:
        raise not_found()
    return Answer(
        shapes.AskingToken.model_construct(
            id=id_text(token.id),
            name=token.name,
            holder="person" if token.service is None else "service_account",
            holder_name=token.holder,
            scopes=sorted(facts.token.scopes),
            expires_at=to_text(token.expires_at),
            account=models.SessionAccount.model_construct(
                id=id_text(person.id), name=person.name, email=person.email, locale=person.locale
            )
            if person is not None
            else None,
            workspaces=[_place(context, each) for each in facts.teammates],
        )
    )


_NAMES: dict[type, Literal["allow", "enrol", "deny"]] = {Allow: "allow", Enrol: "enrol", Deny: "deny"}


def _place(context: Context, teammate: Teammate) -> shapes.AskingTokenWorkspace:
    place = (context.known.places or {})[teammate.workspace]
    decision = decide_workspace(context.facts, teammate.workspace)
    personal = context.facts.account is not None
    return shapes.AskingTokenWorkspace.model_construct(
        slug=place.slug,
        name=place.name,
        role=teammate.role.value if personal and isinstance(decision, Allow) else None,
        decision=_NAMES[type(decision)],
        reason=decision.reason.value,
    )


ROUTES: list[Route] = [
    api(
        "GET",
        "/token",
        kinds.READ_TOKEN,
        asking,
        answer=shapes.AskingToken,
        summary="The API token that asks: whose, until when, for what, and what each workspace says to it",
        codes=(Code.NOT_FOUND,),
    ),
    api(
        "GET",
        "/me/tokens",
        kinds.READ_ACCOUNT,
        own,
        answer=shapes.ApiTokens,
        summary="Own API tokens",
    ),
    api(
        "POST",
        "/me/tokens",
        kinds.READ_ACCOUNT,
        make,
        body=shapes.NewApiToken,
        answer=shapes.MadeApiToken,
        status=201,
        summary="Make an API token; it is shown once. Asks for fresh proof with the second factor",
        codes=(Code.NOT_ENROLLED, Code.CONFLICT, Code.STEP_UP_REQUIRED, Code.NOT_PERMITTED),
    ),
    api(
        "DELETE",
        "/me/tokens/{id}",
        kinds.END_TOKEN,
        end,
        status=204,
        summary="End an API token",
    ),
]
