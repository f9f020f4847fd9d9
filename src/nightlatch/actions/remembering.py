"""Remembered browsers: where nothing is required, a browser that showed the second step need not show it again there.

A remembered browser is no factor (`Method.REMEMBERED`): it spares the second step after the person's own first factor,
in the workspaces that let it, and nothing else. Any change of the person's authenticators, password or e-mail forgets
them all (docs/decisions/0034-remembered-browsers.md).
"""

from dataclasses import dataclass

from nightlatch.access import decide_workspace
from nightlatch.actions import kinds
from nightlatch.actions.by import By
from nightlatch.actions.guard import allowed, person_of
from nightlatch.assurance import counting, limited
from nightlatch.audit.events import account as account_subject
from nightlatch.audit.events import record
from nightlatch.decision import Allow
from nightlatch.facts import Facts, WorkspaceId
from nightlatch.instants import DAY, Instant
from nightlatch.instants import to_text as instant_text
from nightlatch.refusals import invalid, not_found
from nightlatch.store import remembered, sessions
from nightlatch.store.engine import Transaction
from nightlatch.store.known import Known
from nightlatch.store.locks import lock
from nightlatch.store.query import Row
from nightlatch.vocabulary import SECOND_FACTORS, Credential, Event, Method


@dataclass(frozen=True, slots=True)
class Offer:
    """Where the second step could be spared from now on, and for how many days at most."""

    workspaces: tuple[str, ...]
    days: int


@dataclass(frozen=True, slots=True)
class Remembered:
    """One browser in one workspace, as the person sees it."""

    id: int
    slug: str
    workspace_name: str
    ip: str
    user_agent: str
    created_at: Instant
    last_used_at: Instant | None
    expires_at: Instant
    current: bool
    """It is this browser."""


# --- at the second step ---


def offer(tx: Transaction, *, by: By, known: Known) -> Offer | None:
    """What the second step's page may offer this browser; None where no workspace lets it. Reads only."""
    rows = _allowing(tx, by, known)
    if not rows:
        return None
    return Offer(tuple(row.name for row in rows), max(row.remember_for for row in rows) // DAY)


def refuse_program(by: By) -> None:
    """Only a browser is remembered: it has a cookie of its own. Raises Refused (422)."""
    if not _is_browser(by):
        raise invalid("remember", "Only a browser can be remembered, not a program with a token.")


def remember(tx: Transaction, by: By, known: Known, authenticator_id: int) -> None:
    """Remember this browser wherever the second factor that was shown just now counts and the workspace lets it be.

    Not where a recovery code, or what was bound with one less than a day ago, is all that opens it. Called in the
    transaction of that proof, under the account's lock.
    """
    person = person_of(known)
    for row in _allowing(tx, by, known):
        if by.browser is None or not _counts(known.facts, row.id, authenticator_id):
            continue
        until = tx.now + row.remember_for
        remembered.keep(
            tx,
            account_id=person.id,
            workspace_id=row.id,
            browser=by.browser,
            ip=by.ip,
            user_agent=by.user_agent[:400],
            expires_at=until,
        )
        subject = account_subject(person.id, person.name)
        record(
            tx,
            Event.BROWSER_REMEMBERED,
            by=by,
            subject=subject,
            workspace_id=row.id,
            ends_at=instant_text(until),
        )


def recognise(tx: Transaction, by: By, kind: Credential, account_id: int, session_id: int) -> None:
    """After a right first factor, under the account's lock: note in the new session where this browser is remembered.

    Never for a program. Whether that spares anything is decided with every request.
    """
    if kind is not Credential.COOKIE or by.browser is None:
        return
    for row in remembered.of_browser(tx, account_id, by.browser):
        sessions.add_proof(tx, session_id, Method.REMEMBERED, workspace_id=row.workspace_id, supersedes=False)
        remembered.used(tx, row.id)


# --- seeing and forgetting ---


def own(tx: Transaction, *, by: By) -> list[Remembered]:
    """Where the person of the session is not asked again, the newest first. Reads only. Raises Refused."""
    account_id = person_of(allowed(tx, by, kinds.READ_ACCOUNT)).id
    return [_own(row, by) for row in remembered.of_account(tx, account_id)]


def forget_one(tx: Transaction, *, by: By, remembered_id: int) -> None:
    """Forget one of one's own. It bites the very next request of sessions that came in by it. Raises Refused."""
    lock(tx, accounts=[by.id] if by.id is not None else [])
    person = person_of(allowed(tx, by, kinds.END_SESSIONS))
    if not remembered.end_one(tx, person.id, remembered_id):
        raise not_found()
    subject = account_subject(person.id, person.name)
    record(tx, Event.BROWSER_FORGOTTEN, by=by, subject=subject, count=1, how="by the person")


def forget_all(tx: Transaction, *, by: By) -> int:
    """Forget all of one's own; how many. Raises Refused."""
    lock(tx, accounts=[by.id] if by.id is not None else [])
    person = person_of(allowed(tx, by, kinds.END_SESSIONS))
    return forget(tx, by, person.id, person.name, how="by the person")


def forget(
    tx: Transaction, by: By, account_id: int, name: str, *, how: str, workspace_id: WorkspaceId | None = None
) -> int:
    """Forget all of a person's, in one workspace or in every one, because of something else; how many.

    Called under the account's lock by whatever changes authenticators, password, e-mail or membership.
    """
    count = remembered.end(tx, account_id, workspace_id)
    if count:
        record(
            tx,
            Event.BROWSER_FORGOTTEN,
            by=by,
            subject=account_subject(account_id, name),
            workspace_id=workspace_id,
            count=count,
            how=how,
        )
    return count


# --- inside ---


def _is_browser(by: By) -> bool:
    return by.credential is Credential.COOKIE and by.browser is not None


def _allowing(tx: Transaction, by: By, known: Known) -> list[Row]:
    """The workspaces that would let it be: none for a program, nor for whom a product keeps (who signs in there)."""
    person = known.person
    if person is None or person.app_id is not None or not _is_browser(by):
        return []
    return remembered.allowing(tx, person.id)


def _counts(facts: Facts, workspace_id: WorkspaceId, authenticator_id: int) -> bool:
    return (
        any(
            proof.authenticator == authenticator_id
            and proof.method in SECOND_FACTORS - {Method.RECOVERY_CODE}
            for proof in counting(facts, workspace_id)
        )
        and isinstance(decide_workspace(facts, workspace_id), Allow)
        and not limited(facts, workspace_id)
    )


def _own(row: Row, by: By) -> Remembered:
    return Remembered(
        row.id,
        row.slug,
        row.name,
        row.ip,
        row.user_agent,
        row.created_at,
        row.last_used_at,
        min(row.expires_at, row.created_at + row.remember_for),
        by.browser is not None and row.browser == by.browser,
    )
