"""Audit events: written in the transaction of the change they tell of; an unwritable one stops the change (law 6)."""

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import bindparam, func, select

from nightlatch.ids import new_id
from nightlatch.instants import Instant
from nightlatch.names import search_key
from nightlatch.store.engine import Transaction
from nightlatch.store.query import ONE, Query, Row, insert_into
from nightlatch.store.schema import audit_events
from nightlatch.vocabulary import Event

_INSERT = Query(insert_into(audit_events))
_MOST_WORDS = 5
_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode
_LATEST = Query(
    select(audit_events)
    .where(
        audit_events.c.workspace_id == bindparam("workspace_id"), audit_events.c.event == bindparam("event")
    )
    .order_by(audit_events.c.sequence.desc())
    .limit(ONE)
)
_LATEST_OF_NONE = Query(
    select(audit_events)
    .where(audit_events.c.workspace_id.is_(None), audit_events.c.event == bindparam("event"))
    .order_by(audit_events.c.sequence.desc())
    .limit(ONE)
)
PASSED_OVER = (
    Event.GRANT_MADE,
    Event.INVITATION_SENT,
    Event.INVITATION_RESENT,
    Event.INVITATION_ACCEPTED,
    Event.INVITATION_REVOKED,
    Event.TICKET_SENT,
    Event.TICKET_REDEEMED,
)
"""Events that are many, and from which nothing is rebuilt."""

_of_workspace = audit_events.c.workspace_id == bindparam("workspace_id")
_FORWARD = Query(
    select(
        *(
            audit_events.c[name]
            for name in (
                *("sequence", "at", "event", "actor_kind", "actor_id", "actor_name"),
                *("subject_id", "subject_name", "detail"),
            )
        )
    )
    .where(
        _of_workspace,
        audit_events.c.sequence > bindparam("after"),
        *(audit_events.c.event != each.value for each in PASSED_OVER),
    )
    .order_by(audit_events.c.sequence)
    .limit(bindparam("most"))
)
_FIRST = Query(select(audit_events.c.at).where(_of_workspace).order_by(audit_events.c.sequence).limit(ONE))
_LAST = Query(select(func.max(audit_events.c.at).label("at")))


def add(
    tx: Transaction,
    *,
    event: str,
    actor: tuple[str, int | None, str],
    subject: tuple[str, int | None, str],
    workspace_id: int | None,
    ip: str,
    user_agent: str,
    detail: Mapping[str, Any],
) -> None:
    """Append one event. Actor and subject are (kind, id, name)."""
    tx.run(
        _INSERT,
        sequence=tx.next_sequence(),
        id=new_id(),
        at=tx.now,
        event=event,
        actor_kind=actor[0],
        actor_id=actor[1],
        actor_name=actor[2],
        actor_key=search_key(actor[2]),
        subject_kind=subject[0],
        subject_id=subject[1],
        subject_name=subject[2],
        workspace_id=workspace_id,
        ip=ip,
        user_agent=user_agent,
        detail=_encode(detail),
    )


def page(
    tx: Transaction,
    *,
    workspace_id: int | None = None,
    anywhere: bool = False,
    event: str | None = None,
    actor: int | None = None,
    actor_name: str = "",
    since: Instant | None = None,
    until: Instant | None = None,
    before: int | None = None,
    most: int = 50,
) -> list[Row]:
    """Events, the newest first: of one workspace, or with `anywhere` of all and of accounts too (for the operator).

    Every word of `actor_name` must be in the name that the actor had then, in whatever case.
    """
    query = select(audit_events).order_by(audit_events.c.sequence.desc()).limit(most)
    if not anywhere:
        query = query.where(audit_events.c.workspace_id == workspace_id)
    if event is not None:
        query = query.where(audit_events.c.event == event)
    if actor is not None:
        query = query.where(audit_events.c.actor_id == actor)
    for word in search_key(actor_name).split()[:_MOST_WORDS]:
        query = query.where(audit_events.c.actor_key.contains(word, autoescape=True))
    if since is not None:
        query = query.where(audit_events.c.at >= since)
    if until is not None:
        query = query.where(audit_events.c.at < until)
    if before is not None:
        query = query.where(audit_events.c.sequence < before)
    return tx.all(Query(query))


def latest(tx: Transaction, workspace_id: int, event: str) -> Row | None:
    """The newest event of a name in a workspace."""
    return tx.one(_LATEST, workspace_id=workspace_id, event=event)


def latest_of_none(tx: Transaction, event: str) -> Row | None:
    """The newest event of a name that belongs to no workspace. It may look through all of them: for the operator."""
    return tx.one(_LATEST_OF_NONE, event=event)


def forward(tx: Transaction, workspace_id: int, *, after: int, most: int) -> list[Row]:
    """The next events of a workspace in order of sequence, without those that are `PASSED_OVER`."""
    return tx.all(_FORWARD, workspace_id=workspace_id, after=after, most=most)


def first_at(tx: Transaction, workspace_id: int) -> Instant | None:
    """The instant of a workspace's first event."""
    row = tx.one(_FIRST, workspace_id=workspace_id)
    return row.at if row is not None else None


def last_at(tx: Transaction) -> Instant | None:
    """The instant of the latest event: the clock must not be behind it at start (law 12)."""
    row = tx.one(_LAST)
    return row.at if row is not None else None
