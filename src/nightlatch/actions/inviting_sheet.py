"""Inviting the people of a CSV file: each as what the file says, and what became of each line."""

from collections.abc import Sequence
from dataclasses import dataclass

from nightlatch.actions import kinds
from nightlatch.actions.by import By
from nightlatch.actions.guard import allowed
from nightlatch.actions.invitations import invite
from nightlatch.invite_sheet import Line
from nightlatch.policy import may_grant
from nightlatch.store.engine import Transaction
from nightlatch.store.locks import address_name, lock
from nightlatch.vocabulary import Role


@dataclass(frozen=True, slots=True)
class Told:
    """A line and what became of it: an outcome of `invitations`, `not_an_address` or `refused_role`."""

    line: Line
    outcome: str


def invite_sheet(tx: Transaction, *, by: By, workspace_id: int, lines: Sequence[Line]) -> list[Told]:
    """Invite everybody whose line can be read, in one transaction; told are the others too, and roles above one's own.

    Raises Refused as `invitations.invite` does: owners and admins among them ask for fresh proof.
    """
    names = [address_name(each.address.key) for each in lines if each.address is not None]
    lock(tx, workspaces=[workspace_id], names=names)
    mine = allowed(tx, by, kinds.INVITE.at(workspace_id)).facts.teammate(workspace_id)
    granted = [role for role in Role if mine is not None and may_grant(mine.role, role)]
    outcomes: dict[str, str] = {}
    for role in granted:
        wanted = [each.address for each in lines if each.role is role and each.address is not None]
        if wanted:
            invited = invite(tx, by=by, workspace_id=workspace_id, pasted=wanted, role=role)
            outcomes |= {each.address.key: each.outcome.value for each in invited.results}
    return [Told(each, _outcome(each, outcomes)) for each in lines]


def _outcome(line: Line, outcomes: dict[str, str]) -> str:
    if line.address is None:
        return "not_an_address"
    return outcomes.get(line.address.key, "refused_role")
