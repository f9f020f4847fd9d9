"""Who may turn off whose 2FA, how long it waits, and who may agree (design section 6). Reads only.

Rank is the highest role of the last 7 days. A member is reset by an admin at once; an admin by an owner after 24 hours;
an owner by another owner, or by an admin, after 72. Where somebody's own second step ended one within 30 days, the next
waits for a second owner: whoever holds the phone may be a thief.
"""

from dataclasses import dataclass

from nightlatch.assurance import ready
from nightlatch.audit.events import account as account_subject
from nightlatch.instants import DAY, HOUR, Duration
from nightlatch.policy import permitted
from nightlatch.refusals import Code, Refused, WayOut
from nightlatch.store import resets, teammates
from nightlatch.store.engine import Transaction
from nightlatch.store.facts import read_account_facts
from nightlatch.store.query import Row
from nightlatch.vocabulary import Permission, Role

DELAYS: dict[int, Duration] = {Role.MEMBER.rank: 0, Role.ADMIN.rank: 24 * HOUR, Role.OWNER.rank: 72 * HOUR}
"""How long a reset waits, by the rank of the person."""
HELD_AFTER: Duration = 30 * DAY
"""For so long after somebody's second step ended one, the next needs a second owner."""
HELD_FOR: Duration = 7 * DAY
"""How long one that needs a second owner waits for one."""
SECOND_OWNER_AFTER: Duration = 7 * DAY
"""For so long somebody has been an owner before they count as a second one."""
MAIL_STOPS_EVERY: Duration = 7 * DAY
"""The mailed page stops one in so long a time for a person in a workspace: whoever reads the mailbox may be a thief."""


@dataclass(frozen=True, slots=True)
class Target:
    """Who, where: read under the locks."""

    workspace: Row
    teammate: Row
    account: Row

    @property
    def subject(self) -> tuple[str, int | None, str]:
        """For audit events."""
        return account_subject(self.account.id, self.account.name)

    @property
    def team(self) -> WayOut:
        """Back to the Teammates page."""
        return WayOut("Go back to the teammates.", f"/w/{self.workspace.slug}/settings/team")


@dataclass(frozen=True, slots=True)
class Plan:
    """What asking would mean. No delay, and not held: it is done at once."""

    rank: int
    delay: Duration
    held: bool
    """Time alone does not do it: a second owner has to approve."""
    approvers: int
    """How many second owners there are besides whoever asks."""

    @property
    def waits(self) -> bool:
        """Whether anything stands between asking and doing."""
        return self.held or self.delay > 0


def rank_of(tx: Transaction, teammate: Row) -> int:
    """The highest role held in the last 7 days."""
    return teammates.rank(tx, teammate.id, Role(teammate.role))


def plan(tx: Transaction, requester: int | None, mine: Role | None, target: Target) -> Plan:
    """What a reset of this person, asked for by an account in this role (None: the operator), would be.

    Raises Refused where this person may not ask for it at all, whatever is bound.
    """
    if mine is None:
        return Plan(rank_of(tx, target.teammate), delay=0, held=False, approvers=0)
    rank = asks(tx, requester, mine, target)
    refused = nobody_could_open(tx, target, requester)
    if refused is not None:
        raise refused
    held = resets.ended_so(tx, target.account.id, target.workspace.id, "second_step", tx.now - HELD_AFTER)
    approvers = len(second_owners(tx, target.workspace.id, target.account.id, requester))
    if held and not approvers:
        raise Refused(
            Code.NOT_PERMITTED,
            f"{target.account.name} stopped a reset with their own code within the last 30 days. The next one needs a "
            "second owner's approval, and nobody here could give it.",
            OPERATOR,
        )
    return Plan(rank, DELAYS[rank], held, approvers)


def asks(tx: Transaction, requester: int | None, mine: Role, target: Target) -> int:
    """The person's rank, where somebody in this role may ask for their reset. Raises Refused."""
    rank = rank_of(tx, target.teammate)
    if target.account.id == requester:
        raise Refused(
            Code.NOT_PERMITTED,
            "Nobody turns off their own 2FA like this. Ask another admin or an owner.",
            WayOut("See who can help.", "/recover"),
        )
    if not may_ask(mine, rank):
        raise _ask_an_owner(tx, target)
    return rank


OPERATOR = WayOut("Ask the operator: nightlatch teammate disable-two-factor.", "/help")


def may_ask(role: Role, rank: int) -> bool:
    """Whether somebody in this role may ask for the reset of somebody of that rank."""
    if rank == Role.ADMIN.rank:
        return role is Role.OWNER
    return role in (Role.OWNER, Role.ADMIN)


