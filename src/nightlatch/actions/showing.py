"""What follows a second factor that was right, whatever its method: at sign-in, or again to step up."""

from dataclasses import dataclass

from nightlatch.access import decide_account
from nightlatch.actions import guard, help_closing
from nightlatch.actions.by import By
from nightlatch.actions.guard import person_of
from nightlatch.actions.proving import Proved, accept, proved
from nightlatch.actions.reset_ending import second_step_shown
from nightlatch.actions.tokens import Token
from nightlatch.assurance import liftable
from nightlatch.audit.events import account as account_subject
from nightlatch.audit.events import record
from nightlatch.budget import Counter
from nightlatch.decision import Challenge
from nightlatch.store import authenticators, guesses, tickets
from nightlatch.store.engine import Transaction
from nightlatch.store.known import Known
from nightlatch.vocabulary import Event, Method


@dataclass(frozen=True, slots=True)
class Shown:
    """With what it was given."""

    method: Method
    authenticator_id: int
    verified: bool = True
    """Of a passkey: whether it verified its user."""


def clear(tx: Transaction, known: Known, method: Method, counter: Counter) -> None:
    """Only a success with a method clears its counter (law 5)."""
    if counter.failures:
        guesses.clear(tx, method, str(person_of(known).id))


def succeeded(
    tx: Transaction, by: By, known: Known, shown: Shown, token: Token, *, signs_in: bool = False
) -> Proved:
    """Record the proof; the session has a new token. `signs_in`: a whole sign-in, whatever was open before."""
    person = person_of(known)
    was_open = not signs_in and not isinstance(decide_account(known.facts), Challenge)
    if shown.method is not Method.TOTP:
        authenticators.used(tx, shown.authenticator_id)
    if any(map(liftable, known.facts.authenticators)):
        _lift_others(tx, by, known)
        known = guard.known(tx, by)
    after = proved(tx, known, shown.method, shown.authenticator_id, verified=shown.verified)
    accepted = accept(tx, by, after, token)
    second_step_shown(tx, by, accepted.known, shown.authenticator_id)
    half = signs_in and isinstance(decide_account(accepted.known.facts), Challenge)
    event = Event.SIGN_IN_HALF_DONE if half else Event.SIGN_IN_SUCCEEDED
    record(
        tx,
        Event.STEP_UP_SUCCEEDED if was_open else event,
        by=by,
        subject=account_subject(person.id, person.name),
        method=shown.method,
    )
    help_closing.used(tx, by=by, account_id=person.id, name=person.name, method=shown.method)
    return accepted


def _lift_others(tx: Transaction, by: By, known: Known) -> None:
    """A right second factor ends suspensions by failures, and gives the suspended methods their tries back."""
    person = person_of(known)
    lifted = {each.method for each in known.facts.authenticators if liftable(each)}
    for each in known.facts.authenticators:
        if liftable(each):
            authenticators.lift(tx, each.id)
    for method in sorted(lifted):
        guesses.clear(tx, method, str(person.id))
        tickets.end_links(tx, person.id, "lift")
        record(
            tx,
            Event.AUTHENTICATOR_LIFTED,
            by=by,
            subject=account_subject(person.id, person.name),
            method=method,
        )
