"""The outbox: mail written in the transaction of the change it tells of, sent afterwards, at least once.

A row keeps what the message is made of (its kind and values), sealed to the row, and is wiped once delivered: nobody
who reads the database or a backup finds a link that works. Message-IDs are stable, so that a mail that is sent
twice is one.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, delete, func, literal_column, or_, select, update

from nightlatch.ids import new_id, to_text
from nightlatch.instants import MINUTE, Instant
from nightlatch.store import standing, withdrawing
from nightlatch.store.engine import Transaction
from nightlatch.store.query import ONE, Query, Row, insert_into, set_columns
from nightlatch.store.schema import outbox

LEASE = 5 * MINUTE
"""How long one sender has a mail to itself; after a crash it is somebody else's."""

_INSERT = Query(insert_into(outbox))
_DUE = Query(
    select(outbox)
    .where(
        outbox.c.next_at <= bindparam("now"),
        or_(outbox.c.leased_until.is_(None), outbox.c.leased_until <= bindparam("now")),
    )
    .order_by(outbox.c.next_at, outbox.c.id)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)
_RELEASE = Query(
    update(outbox)
    .values(leased_until=None)
    .where(outbox.c.id == bindparam("id"), outbox.c.next_at.is_not(None))
)
_LEASE = Query(set_columns(outbox, "leased_until").where(outbox.c.id == bindparam("id")))
_SENT = Query(
    update(outbox)
    .values(
        sent_at=bindparam("now"),
        next_at=None,
        leased_until=None,
        sealed=None,
        error=None,
        attempts=outbox.c.attempts + 1,
    )
    .where(outbox.c.id == bindparam("id"))
    .returning(outbox.c.account_id, outbox.c.workspace_id, outbox.c.address_key)
)
_RETRY = Query(
    update(outbox)
    .values(
        next_at=bindparam("again_at"),
        leased_until=None,
        error=bindparam("reason"),
        attempts=outbox.c.attempts + 1,
    )
    .where(outbox.c.id == bindparam("id"), outbox.c.next_at.is_not(None))
)
_GIVE_UP = Query(
    update(outbox)
    .values(
        failed_at=bindparam("now"),
        next_at=None,
        leased_until=None,
        sealed=None,
        error=bindparam("reason"),
        attempts=outbox.c.attempts + 1,
    )
    .where(outbox.c.id == bindparam("id"), outbox.c.next_at.is_not(None))
    .returning(outbox.c.account_id, outbox.c.workspace_id, outbox.c.address_key)
)
_PRUNE = Query(delete(outbox).where(outbox.c.next_at.is_(None), outbox.c.created_at < bindparam("before")))
_NEXT = Query(select(func.min(outbox.c.next_at).label("at")))
_HEALTH = Query(
    select(
        func.count().label("waiting"),
        func.min(outbox.c.created_at).label("oldest"),
        func.max(outbox.c.error).label("error"),
    ).where(outbox.c.next_at.is_not(None))
)
_LAST_SENT = Query(select(func.max(outbox.c.sent_at).label("at")))
_COUNT_TO = Query(
    select(func.count().label("sent"))
    .select_from(outbox)
    .where(
        outbox.c.address_key == bindparam("address_key"),
        outbox.c.kind == bindparam("kind"),
        outbox.c.created_at > bindparam("since"),
    )
)
_INVITATIONS_TO = Query(
    select(func.count().label("number"), func.min(outbox.c.created_at).label("oldest")).where(
        outbox.c.address_key == bindparam("address_key"),
        outbox.c.created_at > bindparam("since"),
        outbox.c.kind == literal_column("'invitation'"),
    )
)
_INVITATIONS_OF = Query(
    select(func.count().label("number"), func.min(outbox.c.created_at).label("oldest")).where(
        outbox.c.workspace_id == bindparam("workspace_id"),
        outbox.c.created_at > bindparam("since"),
        outbox.c.kind == literal_column("'invitation'"),
    )
)
_UNASKED = Query(
    select(outbox.c.unasked_at)
    .where(
        outbox.c.address_key == bindparam("address_key"),
        outbox.c.unasked_at.is_not(None),
        outbox.c.unasked_at > bindparam("since"),
        outbox.c.failed_at.is_(None),
    )
    .order_by(outbox.c.unasked_at.desc())
    .limit(bindparam("most"))
)
_NEWEST_OF = Query(
    select(outbox.c.kind, outbox.c.created_at, outbox.c.sent_at, outbox.c.failed_at, outbox.c.error)
    .where(
        outbox.c.workspace_id == bindparam("workspace_id"),
        outbox.c.account_id == bindparam("account_id"),
        or_(*(outbox.c.kind == literal_column(f"'{kind}'") for kind in withdrawing.TO_ENROL)),
        or_(outbox.c.error.is_(None), ~outbox.c.error.startswith(withdrawing.PREFIX)),
    )
    .order_by(outbox.c.created_at.desc(), outbox.c.id.desc())
    .limit(ONE)
)
_ALL = Query(
    select(
        outbox.c.id,
        outbox.c.kind,
        outbox.c.address,
        outbox.c.created_at,
        outbox.c.sent_at,
        outbox.c.failed_at,
        outbox.c.error,
    )
    .order_by(outbox.c.created_at.desc(), outbox.c.id)
    .limit(bindparam("most"))
)


