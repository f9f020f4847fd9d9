"""A workspace's connections to identity providers: adding, changing, removing them, and the rule of each.

Who may manage authentication there may do it, with fresh proof; the owners are mailed. Somebody is known by (issuer,
subject), so a connection's issuer never changes. Its secret is taken and never shown. A new rule bites with the next
request, because it is read with every decision (store/connection_rules.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nightlatch.actions import kinds
from nightlatch.actions.by import By
from nightlatch.actions.kept import locked as locked
from nightlatch.actions.mailing import mail_owners
from nightlatch.audit.events import record
from nightlatch.facts import ConnectionId, WorkspaceId
from nightlatch.instants import Instant
from nightlatch.names import clean_name
from nightlatch.policy import Acceptance
from nightlatch.refusals import Code, Refused, WayOut, invalid, not_found
from nightlatch.store import connections, standing, teammates
from nightlatch.store.connection_rules import acceptance_of
from nightlatch.store.engine import Transaction
from nightlatch.store.query import Row
from nightlatch.vocabulary import Event

MOST_IN_A_WORKSPACE = 10
LONGEST_TEXT = 500
"""Of a client ID, or an issuer."""
LONGEST_SECRET = 2_000


@dataclass(frozen=True, slots=True)
class Connection:
    """A connection, as those who manage it see it: never its secret."""

    id: ConnectionId
    workspace_id: WorkspaceId
    slug: str
    workspace_name: str
    kind: str
    name: str
    issuer: str
    client_id: str
    has_secret: bool
    ready: bool
    """Somebody could sign in by it."""
    joins: bool
    """Strangers from the workspace's proved domains become members by signing in."""
    acceptance: Acceptance
    exempt_by: str | None
    created_at: Instant
    changed_at: Instant
    settings: Mapping[str, Any] = field(default_factory=dict)


# --- reading; the gate has asked ---


def every(tx: Transaction, workspace_id: WorkspaceId) -> list[Connection]:
    """The connections of a workspace, by name."""
    return [shown(row) for row in connections.of_workspace(tx, workspace_id)]


def read(tx: Transaction, workspace_id: WorkspaceId, connection_id: ConnectionId) -> Connection:
    """One of them. Raises Refused (`not_found`)."""
    return shown(there(tx, workspace_id, connection_id))


# --- adding, changing, removing ---


def add(
    tx: Transaction,
    *,
    by: By,
    workspace_id: WorkspaceId,
    kind: str,
    name: str,
    issuer: str,
    client_id: str = "",
    secret: str | None = None,
    settings: Mapping[str, Any] | None = None,
    joins: bool = False,
) -> Connection:
    """Add a connection, whose rule is to ask. Without a client ID it is begun, and offered to nobody yet.

    `issuer` was checked by its protocol. Raises Refused: what the gate raises, `invalid`, `conflict` (one too many, or
    one of this issuer is there), `not_permitted` in a workspace that a product brought.
    """
    name, client_id, secret = clean_name(name), _text(client_id, "client_id"), _secret(secret)
    workspace, _ = locked(tx, by, workspace_id, kinds.MANAGE_CONNECTIONS)
    here = connections.of_workspace(tx, workspace_id)
    if len(here) >= MOST_IN_A_WORKSPACE:
        raise _conflict(workspace, f"A workspace has at most {MOST_IN_A_WORKSPACE} connections.")
    if any(each.issuer == issuer for each in here):
        raise _conflict(workspace, "There is a connection to this provider already.")
    id = connections.create(
        tx,
        workspace_id=workspace_id,
        kind=kind,
        name=name,
        issuer=_text(issuer, "issuer"),
        client_id=client_id,
        settings=settings or {},
        joins=joins,
    )
    if secret is not None:
        connections.set_secret(tx, id, secret)
    row = there(tx, workspace_id, id)
    note(tx, Event.CONNECTION_ADDED, by, row, kind=kind, issuer=issuer, joins=joins)
    tell_owners(tx, by, workspace, f"added the single sign-on connection {name}")
    return shown(row)


def change(
    tx: Transaction,
    *,
    by: By,
    workspace_id: WorkspaceId,
    connection_id: ConnectionId,
    name: str | None = None,
    client_id: str | None = None,
    secret: str | None = None,
    settings: Mapping[str, Any] | None = None,
    joins: bool | None = None,
) -> Connection:
    """Change what is given (None leaves it). A client ID that is there is never taken out: nobody could come by the
    connection any more, which is what removing it is for. Raises Refused as `add` does, and `not_found`.
    """
    name = clean_name(name) if name is not None else None
    client_id = _text(client_id, "client_id") if client_id is not None else None
    secret = _secret(secret)
    workspace, _ = locked(tx, by, workspace_id, kinds.MANAGE_CONNECTIONS)
    old = there(tx, workspace_id, connection_id)
    if client_id == "" and connections.is_ready(old):
        raise invalid("client_id", "Without it nobody could sign in. To end that, remove the connection.")
    since = old.joins_from if joins is None or joins == (old.joins_from is not None) else None
    connections.change(
        tx,
        connection_id,
        name=old.name if name is None else name,
        client_id=old.client_id if client_id is None else client_id,
        settings=connections.settings_of(old) if settings is None else settings,
        joins_from=tx.now if joins and since is None else since,
    )
    if secret is not None:
        connections.set_secret(tx, connection_id, secret)
    row = there(tx, workspace_id, connection_id)
    changed = _differences(old, row) + (["secret"] if secret is not None else [])
    if changed:
        note(tx, Event.CONNECTION_CHANGED, by, row, changed=changed, former_name=old.name)
        tell_owners(tx, by, workspace, f"changed the single sign-on connection {row.name}")
    return shown(row)


