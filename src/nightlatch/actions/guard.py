"""Deciding again inside the transaction: what the gate saw may have changed since (law 2)."""

from nightlatch.access import decide
from nightlatch.actions.by import By
from nightlatch.decision import Action, Allow
from nightlatch.refusals import not_found, refusal_of
from nightlatch.store import sessions
from nightlatch.store.engine import Transaction
from nightlatch.store.known import Known, Person, Place, Session
from nightlatch.store.session_facts import read_known


def known(tx: Transaction, by: By) -> Known:
    """What is known of the session now."""
    return read_known(tx, by.token_hash, by.credential)


def allowed(tx: Transaction, by: By, action: Action) -> Known:
    """The facts now, if they still allow the action. Raises Refused: nothing happened.

    Call it after the locks and before the first write. Where the action is one that asks for fresh proof, its kind is
    noted, so that acts of the same kind may follow (design section 7).
    """
    now = known(tx, by)
    decision = decide(now.facts, action)
    if not isinstance(decision, Allow):
        raise refusal_of(decision)
    if action.fresh is not None and now.session is not None:
        sessions.note_act(tx, now.session.id, action.fresh)
    return now


def session_of(known: Known) -> Session:
    """The live session. Raises Refused where there is none."""
    if known.session is None:
        raise not_found()
    return known.session


def person_of(known: Known) -> Person:
    """Whose session it is. Raises Refused where there is none."""
    if known.person is None:
        raise not_found()
    return known.person


def place_of(known: Known, workspace_id: int) -> Place:
    """The workspace, as one of the account's own. Raises Refused where it is none."""
    place = (known.places or {}).get(workspace_id)
    if place is None:
        raise not_found()
    return place
