"""Statements that only a restored database needs: everything that was handed out ends (law 11)."""

from collections.abc import Mapping

from sqlalchemy import bindparam, delete, or_, update

from nightlatch.store.engine import Transaction
from nightlatch.store.query import Query
from nightlatch.store.schema import (
    authenticators,
    browsers,
    campaigns,
    caught_forms,
    enrolments,
    invitations,
    links,
    outbox,
    resets,
    sessions,
    standing,
    teammates,
    tickets,
)
from nightlatch.store.schema_team import tokens
from nightlatch.store.schema_ways import passkey_challenges, remembered_browsers
from nightlatch.vocabulary import Method

_END: Mapping[str, Query] = {
    "sessions": Query(
        update(sessions).values(ended_at=bindparam("now")).where(sessions.c.ended_at.is_(None))
    ),
    "tickets": Query(
        update(tickets)
        .values(ended_at=bindparam("now"))
        .where(tickets.c.redeemed_at.is_(None), tickets.c.ended_at.is_(None))
    ),
    "links": Query(
        update(links)
        .values(ended_at=bindparam("now"))
        .where(links.c.spent_at.is_(None), links.c.ended_at.is_(None))
    ),
    "invitations": Query(
        update(invitations)
        .values(revoked_at=bindparam("now"))
        .where(invitations.c.accepted_at.is_(None), invitations.c.revoked_at.is_(None))
    ),
    "tokens": Query(update(tokens).values(ended_at=bindparam("now")).where(tokens.c.ended_at.is_(None))),
    "mails": Query(
        update(outbox)
        .values(
            next_at=None, leased_until=None, failed_at=bindparam("now"), sealed=None, error=bindparam("why")
        )
        .where(outbox.c.next_at.is_not(None))
    ),
    "campaigns": Query(
        update(campaigns)
        .values(done_at=bindparam("now"))
        .where(
            campaigns.c.done_at.is_(None),
            or_(campaigns.c.due_at.is_(None), campaigns.c.due_at <= bindparam("now")),
        )
    ),
}
_END_WAITING_RESETS = Query(
    update(resets)
    .values(ended_at=bindparam("now"), ended_by="restored")
    .where(resets.c.done_at.is_(None), resets.c.ended_at.is_(None))
)
"""One that was stopped since the backup must not be done."""
_NO_RESET_WAITS = Query(
    update(teammates).values(waiting_reset_id=None).where(teammates.c.waiting_reset_id.is_not(None))
)
_FORGET = tuple(
    Query(delete(table))
    for table in (enrolments, caught_forms, browsers, passkey_challenges, remembered_browsers)
)
_FORGET_INVITED = Query(delete(standing).where(standing.c.account_id.is_(None)))
_RAISE_STEPS = Query(
    update(authenticators)
    .values(highest_step=bindparam("step"))
    .where(
        authenticators.c.method == Method.TOTP.value,
        or_(authenticators.c.highest_step.is_(None), authenticators.c.highest_step < bindparam("step")),
    )
)


def end_everything(tx: Transaction, why: str) -> dict[str, int]:
    """End sessions, tickets, links, invitations and API tokens; withdraw waiting mails. How many of each."""
    ended = {
        name: tx.run(query, **({"now": tx.now, "why": why} if name == "mails" else {"now": tx.now}))
        for name, query in _END.items()
    }
    tx.run(_END_WAITING_RESETS, now=tx.now)
    for query in (_NO_RESET_WAITS, *_FORGET, _FORGET_INVITED):
        tx.run(query)
    return ended


def raise_steps(tx: Transaction, step: int) -> int:
    """Refuse every TOTP step up to this one: codes that were spent after the backup must not work again."""
    return tx.run(_RAISE_STEPS, step=step)
