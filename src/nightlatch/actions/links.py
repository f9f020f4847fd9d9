"""Mailed links that are neither tickets nor invitations: alive or not, and spending them (law 4)."""

from nightlatch.refusals import Code, Refused, WayOut
from nightlatch.store import tickets
from nightlatch.store.engine import Transaction
from nightlatch.store.query import Row


def live_link(tx: Transaction, token_hash: bytes, purpose: str, again: WayOut) -> Row:
    """The link, if it still works. Reads only: opening a link changes nothing.

    Raises Refused: `already_used`, else `expired`, also for a token that never was one.
    """
    row = tickets.link(tx, token_hash, purpose)
    if row is not None and row.spent_at is not None:
        raise used(again)
    if row is None or row.account_id is None or row.ended_at is not None or row.expires_at <= tx.now:
        raise Refused(Code.EXPIRED, "This link no longer works.", again)
    return row


def spend(tx: Transaction, row: Row, again: WayOut) -> None:
    """Spend it, once. Raises Refused where somebody else was first."""
    if not tickets.spend_link(tx, row.id):
        raise used(again)


def used(again: WayOut) -> Refused:
    """The refusal of a link that has done what it was for."""
    return Refused(Code.ALREADY_USED, "This link was used already.", again)
