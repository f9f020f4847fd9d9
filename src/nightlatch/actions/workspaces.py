"""New workspaces: made by the operator for an owner who is invited, or by an account that becomes the owner."""

from dataclasses import dataclass

from nightlatch.actions import kinds
from nightlatch.actions.by import By
from nightlatch.actions.guard import allowed, person_of
from nightlatch.actions.invitations import Inviter, invite_one
from nightlatch.actions.standing_notes import note_if_secured, note_joined
from nightlatch.actions.tokens import Token
from nightlatch.addresses import Address
from nightlatch.audit.events import record
from nightlatch.audit.events import workspace as workspace_subject
from nightlatch.instants import DAY
from nightlatch.names import clean_name, clean_slug
from nightlatch.refusals import Code, Refused, WayOut, invalid, not_found
from nightlatch.store import standing, teammates, workspaces
from nightlatch.store.engine import Transaction
from nightlatch.store.known import Known
from nightlatch.store.locks import address_name, lock, slug_name
from nightlatch.vocabulary import Event, Role

MADE_A_DAY = 10
"""By one account."""


@dataclass(frozen=True, slots=True)
class Created:
    """A new workspace, its mandate off."""

    workspace_id: int
    slug: str
    name: str
    invitation: Token | None = None
    """The owner's invitation, where the operator made it for an address without an account: its link may be shown."""
    mailed: bool = False
    """Whether the owner was mailed (an address gets only so many invitation mails in a day)."""


def create(
    tx: Transaction, *, by: By, name: str, slug: str, owner: Address | None = None, sign_up_open: bool = False
) -> Created:
    """Make a workspace. The operator names the `owner`, who is invited; an account becomes the owner itself.

    `sign_up_open`: whether accounts may make workspaces at all. Raises Refused: what the gate raises, `not_permitted`,
    `invalid` for a name, slug or missing owner, `slug_taken`, `too_many_attempts` past ten a day.
    """
    lock(
        tx,
        accounts=[by.id] if by.kind == "account" and by.id is not None else [],
        names=[slug_name(slug.strip()), *([address_name(owner.key)] if owner is not None else [])],
    )
    known = _may_create(tx, by, sign_up_open)
    name, slug = clean_name(name), clean_slug(slug)
    if (owner is None) is (known is None):
        raise invalid("owner", "Say who the owner is.")
    if known is not None:
        _within_limit(tx, person_of(known).id)
    if workspaces.by_slug(tx, slug) is not None:
        raise Refused(
            Code.SLUG_TAKEN,
            "Another workspace has this address. Choose another one.",
            WayOut("Choose another one.", "/workspaces/new"),
        )
    workspace_id = workspaces.create(tx, slug=slug, name=name)
    subject = workspace_subject(workspace_id, name)
    record(tx, Event.WORKSPACE_CREATED, by=by, subject=subject, workspace_id=workspace_id, slug=slug)
    if known is not None:
        _own(tx, by, workspace_id, known)
        return Created(workspace_id, slug, name)
    workspace = workspaces.by_id(tx, workspace_id)
    if workspace is None or owner is None:
        raise not_found()
    result = invite_one(
        tx, by=by, inviter=Inviter(None, by.name), workspace=workspace, address=owner, role=Role.OWNER
    )
    return Created(workspace_id, slug, name, result.token, result.invitation_id is not None)


def _may_create(tx: Transaction, by: By, sign_up_open: bool) -> Known | None:
    """None for the operator."""
    if by.kind == "operator":
        return None
    known = allowed(tx, by, kinds.CREATE_WORKSPACE)
    if not sign_up_open:
        raise closed()
    return known


def closed() -> Refused:
    """The refusal where accounts make no workspaces."""
    return Refused(
        Code.NOT_PERMITTED,
        "Workspaces are made by the operator here.",
        WayOut("Go to your workspaces.", "/workspaces"),
    )


def _within_limit(tx: Transaction, account_id: int) -> None:
    """The account is locked, so that parallel ones are counted one after the other."""
    made, oldest = workspaces.made_by(tx, account_id, tx.now - DAY)
    if made >= MADE_A_DAY:
        raise Refused(
            Code.TOO_MANY_ATTEMPTS,
            f"You have made {made} workspaces within a day, and no more are possible for now.",
            WayOut("Go to your workspaces.", "/workspaces"),
            retry_at=(oldest or tx.now) + DAY,
        )


def _own(tx: Transaction, by: By, workspace_id: int, known: Known) -> None:
    person = person_of(known)
    teammates.join(tx, workspace_id=workspace_id, account_id=person.id, role=Role.OWNER)
    standing.refresh(tx, person.id, [workspace_id])
    standing.signed_in(tx, person.id, workspace_id)
    note_joined(tx, by=by, account_id=person.id, workspace_id=workspace_id, role=Role.OWNER)
    note_if_secured(tx, by=by, account_id=person.id, workspace_id=workspace_id)
