"""Connecting an account of one's own with an identity at a workspace's provider, and taking that back.

It takes that account's full proof, fresh, in that workspace: all that would open it if it did not require single
sign-on, because whoever is not connected yet could not show that.
"""

from dataclasses import dataclass, replace

from nightlatch.access import decide
from nightlatch.actions import kinds
from nightlatch.actions.by import By
from nightlatch.actions.guard import known, person_of
from nightlatch.actions.kept import refuse_person
from nightlatch.actions.mailing import mail_account
from nightlatch.actions.not_me import not_me_link
from nightlatch.actions.sso_outcomes import Turned, Why
from nightlatch.audit.events import account as account_subject
from nightlatch.audit.events import record
from nightlatch.decision import Allow
from nightlatch.facts import ConnectionId, Facts, WorkspaceId, reach_of
from nightlatch.ids import to_text
from nightlatch.instants import Instant
from nightlatch.refusals import Code, Refused, WayOut, not_found, refusal_of
from nightlatch.store import accounts, connections, identities, sessions, standing, teammates, tickets
from nightlatch.store.engine import Transaction
from nightlatch.store.known import Known
from nightlatch.store.locks import lock
from nightlatch.store.query import Row
from nightlatch.vocabulary import Event


@dataclass(frozen=True, slots=True)
class Connectable:
    """A connection of one of the person's workspaces, and whether they are connected with it."""

    id: ConnectionId
    name: str
    workspace_id: WorkspaceId
    workspace_name: str
    since: Instant | None
    """None: not connected."""


def own(tx: Transaction, *, by: By) -> list[Connectable]:
    """The connections of the person's workspaces. Reads only; the gate has asked."""
    now = known(tx, by)
    return [
        _connectable(tx, now, row)
        for workspace_id in now.places or {}
        for row in connections.of_workspace(tx, workspace_id)
        if connections.is_ready(row) and row.app_id is None
    ]


def may_connect(tx: Transaction, by: By, connection: Row) -> Known:
    """What is known of somebody who may connect their account, freshly proved. Raises Refused: what the gate raises."""
    now = known(tx, by)
    refuse_connecting(tx, now, connection, fresh=True)
    return now


def refuse_connecting(tx: Transaction, now: Known, connection: Row, *, fresh: bool) -> None:
    """Raises Refused (what the gate raises) where whoever this is may not connect their account."""
    if now.person is not None:
        refuse_person(now.person)
    action = replace(kinds.CONNECT, reach=reach_of(connection.workspace_id))
    if not fresh:
        action = replace(action, fresh=None)
    if now.facts.account is not None and now.facts.teammate(connection.workspace_id) is None:
        raise not_found()
    decision = decide(without_sso_alone(now.facts, connection.workspace_id), action)
    if not isinstance(decision, Allow):
        raise refusal_of(decision)
    if fresh and now.session is not None and action.fresh is not None:
        sessions.note_act(tx, now.session.id, action.fresh)


def without_sso_alone(facts: Facts, workspace: WorkspaceId) -> Facts:
    """The facts as they would be if a workspace did not require single sign-on."""
    return replace(
        facts,
        teammates=tuple(
            replace(each, sso_required=False) if each.workspace == workspace else each
            for each in facts.teammates
        ),
    )


def connect(tx: Transaction, *, by: By, connection: Row, subject: str) -> Turned | None:
    """Connect the account of `by`; None: it is. Call it under the locks of workspace and account, the act allowed."""
    account_id = by.id or 0
    theirs = identities.account(tx, connection.id, subject)
    if theirs is not None:
        return None if theirs.id == account_id else Turned(Why.TAKEN, connection.id)
    if identities.of_account(tx, connection.id, account_id) is not None:
        return Turned(Why.CONNECTED_OTHERWISE, connection.id)
    identities.connect(tx, connection.id, subject, account_id)
    _tell(tx, by, connection, Event.IDENTITY_CONNECTED, "sso_connected")
    return None


def disconnect(tx: Transaction, *, by: By, connection_id: ConnectionId) -> None:
    """Take it back: what was shown by it counts no more. Raises Refused: the gate's, `not_found`, `conflict`."""
    before = connections.by_id(tx, connection_id)
    if before is None:
        raise not_found()
    lock(tx, workspaces=[before.workspace_id], accounts=[by.id] if by.id is not None else [])
    connection = connections.by_id(tx, connection_id)
    if connection is None:
        raise not_found()
    person = person_of(may_connect(tx, by, connection))
    if person.passwordless:
        raise Refused(
            Code.CONFLICT,
            "This is the only way into your account.",
            WayOut("See your account.", "/settings/user"),
        )
    if not identities.disconnect(tx, connection_id, person.id):
        raise not_found()
    row = teammates.by_account(tx, person.id, connection.workspace_id)
    if row is not None and row.sso_connection_id == connection_id:
        teammates.came_by(tx, person.id, connection.workspace_id, None)
        note_way(tx, by, connection, row, enough=False)
    standing.refresh(tx, person.id, [connection.workspace_id])
    _tell(tx, by, connection, Event.IDENTITY_DISCONNECTED, "sso_disconnected")


def note_way(tx: Transaction, by: By, connection: Row, teammate: Row, *, enough: bool) -> None:
    """The workspace's own event of what somebody came by last, from which its evidence is rebuilt."""
    record(
        tx,
        Event.TEAMMATE_CAME_BY_SSO,
        by=by,
        subject=account_subject(teammate.account_id, teammate.name),
        workspace_id=connection.workspace_id,
        connection=connection.name,
        connection_id=to_text(connection.id) if enough else None,
        enough="yes" if enough else "no",
    )


# --- inside ---


def _connectable(tx: Transaction, now: Known, row: Row) -> Connectable:
    connected = identities.of_account(tx, row.id, now.facts.account or 0)
    since = connected.created_at if connected is not None else None
    return Connectable(row.id, row.name, row.workspace_id, row.workspace_name, since)


def _tell(tx: Transaction, by: By, connection: Row, event: Event, mail: str) -> None:
    account = accounts.by_id(tx, by.id or 0)
    if account is None:
        raise not_found()
    record(
        tx,
        event,
        by=by,
        subject=account_subject(account.id, account.name),
        workspace_id=connection.workspace_id,
        connection=connection.name,
    )
    about = {"workspace": connection.workspace_name, "name": connection.name, "account": account.email}
    if event is Event.IDENTITY_CONNECTED:
        about["not_me_link"] = not_me_link(tx, account.id, None)
        expires = tx.now + tickets.LINK_LIVES["not_me"]
        mail_account(tx, mail, account, by=by, workspace_id=connection.workspace_id, expires=expires, **about)
    else:
        mail_account(tx, mail, account, by=by, workspace_id=connection.workspace_id, **about)
