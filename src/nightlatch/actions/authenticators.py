"""A person's own authenticators: seeing them, taking one away, new recovery codes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from nightlatch.access import enrol_reach
from nightlatch.actions import kinds
from nightlatch.actions.binding import HashedCode, covered
from nightlatch.actions.by import By
from nightlatch.actions.guard import allowed, person_of, place_of, session_of
from nightlatch.actions.mailing import mail_account
from nightlatch.actions.not_me import not_me_link
from nightlatch.actions.recovery_sets import drop_orphaned
from nightlatch.actions.remembering import forget
from nightlatch.actions.standing_notes import note_methods
from nightlatch.actions.tokens import Token
from nightlatch.assurance import counts_somewhere, ready, relied, touches, usable
from nightlatch.audit.events import account as account_subject
from nightlatch.audit.events import record
from nightlatch.facts import Authenticator, Facts, Teammate
from nightlatch.ids import to_text
from nightlatch.instants import Instant
from nightlatch.names import clean_name
from nightlatch.policy import ProofStrength
from nightlatch.refusals import Code, Refused, WayOut, not_found
from nightlatch.store import accounts, authenticators, guesses, sessions, standing, teammates
from nightlatch.store.engine import Transaction
from nightlatch.store.known import Known, Place
from nightlatch.store.locks import lock
from nightlatch.vocabulary import PHISHING_RESISTANT, Event, Method, Role


@dataclass(frozen=True, slots=True)
class Listed:
    """One authenticator, as its owner sees it."""

    id: int
    method: Method
    name: str
    bound_at: Instant
    last_used_at: Instant | None
    suspended: bool
    lost: bool
    """Marked as lost, or contested: only another second factor, a reset or the operator brings it back."""
    codes_left: int | None
    """For a set of recovery codes: how many are unspent."""


def own(tx: Transaction, *, by: By) -> list[Listed]:
    """Everything bound to the account of the session. Reads only; no secret is in it.

    A set of recovery codes that counts nowhere any more (after a reset, say) is left out: nothing can be done with it.
    """
    known = allowed(tx, by, kinds.READ_ACCOUNT)
    account_id = person_of(known).id
    return [
        Listed(
            row.id,
            Method(row.method),
            row.name,
            row.bound_at,
            row.last_used_at,
            bool(bound.suspended) if (bound := known.facts.authenticator(row.id)) is not None else False,
            bool(bound.lost) if bound is not None else False,
            authenticators.codes_left(tx, row.id) if row.method == Method.RECOVERY_CODE else None,
        )
        for row in authenticators.of_account(tx, account_id)
        if row.method != Method.RECOVERY_CODE or _counts_somewhere(known.facts, row.id)
    ]


def mandated_by(facts: Facts, authenticator_id: int) -> list[int]:
    """The workspaces whose mandate in force would be broken by taking this authenticator away."""
    gone = facts.authenticator(authenticator_id)
    if gone is None or gone.method is Method.RECOVERY_CODE:
        return []
    rest = [
        each
        for each in facts.authenticators
        if each.id != gone.id and each.method is not Method.RECOVERY_CODE
    ]

    def left(teammate: Teammate) -> bool:
        only_passkeys = teammate.mandate.resistant(facts.now)
        return any(
            usable(other, teammate.workspace) and (not only_passkeys or other.method in PHISHING_RESISTANT)
            for other in rest
        )

    return [
        each.workspace
        for each in facts.teammates
        if each.mandate.in_force(facts.now) and relied(gone, each.workspace) and not left(each)
    ]


def unbind(tx: Transaction, *, by: By, authenticator_id: int) -> None:
    """Take one of one's own authenticators away. Raises Refused: `mandated`, `last_owner`, step-up, not found."""
    known = _locked(tx, by)
    gone = known.facts.authenticator(authenticator_id)
    if gone is None or gone.method is Method.RECOVERY_CODE:
        raise not_found()
    known = allowed(tx, by, replace(kinds.CHANGE_AUTHENTICATOR, reach=touches(gone)))
    _refuse_if_mandated(known, gone)
    _keep_an_owner(tx, known, gone)
    account = accounts.by_id(tx, person_of(known).id)
    row = authenticators.by_id(tx, gone.id, person_of(known).id)
    if account is None or row is None or not authenticators.unbind(tx, gone.id, account.id):
        raise not_found()
    rest = [each for each in known.facts.authenticators if each.id != gone.id]
    drop_orphaned(tx, account.id, known.facts, rest)
    guesses.clear(tx, gone.method, str(account.id))
    sessions.end_others(tx, account.id, keep=session_of(known).id)
    forget(tx, by, account.id, account.name, how="authenticators")
    standing.refresh(tx, account.id)
    subject = account_subject(account.id, account.name)
    record(tx, Event.AUTHENTICATOR_UNBOUND, by=by, subject=subject, method=gone.method, name=row.name)
    before, after = known.facts, replace(known.facts, authenticators=tuple(rest))
    for teammate in before.teammates:
        note_methods(tx, by=by, account=account, before=before, after=after, workspace_id=teammate.workspace)
    not_me = not_me_link(tx, account.id, None)
    mail_account(
        tx,
        "authenticator_unbound",
        account,
        by=by,
        name=row.name,
        method=gone.method.value,
        not_me_link=not_me,
    )