def remove(tx: Transaction, *, by: By, workspace_id: WorkspaceId, connection_id: ConnectionId) -> None:
    """Take it out: nothing that was shown by it counts with the next request, and its secret is wiped.

    Raises Refused: what the gate raises, `not_found`, `conflict` for the last one of a workspace that requires it.
    """
    workspace, _ = locked(tx, by, workspace_id, kinds.MANAGE_CONNECTIONS)
    row = there(tx, workspace_id, connection_id)
    others = [each for each in connections.of_workspace(tx, workspace_id) if each.id != row.id]
    if workspace.sso_required_at is not None and not any(map(connections.is_ready, others)):
        raise _conflict(workspace, "Single sign-on is required here, and this is the only way to it.")
    if not connections.remove(tx, connection_id):
        raise not_found()
    came_by_no_more(tx, row)
    note(tx, Event.CONNECTION_REMOVED, by, row, issuer=row.issuer)
    tell_owners(tx, by, workspace, f"removed the single sign-on connection {row.name}")


# --- for the other actions on connections ---


def there(tx: Transaction, workspace_id: WorkspaceId, connection_id: ConnectionId) -> Row:
    """One of the workspace's connections. Raises Refused (`not_found`)."""
    row = connections.by_id(tx, connection_id)
    if row is None or row.workspace_id != workspace_id:
        raise not_found()
    return row


def came_by_no_more(tx: Transaction, row: Row) -> None:
    """Whatever a connection was enough for is to be shown anew, by the rule as it is now."""
    standing.sso_over(tx, row.workspace_id, row.id)
    teammates.came_by_no_more(tx, row.workspace_id, row.id)


def note(tx: Transaction, event: Event, by: By, row: Row, **detail: object) -> None:
    """An event about a connection."""
    subject = ("connection", row.id, row.name)
    record(tx, event, by=by, subject=subject, workspace_id=row.workspace_id, **detail)


def tell_owners(tx: Transaction, by: By, workspace: Row, what: str, link: str | None = None) -> None:
    """Every owner learns what was done about single sign-on; `what` goes on from the name of who did it."""
    mail_owners(
        tx,
        "connection_changed",
        workspace.id,
        by=by,
        workspace=workspace.name,
        by_name=by.name,
        what=what,
        link=link or path_of(workspace.slug),
    )


def path_of(slug: str) -> str:
    """The page of a workspace's single sign-on."""
    return f"/w/{slug}/settings/team/authentication/sso"


def shown(row: Row) -> Connection:
    """A connection's row as it may be seen."""
    return Connection(
        id=row.id,
        workspace_id=row.workspace_id,
        slug=row.slug,
        workspace_name=row.workspace_name,
        kind=row.kind,
        name=row.name,
        issuer=row.issuer,
        client_id=row.client_id,
        has_secret=row.sealed is not None,
        ready=connections.is_ready(row),
        joins=row.joins_from is not None,
        acceptance=acceptance_of(row),
        exempt_by=row.exempt_by,
        created_at=row.created_at,
        changed_at=row.changed_at,
        settings=connections.settings_of(row),
    )


# --- inside ---


def _differences(old: Row, new: Row) -> list[str]:
    names = ("name", "client_id", "settings")
    changed = [name for name in names if getattr(old, name) != getattr(new, name)]
    return changed + (["joins"] if (old.joins_from is None) != (new.joins_from is None) else [])


def _text(text: str, field_name: str) -> str:
    text = text.strip()
    if len(text) > LONGEST_TEXT or not text.isprintable():
        raise invalid(field_name, f"At most {LONGEST_TEXT} characters that can be seen.")
    return text


def _secret(secret: str | None) -> str | None:
    """A client's secret as it was given out; None for none, or an empty one."""
    if secret is None or not secret.strip():
        return None
    if len(secret) > LONGEST_SECRET or not secret.strip().isprintable():
        raise invalid("secret", f"At most {LONGEST_SECRET} characters that can be seen.")
    return secret.strip()


def _conflict(workspace: Row, detail: str) -> Refused:
    return Refused(Code.CONFLICT, detail, WayOut("See all connections.", path_of(workspace.slug)))
