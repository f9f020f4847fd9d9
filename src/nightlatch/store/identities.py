"""Identities by single sign-on: (a connection, the provider's own subject). Issuer and subject say who somebody is."""

from sqlalchemy import bindparam, delete, select

from nightlatch.addresses import Address
from nightlatch.ids import to_text
from nightlatch.store import accounts
from nightlatch.store.engine import Transaction
from nightlatch.store.query import Query, Row, insert_into
from nightlatch.store.schema import accounts as accounts_table
from nightlatch.store.schema import identities, proofs, sessions

_ACCOUNT = Query(
    select(accounts_table)
    .join(identities, identities.c.account_id == accounts_table.c.id)
    .where(identities.c.source == bindparam("source"), identities.c.subject == bindparam("subject"))
)
_OF_ACCOUNT = Query(
    select(identities.c.subject, identities.c.created_at).where(
        identities.c.source == bindparam("source"), identities.c.account_id == bindparam("account_id")
    )
)
_PEOPLE = Query(
    select(identities.c.account_id)
    .where(identities.c.source == bindparam("source"), identities.c.account_id > bindparam("after"))
    .order_by(identities.c.account_id)
    .limit(bindparam("most"))
)
_INSERT = Query(insert_into(identities))
_DELETE = Query(
    delete(identities).where(
        identities.c.source == bindparam("source"), identities.c.account_id == bindparam("account_id")
    )
)
_FORGET_PROOFS = Query(
    delete(proofs).where(
        proofs.c.connection_id == bindparam("connection_id"),
        proofs.c.session_id.in_(
            select(sessions.c.id).where(sessions.c.account_id == bindparam("account_id"))
        ),
    )
)


def source_of(connection_id: int) -> str:
    """The source of identities that a connection vouches for; its issuer never changes."""
    return f"sso:{to_text(connection_id)}"


def account(tx: Transaction, connection_id: int, subject: str) -> Row | None:
    """Whose account it is that a provider knows by this subject."""
    return tx.one(_ACCOUNT, source=source_of(connection_id), subject=subject)


def of_account(tx: Transaction, connection_id: int, account_id: int) -> Row | None:
    """What a provider knows an account by, if it is connected: subject and since when."""
    return tx.one(_OF_ACCOUNT, source=source_of(connection_id), account_id=account_id)


def people(tx: Transaction, connection_id: int, after: int, most: int) -> list[int]:
    """The next accounts that are connected, in order of id: for work in batches."""
    rows = tx.all(_PEOPLE, source=source_of(connection_id), after=after, most=most)
    return [row.account_id for row in rows]


def connect(tx: Transaction, connection_id: int, subject: str, account_id: int) -> None:
    """From now on the provider vouches for this account. The primary key refuses a subject that is taken."""
    tx.run(
        _INSERT,
        source=source_of(connection_id),
        subject=subject,
        account_id=account_id,
        created_at=tx.now,
    )


def disconnect(tx: Transaction, connection_id: int, account_id: int) -> bool:
    """No longer; whatever the account's sessions have shown by it counts no more. False where it was not."""
    if not tx.run(_DELETE, source=source_of(connection_id), account_id=account_id):
        return False
    tx.run(_FORGET_PROOFS, connection_id=connection_id, account_id=account_id)
    return True


def create_account(tx: Transaction, *, connection_id: int, subject: str, name: str, address: Address) -> int:
    """A new account that its provider alone vouches for: no password, and not known by its e-mail."""
    return accounts.create_with(tx, (source_of(connection_id), subject), name=name, address=address)
