"""The mandate: reading it, and who may turn it on and off, when (design sections 2 and 5, law 8).

What follows from a change is in mandate_setting.py.
"""

from dataclasses import dataclass

from nightlatch.actions import kinds
from nightlatch.actions.by import By
from nightlatch.actions.guard import allowed
from nightlatch.actions.mailing import tell_owners_first
from nightlatch.actions.mandate_grace import at_once_until, passkeys_at_once_until, refuse_a_date
from nightlatch.actions.mandate_memory import wanted_memory
from nightlatch.actions.mandate_setting import Wanted, set_policy
from nightlatch.actions.mandate_strength import somebody_has_a_passkey, wanted_strength
from nightlatch.actions.reasons import clean_reason
from nightlatch.assurance import enrolled
from nightlatch.instants import Duration, Instant
from nightlatch.policy import ManagedBy, Mandate, ProofStrength
from nightlatch.refusals import Code, Refused, WayOut, not_found
from nightlatch.store import teammates, workspaces
from nightlatch.store.engine import Transaction
from nightlatch.store.known import Known
from nightlatch.store.locks import lock
from nightlatch.store.query import Row
from nightlatch.vocabulary import Role


@dataclass(frozen=True, slots=True)
class Policy:
    """A workspace's policy as of a moment."""

    required_from: Instant | None
    in_force: bool
    managed_by: ManagedBy
    revision: int
    changed_at: Instant | None
    changed_by: str | None
    announced_at: Instant | None
    """Since when people know of the present requirement: who joined later has no grace."""
    resistant_from: Instant | None
    """From when a passkey is required, where it is."""
    resistant: bool
    """It is required now."""
    remember_for: Duration | None
    """For how long browsers may be remembered; None: never."""
    at_once_until: Instant | None
    """It was turned off lately: until then it can only be required again at once."""
    passkeys_at_once_until: Instant | None
    """The same of passkeys alone."""

    @property
    def required(self) -> bool:
        """Whether 2FA is required now, or will be."""
        return self.required_from is not None

    @property
    def strength(self) -> ProofStrength:
        """What it takes, now or from a date."""
        return Mandate(self.required_from, resistant_from=self.resistant_from).strength


def read_policy(tx: Transaction, *, by: By, workspace_id: int) -> Policy:
    """The policy, for any teammate and the operator. Raises Refused."""
    if by.kind != "operator":
        allowed(tx, by, kinds.SEE_POLICY.at(workspace_id))
    return _policy(tx, _workspace(tx, workspace_id))


def policy_now(tx: Transaction, workspace_id: int) -> Policy:
    """The policy, for an action that has asked the gate already."""
    return _policy(tx, _workspace(tx, workspace_id))


def change_policy(
    tx: Transaction,
    *,
    by: By,
    workspace_id: int,
    required: bool,
    required_from: Instant | None,
    managed_by: ManagedBy,
    if_revision: int,
    reason: str | None,
    strength: ProofStrength | None = None,
    strength_from: Instant | None = None,
    remember_days: int | None = None,
) -> Policy:
    """Turn the mandate on (`required_from` None or past: now), schedule it, turn it off, or keep the switch for owners.

    The instant alone decides when it bites: at the very next request of everybody. An announced date may be moved
    until it has come; in force it is only turned off, with a reason. The mails follow in batches. The same values again
    change nothing. `strength`: what it takes (None: as it is), for passkeys from `strength_from` on (None: as soon as
    2FA is required); what is in force meanwhile stays. `remember_days`: see `wanted_memory`.
    Back to any second step takes a reason. The operator turns off
    past all roles, and every owner is mailed first. Raises Refused: the gate's, `revision_conflict`,
    `mandate_in_force`, `grace_used`, `not_enrolled`, `not_permitted`, `conflict` (remembering under a mandate),
    `invalid` (no reason).
    """
    lock(tx, workspaces=[workspace_id])
    known = allowed(tx, by, kinds.CHANGE_POLICY.at(workspace_id)) if by.kind != "operator" else None
    row = _workspace(tx, workspace_id)
    if row.revision != if_revision:
        raise _conflict(row)
    wanted = _wanted(tx.now, row, required, required_from)
    resistant = wanted_strength(tx.now, row, wanted, strength, strength_from)
    new = Wanted(wanted, resistant, managed_by, wanted_memory(row, wanted, remember_days))
    if new == Wanted(row.required_from, row.resistant_from, row.managed_by, row.remember_for):
        return _policy(tx, row)
    text = clean_reason(reason, needed=_weaker(row, wanted, resistant))
    if managed_by != row.managed_by:
        _owners_only(known, workspace_id)
    if wanted is not None and wanted != row.required_from:
        _somebody_can_open(tx, known, row)
    if resistant is not None and resistant != row.resistant_from:
        somebody_has_a_passkey(tx, known, row)
    if known is None and _weaker(row, wanted, resistant):
        _tell_owners_first(tx, by, row, wanted, text)
    now = set_policy(tx, by=by, row=row, new=new, reason=text)
    if now is None:
        raise _conflict(row)
    return _policy(tx, now)


