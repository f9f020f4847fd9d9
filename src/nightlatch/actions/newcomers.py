"""A new account, made by a link in its own mailbox, and the first session of its person."""

from nightlatch.actions.alerts import browser_of
from nightlatch.actions.beginning import Begun, new_session
from nightlatch.actions.by import By
from nightlatch.actions.tokens import Token
from nightlatch.addresses import Address
from nightlatch.audit.events import account as account_subject
from nightlatch.audit.events import record
from nightlatch.store import accounts, declined, sessions
from nightlatch.store.engine import Transaction
from nightlatch.vocabulary import Credential, Event, Method


def new_account(
    tx: Transaction,
    *,
    by: By,
    address: Address,
    name: str,
    password_hash: str,
    how: str,
) -> By:
    """Make an account for an address that has none (lock it first); who acts from now on. `name` is clean.

    `how`: `invitation` or `sign_up`, for the event.
    """
    account_id = accounts.create(tx, name=name, address=address, password_hash=password_hash)
    new = By("account", account_id, name, by.ip, by.user_agent, browser=by.browser)
    declined.forget(tx, address.key)  # whoever comes by themself, or accepts, takes invitations again
    record(tx, Event.ACCOUNT_CREATED, by=new, subject=account_subject(account_id, name), how=how)
    return new


def first_session(
    tx: Transaction, *, by: By, account_id: int, session_token: Token, kind: Credential
) -> Begun:
    """Sign a new account in with its password and its mailbox."""
    begun = new_session(tx, by, account_id, kind, session_token, pending=False)
    sessions.add_proof(tx, begun.id, Method.PASSWORD)
    sessions.add_proof(tx, begun.id, Method.INVITATION)  # the mailbox: a first binding takes it (law 14)
    sessions.remember_browser(tx, browser_of(by), account_id)
    return begun
