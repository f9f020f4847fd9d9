"""What a workspace is told when an account changes: what it can rely on, and what it knows the person by.

An account's own events are the person's and the operator's to read. Where a change alters what a workspace sees, the
workspace gets an event of its own, so that its evidence can be rebuilt from its own events alone (audit/evidence.py).
"""

from collections.abc import Iterable

from nightlatch.actions.by import By
from nightlatch.actions.exceptions_ending import end_of_person
from nightlatch.assurance import enrolled, ready, relied
from nightlatch.audit.events import account as account_subject
from nightlatch.audit.events import record
from nightlatch.facts import Authenticator, Facts, WorkspaceId
from nightlatch.refusals import not_found
from nightlatch.store import accounts, teammates
from nightlatch.store.engine import Transaction
from nightlatch.store.facts import read_account_facts
from nightlatch.store.query import Row
from nightlatch.vocabulary import Event, Method, Role


def note_joined(tx: Transaction, *, by: By, account_id: int, workspace_id: WorkspaceId, role: Role) -> None:
    """Somebody is a teammate now: as what, and by which address."""
    account = accounts.by_id(tx, account_id)
    if account is None:
        raise not_found()
    record(
        tx,
        Event.TEAMMATE_JOINED,
        by=by,
        subject=account_subject(account.id, account.name),
        workspace_id=workspace_id,
        role=role,
        email=account.email,
    )


def note_secured(tx: Transaction, *, by: By, account: Row, facts: Facts, workspace_id: WorkspaceId) -> None:
    """The workspace relies on something of the person now: by which methods. `account`: id and name.

    More time without 2FA, if they had any, ends with it.
    """
    end_more_time(tx, by=by, account=account, facts=facts, workspace_id=workspace_id)
    record(
        tx,
        Event.TEAMMATE_SECURED,
        by=by,
        subject=account_subject(account.id, account.name),
        workspace_id=workspace_id,
        methods=sorted(methods_in(facts.authenticators, workspace_id)),
    )


def note_methods(
    tx: Transaction, *, by: By, account: Row, before: Facts, after: Facts, workspace_id: WorkspaceId
) -> None:
    """The workspace is told where it relies on other methods than before: on which, or on none any more.

    A passkey beside an app is such a change: it may be what is required there, and evidence names the methods.
    """
    here = methods_in(after.authenticators, workspace_id)
    if here == methods_in(before.authenticators, workspace_id):
        return
    if here:
        note_secured(tx, by=by, account=account, facts=after, workspace_id=workspace_id)
    else:
        subject = account_subject(account.id, account.name)
        record(tx, Event.TEAMMATE_UNSECURED, by=by, subject=subject, workspace_id=workspace_id)


def methods_in(authenticators: Iterable[Authenticator], workspace_id: WorkspaceId) -> set[Method]:
    """By which methods a person has 2FA in a workspace; recovery codes alone are none."""
    return {each.method for each in authenticators if relied(each, workspace_id)} - {Method.RECOVERY_CODE}


def end_more_time(tx: Transaction, *, by: By, account: Row, facts: Facts, workspace_id: WorkspaceId) -> None:
    """More time without what a workspace requires ends as soon as a person has it."""
    if ready(facts, workspace_id):
        end_of_person(
            tx, by=by, account_id=account.id, name=account.name, workspace_id=workspace_id, why="set_up"
        )


def note_if_secured(tx: Transaction, *, by: By, account_id: int, workspace_id: WorkspaceId) -> None:
    """The same for somebody who has just come, or come back, and may have brought 2FA that counts there."""
    account, facts = accounts.by_id(tx, account_id), read_account_facts(tx, account_id)
    if account is not None and enrolled(facts.authenticators, workspace_id):
        note_secured(tx, by=by, account=account, facts=facts, workspace_id=workspace_id)


def note_changed(tx: Transaction, *, by: By, account_id: int) -> None:
    """Every workspace of the account is told the name and address that it knows the person by from now on."""
    account = accounts.by_id(tx, account_id)
    if account is None:
        return
    for membership in teammates.of_account(tx, account_id):
        record(
            tx,
            Event.TEAMMATE_CHANGED,
            by=by,
            subject=account_subject(account.id, account.name),
            workspace_id=membership.workspace_id,
            email=account.email,
        )
