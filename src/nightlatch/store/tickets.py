"""Tickets (the mailed links that let their holder bind), and other mailed links."""

from sqlalchemy import and_, bindparam, delete, or_, select, update

from nightlatch.ids import new_id
from nightlatch.instants import DAY, HOUR, Duration, Instant
from nightlatch.store.engine import Transaction
from nightlatch.store.query import ONE, Query, Row, insert_into
from nightlatch.store.schema import links, tickets
from nightlatch.vocabulary import TicketPurpose

TICKET_LIFE: Duration = 24 * HOUR
MANDATE_TICKETS_KEPT: Duration = 370 * DAY
"""How much longer than other tickets those of a mandate's mails are kept once they have run out: whoever reads the mail
after a year away still comes to a page that mails a fresh one."""

_INSERT = Query(insert_into(tickets))
_BY_TOKEN = Query(select(tickets).where(tickets.c.token_hash == bindparam("token_hash")))
_OPEN = (
    tickets.c.redeemed_at.is_(None),
    tickets.c.ended_at.is_(None),
    tickets.c.expires_at > bindparam("now"),
)
_REDEEM = Query(
    update(tickets)
    .values(redeemed_at=bindparam("now"))
    .where(tickets.c.id == bindparam("id"), tickets.c.account_id == bindparam("account_id"), *_OPEN)
    .returning(tickets.c.id)
)
_END_OPEN = Query(
    update(tickets)
    .values(ended_at=bindparam("now"))
    .where(
        tickets.c.account_id == bindparam("account_id"),
        tickets.c.workspace_id.is_not_distinct_from(
            bindparam("workspace_id", type_=tickets.c.workspace_id.type)
        ),
        tickets.c.redeemed_at.is_(None),
        tickets.c.ended_at.is_(None),
    )
)
_NEWEST_OPEN = Query(
    select(tickets)
    .where(
        tickets.c.account_id == bindparam("account_id"),
        tickets.c.workspace_id.is_not_distinct_from(
            bindparam("workspace_id", type_=tickets.c.workspace_id.type)
        ),
        tickets.c.redeemed_at.is_(None),
        tickets.c.ended_at.is_(None),
        tickets.c.expires_at > bindparam("now"),
    )
    .order_by(tickets.c.created_at.desc(), tickets.c.id)
    .limit(ONE)
)
_END_ALL = Query(
    update(tickets)
    .values(ended_at=bindparam("now"))
    .where(
        tickets.c.account_id == bindparam("account_id"),
        tickets.c.redeemed_at.is_(None),
        tickets.c.ended_at.is_(None),
    )
)

_INSERT_LINK = Query(insert_into(links))
_LINK = Query(
    select(links).where(
        links.c.token_hash == bindparam("token_hash"), links.c.purpose == bindparam("purpose")
    )
)
_SPEND_LINK = Query(
    update(links)
    .values(spent_at=bindparam("now"))
    .where(
        links.c.id == bindparam("id"),
        links.c.spent_at.is_(None),
        links.c.ended_at.is_(None),
        links.c.expires_at > bindparam("now"),
    )
    .returning(links.c.id)
)
_open_of = and_(
    links.c.purpose == bindparam("purpose"), links.c.spent_at.is_(None), links.c.ended_at.is_(None)
)
_ENDED = update(links).values(ended_at=bindparam("now"))
_END_LINKS = Query(_ENDED.where(links.c.account_id == bindparam("account_id"), _open_of))
_END_LINKS_ABOUT = Query(
    _ENDED.where(
        links.c.account_id == bindparam("account_id"), links.c.reference == bindparam("reference"), _open_of
    )
)
_END_LINKS_TO = Query(_ENDED.where(links.c.email_key == bindparam("email_key"), _open_of))
_PRUNE_LINKS = Query(delete(links).where(links.c.expires_at < bindparam("before")))
_PRUNE_TICKETS = Query(
    delete(tickets).where(
        or_(
            tickets.c.expires_at < bindparam("mandates_before"),
            and_(
                tickets.c.expires_at < bindparam("before"), tickets.c.purpose != TicketPurpose.MANDATE.value
            ),
        )
    )
)


# --- tickets ---


