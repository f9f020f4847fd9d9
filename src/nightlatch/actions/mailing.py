"""Queueing mails: to whom, at which of their addresses, made of which values. One place for all actions."""

from typing import Any

from nightlatch import addresses
from nightlatch.actions.by import By
from nightlatch.instants import DAY
from nightlatch.mail.agents import readable_agent
from nightlatch.mail.messages import check
from nightlatch.store import accounts, outbox, teammates
from nightlatch.store.engine import Transaction
from nightlatch.store.query import Row

UNDO_WINDOW = 7 * DAY
"""An address that was replaced within this time is told too, and is where tickets still go (laws 13 and 14)."""


def mail_address(
    tx: Transaction,
    kind: str,
    email: str,
    *,
    by: By,
    account_id: int | None = None,
    workspace_id: int | None = None,
    **values: Any,
) -> None:
    """Queue one mail to one address. Raises what `messages.check` raises: a mail that cannot be made stops the change.

    `values` are the message's arguments; its `by` (a name to show) is given as `by_name`, since `by` is who acts.
    """
    complete = {**values, "when": tx.now, "where": by.ip, "agent": readable_agent(by.user_agent)}
    if "by_name" in complete:
        complete["by"] = complete.pop("by_name")
    check(kind, complete)
    outbox.enqueue(
        tx,
        kind,
        complete,
        address=email,
        address_key=addresses.parse(email).key,
        account_id=account_id,
        workspace_id=workspace_id,
    )


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
    """Queue a mail to a person at every address they have: the present one and those replaced lately (law 13)."""
    for email in every_address(tx, account):
        mail_address(tx, kind, email, by=by, account_id=account.id, workspace_id=workspace_id, **values)


def every_address(tx: Transaction, account: Row) -> list[str]:
    """A person's addresses: the present one first, then those replaced within the undo window."""
    former = accounts.former_addresses(tx, account.id, tx.now - UNDO_WINDOW)
    return list(dict.fromkeys([account.email, *former]))


def settled_address(tx: Transaction, account: Row) -> str:
    """The address as it was before any change of the last 7 days: where self-service tickets go (law 14)."""
    former = accounts.former_addresses(tx, account.id, tx.now - UNDO_WINDOW)
    return former[0] if former else str(account.email)


def mail_owners(tx: Transaction, kind: str, workspace_id: int, *, by: By, **values: Any) -> int:
    """Queue a mail to every owner of a workspace; how many there are."""
    owners = teammates.owners(tx, workspace_id)
    for owner in owners:
        mail_address(
            tx, kind, owner.email, by=by, account_id=owner.account_id, workspace_id=workspace_id, **values
        )
    return len(owners)
