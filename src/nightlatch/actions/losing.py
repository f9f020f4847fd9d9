"""Marking one's own authenticator as lost, with any other second factor; and using it again (design section 7).

It is suspended at once where this session is open, and what was shown with it before counts no more there. For 24 hours
the limits of a recovery code hold for what is left: a weaker factor must not make the strongest one go and then do
what only that one could.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import TypeAlias

from nightlatch.access import decide_account, decide_workspace
from nightlatch.actions import kinds
from nightlatch.actions.binding import LIMITED_FOR
from nightlatch.actions.by import By
from nightlatch.actions.guard import allowed, person_of, session_of
from nightlatch.actions.mailing import mail_account
from nightlatch.actions.not_me import PURPOSE
from nightlatch.actions.remembering import forget
from nightlatch.assurance import MAX_AGE, counting, fresh, fresh_methods, relied_on, touches
from nightlatch.audit.events import account as account_subject
from nightlatch.audit.events import record
from nightlatch.decision import Allow, Challenge
from nightlatch.facts import EVERYWHERE, Authenticator, AuthenticatorId, Facts, WorkspaceId
from nightlatch.refusals import Code, Refused, WayOut, not_found, refusal_of
from nightlatch.store import accounts, authenticators, sessions, standing, tickets
from nightlatch.store.engine import Transaction
from nightlatch.store.known import Known
from nightlatch.store.locks import lock
from nightlatch.store.query import Row
from nightlatch.vocabulary import Event, Method, Reason

Plane: TypeAlias = WorkspaceId | None


@dataclass(frozen=True, slots=True)
class _Own:
    """What an act is about: read under the account's lock."""

    known: Known
    account: Row
    row: Row
    bound: Authenticator


def may_mark_lost(facts: Facts, authenticator_id: AuthenticatorId) -> list[Plane]:
    """Where this session may mark it as lost now. Raises Refused: why nowhere, and the way on."""
    lost = facts.authenticator(authenticator_id)
    if lost is None or lost.method is Method.RECOVERY_CODE:
        raise not_found()
    without, relying = _as_if_lost(facts, lost), _relying(facts, lost)
    if not relying:
        raise Refused(
            Code.CONFLICT,
            "No workspace relies on it any more. You can remove it.",
            WayOut("See your settings.", "/settings/user"),
        )
    marked = _opened_freshly(without, relying)
    if marked:
        return marked
    for plane in relying:
        methods = fresh_methods(without, plane, recovery=True)
        if methods:
            raise refusal_of(Challenge(Reason.FRESHNESS, methods, max_age=MAX_AGE, workspace=plane))
    raise Refused(
        Code.CONFLICT,
        "It is the only second step that you have: nothing would let you in without it.",
        WayOut("See how to get help.", "/recover"),
    )


def mark_lost(tx: Transaction, *, by: By, authenticator_id: AuthenticatorId) -> None:
    """Suspend one of one's own where this session is open, shown with another second factor; mailed.

    Raises Refused: what the gate raises (fresh proof with *another* second factor), `not_found`, `conflict` where there
    is no other.
    """
    own = _locked(tx, by, authenticator_id)
    facts, lost = own.known.facts, own.bound
    marked = may_mark_lost(facts, lost.id)
    if set(_relying(facts, lost)) <= set(marked):
        authenticators.contest(tx, lost.id)
        sessions.forget_proofs_of(tx, own.account.id, lost.id)
    else:
        for plane in marked:
            authenticators.lose(tx, lost.id, plane or 0)
    for each in _limited_by_it(facts, lost, marked):
        authenticators.limit(tx, each.id, tx.now + LIMITED_FOR)
    sessions.note_act(tx, session_of(own.known).id, "authenticators")
    _tell(tx, by, own, Event.AUTHENTICATOR_LOST, "authenticator_lost")


def found(tx: Transaction, *, by: By, authenticator_id: AuthenticatorId) -> None:
    """Use one's own again that was lost or contested, shown with another second factor; mailed.

    What was contested, or lost everywhere, takes a session to which everything is open that relies on it. Raises
    Refused: what the gate raises, `not_found`, `conflict` where it is neither.
    """
    own = _locked(tx, by, authenticator_id)
    facts, lost = own.known.facts, own.bound
    if not lost.lost:
        raise Refused(
            Code.CONFLICT,
            "It is not paused like that.",
            WayOut("See your settings.", "/settings/user"),
        )
    if lost.lost.everywhere:
        allowed(tx, by, replace(kinds.CHANGE_AUTHENTICATOR, reach=touches(lost), recovery=True))
        authenticators.find(tx, lost.id)
    else:
        for plane in [each for each in may_mark_lost(facts, lost.id) if each in lost.lost.workspaces]:
            authenticators.find_in(tx, lost.id, plane or 0)
    tickets.end_links_about(tx, own.account.id, PURPOSE, lost.id)
    sessions.note_act(tx, session_of(own.known).id, "authenticators")
    _tell(tx, by, own, Event.AUTHENTICATOR_LIFTED, "authenticator_found")


# --- inside ---


def _locked(tx: Transaction, by: By, authenticator_id: AuthenticatorId) -> _Own:
    lock(tx, accounts=[by.id] if by.id is not None else [])
    known = allowed(tx, by, kinds.READ_ACCOUNT)
    account = accounts.by_id(tx, person_of(known).id)
    row = authenticators.by_id(tx, authenticator_id, person_of(known).id)
    bound = known.facts.authenticator(authenticator_id)
    if account is None or row is None or bound is None:
        raise not_found()
    return _Own(known, account, row, bound)


def _as_if_lost(facts: Facts, lost: Authenticator) -> Facts:
    """The facts as they would be without it: what was shown with it must not count for its own going."""
    gone = replace(lost, suspended=EVERYWHERE, lost=EVERYWHERE)
    return replace(
        facts,
        authenticators=tuple(gone if each.id == lost.id else each for each in facts.authenticators),
    )


def _relying(facts: Facts, bound: Authenticator) -> list[Plane]:
    planes: list[Plane] = [each.workspace for each in facts.teammates] or [None]
    return [plane for plane in planes if bound in relied_on(facts, plane)]


def _opened_freshly(without: Facts, relying: Collection[Plane]) -> list[Plane]:
    return [
        plane
        for plane in relying
        if isinstance(_decision(without, plane), Allow)
        and fresh(without, plane, "authenticators", MAX_AGE, recovery=True)
    ]


def _decision(facts: Facts, plane: Plane) -> object:
    return decide_workspace(facts, plane) if plane is not None else decide_account(facts)


def _limited_by_it(facts: Facts, lost: Authenticator, marked: list[Plane]) -> list[Authenticator]:
    """What was shown here in its place, and whatever else counts nowhere but where it was marked as lost.

    What also counts where this session is not open is left alone, unless it was shown: nobody's limits change there.
    """
    shown = {proof.authenticator for plane in marked for proof in counting(facts, plane)}
    return [
        each
        for each in facts.authenticators
        if each.id != lost.id
        and (each.id in shown or ((relying := set(_relying(facts, each))) and relying <= set(marked)))
    ]


def _tell(tx: Transaction, by: By, own: _Own, event: Event, mail: str) -> None:
    forget(tx, by, own.account.id, own.account.name, how="authenticators")
    standing.refresh(tx, own.account.id)
    subject = account_subject(own.account.id, own.account.name)
    record(tx, event, by=by, subject=subject, method=own.row.method, name=own.row.name)
    mail_account(tx, mail, own.account, by=by, name=own.row.name, method=own.row.method)