def create(
    tx: Transaction,
    *,
    token_hash: bytes,
    account_id: int,
    purpose: TicketPurpose,
    workspace_id: int | None,
    reset_id: int | None = None,
) -> int:
    """A new ticket. Older open ones for the same account and workspace are dead: resending kills the older link."""
    tx.run(_END_OPEN, account_id=account_id, workspace_id=workspace_id, now=tx.now)
    ticket_id = new_id()
    tx.run(
        _INSERT,
        id=ticket_id,
        token_hash=token_hash,
        account_id=account_id,
        purpose=purpose,
        workspace_id=workspace_id,
        reset_id=reset_id,
        created_at=tx.now,
        expires_at=tx.now + TICKET_LIFE,
        redeemed_at=None,
        ended_at=None,
    )
    return ticket_id


def by_token(tx: Transaction, token_hash: bytes) -> Row | None:
    """The ticket of a token, whatever its state."""
    return tx.one(_BY_TOKEN, token_hash=token_hash)


def newest_open(tx: Transaction, account_id: int, workspace_id: int | None) -> Row | None:
    """The ticket that would work now, for one workspace (None: the one that names none)."""
    return tx.one(_NEWEST_OPEN, account_id=account_id, workspace_id=workspace_id, now=tx.now)


def redeem(tx: Transaction, ticket_id: int, account_id: int) -> bool:
    """Spend a ticket: once, in its time, by its account (law 4)."""
    return tx.one(_REDEEM, id=ticket_id, account_id=account_id, now=tx.now) is not None


def end_open(tx: Transaction, account_id: int, workspace_id: int | None) -> None:
    """Kill the open tickets of an account for one workspace (None: those that name none)."""
    tx.run(_END_OPEN, account_id=account_id, workspace_id=workspace_id, now=tx.now)


def end_all(tx: Transaction, account_id: int) -> None:
    """Kill every open ticket of an account."""
    tx.run(_END_ALL, account_id=account_id, now=tx.now)


# --- other mailed links ---

LINK_LIVES: dict[str, Duration] = {
    "password_reset": HOUR,
    "email_confirm": DAY,
    "email_undo": 7 * DAY,
    "unblock": HOUR,
    "lift": DAY,
    "reset_stop": 7 * DAY,
    "sign_up": DAY,
    "notify_confirm": DAY,
    "never_again": 365 * DAY,
    "not_me": 3 * DAY,
}
"""How long each kind of mailed link works."""


def create_link(
    tx: Transaction,
    *,
    token_hash: bytes,
    purpose: str,
    account_id: int | None,
    email: str | None = None,
    email_key: str | None = None,
    reference: int | None = None,
    keep_older: bool = False,
    expires_at: Instant | None = None,
) -> int:
    """A new mailed link; older ones of the same purpose and account are dead. It works for its kind's life, or until
    `expires_at`."""
    if account_id is not None and not keep_older:
        end_links(tx, account_id, purpose)
    link_id = new_id()
    tx.run(
        _INSERT_LINK,
        id=link_id,
        token_hash=token_hash,
        purpose=purpose,
        account_id=account_id,
        email=email,
        email_key=email_key,
        reference=reference,
        created_at=tx.now,
        expires_at=tx.now + LINK_LIVES[purpose] if expires_at is None else expires_at,
        spent_at=None,
        ended_at=None,
    )
    return link_id


def link(tx: Transaction, token_hash: bytes, purpose: str) -> Row | None:
    """The link of a token and purpose, whatever its state."""
    return tx.one(_LINK, token_hash=token_hash, purpose=purpose)


def spend_link(tx: Transaction, link_id: int) -> bool:
    """Spend a link: once, in its time (law 4)."""
    return tx.one(_SPEND_LINK, id=link_id, now=tx.now) is not None


def end_links(tx: Transaction, account_id: int, purpose: str) -> None:
    """Kill an account's open links of a purpose."""
    tx.run(_END_LINKS, account_id=account_id, purpose=purpose, now=tx.now)


def end_links_about(tx: Transaction, account_id: int, purpose: str, reference: int) -> None:
    """Kill an account's open links of a purpose that are about one thing."""
    tx.run(_END_LINKS_ABOUT, account_id=account_id, purpose=purpose, reference=reference, now=tx.now)


def end_links_to(tx: Transaction, email_key: str, purpose: str) -> None:
    """Kill the open links of a purpose that went to an address without an account."""
    tx.run(_END_LINKS_TO, email_key=email_key, purpose=purpose, now=tx.now)


def prune(tx: Transaction, before: Instant) -> int:
    """Delete mailed links and tickets that ran out before an instant."""
    old = before - MANDATE_TICKETS_KEPT
    return tx.run(_PRUNE_LINKS, before=before) + tx.run(_PRUNE_TICKETS, before=before, mandates_before=old)
