"""Enrolling an authenticator app: begin, look again, confirm. A pending enrolment is its own session's alone."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from nightlatch.access import enrol_reach
from nightlatch.actions import kinds
from nightlatch.actions.binding import (
    Binding,
    Bound,
    action_for,
    complete,
    may_begin,
    prepare,
    taken_over,
    wanted_codes,
)
from nightlatch.actions.binding import Confirmed as Confirmed
from nightlatch.actions.binding import HashedCode as HashedCode
from nightlatch.actions.by import By
from nightlatch.actions.giving_up import locked_with_workspaces, refuse_giving_up
from nightlatch.actions.guard import allowed, person_of, session_of
from nightlatch.actions.tokens import Token
from nightlatch.authenticators import totp
from nightlatch.facts import Authenticator
from nightlatch.ids import new_id, to_text
from nightlatch.instants import Instant
from nightlatch.names import clean_name
from nightlatch.refusals import Code, Refused, WayOut, not_found
from nightlatch.store import authenticators, enrolments
from nightlatch.store.engine import Transaction
from nightlatch.store.locks import lock
from nightlatch.vocabulary import PHISHING_RESISTANT, Method


@dataclass(frozen=True, slots=True)
class Pending:
    """A pending enrolment, for the page of its own session."""

    id: int
    seed: bytes
    name: str
    account: str
    replaces: int | None
    workspace_id: int | None
    expires_at: Instant

    def __repr__(self) -> str:
        return f"Pending({self.id})"


@dataclass(frozen=True, slots=True)
class NotConfirmed:
    """The code was not right. `drift` is how many steps away it would have been right: the phone's clock is off."""

    drift: int | None


def begin(tx: Transaction, *, by: By, name: str, replaces: int | None, workspace_id: int | None) -> Pending:
    """Begin enrolling; an older pending enrolment of this session is gone, other sessions' are not touched.

    Raises Refused: the gate's, `not_found`, `conflict` (too many already); `mandated`, `last_owner` where it would take
    the place of a passkey that has to stay.
    """
    _lock(tx, by, replaces)
    known = may_begin(tx, by, replaces, workspace_id)
    _keep_what_is_required(tx, by, replaces)
    seed, id = totp.new_seed(secrets.token_bytes), new_id()
    enrolments.begin(
        tx,
        id=id,
        session_id=session_of(known).id,
        account_id=person_of(known).id,
        sealed=tx.keys.seal("enrolments", to_text(id), seed),
        name=clean_name(name) if name.strip() else "Authenticator app",
        replaces=replaces,
        workspace_id=workspace_id,
    )
    pending = current(tx, by=by)
    if pending is None:
        raise not_found()
    return pending


def current(tx: Transaction, *, by: By) -> Pending | None:
    """The session's pending enrolment, so that a reload draws the same QR again. Reads only."""
    known = allowed(tx, by, kinds.SEE_SESSION)
    person = person_of(known)
    row = enrolments.of_session(tx, session_of(known).id, person.id)
    if row is None:
        return None
    seed = tx.keys.open("enrolments", to_text(row.id), row.sealed)
    return Pending(row.id, seed, row.name, person.email, row.replaces, row.workspace_id, row.expires_at)


def takes_codes(tx: Transaction, *, by: By, enrolment_id: int, code: str) -> bool:
    """Whether confirming with this code would want new recovery codes (they are hashed outside the transaction)."""
    known = allowed(tx, by, kinds.SEE_SESSION)
    pending = _own(tx, by, enrolment_id)
    right = totp.verify(pending.seed, code, tx.now, None).outcome is totp.Outcome.ACCEPTED
    return right and wanted_codes(known, pending.replaces)


def confirm(
    tx: Transaction, *, by: By, enrolment_id: int, code: str, codes: Sequence[HashedCode], token: Token
) -> Confirmed | NotConfirmed:
    """Bind it, with its first code. `code` is canonical. Raises Refused.

    A wrong code is not charged: its seed is on the person's own screen, so there is nothing to guess.
    """
    _lock(tx, by, _own(tx, by, enrolment_id).replaces)
    pending = _own(tx, by, enrolment_id)
    binding = prepare(tx, by, pending.replaces, pending.workspace_id)
    _keep_what_is_required(tx, by, pending.replaces)
    verdict = totp.verify(pending.seed, code, tx.now, None)
    if verdict.step is None:
        return NotConfirmed(totp.drift(pending.seed, code, tx.now))
    if binding is None or not enrolments.take(tx, pending.id, binding.session_id, binding.account.id):
        raise not_found()
    bound = _bind(tx, binding, pending, verdict.step)
    return complete(tx, by, binding, bound, codes, token)


# --- inside ---


def _lock(tx: Transaction, by: By, replaces: int | None) -> None:
    """The account; whoever gives something up for it is asked whether others have it, so the workspaces first."""
    if replaces is not None:
        locked_with_workspaces(tx, by)
    elif by.id is not None:
        lock(tx, accounts=[by.id])


def _keep_what_is_required(tx: Transaction, by: By, replaces: int | None) -> None:
    """An app takes the place of no passkey that is required, nor of the only one among the owners (law 8)."""
    if replaces is None:
        return
    known = allowed(tx, by, kinds.SEE_SESSION)
    old = known.facts.authenticator(replaces)
    if old is None or old.method not in PHISHING_RESISTANT:
        return
    reach = enrol_reach(known.facts, action_for(replaces))
    where = taken_over(known.facts, old, reach)
    refuse_giving_up(tx, known, old, where=where, instead=Authenticator(0, Method.TOTP, reach))


def _own(tx: Transaction, by: By, enrolment_id: int) -> Pending:
    pending = current(tx, by=by)
    if pending is None or pending.id != enrolment_id:
        raise Refused(
            Code.EXPIRED,
            "This set-up is over, or was begun anew. Scan the code that the page shows now.",
            WayOut("Begin again.", "/set-up"),
        )
    return pending


def _bind(tx: Transaction, binding: Binding, pending: Pending, step: int) -> Bound:
    id = new_id()
    authenticators.bind(
        tx,
        id=id,
        account_id=binding.account.id,
        method=Method.TOTP,
        name=pending.name,
        reach=binding.reach,
        sealed=tx.keys.seal("authenticators", to_text(id), pending.seed),
        highest_step=step,
        limited_until=binding.limited_until,
    )
    return Bound(id, Method.TOTP, pending.name)
