"""Invitations: pending until accepted, revoked or expired; one pending invitation an address and workspace."""

from sqlalchemy import bindparam, select, update

from nightlatch.addresses import Address
from nightlatch.ids import new_id
from nightlatch.instants import DAY, Duration
from nightlatch.store.engine import Transaction
from nightlatch.store.query import Query, Row, insert_into
from nightlatch.store.schema import invitations, workspaces
from nightlatch.vocabulary import Role

INVITATION_LIFE: Duration = 7 * DAY

_pending = (invitations.c.accepted_at.is_(None), invitations.c.revoked_at.is_(None))
_INSERT = Query(insert_into(invitations))
_BY_ID = Query(
    select(invitations).where(
        invitations.c.id == bindparam("id"),
        invitations.c.workspace_id == bindparam("workspace_id"),
        *_pending,
    )
)
_BY_TOKEN = Query(
    select(
        invitations,
        workspaces.c.slug,
        workspaces.c.name.label("workspace_name"),
        workspaces.c.required_from,
        workspaces.c.resistant_from,
    )
    .join(workspaces, workspaces.c.id == invitations.c.workspace_id)
    .where(invitations.c.token_hash == bindparam("token_hash"))
)
_BY_FORMER = Query(
    select(invitations.c.id).where(invitations.c.former_hash == bindparam("token_hash"), *_pending)
)
_PENDING_FOR = Query(
    select(invitations).where(
        invitations.c.workspace_id == bindparam("workspace_id"),
        invitations.c.email_key == bindparam("email_key"),
        *_pending,
    )
)
_OF_ADDRESS = Query(
    select(
        invitations.c.id,
        invitations.c.role,
        invitations.c.inviter,
        invitations.c.sent_at,
        invitations.c.expires_at,
        workspaces.c.slug,
        workspaces.c.name.label("workspace_name"),
    )
    .join(workspaces, workspaces.c.id == invitations.c.workspace_id)
    .where(
        invitations.c.email_key == bindparam("email_key"),
        invitations.c.expires_at > bindparam("now"),
        *_pending,
    )
    .order_by(invitations.c.created_at, invitations.c.id)
)
_PAGE = Query(
    select(invitations)
    .where(
        invitations.c.workspace_id == bindparam("workspace_id"),
        invitations.c.id > bindparam("after"),
        *_pending,
    )
    .order_by(invitations.c.id)
    .limit(bindparam("most"))
)
_ACCEPT = Query(
    update(invitations)
    .values(accepted_at=bindparam("now"))
    .where(
        invitations.c.id == bindparam("id"),
        invitations.c.token_hash == bindparam("token_hash"),
        invitations.c.expires_at > bindparam("now"),
        *_pending,
    )
    .returning(invitations.c.id)
)
_REVOKE = Query(
    update(invitations)
    .values(revoked_at=bindparam("now"))
    .where(
        invitations.c.id == bindparam("id"),
        invitations.c.workspace_id == bindparam("workspace_id"),
        *_pending,
    )
    .returning(invitations.c.id)
)
_RENEW = Query(
    update(invitations)
    .values(
        token_hash=bindparam("new_token_hash"),
        former_hash=invitations.c.token_hash,
        invited_by=bindparam("invited_by"),
        inviter=bindparam("inviter"),
        sent_at=bindparam("now"),
        sends=invitations.c.sends + 1,
        expires_at=bindparam("expires_at"),
    )
    .where(invitations.c.id == bindparam("id"), *_pending)
)


def create(
    tx: Transaction,
    *,
    workspace_id: int,
    address: Address,
    role: Role,
    invited_by: int | None,
    inviter: str,
    token_hash: bytes,
) -> int:
    """A new pending invitation."""
    invitation_id = new_id()
    tx.run(
        _INSERT,
        id=invitation_id,
        workspace_id=workspace_id,
        email=address.display,
        email_key=address.key,
        role=role,
        invited_by=invited_by,
        inviter=inviter,
        token_hash=token_hash,
        former_hash=None,
        created_at=tx.now,
        sent_at=tx.now,
        sends=1,
        expires_at=tx.now + INVITATION_LIFE,
        accepted_at=None,
        revoked_at=None,
    )
    return invitation_id


def by_id(tx: Transaction, invitation_id: int, workspace_id: int) -> Row | None:
    """A pending invitation of a workspace (perhaps expired)."""
    return tx.one(_BY_ID, id=invitation_id, workspace_id=workspace_id)


def by_token(tx: Transaction, token_hash: bytes) -> Row | None:
    """The invitation of a token, whatever its state, with its workspace's slug, name and mandate."""
    return tx.one(_BY_TOKEN, token_hash=token_hash)


def replaced(tx: Transaction, token_hash: bytes) -> bool:
    """Whether a link is the one that a pending invitation had before it was sent again."""
    return tx.one(_BY_FORMER, token_hash=token_hash) is not None


def pending_for(tx: Transaction, workspace_id: int, email_key: str) -> Row | None:
    """The pending invitation of an address to a workspace."""
    return tx.one(_PENDING_FOR, workspace_id=workspace_id, email_key=email_key)


def of_address(tx: Transaction, email_key: str) -> list[Row]:
    """What an address is invited to and may still accept."""
    return tx.all(_OF_ADDRESS, email_key=email_key, now=tx.now)


def page(tx: Transaction, workspace_id: int, after: int, most: int) -> list[Row]:
    """The next pending invitations of a workspace, in order of id."""
    return tx.all(_PAGE, workspace_id=workspace_id, after=after, most=most)


def accept(tx: Transaction, invitation_id: int, token_hash: bytes) -> bool:
    """Spend an invitation: once, in its time, by its newest link (law 4)."""
    return tx.one(_ACCEPT, id=invitation_id, token_hash=token_hash, now=tx.now) is not None


def revoke(tx: Transaction, invitation_id: int, workspace_id: int) -> bool:
    """Take an invitation back."""
    return tx.one(_REVOKE, id=invitation_id, workspace_id=workspace_id, now=tx.now) is not None


def renew(
    tx: Transaction, invitation_id: int, *, token_hash: bytes, invited_by: int | None, inviter: str
) -> None:
    """Send it again, in the name of whoever does so: a new link for another 7 days; the older link is dead."""
    tx.run(
        _RENEW,
        id=invitation_id,
        new_token_hash=token_hash,
        invited_by=invited_by,
        inviter=inviter,
        now=tx.now,
        expires_at=tx.now + INVITATION_LIFE,
    )
