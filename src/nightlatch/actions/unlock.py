"""The operator gives a person their tries back (design section 5, laws 5 and 8)."""

from nightlatch.actions.by import By
from nightlatch.actions.mailing import tell_owners_first
from nightlatch.actions.not_me import PURPOSE as NOT_ME
from nightlatch.actions.reasons import clean_reason
from nightlatch.assurance import liftable
from nightlatch.audit.events import account as account_subject
from nightlatch.audit.events import record
from nightlatch.refusals import not_found
from nightlatch.store import accounts, authenticators, guesses, standing, teammates, tickets
from nightlatch.store.engine import Transaction
from nightlatch.store.facts import read_account_facts
from nightlatch.store.locks import lock
from nightlatch.store.query import Row
from nightlatch.vocabulary import Event, Method


def account_unlock(tx: Transaction, *, by: By, account_id: int, reason: str, lost: bool = False) -> None:
    """Lift suspensions by failures and clear the counters of wrong passwords and codes, as break-glass.

    `lost`: also what was marked as lost or contested may be used again.

    The owners of all the person's workspaces are mailed first. Nothing becomes bindable, and every factor is asked for
    as before. Only for the command line. Raises Refused: not found, `invalid` without a reason.
    """
    if by.kind != "operator":
        raise not_found()
    lock(tx, accounts=[account_id])
    account = accounts.by_id(tx, account_id)
    if account is None:
        raise not_found()
    reason = clean_reason(reason, needed=True)
    for membership in teammates.of_account(tx, account_id):
        what = f"Give {account.name} new tries to sign in"
        tell_owners_first(tx, by, membership.workspace_id, what, reason)
    _lift(tx, by, account, lost=lost)
    _clear(tx, account)
    standing.refresh(tx, account_id)
    record(
        tx, Event.ACCOUNT_UNLOCKED, by=by, subject=account_subject(account.id, account.name), reason=reason
    )


# --- inside ---


def _lift(tx: Transaction, by: By, account: Row, *, lost: bool) -> None:
    bound = read_account_facts(tx, account.id).authenticators
    suspended = [each for each in bound if (each.suspended if lost else liftable(each))]
    for each in suspended:
        if lost:
            authenticators.find(tx, each.id)
            tickets.end_links_about(tx, account.id, NOT_ME, each.id)
        else:
            authenticators.lift(tx, each.id)
    for method in sorted({each.method for each in suspended}):
        record(
            tx,
            Event.AUTHENTICATOR_LIFTED,
            by=by,
            subject=account_subject(account.id, account.name),
            method=method,
        )
    tickets.end_links(tx, account.id, "lift")


def _clear(tx: Transaction, account: Row) -> None:
    for method in (Method.TOTP, Method.RECOVERY_CODE):
        guesses.clear(tx, method, str(account.id))
    guesses.clear(tx, "password", account.email_key)
    guesses.clear_beginning(tx, "password_known", f"{account.email_key} ")
