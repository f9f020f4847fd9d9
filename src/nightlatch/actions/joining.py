"""The invited side of an invitation: looking at it, and accepting it, with a new account or with one's own.

Looking changes nothing (mail scanners open every link). Accepting spends the invitation by one guarded statement
(law 4). The link shows the mailbox and nothing else: it makes an account for an address that has none, it never signs
anybody in, and it adds nothing to what an existing account has bound.
"""

from dataclasses import dataclass
from enum import StrEnum

from nightlatch.access import decide_workspace
from nightlatch.actions import kinds
from nightlatch.actions.by import By
from nightlatch.actions.guard import allowed, person_of
from nightlatch.actions.newcomers import first_session, new_account
from nightlatch.actions.standing_notes import note_if_secured, note_joined
from nightlatch.actions.tokens import Token
from nightlatch.addresses import Address
from nightlatch.audit.events import account as account_subject
from nightlatch.audit.events import record
from nightlatch.decision import Allow
from nightlatch.ids import to_text
from nightlatch.instants import Instant
from nightlatch.names import clean_name
from nightlatch.policy import may_grant
from nightlatch.refusals import Code, Refused, WayOut, not_found
from nightlatch.store import accounts, invitations, standing, teammates
from nightlatch.store.engine import Transaction
from nightlatch.store.locks import address_name, lock
from nightlatch.store.query import Row
from nightlatch.store.session_facts import read_known
from nightlatch.vocabulary import Credential, Event, Role


class State(StrEnum):
    """What an invitation's link is good for."""

    OPEN = "open"
    USED = "used"
    REVOKED = "revoked"
    """Taken back; or whoever sent it may no longer invite somebody to that role."""
    REPLACED = "replaced"
    """It was sent again since: the newer mail holds the link."""
    EXPIRED = "expired"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Invitation:
    """What the holder of an invitation's link is told. Where it is unknown or replaced, that is all."""

    state: State
    workspace_id: int = 0
    slug: str = ""
    workspace_name: str = ""
    inviter: str = ""
    role: Role = Role.MEMBER
    email: str = ""
    expires_at: Instant = 0
    required_from: Instant | None = None
    """Since when, or from when, the workspace requires 2FA."""
    passkey: bool = False
    """It takes a passkey, now or from a date: who joins after the announcement has no grace."""
    has_account: bool = False
    """Whether the address has an account: the holder of the link alone is told."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """A new account, its membership and its first session."""

    account_id: int
    workspace_id: int
    slug: str
    token: Token
    """Of that session."""


@dataclass(frozen=True, slots=True)
class Joined:
    """An account's new membership."""

    workspace_id: int
    slug: str
    teammate_id: int


def look(tx: Transaction, token_hash: bytes) -> Invitation:
    """What an invitation's link is about. Reads only."""
    row = invitations.by_token(tx, token_hash)
    if row is None:
        return Invitation(State.REPLACED if invitations.replaced(tx, token_hash) else State.UNKNOWN)
    return Invitation(
        _state(tx, row),
        row.workspace_id,
        row.slug,
        row.workspace_name,
        row.inviter,
        Role(row.role),
        row.email,
        row.expires_at,
        row.required_from,
        row.required_from is not None and row.resistant_from is not None,
        accounts.by_email(tx, row.email_key) is not None,
    )


def refuse_unless_open(invitation: Invitation) -> None:
    """Raises Refused, saying why, for an invitation that can no longer be accepted."""
    if invitation.state is not State.OPEN:
        raise _dead(invitation.state)


def accept_new(
    tx: Transaction,
    *,
    by: By,
    token_hash: bytes,
    name: str,
    password_hash: str,
    session_token: Token,
    kind: Credential,
) -> Accepted:
    """Make an account for the invited address, a teammate of it, and sign it in with its password and its mailbox.

    Raises Refused: `not_found`, `already_used`, `expired` for a dead invitation, `conflict` where the address has an
    account, `invalid` for a name. Which role it is was said in the invitation; nothing here can change it.
    """
    row = _locked(tx, token_hash)
    name = clean_name(name)
    if accounts.by_email(tx, row.email_key) is not None:
        raise Refused(
            Code.CONFLICT,
            "There is an account for this address already. Sign in with it to accept the invitation.",
            WayOut("Sign in.", "/sign-in"),
        )
    _spend(tx, row, token_hash)
    new = new_account(
        tx,
        by=by,
        address=Address(row.email, row.email_key),
        name=name,
        password_hash=password_hash,
        how="invitation",
    )
    account_id = new.id or 0
    _join(tx, new, row, account_id)
    begun = first_session(tx, by=by, account_id=account_id, session_token=session_token, kind=kind)
    facts = read_known(tx, begun.token.hash, kind).facts
    standing.refresh(tx, account_id)
    if isinstance(decide_workspace(facts, row.workspace_id), Allow):
        standing.signed_in(tx, account_id, row.workspace_id)
    return Accepted(account_id, row.workspace_id, row.slug, begun.token)