def may_still_ask(tx: Transaction, reset: Row) -> bool:
    """Whether whoever asked for it might ask for it now."""
    if reset.requested_by is None:
        return True
    row = teammates.by_account(tx, reset.requested_by, reset.workspace_id)
    return row is not None and row.removed_at is None and may_ask(Role(row.role), reset.rank)


def second_owners(tx: Transaction, workspace_id: int, target: int, requester: int | None) -> list[Row]:
    """Those who may approve: owners for 7 days, neither the person nor who asked, nor brought in by who asked."""
    return [
        row
        for row in teammates.owners(tx, workspace_id)
        if not_second_owner(tx, workspace_id, row.account_id, target, requester) is None
    ]


def not_second_owner(
    tx: Transaction, workspace_id: int, account_id: int, target: int, requester: int | None
) -> str | None:
    """Why an account is no second owner for a reset, in words; None where it is one."""
    row = teammates.by_account(tx, account_id, workspace_id)
    if row is None or row.removed_at is not None or Role(row.role) is not Role.OWNER:
        return "Only an owner may approve this."
    if account_id == target:
        return "Nobody approves the reset of their own 2FA."
    if account_id == requester:
        return "You asked for this yourself: another owner has to approve it."
    if requester is not None and requester in (row.brought_in_by, row.role_given_by):
        return (
            "You were invited, or made an owner, by whoever asked for this: another owner has to approve it."
        )
    if tx.now - teammates.role_since(tx, row) < SECOND_OWNER_AFTER:
        return "You have been an owner for less than 7 days: another owner has to approve it."
    return None


def nobody_could_open(tx: Transaction, target: Target, requester: int | None) -> Refused | None:
    """Law 8, under the workspace's lock: why a reset must not be while 2FA is, or will be, required there, or single
    sign-on is, whose owners come in otherwise by a password and 2FA.

    As long as another owner could, all is well. A sole owner may be reset by an admin who has 2FA: that admin opens,
    and renews the number. Where there are other owners without 2FA, one of them sets it up first.
    """
    workspace = target.workspace
    if Role(target.teammate.role) is not Role.OWNER or _another_owner_opens(tx, target):
        return None
    alone = all(each.account_id == target.account.id for each in teammates.owners(tx, workspace.id))
    if alone and requester is not None and _enrolled_manager(tx, workspace.id, requester):
        return None
    return Refused(
        Code.LAST_OWNER,
        _why_only(target) + "Somebody must always be able to open it: another owner sets up 2FA first.",
        WayOut("See who the owners are.", f"/w/{workspace.slug}/settings/team?role=owner"),
    )


def _another_owner_opens(tx: Transaction, target: Target) -> bool:
    """Whether, whatever is asked for there, another owner has what it takes."""
    workspace, theirs = target.workspace, target.account.id
    for asked, who in (
        (workspace.required_from, teammates.enrolled_owners),
        (workspace.sso_required_at, teammates.enrolled_owners_with_password),
    ):
        if asked is not None and all(each == theirs for each in who(tx, workspace.id)):
            return False
    return True


def _why_only(target: Target) -> str:
    name, who = target.workspace.name, target.account.name
    if target.workspace.sso_required_at is not None:
        return (
            f"{name} requires single sign-on, and {who} is the only owner who has a password and 2FA to come in with "
            "when the provider is down. "
        )
    return f"{name} asks everybody for 2FA, and {who} is the only owner who has it. "


def _enrolled_manager(tx: Transaction, workspace_id: int, account_id: int) -> bool:
    facts = read_account_facts(tx, account_id)
    mine = facts.teammate(workspace_id)
    return (
        mine is not None
        and permitted(mine.role, Permission.RESET, mine.mandate)
        and ready(facts, workspace_id)
    )


def _ask_an_owner(tx: Transaction, target: Target) -> Refused:
    text = f"{target.account.name} is, or was within the last 7 days, an admin here. "
    if any(each.account_id != target.account.id for each in teammates.owners(tx, target.workspace.id)):
        return Refused(
            Code.NOT_PERMITTED,
            text + "Only an owner can ask for this.",
            WayOut("See who the owners are.", f"/w/{target.workspace.slug}/settings/team?role=owner"),
        )
    return Refused(
        Code.NOT_PERMITTED,
        text + "Only an owner could ask for this, and there is no other: the operator can turn it off.",
        OPERATOR,
    )
