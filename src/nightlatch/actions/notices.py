"""What one teammate, and each owner, is told of a mandate: each notice once, and only while it is true."""

from collections.abc import Sequence

from nightlatch import addresses
from nightlatch.actions.by import SYSTEM
from nightlatch.actions.mailing import mail_address, settled_address
from nightlatch.actions.tokens import new_token
from nightlatch.assurance import enrolled, ready, relied_on
from nightlatch.facts import Facts
from nightlatch.ids import to_text
from nightlatch.instants import Instant
from nightlatch.mail.messages.common import by_way_of
from nightlatch.policy import ProofStrength
from nightlatch.store import accounts, notices, progress, teammates, tickets, withdrawing
from nightlatch.store.engine import Transaction
from nightlatch.store.facts import read_account_facts
from nightlatch.store.locks import address_name, lock
from nightlatch.store.query import Row
from nightlatch.vocabulary import TicketPurpose

ANNOUNCE, START = "announce", "start"
STRENGTH = ("strength_on", "strength_notice")
"""Campaigns that tell of passkeys."""
READY = "ready"
"""Who had 2FA already is told once, and no stage after it."""


def tell_batch(tx: Transaction, campaign: Row, workspace: Row, batch: Sequence[Row]) -> None:
    """Queue what a campaign has to say to some teammates. Locks their accounts, then their addresses."""
    lock_people(tx, [each.account_id for each in batch])
    for each in batch:
        if campaign.kind == "mandate_off":
            if each.joined_at <= campaign.created_at:
                _tell(tx, campaign, workspace, each, "mandate_off")
        elif campaign.kind == "mandate_reminder":
            if (each.exempt_until or 0) <= tx.now:
                remind(tx, workspace, each, campaign.by_name)
        elif each.joined_at <= _announced(campaign, workspace):
            _notice(tx, campaign, workspace, each)


def summarise(tx: Transaction, campaign: Row, workspace: Row) -> None:
    """Everybody was told: each owner hears how many are set up and how many are left, once a stage."""
    if campaign.kind in ("mandate_off", "mandate_reminder"):
        return
    set_up, everybody = progress.now(tx, workspace.id)
    owners = teammates.owners(tx, workspace.id)
    lock(tx, names=[address_name(addresses.parse(owner.email).key) for owner in owners])
    for owner in owners:
        if _take(tx, campaign, owner.account_id, f"summary_{_stage(campaign)}"):
            mail_address(
                tx,
                "mandate_summary",
                owner.email,
                by=SYSTEM,
                account_id=owner.account_id,
                workspace_id=workspace.id,
                revision=campaign.revision,
                workspace=workspace.name,
                slug=workspace.slug,
                stage=_stage(campaign).removeprefix("strength_"),
                set_up=set_up,
                left=everybody - set_up,
                from_instant=_date(campaign, workspace),
                **_words(campaign, workspace),
            )


def remind(tx: Transaction, workspace: Row, teammate: Row, by_name: str) -> bool:
    """Queue a reminder to one teammate without 2FA: at most one a day. Whether it was. The account is locked."""
    facts = read_account_facts(tx, teammate.account_id)
    here = facts.teammate(workspace.id)
    if here is None or here.mandate.required_from is None or ready(facts, workspace.id):
        return False
    if not teammates.reminded(tx, teammate.id):
        return False
    has_two_factor = enrolled(facts.authenticators, workspace.id)
    binds = here.mandate.lacking_from(has_two_factor=has_two_factor) or 0
    withdrawing.of_person(tx, teammate.account_id, workspace.id, "a reminder says it")
    passkey = has_two_factor or here.mandate.resistant(binds)
    _to_enrol(
        tx,
        "strength_notice" if passkey else "mandate_reminder",
        workspace,
        facts,
        revision=workspace.revision,
        by_name=by_name,
        from_instant=binds if binds > tx.now else None,
        **({"stage": "reminder"} if passkey else {}),
    )
    return True


def is_set_up(tx: Transaction, workspace: Row, teammate: Row) -> bool:
    """Whether a teammate has in a workspace what it requires."""
    return ready(read_account_facts(tx, teammate.account_id), workspace.id)


def send_link(tx: Transaction, workspace: Row, account: Row, token_hash: bytes) -> int | None:
    """A fresh ticket for a mandate, in the place of older ones; its id. The mail is the caller's."""
    return tickets.create(
        tx,
        token_hash=token_hash,
        account_id=account.id,
        purpose=TicketPurpose.MANDATE,
        workspace_id=workspace.id,
    )


def may_have_ticket(facts: Facts, workspace_id: int) -> bool:
    """Whether a mandate's ticket may be sent to a person (law 14): nothing is relied on there, and nothing was lost to
    a reset there, after which only that reset's ticket binds."""
    here = facts.teammate(workspace_id)
    return here is not None and here.reset is None and not relied_on(facts, workspace_id)


def lock_people(tx: Transaction, account_ids: Sequence[int]) -> None:
    """Lock accounts, then the names of their addresses, each in one order for everybody."""
    lock(tx, accounts=account_ids)
    if tx.dialect == "sqlite":
        return
    emails = set()
    for account_id in account_ids:
        account = accounts.by_id(tx, account_id)
        if account is not None:
            emails |= {account.email, settled_address(tx, account)}
    lock(tx, names=[address_name(addresses.parse(each).key) for each in emails])


