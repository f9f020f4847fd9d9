"""Mails to everybody in a workspace, in batches, after the switch has answered."""

from nightlatch.actions.by import SYSTEM
from nightlatch.actions.mailing import mail_address, settled_address
from nightlatch.actions.tokens import new_token
from nightlatch.assurance import enrolled, relied_on
from nightlatch.facts import Facts
from nightlatch.ids import to_text
from nightlatch.mail.messages.common import by_way_of
from nightlatch.store import accounts, outbox, teammates, tickets, workspaces
from nightlatch.store.engine import Transaction
from nightlatch.store.facts import read_account_facts
from nightlatch.store.locks import lock
from nightlatch.store.query import Row
from nightlatch.vocabulary import TicketPurpose


def expand_campaign(tx: Transaction, *, most: int = 50) -> bool:
    """Queue the mails of the next `most` teammates of the oldest campaign; whether there is more to do.

    How far it came is kept in the same transaction, so that nobody is mailed twice. A campaign whose policy was changed
    meanwhile is over. Locks: the campaign, then the accounts of the batch (a reset of one of them must not lose its
    ticket to ours); never the workspace, so that the switch waits for one batch at most.
    """
    campaign = outbox.next_campaign(tx)
    if campaign is None:
        return False
    workspace = workspaces.by_id(tx, campaign.workspace_id)
    if workspace is None or workspace.revision != campaign.revision:
        outbox.advance_campaign(tx, campaign.id, campaign.after_id, done=True)
        return True
    batch = teammates.after(tx, workspace.id, campaign.after_id, most)
    lock(tx, accounts=[each.account_id for each in batch])
    for each in batch:
        if each.joined_at <= campaign.created_at:
            _mail(tx, campaign, workspace, each)
    last = batch[-1].id if batch else campaign.after_id
    outbox.advance_campaign(tx, campaign.id, last, done=len(batch) < most)
    return True


# --- inside ---


def _mail(tx: Transaction, campaign: Row, workspace: Row, teammate: Row) -> None:
    if campaign.kind == "mandate_off":
        return _tell(tx, campaign, workspace, teammate, "mandate_off")
    facts = read_account_facts(tx, teammate.account_id)
    if enrolled(facts.authenticators, workspace.id):
        return _tell(tx, campaign, workspace, teammate, "mandate_ready", from_instant=campaign.required_from)
    return _invite_to_enrol(tx, campaign, workspace, teammate, facts)


def _tell(
    tx: Transaction, campaign: Row, workspace: Row, teammate: Row, kind: str, **values: int | None
) -> None:
    mail_address(
        tx,
        kind,
        teammate.email,
        by=SYSTEM,
        account_id=teammate.account_id,
        workspace_id=workspace.id,
        workspace=workspace.name,
        by_name=campaign.by_name,
        **values,
    )


def _invite_to_enrol(tx: Transaction, campaign: Row, workspace: Row, teammate: Row, facts: Facts) -> None:
    """The mail that leads to set-up, with a ticket where a ticket may be (law 14).

    Without one, for a person whose last second factor there was lost to a reset, only that reset's ticket binds.
    """
    account = accounts.by_id(tx, teammate.account_id)
    here = facts.teammate(workspace.id)
    if account is None or here is None:
        return
    link = f"/set-up?workspace={workspace.slug}"
    if account.app_id is not None:
        link = by_way_of(to_text(account.app_id), link)
    if here.reset is None and not relied_on(facts, workspace.id):
        token = new_token()
        tickets.create(
            tx,
            token_hash=token.hash,
            account_id=account.id,
            purpose=TicketPurpose.MANDATE,
            workspace_id=workspace.id,
        )
        link = f"/tickets/{token.text}"
    mail_address(
        tx,
        "mandate_enrol",
        settled_address(tx, account),
        by=SYSTEM,
        account_id=account.id,
        workspace_id=workspace.id,
        workspace=workspace.name,
        by_name=campaign.by_name,
        from_instant=campaign.required_from,
        link=link,
    )
