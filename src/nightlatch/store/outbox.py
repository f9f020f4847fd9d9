"""The outbox: mail written in the transaction of the change it tells of, sent afterwards, at least once.

A row keeps what the message is made of (its kind and values), sealed to the row, and is wiped once delivered: nobody
who reads the database or a backup finds a link that works. Message-IDs are stable, so that a mail that is sent
twice is one.
"""

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import and_, bindparam, delete, func, literal_column, or_, select, update

from nightlatch.ids import new_id, to_text
from nightlatch.instants import MINUTE, Instant
from nightlatch.store import standing
from nightlatch.store.engine import Transaction
from nightlatch.store.query import Query, Row, insert_into, set_columns
from nightlatch.store.schema import campaigns, outbox

LEASE = 5 * MINUTE
"""How long one sender has a mail to itself; after a crash it is somebody else's."""

_INSERT = Query(insert_into(outbox, without=("revision",)))
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
_WITHDRAW = Query(
    update(outbox)
    .values(next_at=None, failed_at=bindparam("now"), sealed=None, error=bindparam("reason"))
    .where(
        outbox.c.account_id == bindparam("account_id"),
        outbox.c.kind == bindparam("kind"),
        outbox.c.next_at.is_not(None),
    )
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
_ADD_CAMPAIGN = Query(insert_into(campaigns, without=("stage", "due_at")))
_CAMPAIGN = Query(
    select(campaigns)
    .where(campaigns.c.done_at.is_(None))
    .order_by(campaigns.c.created_at, campaigns.c.id)
    .limit(1)
    .with_for_update(skip_locked=True)
)
_ADVANCE = Query(set_columns(campaigns, "after_id", "done_at").where(and_(campaigns.c.id == bindparam("id"))))
_WAITING_CAMPAIGN = Query(select(campaigns.c.id).where(campaigns.c.done_at.is_(None)).limit(1))
_KEEP_CAMPAIGN = Query(
    set_columns(campaigns, "revision").where(
        campaigns.c.workspace_id == bindparam("workspace_id"), campaigns.c.done_at.is_(None)
    )
)
_PRUNE_CAMPAIGNS = Query(delete(campaigns).where(campaigns.c.done_at < bindparam("before")))
_END_CAMPAIGNS = Query(
    set_columns(campaigns, "done_at").where(
        campaigns.c.workspace_id == bindparam("workspace_id"), campaigns.c.done_at.is_(None)
    )
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
) -> int:
    """Queue one mail. `values` are the message's arguments, as JSON can hold them.

    `unasked_at`: of a mail that nobody asked for, when it counts as sent; it leaves no earlier.
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
    """Delete what was delivered or given up and is older than an instant, and finished campaigns."""
    tx.run(_PRUNE_CAMPAIGNS, before=before)
    return tx.run(_PRUNE, before=before)


def withdraw(tx: Transaction, account_id: int, kind: str, reason: str) -> None:
    """Take back what is queued of a kind for a person."""
    tx.run(_WITHDRAW, account_id=account_id, kind=kind, reason=reason, now=tx.now)


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


# --- mails to a whole workspace ---


def add_campaign(
    tx: Transaction,
    *,
    workspace_id: int,
    revision: int,
    kind: str,
    by_name: str,
    required_from: Instant | None,
) -> None:
    """Queue a mail to every teammate; it is expanded in batches. One that still runs there is over."""
    tx.run(_END_CAMPAIGNS, workspace_id=workspace_id, new_done_at=tx.now)
    tx.run(
        _ADD_CAMPAIGN,
        id=new_id(),
        workspace_id=workspace_id,
        revision=revision,
        kind=kind,
        by_name=by_name,
        required_from=required_from,
        after_id=0,
        created_at=tx.now,
        done_at=None,
    )
    tx.mail = True


def keep_campaign(tx: Transaction, workspace_id: int, revision: int) -> None:
    """The policy has another revision, which changes nothing about what the running campaign says."""
    tx.run(_KEEP_CAMPAIGN, workspace_id=workspace_id, new_revision=revision)


def campaign_waits(tx: Transaction) -> bool:
    """Whether some campaign is not finished. Takes no lock."""
    return tx.one(_WAITING_CAMPAIGN) is not None


def next_campaign(tx: Transaction) -> Row | None:
    """The oldest unfinished campaign, locked."""
    return tx.one(_CAMPAIGN)


def advance_campaign(tx: Transaction, campaign_id: int, after_id: int, *, done: bool) -> None:
    """Remember how far a campaign came."""
    tx.run(_ADVANCE, id=campaign_id, new_after_id=after_id, new_done_at=tx.now if done else None)