# --- inside ---


def _announced(campaign: Row, workspace: Row) -> Instant:
    """Who joined later is bound from the day they joined, and set it up then."""
    since: Instant = campaign.created_at if workspace.announced_at is None else workspace.announced_at
    return since


def _stage(campaign: Row) -> str:
    """Campaigns from before there were stages have none. Those of passkeys count for themselves."""
    stage = campaign.stage or (START if campaign.required_from is None else ANNOUNCE)
    return f"strength_{stage}" if campaign.kind in STRENGTH else str(stage)


def _date(campaign: Row, workspace: Row) -> Instant:
    at: Instant = workspace.resistant_from if campaign.kind in STRENGTH else workspace.required_from
    return at


def _words(campaign: Row, workspace: Row) -> dict[str, str]:
    return {"strength": ProofStrength.PHISHING_RESISTANT.value} if _of_passkeys(campaign, workspace) else {}


def _of_passkeys(campaign: Row, workspace: Row) -> bool:
    """Whether what a campaign tells of is asked for as a passkey: it comes with the mandate, or by itself later."""
    at = workspace.resistant_from
    return campaign.kind in STRENGTH or (at is not None and at <= workspace.required_from)


def _take(tx: Transaction, campaign: Row, account_id: int, stage: str) -> bool:
    return notices.take(
        tx,
        workspace_id=campaign.workspace_id,
        revision=campaign.revision,
        account_id=account_id,
        stage=stage,
    )


def _notice(tx: Transaction, campaign: Row, workspace: Row, teammate: Row) -> None:
    facts = read_account_facts(tx, teammate.account_id)
    if ready(facts, workspace.id):
        if campaign.kind in ("mandate_on", "strength_on"):
            _ready(tx, campaign, workspace, teammate)
        return
    if (teammate.exempt_until or 0) > tx.now:
        return
    passkeys, stage = _of_passkeys(campaign, workspace), _stage(campaign)
    first = campaign.due_at is None or campaign.due_at <= campaign.created_at or campaign.stage == ANNOUNCE
    if not passkeys and enrolled(facts.authenticators, workspace.id):
        if not first:
            return  # the date that is theirs has notices of its own
        passkeys = True
    if not _take(tx, campaign, teammate.account_id, stage):
        return
    withdrawing.of_person(tx, teammate.account_id, workspace.id, "a newer notice says it")
    if passkeys:
        _ask_for_passkey(tx, campaign, workspace, facts)
        return
    more = {} if first else {"stage": stage}
    _to_enrol(
        tx,
        "mandate_enrol" if first else "mandate_notice",
        workspace,
        facts,
        revision=campaign.revision,
        by_name=campaign.by_name,
        from_instant=None if first and stage == START else workspace.required_from,
        **more,
    )


def _ask_for_passkey(tx: Transaction, campaign: Row, workspace: Row, facts: Facts) -> None:
    at: Instant = workspace.resistant_from
    _to_enrol(
        tx,
        "strength_notice",
        workspace,
        facts,
        revision=campaign.revision,
        by_name=campaign.by_name,
        from_instant=at if at > tx.now else None,
        stage=_stage(campaign).removeprefix("strength_"),
    )


def _ready(tx: Transaction, campaign: Row, workspace: Row, teammate: Row) -> None:
    """Once, to whom nothing else was said of this mandate."""
    said = notices.told(
        tx, workspace_id=workspace.id, revision=campaign.revision, account_id=teammate.account_id
    )
    if any(not each.startswith("summary_") for each in said):
        return
    if _take(tx, campaign, teammate.account_id, READY):
        now = _stage(campaign).removeprefix("strength_") == START
        passkeys = _of_passkeys(campaign, workspace)
        _tell(
            tx,
            campaign,
            workspace,
            teammate,
            "strength_ready" if passkeys else "mandate_ready",
            from_instant=None if now else _date(campaign, workspace),
        )


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
        revision=campaign.revision,
        workspace=workspace.name,
        by_name=campaign.by_name,
        **values,
    )


def _to_enrol(
    tx: Transaction, kind: str, workspace: Row, facts: Facts, *, revision: int, **values: str | int | None
) -> None:
    """A mail that leads to set-up, with a ticket where a ticket may be; else to the page, which says what it takes."""
    account = accounts.by_id(tx, facts.account or 0)
    if account is None:
        return
    link = f"/set-up?workspace={workspace.slug}"
    if account.app_id is not None:
        link = by_way_of(to_text(account.app_id), link)
    if may_have_ticket(facts, workspace.id):
        token = new_token()
        send_link(tx, workspace, account, token.hash)
        link = f"/tickets/{token.text}"
    mail_address(
        tx,
        kind,
        settled_address(tx, account),
        by=SYSTEM,
        account_id=account.id,
        workspace_id=workspace.id,
        revision=revision,
        workspace=workspace.name,
        link=link,
        **values,
    )
