"""Ending every session, token and grant: of an installation, or what they hold for one workspace (break-glass)."""

from collections.abc import Mapping

from sqlalchemy import bindparam, select, update

from nightlatch.store import remembered
from nightlatch.store.engine import Transaction
from nightlatch.store.query import Query
from nightlatch.store.schema import sessions, teammates
from nightlatch.store.schema_apps import grants
from nightlatch.store.schema_team import service_accounts, token_workspaces, tokens

_ALL: Mapping[str, Query] = {
    "sessions": Query(
        update(sessions).values(ended_at=bindparam("now")).where(sessions.c.ended_at.is_(None))
    ),
    "tokens": Query(update(tokens).values(ended_at=bindparam("now")).where(tokens.c.ended_at.is_(None))),
    "grants": Query(update(grants).values(ended_at=bindparam("now")).where(grants.c.ended_at.is_(None))),
}
_VALID_AFTER = Query(
    update(teammates)
    .values(valid_after=bindparam("sequence"))
    .where(teammates.c.workspace_id == bindparam("workspace_id"), teammates.c.removed_at.is_(None))
)
_IN_WORKSPACE: Mapping[str, Query] = {
    "tokens": Query(
        update(tokens)
        .values(ended_at=bindparam("now"))
        .where(
            tokens.c.ended_at.is_(None),
            (tokens.c.workspace_id == bindparam("workspace_id"))
            | tokens.c.id.in_(
                select(token_workspaces.c.token_id).where(
                    token_workspaces.c.workspace_id == bindparam("workspace_id")
                )
            )
            | tokens.c.service_id.in_(
                select(service_accounts.c.id).where(
                    service_accounts.c.workspace_id == bindparam("workspace_id")
                )
            ),
        )
    ),
    "grants": Query(
        update(grants)
        .values(ended_at=bindparam("now"))
        .where(grants.c.ended_at.is_(None), grants.c.workspace_id == bindparam("workspace_id"))
    ),
}


def end_all(tx: Transaction) -> dict[str, int]:
    """Every session, API token and grant of the installation is dead. How many of each."""
    remembered.end_every(tx)
    return {name: tx.run(query, now=tx.now) for name, query in _ALL.items()}


def end_in(tx: Transaction, workspace_id: int) -> dict[str, int]:
    """What every session has proved counts no longer in a workspace; its tokens and grants are dead. How many of each.

    Nothing ends for other workspaces but API tokens that are good in several (law 7). `sessions` counts the teammates.
    """
    count = tx.run(_VALID_AFTER, workspace_id=workspace_id, sequence=tx.next_sequence())
    remembered.end_in(tx, workspace_id)
    ended = {
        name: tx.run(query, now=tx.now, workspace_id=workspace_id) for name, query in _IN_WORKSPACE.items()
    }
    return {"sessions": count, **ended}
