"""Queueing mails: to whom, at which of their addresses, made of which values. One place for all actions."""

from typing import Any

from nightlatch import addresses
from nightlatch.actions.by import By
from nightlatch.instants import DAY, Duration, Instant
from nightlatch.mail.agents import readable_agent
from nightlatch.mail.messages import check, is_link, needs_link
from nightlatch.mail.messages.sorts import Sort, sort_of
from nightlatch.store import accounts, notification_addresses, outbox, teammates
from nightlatch.store.engine import Transaction
from nightlatch.store.locks import address_name, lock
from nightlatch.store.query import Row

UNDO_WINDOW = 7 * DAY
"""An address that was replaced within this time is told too, and is where tickets still go (laws 13 and 14)."""
UNASKED_A_DAY = 5
"""Mails that nobody asked for, to one address within 24 hours, all workspaces together; security notices apart."""
PUT_OFF_AT_MOST: Duration = 2 * DAY
"""Past that cap a mail waits for its turn; one that would wait longer is not sent at all."""


def mail_address(
    tx: Transaction,
    kind: str,
    email: str,
    *,
    by: By,
    account_id: int | None = None,
    workspace_id: int | None = None,
    revision: int | None = None,
    **values: Any,
) -> int | None:
    """Queue one mail to one address; its id. Raises what `messages.check` raises: a mail that cannot be made stops the
    change.

    `values` are the message's arguments; its `by` (a name to show) is given as `by_name`, since `by` is who acts, and
    `when` where that is not now. `revision`: of the policy that the mail is about. A mail of a kind that nobody asks
    for (`messages.sorts`) is counted against the address: past five in 24 hours it is put off until there is room, and
    where that is more than two days away it is not queued: None. This locks the name of the address: queue such mails
    after every other lock.
    """
    complete = {"when": tx.now, **values, "where": by.ip, "agent": readable_agent(by.user_agent)}
    if "by_name" in complete:
        complete["by"] = complete.pop("by_name")
    check(kind, complete)
    key = addresses.parse(email).key
    counted = unasked_slot(tx, key) if sort_of(kind) is Sort.UNASKED else None
    if counted is not None and counted > tx.now + PUT_OFF_AT_MOST:
        return None
    return outbox.enqueue(
        tx,
        kind,
        complete,
        address=email,
        address_key=key,
        account_id=account_id,
        workspace_id=workspace_id,
        unasked_at=counted,
        revision=revision,
    )


def unasked_slot(tx: Transaction, address_key: str) -> Instant:
    """When an address may get the next mail that it did not ask for: now, where it has room.

    Under the address's lock, so that two transactions never take the same place.
    """
    lock(tx, names=[address_name(address_key)])
    taken = outbox.unasked_to(tx, address_key, tx.now - DAY, UNASKED_A_DAY)
    return tx.now if len(taken) < UNASKED_A_DAY else max(tx.now, taken[-1] + DAY)


def mail_account(
    tx: Transaction,
    kind: str,
    account: Row,
    /,
    *,
    by: By,
    workspace_id: int | None = None,
    **values: Any,
) -> None:
    """Queue a mail to a person at every address they have: the present one and those replaced lately (law 13).

    A security notice goes to the person's addresses for notices, too, as a copy.
    """
    for email in every_address(tx, account):
        mail_address(tx, kind, email, by=by, account_id=account.id, workspace_id=workspace_id, **values)
    if sort_of(kind) is Sort.SECURITY:
        mail_copies(tx, kind, account, by=by, workspace_id=workspace_id, **values)


def mail_copies(
    tx: Transaction,
    kind: str,
    account: Row,
    /,
    *,
    by: By,
    workspace_id: int | None = None,
    **values: Any,
) -> None:
    """Queue copies of a security notice to a person's confirmed addresses for notices, stripped of every link.

    Those addresses are told and nothing else: what they get must change nothing, whoever reads it. So a kind that is
    mailed like this says its links as optional.
    """
    if needs_link(kind):
        return
    told = {addresses.parse(email).key for email in every_address(tx, account)}
    kept = {name: value for name, value in values.items() if not is_link(name)}
    for row in notification_addresses.confirmed(tx, account.id):
        if row.email_key not in told:
            mail_address(
                tx,
                kind,
                row.email,
                by=by,
                account_id=account.id,
                workspace_id=workspace_id,
                copy_of=str(account.email),
                **kept,
            )


def every_address(tx: Transaction, account: Row) -> list[str]:
    """A person's addresses: the present one first, then those replaced within the undo window."""
    former = accounts.former_addresses(tx, account.id, tx.now - UNDO_WINDOW)
    return list(dict.fromkeys([account.email, *former]))


def settled_address(tx: Transaction, account: Row) -> str:
    """The address as it was before any change of the last 7 days: where self-service tickets go (law 14)."""
    former = accounts.former_addresses(tx, account.id, tx.now - UNDO_WINDOW)
    return former[0] if former else str(account.email)


def tell_owners_first(tx: Transaction, by: By, workspace_id: int, what: str, reason: str) -> None:
    """The operator acts past a workspace's own rules: every owner is mailed, before anything else is queued (law 8)."""
    mail_owners(tx, "break_glass", workspace_id, by=by, operator=by.name, reason=reason, what=what)


def mail_owners(tx: Transaction, kind: str, workspace_id: int, *, by: By, **values: Any) -> int:
    """Queue a mail to every owner of a workspace; how many there are."""
    owners = teammates.owners(tx, workspace_id)
    if sort_of(kind) is Sort.UNASKED:  # in one order, whoever else mails some of the same people now
        lock(tx, names=[address_name(addresses.parse(owner.email).key) for owner in owners])
    for owner in owners:
        mail_address(
            tx, kind, owner.email, by=by, account_id=owner.account_id, workspace_id=workspace_id, **values
        )
    return len(owners)
