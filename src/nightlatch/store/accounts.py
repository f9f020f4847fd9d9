"""Accounts, and the identities they are known by."""

from sqlalchemy import bindparam, delete, select

from nightlatch.addresses import Address
from nightlatch.ids import new_id
from nightlatch.ids import to_text as id_text
from nightlatch.store.engine import Transaction
from nightlatch.store.query import Query, Row, insert_into, set_columns
from nightlatch.store.schema import accounts, email_changes, identities

LOCAL = "local"
"""The source of identities whose subject is a canonical e-mail."""


def app_source(app_id: int) -> str:
    """The source of identities whose subject is a product's own id of the person."""
    return f"app:{id_text(app_id)}"


_BY_ID = Query(select(accounts).where(accounts.c.id == bindparam("id")))
_BY_IDENTITY = Query(
    select(accounts)
    .join(identities, identities.c.account_id == accounts.c.id)
    .where(identities.c.source == bindparam("source"), identities.c.subject == bindparam("subject"))
)
_PERSON = Query(
    select(identities.c.subject).where(
        identities.c.account_id == bindparam("account_id"), identities.c.source == bindparam("source")
    )
)
_INSERT = Query(insert_into(accounts, without=("user_handle",)))
_INSERT_IDENTITY = Query(insert_into(identities))
_DELETE_IDENTITY = Query(
    delete(identities).where(
        identities.c.source == bindparam("source"), identities.c.subject == bindparam("subject")
    )
)
_SET_NAME = Query(set_columns(accounts, "name").where(accounts.c.id == bindparam("id")))
_SET_PASSWORD = Query(
    set_columns(accounts, "password_hash", "password_changed_at").where(accounts.c.id == bindparam("id"))
)
_REHASH = Query(
    set_columns(accounts, "password_hash").where(
        accounts.c.id == bindparam("id"), accounts.c.password_hash == bindparam("old_hash")
    )
)
_SET_EMAIL = Query(set_columns(accounts, "email", "email_key").where(accounts.c.id == bindparam("id")))
_FORMER_ADDRESSES = Query(
    select(email_changes.c.old_email, email_changes.c.confirmed_at)
    .where(
        email_changes.c.account_id == bindparam("account_id"),
        email_changes.c.confirmed_at > bindparam("since"),
        email_changes.c.undone_at.is_(None),
    )
    .order_by(email_changes.c.confirmed_at, email_changes.c.id)
)


def by_id(tx: Transaction, account_id: int) -> Row | None:
    """The account with this id."""
    return tx.one(_BY_ID, id=account_id)


def by_email(tx: Transaction, email_key: str) -> Row | None:
    """The account that signs in with this canonical e-mail."""
    return tx.one(_BY_IDENTITY, source=LOCAL, subject=email_key)


def by_person(tx: Transaction, app_id: int, person: str) -> Row | None:
    """The account of a product's person, by the product's own id."""
    return tx.one(_BY_IDENTITY, source=app_source(app_id), subject=person)


def person_of(tx: Transaction, app_id: int, account_id: int) -> str:
    """A product's own id of the person whose account it is; the empty text for who is none of its people."""
    row = tx.one(_PERSON, source=app_source(app_id), account_id=account_id)
    return str(row.subject) if row is not None else ""


def create(tx: Transaction, *, name: str, address: Address, password_hash: str | None) -> int:
    """A new account known by its e-mail. The identity's primary key refuses a second one."""
    return _create(tx, (LOCAL, address.key), name, address, password_hash, None)


def create_person(tx: Transaction, *, app_id: int, person: str, name: str, address: Address) -> int:
    """A new account known by a product's own id of the person. The address is what the product says."""
    return _create(tx, (app_source(app_id), person), name, address, None, app_id)


def create_with(tx: Transaction, identity: tuple[str, str], *, name: str, address: Address) -> int:
    """A new account without a password that is known by this identity (source, subject) alone."""
    return _create(tx, identity, name, address, None, None)


def _create(
    tx: Transaction,
    identity: tuple[str, str],
    name: str,
    address: Address,
    password_hash: str | None,
    app_id: int | None,
) -> int:
    account_id = new_id()
    tx.run(
        _INSERT,
        id=account_id,
        name=name,
        email=address.display,
        email_key=address.key,
        locale=None,
        password_hash=password_hash,
        password_changed_at=tx.now if password_hash else None,
        created_at=tx.now,
        app_id=app_id,
    )
    source, subject = identity
    tx.run(_INSERT_IDENTITY, source=source, subject=subject, account_id=account_id, created_at=tx.now)
    return account_id


def set_name(tx: Transaction, account_id: int, name: str) -> None:
    """Rename an account."""
    tx.run(_SET_NAME, id=account_id, new_name=name)


def set_password(tx: Transaction, account_id: int, password_hash: str) -> None:
    """A new password."""
    tx.run(_SET_PASSWORD, id=account_id, new_password_hash=password_hash, new_password_changed_at=tx.now)


def rehash(tx: Transaction, account_id: int, old_hash: str, new_hash: str) -> None:
    """The same password under newer parameters or a newer key, unless it was changed meanwhile."""
    tx.run(_REHASH, id=account_id, old_hash=old_hash, new_password_hash=new_hash)


def set_email(tx: Transaction, account_id: int, old_key: str, address: Address) -> None:
    """A new e-mail: the account is known by it from now on, and no longer by the old one."""
    tx.run(_DELETE_IDENTITY, source=LOCAL, subject=old_key)
    tx.run(_INSERT_IDENTITY, source=LOCAL, subject=address.key, account_id=account_id, created_at=tx.now)
    tx.run(_SET_EMAIL, id=account_id, new_email=address.display, new_email_key=address.key)


def set_person_email(tx: Transaction, account_id: int, address: Address) -> None:
    """What a product says is the address now: its person is known by the product's id, so no identity changes."""
    tx.run(_SET_EMAIL, id=account_id, new_email=address.display, new_email_key=address.key)


def former_addresses(tx: Transaction, account_id: int, since: int) -> list[str]:
    """The addresses that were replaced since then and not taken back, the oldest first."""
    rows = tx.all(_FORMER_ADDRESSES, account_id=account_id, since=since)
    return list(dict.fromkeys(row.old_email for row in rows))
