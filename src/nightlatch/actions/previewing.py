"""What to know before the switch is turned."""

from dataclasses import dataclass

from nightlatch.actions import kinds
from nightlatch.actions.by import By
from nightlatch.actions.guard import allowed
from nightlatch.assurance import enrolled, resistant_on
from nightlatch.instants import Instant
from nightlatch.store import outbox, teammates
from nightlatch.store.engine import Transaction


@dataclass(frozen=True, slots=True)
class PreviewFacts:
    """What the page of the switch says beside the counts of the Teammates table."""

    i_am_enrolled: bool
    i_have_passkey: bool
    owners: int
    enrolled_owners: int
    owners_with_passkey: int
    only_owner: bool
    """The person is the only owner: the page asks for a second one."""
    mails_waiting: int
    oldest_waiting: Instant | None
    last_delivered: Instant | None
    mail_error: str | None
    """What stands in the way of a waiting mail."""


def preview_facts(tx: Transaction, *, by: By, workspace_id: int) -> PreviewFacts:
    """What to know before the switch is turned. Reads only. Raises Refused."""
    known = allowed(tx, by, kinds.PREVIEW_POLICY.at(workspace_id))
    owners = [row.account_id for row in teammates.owners(tx, workspace_id)]
    waiting, oldest, delivered, error = outbox.health(tx)
    return PreviewFacts(
        enrolled(known.facts.authenticators, workspace_id),
        bool(resistant_on(known.facts, workspace_id)),
        len(owners),
        len(teammates.enrolled_owners(tx, workspace_id)),
        len(teammates.owners_with_passkey(tx, workspace_id)),
        owners == [known.facts.account],
        waiting,
        oldest,
        delivered,
        error,
    )
