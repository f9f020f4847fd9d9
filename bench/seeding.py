"""A database full of people, made by the store itself, with tokens and seeds that the load knows."""

import hmac
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from nightlatch import addresses
from nightlatch.actions.tokens import hash_session_token
from nightlatch.clock import Clock
from nightlatch.facts import EVERYWHERE
from nightlatch.ids import to_text
from nightlatch.keyring import KeyRing
from nightlatch.store import (
    accounts,
    authenticators,
    meta,
    migrate,
    sessions,
    standing,
    teammates,
    workspaces,
)
from nightlatch.store.engine import Transaction
from nightlatch.vocabulary import Credential, Method, Role
from nightlatch.wiring import open_store

BATCH = 2000


def token(number: int, kind: str = "pending") -> str:
    """The session token of person `number`."""
    digest = hmac.new(b"bench", f"{kind}{number}".encode(), sha256).digest()
    named = int.from_bytes(digest[:8], "big") >> 1
    return to_text(named) + digest.hex()


def seed_of(number: int) -> bytes:
    """The TOTP seed of person `number`."""
    return hmac.new(b"seed", str(number).encode(), sha256).digest()[:20]


@dataclass(frozen=True)
class Seeded:
    """What was made."""

    url: str
    people: int
    slug: str


def fill(folder: Path, people: int, *, enrolled: bool = True, url: str | None = None) -> Seeded:
    """One workspace. Person 0 is its owner and has a full session; everybody has one that waits for the second step."""
    url = url or f"sqlite:///{folder / 'nightlatch.sqlite'}"
    migrate.upgrade(url)
    keys = KeyRing.load_or_create(folder / "keys")
    store = open_store(url, Clock(), keys)
    workspace_id = store.write_now(lambda tx: workspaces.create(tx, slug="acme", name="Acme"))
    for first in range(0, people, BATCH):
        numbers = range(first, min(people, first + BATCH))
        store.write_now(lambda tx, numbers=numbers: _people(tx, workspace_id, numbers, enrolled))  # type: ignore[misc]
    store.write_now(lambda tx: meta.write(tx, meta.KEY_CHECK, tx.keys.check_value().hex()))
    store.close()
    return Seeded(url, people, "acme")


def _people(tx: Transaction, workspace_id: int, numbers: range, enrolled: bool) -> None:
    for number in numbers:
        address = addresses.parse(f"person{number}@example.com")
        account_id = accounts.create(tx, name=f"Person {number}", address=address, password_hash="none")
        role = Role.OWNER if number == 0 else Role.MEMBER
        teammates.join(tx, workspace_id=workspace_id, account_id=account_id, role=role)
        app = _app(tx, account_id, number) if enrolled or number == 0 else None
        _session(tx, account_id, token(number), None)
        if number == 0 or enrolled:
            _session(tx, account_id, token(number, "full"), app)
        standing.refresh(tx, account_id)


def _app(tx: Transaction, account_id: int, number: int) -> int:
    from nightlatch.ids import new_id

    id = new_id()
    sealed = tx.keys.seal("authenticators", to_text(id), seed_of(number))
    return authenticators.bind(
        tx, id=id, account_id=account_id, method=Method.TOTP, name="Phone", reach=EVERYWHERE, sealed=sealed
    )


def _session(tx: Transaction, account_id: int, text: str, app: int | None) -> None:
    session_id = sessions.create(
        tx,
        account_id=account_id,
        kind=Credential.BEARER,
        token_hash=hash_session_token(text),
        ip="192.0.2.1",
        user_agent="bench",
        pending=False,
    )
    sessions.add_proof(tx, session_id, Method.PASSWORD)
    if app is not None:
        sessions.add_proof(tx, session_id, Method.TOTP, authenticator_id=app)
