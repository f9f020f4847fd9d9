"""Many rows of the Teammates table at once, without the accounts behind them."""

import random
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import psycopg

from nightlatch.ids import new_id
from nightlatch.names import search_key
from nightlatch.store.engine import Transaction
from nightlatch.store.query import Query, insert_into
from nightlatch.store.schema import standing as table
from nightlatch.store.standing import BETWEEN, role_order
from nightlatch.vocabulary import Role
from tests.support.world import World

_INSERT = Query(insert_into(table))

NAMES = [
    "Ana", "ana", "ANA", "Ángela", "Angela", "Zoë", "Zoe", "Ömer", "Omer", "Łukasz", "Lukasz", "Ælfred", "Straße",
    "Strasse", "Émile", "山田", "山", "Ωmega", "омега", "Ёжик", "ﬁona", "Fiona", "Ana Ruiz", "Ana-Maria", "Ana_Maria",
    "100%", "O'Neil", "back\\slash", "😀 Emoji", "ﷺ", "ةلماج",
]  # fmt: skip


@dataclass(frozen=True)
class Mate:
    """One row to be."""

    name: str
    email: str
    role: Role = Role.MEMBER
    state: str = "off"
    status: str = "active"
    last_sign_in_at: int | None = None
    joined_at: int = 1
    exempt_until: int | None = None
    mail_failed_at: int | None = None
    recovery_left: int = 10


def row(workspace_id: int, mate: Mate, id: int | None = None) -> dict[str, Any]:
    """The columns of a row."""
    folded = search_key(mate.email)
    active = mate.status == "active"
    return {
        "id": id or new_id(),
        "workspace_id": workspace_id,
        "account_id": new_id() if active else None,
        "status": mate.status,
        "name": mate.name if active else "",
        "email": mate.email,
        "role": mate.role.value,
        "state": mate.state,
        "methods": "totp" if mate.state == "on" else "",
        "recovery_left": mate.recovery_left if mate.state == "on" else None,
        "since": 1,
        "last_sign_in_at": mate.last_sign_in_at,
        "joined_at": mate.joined_at,
        "email_key": mate.email.casefold(),
        "search_key": f"{search_key(mate.name)}{BETWEEN}{folded}" if active else folded,
        "role_order": role_order(mate.role),
        "sign_in_key": mate.last_sign_in_at or 0,
        "exempt_until": mate.exempt_until,
        "mail_failed_at": mate.mail_failed_at,
    }


def add(world: World, workspace_id: int, mates: Iterable[Mate]) -> list[int]:
    """Put rows into the table; their ids."""
    rows = [row(workspace_id, each) for each in mates]
    if world.store.dialect == "postgresql" and len(rows) > 1_000:
        _copy(world, rows)
    else:

        def body(tx: Transaction) -> None:
            tx.run_each(_INSERT, rows)

        world.write(body)
    return [each["id"] for each in rows]


def _copy(world: World, rows: list[dict[str, Any]]) -> None:
    """As a large import would, statistics included."""
    columns = [column.name for column in table.columns]
    with psycopg.connect(world.url, autocommit=True) as connection:
        with connection.cursor().copy(f"COPY standing ({', '.join(columns)}) FROM STDIN") as copy:
            for each in rows:
                copy.write_row([each[name] for name in columns])
        connection.execute("VACUUM ANALYZE standing")


def some(number: int, seed: int = 1) -> list[Mate]:
    """Mates of every kind, the same for the same seed."""
    chance = random.Random(seed)
    return [
        Mate(
            f"{chance.choice(NAMES)} {chance.choice(NAMES)}",
            f"person{each}@example.com",
            chance.choices(list(Role), weights=[1, 5, 94])[0],
            chance.choices(["on", "off", "reset"], weights=[60, 39, 1])[0],
            "active",
            None if chance.random() < 0.2 else chance.randrange(1, 10**15),
        )
        if chance.random() > 0.05
        else Mate("", f"invited{each}@example.com", status="invited")
        for each in range(number)
    ]
