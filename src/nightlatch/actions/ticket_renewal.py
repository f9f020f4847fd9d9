"""The link of a mandate's mail after its day: whoever reads late meets a page that mails a fresh one.

Whoever holds the old link learns no more than its mail said, and can only have a mail sent to the person's own mailbox:
that takes no session (law 14 holds for what is sent).
"""

from dataclasses import dataclass

from nightlatch import addresses
from nightlatch.actions import notices
from nightlatch.actions.by import By
from nightlatch.actions.mailing import mail_address, settled_address
from nightlatch.actions.tokens import new_token
from nightlatch.assurance import passkey_alone, ready
from nightlatch.audit.events import account as account_subject
from nightlatch.audit.events import record
from nightlatch.facts import AppId
from nightlatch.instants import HOUR
from nightlatch.refusals import Code, Refused, WayOut, not_found
from nightlatch.store import accounts, outbox, tickets, workspaces
from nightlatch.store.engine import Transaction
from nightlatch.store.facts import read_account_facts
from nightlatch.store.locks import lock
from nightlatch.store.query import Row
from nightlatch.vocabulary import Event, TicketPurpose

MAILS_AN_HOUR = 5


@dataclass(frozen=True, slots=True)
class Renewal:
    """What becomes of a mandate's link that does not work any more."""

    state: str
    """`renew`: a fresh one can be mailed; `page`: set-up itself says what it takes; `done`: 2FA is set up; `off`: it is
    not required any more; `gone`: no teammate any more."""
    email: str
    """Where the fresh one goes, masked."""
    workspace_name: str
    slug: str
    app_id: AppId | None


def look(tx: Transaction, *, token_hash: bytes) -> Renewal | None:
    """What can be done about a dead link; None where it was none of a mandate. Changes nothing (law 4)."""
    found = _found(tx, token_hash)
    return _renewal(tx, *found) if found is not None else None


def renew(tx: Transaction, *, by: By, token_hash: bytes) -> Renewal:
    """Mail a fresh link, where one may be (law 14), in the place of all older ones. Raises Refused."""
    row = tickets.by_token(tx, token_hash)
    lock(tx, accounts=[row.account_id] if row is not None else [])
    found = _found(tx, token_hash)
    if found is None:
        raise not_found()
    account, workspace = found
    renewal = _renewal(tx, account, workspace)
    if renewal.state != "renew":
        return renewal
    email = settled_address(tx, account)
    if outbox.count_to(tx, addresses.parse(email).key, "mandate_link", tx.now - HOUR) >= MAILS_AN_HOUR:
        raise Refused(
            Code.TOO_MANY_ATTEMPTS,
            "We have mailed you several links already. Use the newest one, or wait an hour.",
            WayOut("See what to do when no mail comes.", "/help"),
            retry_at=tx.now + HOUR,
        )
    token = new_token()
    notices.send_link(tx, workspace, account, token.hash)
    record(
        tx,
        Event.TICKET_SENT,
        by=by,
        subject=account_subject(account.id, account.name),
        workspace_id=workspace.id,
        purpose=TicketPurpose.MANDATE,
    )
    mail_address(
        tx,
        "mandate_link",
        email,
        by=by,
        account_id=account.id,
        workspace_id=workspace.id,
        revision=workspace.revision,
        workspace=workspace.name,
        passkey=passkey_alone(read_account_facts(tx, account.id), [workspace.id]),
        link=f"/tickets/{token.text}",
        expires=tx.now + tickets.TICKET_LIFE,
    )
    return renewal


# --- inside ---


def _found(tx: Transaction, token_hash: bytes) -> tuple[Row, Row] | None:
    row = tickets.by_token(tx, token_hash)
    if row is None or row.purpose != TicketPurpose.MANDATE or row.workspace_id is None:
        return None
    account, workspace = accounts.by_id(tx, row.account_id), workspaces.by_id(tx, row.workspace_id)
    return (account, workspace) if account is not None and workspace is not None else None


def _renewal(tx: Transaction, account: Row, workspace: Row) -> Renewal:
    facts = read_account_facts(tx, account.id)
    if facts.teammate(workspace.id) is None:
        state = "gone"
    elif ready(facts, workspace.id):
        state = "done"
    elif workspace.required_from is None:
        state = "off"
    else:
        state = "renew" if notices.may_have_ticket(facts, workspace.id) else "page"
    email = addresses.masked(settled_address(tx, account))
    return Renewal(state, email, workspace.name, workspace.slug, account.app_id)