def accept_existing(tx: Transaction, *, by: By, token_hash: bytes) -> Joined:
    """Join with the account that is signed in, if it is exactly the invited address's. A removed teammate returns so.

    Raises Refused: what the gate raises; `not_permitted` for another account; `conflict` for a teammate; `not_found`,
    `already_used`, `expired` for a dead invitation.
    """
    row = _locked(tx, token_hash, by.id)
    person = person_of(allowed(tx, by, kinds.JOIN))
    invited = accounts.by_email(tx, row.email_key)
    if invited is None or invited.id != person.id:
        raise Refused(
            Code.NOT_PERMITTED,
            "This invitation is for another address than yours. Sign in with that one, or ask for a new invitation.",
            WayOut("Sign out and switch account.", "/sign-out"),
        )
    before = teammates.by_account(tx, person.id, row.workspace_id)
    if before is not None and before.removed_at is None:
        raise Refused(
            Code.CONFLICT,
            "You are a teammate there already.",
            WayOut("Open the workspace.", f"/w/{row.slug}"),
        )
    _spend(tx, row, token_hash)
    teammate_id = _join(tx, by, row, person.id)
    standing.refresh(tx, person.id, [row.workspace_id])
    note_if_secured(tx, by=by, account_id=person.id, workspace_id=row.workspace_id)
    return Joined(row.workspace_id, row.slug, teammate_id)


# --- inside ---


def _locked(tx: Transaction, token_hash: bytes, account_id: int | None = None) -> Row:
    """The invitation, with its workspace, the account and its address locked. Raises Refused where it is dead."""
    row = invitations.by_token(tx, token_hash)
    if row is not None:
        lock(
            tx,
            workspaces=[row.workspace_id],
            accounts=[account_id] if account_id is not None else [],
            names=[address_name(row.email_key)],
        )
        row = invitations.by_token(tx, token_hash)
    state = _state(tx, row) if row is not None else look(tx, token_hash).state
    if row is None or state is not State.OPEN:
        raise _dead(state)
    return row


def _state(tx: Transaction, row: Row) -> State:
    if row.accepted_at is not None:
        return State.USED
    if row.revoked_at is not None:
        return State.REVOKED
    if row.expires_at <= tx.now:
        return State.EXPIRED
    return State.OPEN if _inviter_still_may(tx, row) else State.REVOKED


def _inviter_still_may(tx: Transaction, row: Row) -> bool:
    """An invitation lives by the right of whoever sent it; the operator's right is not a workspace's to take away."""
    if row.invited_by is None:
        return True
    inviter = teammates.by_account(tx, row.invited_by, row.workspace_id)
    return (
        inviter is not None and inviter.removed_at is None and may_grant(Role(inviter.role), Role(row.role))
    )


def _spend(tx: Transaction, row: Row, token_hash: bytes) -> None:
    if not invitations.accept(tx, row.id, token_hash):
        raise _dead(State.USED)


def _join(tx: Transaction, by: By, row: Row, account_id: int) -> int:
    teammate_id = teammates.join(
        tx,
        workspace_id=row.workspace_id,
        account_id=account_id,
        role=Role(row.role),
        brought_in_by=row.invited_by,
    )
    standing.drop(tx, row.id)
    subject = account_subject(account_id, by.name)
    detail = {"invitation": to_text(row.id), "invited_by": row.inviter}
    record(tx, Event.INVITATION_ACCEPTED, by=by, subject=subject, workspace_id=row.workspace_id, **detail)
    note_joined(tx, by=by, account_id=account_id, workspace_id=row.workspace_id, role=Role(row.role))
    return teammate_id


def _dead(state: State) -> Refused:
    if state is State.UNKNOWN:
        refused = not_found()
        refused.detail = "We do not know this invitation. Perhaps your mail program cut the link short."
        return refused
    if state is State.USED:
        return Refused(Code.ALREADY_USED, "This invitation was used already.", WayOut("Sign in.", "/sign-in"))
    why = {
        State.EXPIRED: "This invitation has run out. Ask the person who sent it to send it again.",
        State.REPLACED: "A newer invitation was sent since. Use the link in the latest mail.",
    }.get(state, "This invitation no longer stands. Ask somebody in the workspace for a new one.")
    return Refused(Code.EXPIRED, why, WayOut("Sign in.", "/sign-in"))