def rename(tx: Transaction, *, by: By, authenticator_id: int, name: str) -> str:
    """Call one of one's own by another name. Raises Refused: the gate's, `not_found`, `invalid`."""
    lock(tx, accounts=[by.id] if by.id is not None else [])
    known = allowed(tx, by, kinds.READ_ACCOUNT)
    person, named = person_of(known), clean_name(name)
    row = authenticators.by_id(tx, authenticator_id, person.id)
    if row is None or row.method == Method.RECOVERY_CODE:
        raise not_found()
    if row.name != named and authenticators.rename(tx, authenticator_id, person.id, named):
        record(
            tx,
            Event.AUTHENTICATOR_RENAMED,
            by=by,
            subject=account_subject(person.id, person.name),
            method=row.method,
            name=named,
            former_name=row.name,
        )
    return named


def renew_codes(tx: Transaction, *, by: By, codes: Sequence[HashedCode], token: Token) -> Token:
    """Ten new recovery codes; the old set of the same reach is dead. The session's token is replaced."""
    lock(tx, accounts=[by.id] if by.id is not None else [])
    known = allowed(tx, by, kinds.ENROL)
    account, reach = accounts.by_id(tx, person_of(known).id), enrol_reach(known.facts, kinds.ENROL)
    if account is None or not any(
        each.method is not Method.RECOVERY_CODE for each in known.facts.authenticators
    ):
        raise Refused(
            Code.CONFLICT,
            "Recovery codes come with an authenticator app or a passkey. Set one up first.",
            WayOut("Set up 2FA.", "/set-up"),
        )
    for each in known.facts.authenticators:
        if each.method is Method.RECOVERY_CODE and covered(each.reach, reach):
            authenticators.unbind(tx, each.id, account.id)
    id = authenticators.bind(
        tx, account_id=account.id, method=Method.RECOVERY_CODE, name="Recovery codes", reach=reach
    )
    authenticators.add_codes(tx, id, [(each.selector, each.hash) for each in codes])
    guesses.clear(tx, Method.RECOVERY_CODE, str(account.id))
    forget(tx, by, account.id, account.name, how="authenticators")
    sessions.rotate(tx, session_of(known).id, token.hash, pending_until=None)
    standing.refresh(tx, account.id)
    record(tx, Event.RECOVERY_CODES_RENEWED, by=by, subject=account_subject(account.id, account.name))
    mail_account(tx, "recovery_codes_renewed", account, by=by, not_me_link=not_me_link(tx, account.id, id))
    return token


# --- inside ---


def _counts_somewhere(facts: Facts, authenticator_id: int) -> bool:
    bound = facts.authenticator(authenticator_id)
    return bound is not None and counts_somewhere(facts, bound)


def _locked(tx: Transaction, by: By) -> Known:
    """Law 8 reads other people's rows: the workspaces are locked before the account, then everything is read again.

    Who joined another one while this waited locks that one too; out of order, but a deadlock simply begins again.
    """
    known = allowed(tx, by, kinds.SEE_SESSION)
    locked: set[int] | None = None
    while locked is None or not {each.workspace for each in known.facts.teammates} <= locked:
        locked = {each.workspace for each in known.facts.teammates}
        lock(tx, workspaces=locked, accounts=[person_of(known).id])
        known = allowed(tx, by, kinds.SEE_SESSION)
    return known


def _refuse_if_mandated(known: Known, gone: Authenticator) -> None:
    demanding = mandated_by(known.facts, gone.id)
    if demanding:
        names = ", ".join(place_of(known, each).name for each in demanding)
        only_passkeys = any(
            each.workspace in demanding and each.mandate.resistant(known.facts.now)
            for each in known.facts.teammates
        )
        what, new = ("a passkey", "a new passkey") if only_passkeys else ("2FA", "something new")
        raise Refused(
            Code.MANDATED,
            f"{names} requires {what}, and this is what you use there. Set up {new} in its place, "
            "or ask an admin.",
            WayOut("Set up a new one in its place.", f"/set-up?replaces={to_text(gone.id)}"),
        )


def _keep_an_owner(tx: Transaction, known: Known, gone: Authenticator) -> None:
    """A workspace that requires 2FA, or will, keeps an owner who has it; one that requires single sign-on keeps an
    owner who comes in otherwise (law 8)."""
    rest = [each for each in known.facts.authenticators if each.id != gone.id]
    without = replace(known.facts, authenticators=tuple(rest))
    for teammate in known.facts.teammates:
        if teammate.role is not Role.OWNER or not relied(gone, teammate.workspace):
            continue
        if ready(without, teammate.workspace):
            continue
        place, alone = place_of(known, teammate.workspace), [person_of(known).id]
        if (
            teammate.mandate.required_from is not None
            and teammates.enrolled_owners(tx, teammate.workspace) == alone
        ):
            raise _last_owner(
                place,
                f"You are the only owner of {place.name} who has {_asked(teammate)}, and it will be required there.",
            )
        if teammate.sso_required and teammates.enrolled_owners_with_password(tx, teammate.workspace) == alone:
            raise _last_owner(
                place,
                f"{place.name} requires single sign-on, and you are the only owner who has a password and 2FA to come "
                "in with when the provider is down.",
            )


def _last_owner(place: Place, detail: str) -> Refused:
    first = "Make somebody else an owner first."
    if place.app_id is not None:  # who is an owner, its product says
        first = "Let another owner set up 2FA first."
    return Refused(Code.LAST_OWNER, detail, WayOut(first, f"/w/{place.slug}/settings/team"))


def _asked(teammate: Teammate) -> str:
    return "2FA" if teammate.mandate.strength is ProofStrength.ANY else "a passkey"
