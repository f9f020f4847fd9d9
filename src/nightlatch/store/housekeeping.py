"""What is no longer needed goes: run hourly, by whichever process comes to it."""

from nightlatch.instants import DAY, HOUR
from nightlatch.store import (
    api_tokens,
    campaigns,
    enrolments,
    forms,
    grants,
    guesses,
    notices,
    outbox,
    passkeys,
    progress,
    remembered,
    sessions,
    sso_flows,
    tickets,
)
from nightlatch.store.engine import Transaction

SESSIONS_KEPT = 7 * DAY
"""After they ran out."""
LINKS_KEPT = 30 * DAY
"""After they ran out: for so long their page still says what became of them."""
TOKENS_KEPT = 30 * DAY
"""After they ran out or were ended: for so long their list says that they ran out."""
NOTICES_KEPT = 400 * DAY
"""Which notice of a mandate went to whom: far longer than a date can be put ahead and its mails be late."""
MAILS_KEPT = 30 * DAY
"""Delivered or given up; what was in them is wiped at once."""


def tidy(tx: Transaction) -> None:
    """Delete what ran out: sessions, enrolments, caught forms, links, sent mails, and counters that merely delay.

    Counters of wrong passwords and codes stay: time alone never gives tries back (law 5).
    """
    sessions.prune(tx, tx.now - SESSIONS_KEPT)
    enrolments.prune(tx)
    forms.prune(tx)
    guesses.forget_older(tx, "source", tx.now - HOUR)
    guesses.forget_older(tx, "sso", tx.now - HOUR)
    guesses.forget_older(tx, "sign_up", tx.now - DAY)
    tickets.prune(tx, tx.now - LINKS_KEPT)
    grants.prune(tx, tx.now - SESSIONS_KEPT)
    api_tokens.prune(tx, tx.now - TOKENS_KEPT)
    outbox.prune(tx, tx.now - MAILS_KEPT)
    campaigns.prune(tx, tx.now - MAILS_KEPT)
    notices.prune(tx, tx.now - NOTICES_KEPT)
    progress.prune(tx)
    passkeys.prune(tx)
    remembered.prune(tx)
    sso_flows.prune(tx)
