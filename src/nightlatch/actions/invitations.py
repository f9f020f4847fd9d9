"""Inviting people to a workspace, sending an invitation again, taking it back. The invited side is `joining`.

Nobody invites above their own role, and inviting owners or admins asks for fresh proof. Invitations are mails to
people who did not ask for any, so they are limited against mail bombing, whoever sends them and however often they are
taken back in between:

- at most 3 invitation mails within 24 hours to one address, all workspaces together;
- at most 1,000 within 24 hours from one workspace (the operator alone is free of this one);
- one invitation is sent again at most once in 10 minutes;
- none to an address whose holder said "never again" (`declining`), nor past what an address is sent unasked in a day,
  whatever it is (`mailing`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from nightlatch.actions import kinds
from nightlatch.actions.by import By
from nightlatch.actions.declining import new_link
from nightlatch.actions.guard import allowed, person_of, place_of
from nightlatch.actions.kept import not_by_product
from nightlatch.actions.mailing import mail_address, unasked_slot
from nightlatch.actions.tokens import Token, new_token
from nightlatch.addresses import Address
from nightlatch.audit.events import address as address_subject
from nightlatch.audit.events import record
from nightlatch.ids import to_text
from nightlatch.instants import DAY, MINUTE, Duration
from nightlatch.policy import may_grant
from nightlatch.refusals import Code, Refused, WayOut, invalid, not_found
from nightlatch.store import accounts, declined, invitations, outbox, standing, teammates, workspaces
from nightlatch.store.engine import Transaction
from nightlatch.store.locks import address_name, lock
from nightlatch.store.query import Row
from nightlatch.vocabulary import Event, Role

MOST_AT_A_TIME = 500
MAILS_TO_AN_ADDRESS_A_DAY = 3
MAILS_OF_A_WORKSPACE_A_DAY = 1_000
RESEND_INTERVAL: Duration = 10 * MINUTE


class Outcome(StrEnum):
    """What became of one address."""

    SENT = "sent"
    ALREADY_TEAMMATE = "already_teammate"
    ALREADY_INVITED = "already_invited"
    """A pending invitation is there: send that one again."""
    LIMITED = "limited"
    """No mail: too many invitation mails, to this address or from this workspace, within a day; or the address was sent
    all the mails nobody asked for that it gets in a day."""
    DECLINED = "declined"
    """This address does not take invitations: its holder said so, and can take it back."""


@dataclass(frozen=True, slots=True)
class Result:
    """One address and its outcome."""

    address: Address
    outcome: Outcome
    invitation_id: int | None = None
    """The invitation that was sent, or that is pending already."""
    token: Token | None = None
    """For the operator alone, and only where the address has no account yet: so that the link can be shown."""


@dataclass(frozen=True, slots=True)
class Invited:
    """What became of each address, in their order."""

    results: tuple[Result, ...]

    @property
    def sent(self) -> int:
        """How many invitations went out."""
        return sum(each.outcome is Outcome.SENT for each in self.results)


@dataclass(frozen=True, slots=True)
class Inviter:
    """In whose name invitations go out. The operator has no account: nobody can take their right away."""

    account_id: int | None
    name: str


def invite(tx: Transaction, *, by: By, workspace_id: int, pasted: Sequence[Address], role: Role) -> Invited:
    """Invite up to 500 addresses: each gets a mail with its own link, good for 7 days, once.

    Raises Refused: what the gate raises; `not_permitted` above one's own role, or where a product brings the people;
    `invalid` for none or too many addresses; `too_many_attempts` where the workspace has no invitation mail left today.
    """
    wanted = _distinct(pasted)
    lock(tx, workspaces=[workspace_id], names=map(_lock_name, wanted[:MOST_AT_A_TIME]))
    inviter = _inviter(tx, by, workspace_id, role)
    workspace = workspaces.by_id(tx, workspace_id)
    if workspace is None:
        raise not_found()
    not_by_product(tx, workspace)
    if not 1 <= len(wanted) <= MOST_AT_A_TIME:
        raise invalid("emails", f"Give 1 to {MOST_AT_A_TIME} addresses.")
    room = room_today(tx, by, workspace)
    results = []
    for each in wanted:
        result = invite_one(
            tx, by=by, inviter=inviter, workspace=workspace, address=each, role=role, room=room
        )
        room -= result.outcome is Outcome.SENT
        results.append(result)
    return Invited(tuple(results))


def refuse_in_product(tx: Transaction, workspace_id: int) -> None:
    """Raises Refused (`not_permitted`) for a workspace whose people come from a product; for pages, beforehand."""
    workspace = workspaces.by_id(tx, workspace_id)
    if workspace is not None:
        not_by_product(tx, workspace)


def resend(tx: Transaction, *, by: By, workspace_id: int, invitation_id: int) -> None:
    """Send a pending (or expired) invitation again, in one's own name: a new link, and the older one is dead.

    Raises Refused: what the gate raises, `not_permitted`, `not_found`, `conflict`, `too_many_attempts`.
    """
    lock(tx, workspaces=[workspace_id])
    row, inviter, workspace = _pending(tx, by, workspace_id, invitation_id, managers=True)
    lock(tx, names=[address_name(row.email_key)])
    if _teammate_of(tx, workspace_id, row.email_key) is not None:
        raise Refused(
            Code.CONFLICT,
            f"{row.email} is a teammate already.",
            WayOut("See the teammates.", _team(workspace)),
        )
    if row.sent_at + RESEND_INTERVAL > tx.now:
        raise _too_many("This invitation was sent a moment ago.", workspace, row.sent_at + RESEND_INTERVAL)
    number, oldest = outbox.invitations_to(tx, row.email_key, tx.now - DAY)
    if number >= MAILS_TO_AN_ADDRESS_A_DAY:
        raise _too_many(
            "This address was sent all the invitation mails that it gets in a day.", workspace, oldest + DAY
        )
    free_at = unasked_slot(tx, row.email_key)
    if free_at > tx.now:
        raise _too_many("This address was sent all the mails that it gets in a day.", workspace, free_at)
    room_today(tx, by, workspace)
    token, address, role = new_token(), Address(row.email, row.email_key), Role(row.role)
    invitations.renew(tx, row.id, token_hash=token.hash, invited_by=inviter.account_id, inviter=inviter.name)
    standing.invited(tx, id=row.id, workspace_id=workspace_id, address=address, role=role, at=tx.now)
    _mail(tx, by, inviter, workspace, address, role, token)
    _record(tx, Event.INVITATION_RESENT, by, row.id, workspace_id, address, role)


def revoke(tx: Transaction, *, by: By, workspace_id: int, invitation_id: int) -> None:
    """Take a pending invitation back: its link is dead. Raises Refused as `resend` does, but for the limits."""
    lock(tx, workspaces=[workspace_id])
    row, _, _ = _pending(tx, by, workspace_id, invitation_id, managers=False)
    if not invitations.revoke(tx, row.id, workspace_id):
        raise not_found()
    standing.drop(tx, row.id)
    address = Address(row.email, row.email_key)
    _record(tx, Event.INVITATION_REVOKED, by, row.id, workspace_id, address, Role(row.role))


def invite_one(
    tx: Transaction, *, by: By, inviter: Inviter, workspace: Row, address: Address, role: Role, room: int = 1
) -> Result:
    """One invitation, by somebody whose right to it is known. The workspace and the address are locked."""
    if _teammate_of(tx, workspace.id, address.key) is not None:
        return Result(address, Outcome.ALREADY_TEAMMATE)
    pending = invitations.pending_for(tx, workspace.id, address.key)
    if pending is not None and pending.expires_at > tx.now:
        return Result(address, Outcome.ALREADY_INVITED, pending.id)
    if declined.is_declined(tx, address.key):
        return Result(address, Outcome.DECLINED)
    sent, _ = outbox.invitations_to(tx, address.key, tx.now - DAY)
    if room <= 0 or sent >= MAILS_TO_AN_ADDRESS_A_DAY or unasked_slot(tx, address.key) > tx.now:
        return Result(address, Outcome.LIMITED)
    if pending is not None:  # it has run out: the new one takes its place
        invitations.revoke(tx, pending.id, workspace.id)
        standing.drop(tx, pending.id)
    token = new_token()
    invitation_id = invitations.create(
        tx,
        workspace_id=workspace.id,
        address=address,
        role=role,
        invited_by=inviter.account_id,
        inviter=inviter.name,
        token_hash=token.hash,
    )
    standing.invited(tx, id=invitation_id, workspace_id=workspace.id, address=address, role=role, at=tx.now)
    _mail(tx, by, inviter, workspace, address, role, token)
    _record(tx, Event.INVITATION_SENT, by, invitation_id, workspace.id, address, role)
    shown = by.kind == "operator" and accounts.by_email(tx, address.key) is None
    return Result(address, Outcome.SENT, invitation_id, token if shown else None)


def room_today(tx: Transaction, by: By, workspace: Row) -> int:
    """How many invitation mails the workspace may still send today. Raises Refused where it is none."""
    if by.kind == "operator":
        return MOST_AT_A_TIME
    sent, oldest = outbox.invitations_of(tx, workspace.id, tx.now - DAY)
    if sent >= MAILS_OF_A_WORKSPACE_A_DAY:
        raise _too_many(
            "This workspace has sent all the invitation mails that it may in a day.", workspace, oldest + DAY
        )
    return MAILS_OF_A_WORKSPACE_A_DAY - sent


# --- inside ---


def _distinct(pasted: Sequence[Address]) -> list[Address]:
    found: dict[str, Address] = {}
    for each in pasted:
        found.setdefault(each.key, each)
    return list(found.values())


def _inviter(tx: Transaction, by: By, workspace_id: int, role: Role, *, managers: bool = True) -> Inviter:
    """Who invites, if they may: `managers` asks for fresh proof where the role hands out power."""
    if by.kind == "operator":
        return Inviter(None, by.name)
    action = kinds.INVITE_MANAGERS if managers and role is not Role.MEMBER else kinds.INVITE
    known = allowed(tx, by, action.at(workspace_id))
    mine = known.facts.teammate(workspace_id)
    if mine is None or not may_grant(mine.role, role):
        raise Refused(
            Code.NOT_PERMITTED,
            "Nobody can invite people to a role above their own.",
            WayOut(
                "Ask an owner of the workspace.", f"/w/{place_of(known, workspace_id).slug}/settings/team"
            ),
        )
    person = person_of(known)
    return Inviter(person.id, person.name)


def _pending(
    tx: Transaction, by: By, workspace_id: int, invitation_id: int, *, managers: bool
) -> tuple[Row, Inviter, Row]:
    """A pending invitation of this workspace, whoever asks for it if they may, and the workspace."""
    if by.kind != "operator":
        allowed(tx, by, kinds.INVITE.at(workspace_id))  # before saying whether it is there
    row = invitations.by_id(tx, invitation_id, workspace_id)
    workspace = workspaces.by_id(tx, workspace_id)
    if row is None or workspace is None:
        raise not_found()
    return row, _inviter(tx, by, workspace_id, Role(row.role), managers=managers), workspace


def _teammate_of(tx: Transaction, workspace_id: int, email_key: str) -> Row | None:
    account = accounts.by_email(tx, email_key)
    row = teammates.by_account(tx, account.id, workspace_id) if account is not None else None
    return row if row is not None and row.removed_at is None else None


def _mail(
    tx: Transaction, by: By, inviter: Inviter, workspace: Row, address: Address, role: Role, token: Token
) -> None:
    mail_address(
        tx,
        "invitation",
        address.display,
        by=by,
        workspace_id=workspace.id,
        workspace=workspace.name,
        inviter=inviter.name,
        role=role.value,
        link=f"/invitations/{token.text}",
        never_link=f"/never-again/{new_link(tx, address).text}",
        expires=tx.now + invitations.INVITATION_LIFE,
    )


def _record(
    tx: Transaction, event: Event, by: By, id: int, workspace_id: int, address: Address, role: Role
) -> None:
    record(
        tx,
        event,
        by=by,
        subject=address_subject(address.display),
        workspace_id=workspace_id,
        invitation=to_text(id),
        role=role,
    )


def _lock_name(address: Address) -> str:
    return address_name(address.key)


def _team(workspace: Row) -> str:
    return f"/w/{workspace.slug}/settings/team"


def _too_many(detail: str, workspace: Row, retry_at: int) -> Refused:
    return Refused(
        Code.TOO_MANY_ATTEMPTS,
        detail,
        WayOut("See who is invited already.", f"{_team(workspace)}?status=invited"),
        retry_at=retry_at,
    )
