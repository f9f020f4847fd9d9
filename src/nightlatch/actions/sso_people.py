"""Whose account it is that a provider vouches for; and who may join by it.

Known is who is connected: (the connection, its subject). Nobody is ever joined to an account by an e-mail address
alone. A stranger joins as a member where the connection takes strangers, or an invitation to be a member waits; always
only with an address that the provider says it has verified, of a domain that the workspace has proved. Somebody who
was removed comes back only by such an invitation.
"""

from dataclasses import dataclass

from nightlatch import addresses
from nightlatch.actions.by import By
from nightlatch.actions.sso_outcomes import Turned, Why
from nightlatch.actions.standing_notes import note_if_secured, note_joined
from nightlatch.addresses import Address, BadAddress
from nightlatch.audit.events import account as account_subject
from nightlatch.audit.events import record
from nightlatch.ids import to_text
from nightlatch.names import clean_name
from nightlatch.policy import may_grant
from nightlatch.refusals import Refused, WayOut
from nightlatch.sso.identity import Identity
from nightlatch.store import accounts, domains, identities, invitations, standing, teammates
from nightlatch.store.engine import Transaction
from nightlatch.store.query import Row
from nightlatch.vocabulary import Event, Role


@dataclass(frozen=True, slots=True)
class Comes:
    """A teammate, who is connected."""

    account: Row


@dataclass(frozen=True, slots=True)
class Joins:
    """A stranger who may become a member, or somebody who was removed and is invited again (`account`)."""

    address: Address
    invitation: Row | None
    account: Row | None = None


def judge(tx: Transaction, connection: Row, identity: Identity) -> Comes | Joins | Turned:
    """Who it is, or why nobody comes in. Reads only."""
    account = identities.account(tx, connection.id, identity.subject)
    if account is not None:
        membership = teammates.by_account(tx, account.id, connection.workspace_id)
        if membership is not None and membership.removed_at is None:
            return Comes(account)
    address = address_of(identity)
    if address is None:
        return _turned(connection, Why.REMOVED if account is not None else Why.NO_EMAIL)
    if account is None and _is_teammate(tx, connection, accounts.by_email(tx, address.key)):
        return _has_account(connection)
    if not identity.email_verified:
        return _turned(connection, Why.NOT_VERIFIED)
    owner = domains.owner(tx, address.key.rpartition("@")[2])
    if owner is None or owner.workspace_id != connection.workspace_id:
        return _turned(connection, Why.OTHER_DOMAIN)
    return _may_join(tx, connection, account, address)


def _may_join(tx: Transaction, connection: Row, account: Row | None, address: Address) -> Joins | Turned:
    """The address is verified, and of a domain of the workspace."""
    if account is None and accounts.by_email(tx, address.key) is not None:
        return _has_account(connection)
    invitation = _open_invitation(tx, connection.workspace_id, address.key)
    if invitation is not None:
        return Joins(address, invitation, account)
    if account is not None or teammates.was_removed(tx, connection.workspace_id, address.key):
        return _turned(connection, Why.REMOVED)
    if connection.joins_from is None:
        return _turned(connection, Why.NO_JOINING)
    return Joins(address, None)


def join(tx: Transaction, *, by: By, connection: Row, identity: Identity, joins: Joins) -> Row:
    """Make them a member, with an account that their provider alone vouches for. Call it under the locks."""
    account_id = (
        joins.account.id if joins.account is not None else _new_account(tx, by, connection, identity, joins)
    )
    account = accounts.by_id(tx, account_id)
    if account is None:
        raise AssertionError("an account that was just written is not there")
    me = By("account", account.id, account.name, by.ip, by.user_agent)
    if joins.invitation is not None:
        _accept(tx, me, connection, joins.invitation)
    teammates.join(
        tx,
        workspace_id=connection.workspace_id,
        account_id=account_id,
        role=Role.MEMBER,
        brought_in_by=joins.invitation.invited_by if joins.invitation is not None else None,
    )
    note_joined(tx, by=me, account_id=account_id, workspace_id=connection.workspace_id, role=Role.MEMBER)
    standing.refresh(tx, account_id, [connection.workspace_id])
    note_if_secured(tx, by=me, account_id=account_id, workspace_id=connection.workspace_id)
    return account


def address_of(identity: Identity) -> Address | None:
    """The address that the provider says, where it is one that mail can go to."""
    try:
        return addresses.parse(identity.email) if identity.email else None
    except BadAddress:
        return None


# --- inside ---


def _turned(connection: Row, why: Why, way_out: WayOut | None = None) -> Turned:
    return Turned(why, connection.id, way_out=way_out)


def _has_account(connection: Row) -> Turned:
    way = WayOut("Sign in with your password, then connect your account.", "/sign-in?next=/settings/user")
    return _turned(connection, Why.HAS_ACCOUNT, way)


def _is_teammate(tx: Transaction, connection: Row, account: Row | None) -> bool:
    """Told only of the workspace's own people: a provider must not learn who else has an account here."""
    if account is None:
        return False
    membership = teammates.by_account(tx, account.id, connection.workspace_id)
    return membership is not None and membership.removed_at is None


def _open_invitation(tx: Transaction, workspace_id: int, email_key: str) -> Row | None:
    """An invitation to be a member that waits for this address, if whoever sent it still may."""
    row = invitations.pending_for(tx, workspace_id, email_key)
    if row is None or row.expires_at <= tx.now or Role(row.role) is not Role.MEMBER:
        return None
    if row.invited_by is None:
        return row
    inviter = teammates.by_account(tx, row.invited_by, workspace_id)
    may = inviter is not None and inviter.removed_at is None and may_grant(Role(inviter.role), Role.MEMBER)
    return row if may else None


def _new_account(tx: Transaction, by: By, connection: Row, identity: Identity, joins: Joins) -> int:
    name = _name(identity, joins.address)
    account_id = identities.create_account(
        tx, connection_id=connection.id, subject=identity.subject, name=name, address=joins.address
    )
    me = By("account", account_id, name, by.ip, by.user_agent)
    record(tx, Event.ACCOUNT_CREATED, by=me, subject=account_subject(account_id, name), how="sso")
    return account_id


def _name(identity: Identity, address: Address) -> str:
    try:
        return clean_name(identity.name or "")
    except Refused:
        return clean_name(address.display.rpartition("@")[0][:100])


def _accept(tx: Transaction, by: By, connection: Row, row: Row) -> None:
    if not invitations.accept(tx, row.id, row.token_hash):
        raise AssertionError("an invitation was spent under the workspace's lock")
    standing.drop(tx, row.id)
    subject = account_subject(by.id or 0, by.name)
    detail = {"invitation": to_text(row.id), "invited_by": row.inviter, "how": "sso"}
    record(
        tx, Event.INVITATION_ACCEPTED, by=by, subject=subject, workspace_id=connection.workspace_id, **detail
    )
