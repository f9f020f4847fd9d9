"""How strong a mandate's second step must be: any, or a passkey alone; who may say so, and from when."""

from nightlatch.actions.mandate_grace import passkeys_at_once_until, refuse_a_date
from nightlatch.assurance import resistant_on
from nightlatch.instants import Instant
from nightlatch.policy import Mandate, ProofStrength
from nightlatch.refusals import Code, Refused, WayOut, invalid
from nightlatch.store import teammates
from nightlatch.store.engine import Transaction
from nightlatch.store.known import Known
from nightlatch.store.query import Row


def wanted_strength(
    now: Instant,
    row: Row,
    required_from: Instant | None,
    strength: ProofStrength | None,
    strength_from: Instant | None,
) -> Instant | None:
    """From when passkeys are to be required; None for never. `row`: the workspace as it is; `required_from`: its
    mandate as it will be. In force already, it stays what it is. Raises Refused: `invalid`,
    `mandate_in_force`, `grace_used`."""
    if strength_from is not None and strength is not ProofStrength.PHISHING_RESISTANT:
        raise invalid("two_factor.strength_from", "This goes with strength: phishing_resistant alone.")
    if required_from is None:
        if strength is ProofStrength.PHISHING_RESISTANT:
            raise invalid("two_factor.strength", "A passkey can only be required where 2FA is.")
        return None
    if strength is None:
        return None if row.resistant_from is None else max(row.resistant_from, required_from)
    if strength is ProofStrength.ANY:
        return None
    wanted = max(required_from, strength_from or now, now)
    if not Mandate(row.required_from, resistant_from=row.resistant_from).resistant(now):
        until = passkeys_at_once_until(now, row)
        if until is not None and wanted > now:
            refuse_a_date(row, "A passkey was", row.resistant_ended_at, until)
        return wanted
    if wanted > now:
        raise Refused(
            Code.MANDATE_IN_FORCE,
            "A passkey is required already, so it cannot be postponed. You can only go back to any second step.",
            WayOut("See what is required.", f"/w/{row.slug}/settings/team/authentication"),
        )
    unchanged: Instant = row.resistant_from
    return unchanged


def somebody_has_a_passkey(tx: Transaction, known: Known | None, row: Row) -> None:
    """Whoever requires passkeys has one there, and so has an owner (law 8). The workspace is locked."""
    if known is not None and not resistant_on(known.facts, row.id):
        raise Refused(
            Code.NOT_ENROLLED,
            "Set up a passkey for yourself first: you would be locked out with everybody else.",
            WayOut("Set up a passkey.", f"/set-up?workspace={row.slug}&another=1"),
        )
    if not teammates.owners_with_passkey(tx, row.id):
        raise Refused(
            Code.NOT_ENROLLED,
            f"No owner of {row.name} has a passkey yet. One of them sets it up first: somebody must be able to open.",
            WayOut("See who the owners are.", f"/w/{row.slug}/settings/team?role=owner"),
        )
