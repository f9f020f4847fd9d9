"""A product without users of its own, behind a proxy: what the proxy asks with every request to it."""

import hmac
from hashlib import sha256
from pathlib import Path
from typing import Any

from bench import seeding
from nightlatch.actions.tokens import hash_session_token, hash_token
from nightlatch.clock import Clock
from nightlatch.ids import new_id
from nightlatch.keyring import KeyRing
from nightlatch.store import apps, grants, workspaces
from nightlatch.store.engine import Transaction
from nightlatch.store.session_facts import read_known
from nightlatch.vocabulary import Credential
from nightlatch.wiring import open_store

ORIGIN = "https://wiki.acme.example"


def add(folder: Path, people: int) -> None:
    """To a database full of people: one product, and a cookie at its host for everybody's full session."""
    store = open_store(
        f"sqlite:///{folder / 'nightlatch.sqlite'}", Clock(), KeyRing.load_or_create(folder / "keys")
    )
    store.write_now(lambda tx: _grants(tx, people))
    store.close()


def _grants(tx: Transaction, people: int) -> None:
    workspace = workspaces.by_slug(tx, "acme")
    assert workspace is not None
    app_id = apps.create(
        tx,
        handle="wiki",
        name="Wiki",
        workspace_id=workspace.id,
        managed_by=workspace.id,
        return_url=f"{ORIGIN}/.nightlatch/callback",
        roles=None,
        role_map="{}",
        colour=None,
    )
    apps.set_origins(tx, app_id, [ORIGIN])
    for number in range(people):
        known = read_known(tx, hash_session_token(seeding.token(number, "full")), Credential.BEARER)
        assert known.session is not None
        assert known.person is not None
        grants.create(
            tx,
            id=new_id(),
            token_hash=hash_token(cookie(number)),
            kind=grants.HOST,
            app_id=app_id,
            session_id=known.session.id,
            account_id=known.person.id,
            workspace_id=workspace.id,
            expires_at=known.session.expires_at,
            host=ORIGIN,
        )


def cookie(number: int) -> str:
    """The host's cookie of person `number`."""
    return hmac.new(b"host", str(number).encode(), sha256).hexdigest()


def check_lines(first: int, last: int) -> list[dict[str, Any]]:
    """One check for each person, as nginx asks it."""
    return [
        {
            "method": "GET",
            "path": "/authz/nginx",
            "headers": {
                "X-Original-Method": "GET",
                "X-Original-URL": f"{ORIGIN}/pages/{number}?q=1",
                "Cookie": f"theme=dark; __Host-nightlatch-app={cookie(number)}",
                "Accept": "text/html,application/xhtml+xml,*/*;q=0.8",
                "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            },
        }
        for number in range(first, last)
    ]
