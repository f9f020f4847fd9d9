"""A product with people who have grants: what its server asks with every one of its own requests."""

import hmac
import json
from hashlib import sha256
from pathlib import Path
from typing import Any

from bench import seeding
from nightlatch import addresses
from nightlatch.actions.tokens import hash_session_token, hash_token
from nightlatch.clock import Clock
from nightlatch.facts import AppId, Reach
from nightlatch.ids import new_id, to_text
from nightlatch.keyring import KeyRing
from nightlatch.store import (
    accounts,
    apps,
    authenticators,
    grants,
    meta,
    migrate,
    sessions,
    standing,
    teammates,
    workspaces,
)
from nightlatch.store.engine import Transaction
from nightlatch.store.session_facts import ABSOLUTE_LIMIT
from nightlatch.vocabulary import Credential, Method, Role
from nightlatch.wiring import open_store

SECRET = "nla_bench"


def fill(folder: Path, people: int) -> None:
    """One product, one workspace of it; everybody has an authenticator app, a session and a grant."""
    url = f"sqlite:///{folder / 'nightlatch.sqlite'}"
    migrate.upgrade(url)
    store = open_store(url, Clock(), KeyRing.load_or_create(folder / "keys"))
    app_id, workspace_id = store.write_now(_app)
    for first in range(0, people, seeding.BATCH):
        numbers = range(first, min(people, first + seeding.BATCH))
        store.write_now(lambda tx, numbers=numbers: _people(tx, app_id, workspace_id, numbers))  # type: ignore[misc]
    store.write_now(lambda tx: meta.write(tx, meta.KEY_CHECK, tx.keys.check_value().hex()))
    store.close()


def _app(tx: Transaction) -> tuple[AppId, int]:
    app_id = apps.create(
        tx,
        handle="acme",
        name="Acme Notes",
        workspace_id=None,
        managed_by=None,
        return_url="http://localhost:9000/nightlatch/callback",
        roles=None,
        role_map=json.dumps({}),
        colour=None,
    )
    apps.add_secret(tx, app_id, hash_token(SECRET))
    return app_id, workspaces.create(tx, slug="acme-team", name="Team", app_id=app_id, app_key="team")


def _people(tx: Transaction, app_id: AppId, workspace_id: int, numbers: range) -> None:
    for number in numbers:
        address = addresses.parse(f"person{number}@example.com")
        account_id = accounts.create_person(
            tx, app_id=app_id, person=str(number), name=f"Person {number}", address=address
        )
        teammates.join(
            tx, workspace_id=workspace_id, account_id=account_id, role=Role.MEMBER, given_role=Role.MEMBER
        )
        bound = authenticators.bind(
            tx,
            id=(id := new_id()),
            account_id=account_id,
            method=Method.TOTP,
            name="Phone",
            reach=Reach(workspaces=frozenset([workspace_id])),
            sealed=tx.keys.seal("authenticators", to_text(id), seeding.seed_of(number)),
        )
        session_id = sessions.create(
            tx,
            account_id=account_id,
            kind=Credential.COOKIE,
            token_hash=hash_session_token(seeding.token(number)),
            ip="192.0.2.1",
            user_agent="bench",
            pending=False,
        )
        sessions.add_proof(tx, session_id, Method.PROVIDER)
        sessions.add_proof(tx, session_id, Method.TOTP, authenticator_id=bound)
        grants.create(
            tx,
            id=new_id(),
            token_hash=hash_token(grant(number)),
            kind=grants.APP,
            app_id=app_id,
            session_id=session_id,
            account_id=account_id,
            workspace_id=workspace_id,
            expires_at=tx.now + ABSOLUTE_LIMIT,
        )
        standing.refresh(tx, account_id)


def grant(number: int) -> str:
    """The grant of person `number`."""
    return hmac.new(b"grant", str(number).encode(), sha256).hexdigest()


def check_lines(people: int) -> list[dict[str, Any]]:
    """One check for each person, as the product's server sends it."""
    return [
        {
            "method": "POST",
            "path": "/api/v1/app/check",
            "token": SECRET,
            "body": {
                "person": {
                    "id": str(number),
                    "email": f"person{number}@example.com",
                    "name": f"Person {number}",
                    "workspace": "team",
                    "workspace_name": "Team",
                    "role": "member",
                },
                "grant": grant(number),
            },
        }
        for number in range(people)
    ]