def enqueue(
    tx: Transaction,
    kind: str,
    values: Mapping[str, Any],
    *,
    address: str,
    address_key: str,
    account_id: int | None = None,
    workspace_id: int | None = None,
    unasked_at: Instant | None = None,
    revision: int | None = None,
) -> int:
    """Queue one mail. `values` are the message's arguments, as JSON can hold them.

    `unasked_at`: of a mail that nobody asked for, when it counts as sent; it leaves no earlier. `revision`: of the
    workspace's policy, where the mail is about that.
    """
    mail_id = tx.next_sequence()  # mails leave in the order in which they were queued: owners first, say
    sealed = tx.keys.seal("outbox", to_text(mail_id), json.dumps(dict(values)).encode())
    tx.run(
        _INSERT,
        id=mail_id,
        kind=kind,
        address=address,
        address_key=address_key,
        account_id=account_id,
        workspace_id=workspace_id,
        message_id=f"{to_text(new_id())}@nightlatch",
        sealed=sealed,
        created_at=tx.now,
        next_at=tx.now if unasked_at is None else max(tx.now, unasked_at),
        attempts=0,
        leased_until=None,
        sent_at=None,
        failed_at=None,
        error=None,
        unasked_at=unasked_at,
        revision=revision,
    )
    tx.mail = True
    return mail_id


def values_of(tx: Transaction, row: Row) -> dict[str, Any]:
    """The values of a queued mail."""
    values: dict[str, Any] = json.loads(tx.keys.open("outbox", to_text(row.id), row.sealed))
    return values


def lease(tx: Transaction, most: int) -> list[Row]:
    """Take up to `most` due mails for this sender alone."""
    rows = tx.all(_DUE, now=tx.now, most=most)
    for row in rows:
        tx.run(_LEASE, id=row.id, new_leased_until=tx.now + LEASE)
    return rows


def sent(tx: Transaction, mail_id: int) -> None:
    """Delivered: the contents are wiped."""
    mail = tx.one(_SENT, id=mail_id, now=tx.now)
    if mail is not None:
        standing.mail_failed(tx, mail, None)


def retry(tx: Transaction, mail_id: int, again_at: Instant, reason: str) -> None:
    """Not delivered; another try at an instant."""
    tx.run(_RETRY, id=mail_id, again_at=again_at, reason=reason)


def give_up(tx: Transaction, mail_id: int, reason: str) -> None:
    """Undeliverable for good: the contents are wiped."""
    mail = tx.one(_GIVE_UP, id=mail_id, now=tx.now, reason=reason)
    if mail is not None:
        standing.mail_failed(tx, mail, tx.now)


def release(tx: Transaction, mail_id: int) -> None:
    """Let go of a leased mail that was not tried: it is anybody's again at once."""
    tx.run(_RELEASE, id=mail_id)


def prune(tx: Transaction, before: Instant) -> int:
    """Delete what was delivered or given up and is older than an instant."""
    return tx.run(_PRUNE, before=before)


def next_due(tx: Transaction) -> Instant | None:
    """When the next mail is due."""
    row = tx.one(_NEXT)
    return row.at if row is not None else None


def health(tx: Transaction) -> tuple[int, Instant | None, Instant | None, str | None]:
    """How many mails wait, since when the oldest, when the last one was delivered, and an error of a waiting one."""
    (waiting,), (last,) = tx.all(_HEALTH), tx.all(_LAST_SENT)
    return int(waiting.waiting), waiting.oldest, last.at, waiting.error


def count_to(tx: Transaction, address_key: str, kind: str, since: Instant) -> int:
    """How many mails of a kind an address was sent since an instant."""
    row = tx.one(_COUNT_TO, address_key=address_key, kind=kind, since=since)
    return int(row.sent) if row is not None else 0


def unasked_to(tx: Transaction, address_key: str, since: Instant, most: int) -> list[Instant]:
    """When the newest mails count that an address did not ask for, the newest first; those put off are in the future.

    What could not be delivered, or was taken back, does not count.
    """
    return [row.unasked_at for row in tx.all(_UNASKED, address_key=address_key, since=since, most=most)]


def invitations_to(tx: Transaction, address_key: str, since: Instant) -> tuple[int, Instant]:
    """How many invitation mails all workspaces sent to an address since an instant, and when the first of them."""
    return _number_and_oldest(tx, tx.all(_INVITATIONS_TO, address_key=address_key, since=since))


def invitations_of(tx: Transaction, workspace_id: int, since: Instant) -> tuple[int, Instant]:
    """How many invitation mails a workspace sent since an instant, and when the first of them."""
    return _number_and_oldest(tx, tx.all(_INVITATIONS_OF, workspace_id=workspace_id, since=since))


def _number_and_oldest(tx: Transaction, rows: list[Row]) -> tuple[int, Instant]:
    return int(rows[0].number), rows[0].oldest or tx.now


def recent(tx: Transaction, most: int) -> list[Row]:
    """The newest mails, without their contents."""
    return tx.all(_ALL, most=most)


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of the newest mail that asks somebody to set up 2FA."""

    state: str
    """`waiting`, `sent` or `failed`: given up, it bounces."""
    at: Instant
    """When it was queued, sent or given up."""
    kind: str
    error: str | None
    """What stands, or stood, in its way."""


def delivery_of(tx: Transaction, workspace_id: int, account_ids: Iterable[int]) -> dict[int, Delivery]:
    """By account, what became of the newest mail (a notice, a reminder, a fresh link) in a workspace; who was sent
    none, or none that was not taken back, is not in it. A key look-up each: for a page of the table."""
    found = {}
    for account_id in account_ids:
        row = tx.one(_NEWEST_OF, workspace_id=workspace_id, account_id=account_id)
        if row is None:
            continue
        state = "sent" if row.sent_at is not None else "failed" if row.failed_at is not None else "waiting"
        at = row.sent_at or row.failed_at or row.created_at
        found[account_id] = Delivery(state, at, row.kind, row.error)
    return found