# --- inside ---


def _wanted(now: Instant, row: Row, required: bool, required_from: Instant | None) -> Instant | None:
    """The instant to require from; None for never. In force already, it stays what it is and is never postponed."""
    if not required:
        return None
    wanted = now if required_from is None or required_from <= now else required_from
    if not Mandate(row.required_from).in_force(now):
        until = at_once_until(now, row)
        if until is not None and wanted > now:
            refuse_a_date(row, "2FA was", row.turned_off_at, until)
        return wanted
    if wanted > now:
        raise Refused(
            Code.MANDATE_IN_FORCE,
            "2FA is required already, so it cannot be postponed. You can only switch it off.",
            _page(row),
        )
    unchanged: Instant = row.required_from
    return unchanged


def _owners_only(known: Known | None, workspace_id: int) -> None:
    teammate = known.facts.teammate(workspace_id) if known is not None else None
    if teammate is None or teammate.role is not Role.OWNER:
        raise Refused(
            Code.NOT_PERMITTED,
            "Only an owner decides who may manage authentication.",
            WayOut("Ask an owner of the workspace.", "/workspaces"),
        )


def _somebody_can_open(tx: Transaction, known: Known | None, row: Row) -> None:
    """Whoever turns it on has 2FA there, and so has an owner (law 8). The workspace is locked."""
    if known is not None and not enrolled(known.facts.authenticators, row.id):
        raise Refused(
            Code.NOT_ENROLLED,
            "Set up 2FA for yourself first: you would be locked out with everybody else.",
            WayOut("Set up 2FA.", f"/set-up?workspace={row.slug}"),
        )
    if not teammates.enrolled_owners(tx, row.id):
        raise Refused(
            Code.NOT_ENROLLED,
            f"No owner of {row.name} has 2FA yet. One of them sets it up first: somebody must be able to open.",
            WayOut("See who the owners are.", f"/w/{row.slug}/settings/team?role=owner"),
        )


def _weaker(row: Row, wanted: Instant | None, resistant: Instant | None) -> bool:
    """Whether less is required than before: nothing at all, or any second step."""
    off = wanted is None and row.required_from is not None
    return off or (resistant is None and row.resistant_from is not None)


def _tell_owners_first(tx: Transaction, by: By, row: Row, wanted: Instant | None, reason: str) -> None:
    what = (
        "Turn off the requirement of 2FA" if wanted is None else "Take any second step, not a passkey alone,"
    )
    tell_owners_first(tx, by, row.id, f"{what} in {row.name}", reason)


def _workspace(tx: Transaction, workspace_id: int) -> Row:
    row = workspaces.by_id(tx, workspace_id)
    if row is None:
        raise not_found()
    return row


def _policy(tx: Transaction, row: Row) -> Policy:
    return Policy(
        row.required_from,
        Mandate(row.required_from).in_force(tx.now),
        ManagedBy(row.managed_by),
        row.revision,
        row.policy_changed_at,
        row.policy_changed_by,
        row.announced_at,
        row.resistant_from,
        Mandate(row.required_from, resistant_from=row.resistant_from).resistant(tx.now),
        row.remember_for,
        at_once_until(tx.now, row),
        passkeys_at_once_until(tx.now, row),
    )


def _conflict(row: Row) -> Refused:
    return Refused(
        Code.REVISION_CONFLICT,
        "Somebody else has changed this meanwhile. Look at it as it is now, then decide.",
        _page(row),
    )


def _page(row: Row) -> WayOut:
    return WayOut("See what is required.", f"/w/{row.slug}/settings/team/authentication")
