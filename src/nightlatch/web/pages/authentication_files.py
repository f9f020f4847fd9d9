"""Settings > Team > Authentication: the preview, and who has yet to set up, as CSV files."""

from collections.abc import AsyncIterator, Iterable, Sequence

from starlette.responses import Response

from nightlatch.actions import kinds
from nightlatch.instants import Instant, to_text
from nightlatch.store import outbox, preview
from nightlatch.store.preview_sso import connections_of, rule_now
from nightlatch.store.query import Row
from nightlatch.store.standing import role_order
from nightlatch.store.table_states import WEAK
from nightlatch.vocabulary import Role
from nightlatch.web.context import Context
from nightlatch.web.csv_files import Cells, download, everybody
from nightlatch.web.routes import Route, page
from nightlatch.web.switch import PATH

PREVIEW_COLUMNS = (
    "group",
    "name",
    "email",
    "role",
    "two_factor",
    "methods",
    "recovery_codes_left",
    "exempt_until",
    "at_risk",
    "last_sign_in_at",
    "connections",
    "connection_rules",
)
"""The header row of the preview. Later versions may add columns at its end, and groups."""
LEFT_COLUMNS = (
    "name",
    "email",
    "role",
    "two_factor",
    "exempt_until",
    "last_sign_in_at",
    "joined_at",
    "mail",
    "mail_at",
)
"""`mail`: what became of the newest mail about setting up: `sent`, `waiting`, `failed` (it bounces), or none was."""


async def preview_csv(context: Context) -> Response:
    """Everybody and everything that a mandate would meet."""
    return download(context, "preview", PREVIEW_COLUMNS, _preview(context))


async def _preview(context: Context) -> AsyncIterator[Iterable[Cells]]:
    workspace_id = context.workspace_id
    async for batch in everybody(context):
        first, last = batch[0].email_key, batch[-1].email_key
        connected = await context.query_store(
            lambda tx, first=first, last=last: connections_of(tx, workspace_id, first, last)  # type: ignore[misc]
        )
        yield [
            {**_previewed(row, context.now), **_by_connection(connected.get(row.id, ()), context.now)}
            for row in batch
        ]
    yield await context.query_store(
        lambda tx: [
            *(
                {"group": "token_refused", "name": each}
                for each in preview.every_refused_token(tx, workspace_id)
            ),
            *({"group": "service_account", "name": each} for each in preview.services(tx, workspace_id)),
            *({"group": "product", "name": each} for each in preview.products(tx, workspace_id)),
        ]
    )


def _previewed(row: Row, now: Instant) -> Cells:
    exempt = (row.exempt_until or 0) > now
    if row.status == "invited":
        group = "invited"
    elif row.state == "on":
        group = "set_up"
    elif row.state == "sso":
        group = "by_sso"
    else:
        group = "exempt" if exempt else "will_be_asked"
    return {"group": group, "at_risk": _at_risk(row), **_person(row, now)}


def _by_connection(rows: Sequence[Row], now: Instant) -> Cells:
    """The connections that somebody comes by, and in the same order what its rule is."""
    return {
        "connections": "; ".join(row.name for row in rows),
        "connection_rules": "; ".join(_rule(row, now) for row in rows),
    }


def _rule(connection: Row, now: Instant) -> str:
    rule, until = rule_now(connection, now)
    return f"{rule.value} until {to_text(until)}" if until is not None else rule.value


def _at_risk(row: Row) -> str:
    """Of owners and admins: what could lock them out, and with them those whom they would help."""
    if row.status == "invited" or row.role_order > role_order(Role.ADMIN):
        return ""
    if row.state == "sso":
        return ""
    if row.state != "on":
        return "not_set_up"
    return "" if row.recovery_left else "no_recovery_codes"


def _person(row: Row, now: Instant) -> dict[str, str]:
    exempt = row.exempt_until if (row.exempt_until or 0) > now and row.state != "on" else None
    return {
        "name": row.name,
        "email": row.email,
        "role": row.role,
        "two_factor": ("on" if row.state == WEAK else row.state) if row.status == "active" else "",
        "methods": row.methods,
        "recovery_codes_left": str(row.recovery_left) if row.recovery_left is not None else "",
        "exempt_until": to_text(exempt) if exempt is not None else "",
        "last_sign_in_at": to_text(row.last_sign_in_at) if row.last_sign_in_at is not None else "",
    }


async def left_csv(context: Context) -> Response:
    """Teammates without 2FA."""
    return download(context, "left", LEFT_COLUMNS, _left(context))


async def _left(context: Context) -> AsyncIterator[Iterable[Cells]]:
    workspace_id = context.workspace_id
    async for batch in everybody(context, left=True):
        ids = [row.account_id for row in batch if row.account_id is not None]
        told = await context.query_store(lambda tx, ids=ids: outbox.delivery_of(tx, workspace_id, ids))  # type: ignore[misc]
        yield [_left_one(row, context.now, told.get(row.account_id)) for row in batch]


def _left_one(row: Row, now: Instant, mail: outbox.Delivery | None) -> Cells:
    cells = {
        **_person(row, now),
        "joined_at": to_text(row.joined_at),
        "mail": mail.state if mail is not None else "",
        "mail_at": to_text(mail.at) if mail is not None else "",
    }
    return {name: cells[name] for name in LEFT_COLUMNS}


ROUTES: list[Route] = [
    page(f"{PATH}/preview.csv", kinds.PREVIEW_POLICY, preview_csv),
    page(f"{PATH}/progress.csv", kinds.PREVIEW_POLICY, left_csv),
]
