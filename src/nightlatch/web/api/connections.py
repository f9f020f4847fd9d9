"""A workspace's connections to identity providers."""

from nightlatch.actions import connection_rule, connections, kinds, sso_required
from nightlatch.actions.connections import Connection
from nightlatch.ids import to_text as id_text
from nightlatch.instants import SECOND, Instant, from_text, to_text
from nightlatch.policy import SsoRule
from nightlatch.refusals import Code, Refused, WayOut, invalid
from nightlatch.sso.identity import SsoError
from nightlatch.store import workspaces
from nightlatch.store.connections import OIDC
from nightlatch.store.engine import Transaction
from nightlatch.web.answers import Answer
from nightlatch.web.api import connection_models as shapes
from nightlatch.web.connections import checked_issuer
from nightlatch.web.context import Context
from nightlatch.web.routes import Route, api
from nightlatch.web.sso_ways import callback_of


def _shown(context: Context, each: Connection) -> shapes.Connection:
    rule = each.acceptance
    return shapes.Connection.model_construct(
        id=id_text(each.id),
        kind=each.kind,
        name=each.name,
        issuer=each.issuer,
        client_id=each.client_id,
        has_secret=each.has_secret,
        ready=each.ready,
        joins=each.joins,
        rule=shapes.ShownRule.model_construct(
            rule=rule.rule.value,
            second=sorted(rule.second),
            resistant=sorted(rule.resistant),
            max_age=rule.max_age // SECOND if rule.max_age is not None else None,
            exempt_until=_instant(rule.exempt_until),
            exempt_by=each.exempt_by,
        ),
        redirect_uri=callback_of(context, each.id),
        start=f"{context.front.config.base_url}/sso/{id_text(each.id)}",
        created_at=to_text(each.created_at),
        changed_at=to_text(each.changed_at),
    )


def _instant(instant: Instant | None) -> str | None:
    return to_text(instant) if instant is not None else None


def _moment(text: str | None) -> Instant | None:
    try:
        return from_text(text) if text is not None else None
    except ValueError:
        raise invalid("rule.exempt_until", "An instant is RFC 3339 with an offset, such as Z.") from None


async def listed(context: Context) -> Answer:
    def body(tx: Transaction) -> tuple[list[Connection], bool]:
        row = workspaces.by_id(tx, context.workspace_id)
        return (
            connections.every(tx, context.workspace_id),
            row is not None and row.sso_required_at is not None,
        )

    found, required = await context.read(body)
    items = [_shown(context, each) for each in found]
    return Answer(shapes.Connections.model_construct(items=items, next_cursor=None, required=required))


async def add(context: Context, body: shapes.NewConnection) -> Answer:
    issuer = await checked_issuer(context, body.issuer)
    added = await context.write(
        lambda tx: connections.add(
            tx,
            by=context.by,
            workspace_id=context.workspace_id,
            kind=OIDC,
            name=body.name,
            issuer=issuer,
            client_id=body.client_id,
            secret=body.secret,
            joins=body.joins,
        )
    )
    return Answer(_shown(context, added), 201)


async def change(context: Context, body: shapes.ConnectionChange) -> Answer:
    connection_id = context.id()
    until = _moment(body.rule.exempt_until) if body.rule is not None else None

    def work(tx: Transaction) -> Connection:
        changed = connections.change(
            tx,
            by=context.by,
            workspace_id=context.workspace_id,
            connection_id=connection_id,
            name=body.name,
            client_id=body.client_id,
            secret=body.secret,
            joins=body.joins,
        )
        return _ruled(tx, context, connection_id, body.rule, until) if body.rule is not None else changed

    return Answer(_shown(context, await context.write(work)))


def _ruled(
    tx: Transaction, context: Context, connection_id: int, rule: shapes.Rule, until: Instant | None
) -> Connection:
    return connection_rule.set_rule(
        tx,
        by=context.by,
        workspace_id=context.workspace_id,
        connection_id=connection_id,
        rule=SsoRule(rule.rule),
        second=rule.second,
        resistant=rule.resistant,
        max_age=rule.max_age * SECOND if rule.max_age is not None else None,
        exempt_until=until,
    )


async def test(context: Context) -> Answer:
    """Whether the provider can be asked, and says of itself what it has to: signing in takes a browser."""
    connection_id = context.id()
    found = await context.read(lambda tx: connections.read(tx, context.workspace_id, connection_id))
    if found.kind != OIDC:
        slug = context.request.path_params["slug"]
        raise Refused(
            Code.CONFLICT,
            "What speaks SAML cannot be asked by itself: the test takes a browser.",
            WayOut("Test it there.", f"{connections.path_of(slug)}/{id_text(found.id)}"),
        )
    try:
        provider = await context.front.discoveries.provider(found.issuer, context.now, anew=True)
    except SsoError as error:
        slug = context.request.path_params["slug"]
        raise Refused(
            Code.CONFLICT, error.detail, WayOut("Look at the connection.", connections.path_of(slug))
        ) from None
    return Answer(
        shapes.TestedConnection.model_construct(
            issuer=provider.issuer,
            authorization_endpoint=provider.authorization,
            token_endpoint=provider.token,
            says_issuer=provider.says_issuer,
        )
    )


async def remove(context: Context) -> Answer:
    connection_id = context.id()
    await context.write(
        lambda tx: connections.remove(
            tx, by=context.by, workspace_id=context.workspace_id, connection_id=connection_id
        )
    )
    return Answer(status=204)


async def require(context: Context, body: shapes.Required) -> Answer:
    await context.write(
        lambda tx: sso_required.require(
            tx, by=context.by, workspace_id=context.workspace_id, required=body.required
        )
    )
    return Answer(shapes.Required.model_construct(required=body.required))


_ALL = "/workspaces/{slug}/connections"
_ONE = f"{_ALL}/{{id}}"

ROUTES: list[Route] = [
    api(
        "GET",
        _ALL,
        kinds.SEE_CONNECTIONS,
        listed,
        answer=shapes.Connections,
        summary="The connections of a workspace to identity providers",
    ),
    api(
        "POST",
        _ALL,
        kinds.MANAGE_CONNECTIONS,
        add,
        body=shapes.NewConnection,
        answer=shapes.Connection,
        status=201,
        summary="Add a connection by OpenID Connect; its rule is to ask",
        codes=(Code.CONFLICT,),
    ),
    api(
        "PUT",
        f"{_ALL}/required",
        kinds.MANAGE_CONNECTIONS,
        require,
        body=shapes.Required,
        answer=shapes.Required,
        summary="Require single sign-on of everybody but owners, or no longer",
        codes=(Code.CONFLICT, Code.NOT_ENROLLED),
    ),
    api(
        "PATCH",
        _ONE,
        kinds.MANAGE_CONNECTIONS,
        change,
        body=shapes.ConnectionChange,
        answer=shapes.Connection,
        summary="Change a connection, or its rule, which bites with the next request",
        codes=(Code.CONFLICT,),
    ),
    api(
        "POST",
        f"{_ONE}/test",
        kinds.TEST_CONNECTION,
        test,
        answer=shapes.TestedConnection,
        summary="Ask the provider what it says of itself",
        codes=(Code.CONFLICT,),
    ),
    api(
        "DELETE",
        _ONE,
        kinds.MANAGE_CONNECTIONS,
        remove,
        status=204,
        summary="Remove a connection: nothing that was shown by it counts any more",
        codes=(Code.CONFLICT,),
    ),
]
