"""Mails to everybody in a workspace, in batches, after the switch has answered: a mandate's notices, reminders.

A mandate is announced at once and has a notice 7, 3 and 1 days before its date, and on it. Each is a row with the
instant at which it is due; whoever is late (the machine was down) sends it late, and of several that are due together
only the newest.
"""

from nightlatch.actions import notices
from nightlatch.actions.notices import ANNOUNCE, START, STRENGTH
from nightlatch.instants import DAY, HOUR, Duration, Instant
from nightlatch.policy import Mandate
from nightlatch.store import campaigns, teammates, withdrawing, workspaces
from nightlatch.store.engine import Transaction
from nightlatch.store.query import Row

BEFORE: dict[str, Duration] = {"7_days": 7 * DAY, "3_days": 3 * DAY, "1_day": DAY, START: 0}
"""The notices after the announcement: how long before the date each is due."""
SOON: Duration = HOUR
"""What would be due so soon after the announcement says nothing that it does not."""


def announce(tx: Transaction, workspace: Row, revision: int, *, by_name: str, required_from: Instant) -> None:
    """The mandate begins, or will: everybody is told now, and again as its date comes. Stages that have passed are
    skipped; what an earlier revision had queued is withdrawn."""
    _stop(tx, workspace.id)
    now = required_from <= tx.now
    _add(tx, workspace, revision, "mandate_on", by_name, required_from, START if now else ANNOUNCE, tx.now)
    for stage, before in BEFORE.items():
        due_at = required_from - before
        if due_at > tx.now + (0 if stage == START else SOON):
            _add(tx, workspace, revision, "mandate_notice", by_name, required_from, stage, due_at)


def announce_strength(tx: Transaction, workspace: Row, revision: int, *, by_name: str, told: bool) -> None:
    """Passkeys alone, from now or from a date: everybody is told (unless `told` of the mandate just now), and again as
    the date comes. Notices of the mandate itself go on."""
    at: Instant = workspace.resistant_from
    if not told:
        campaigns.end_strength(tx, workspace.id)
        stage = START if at <= tx.now else ANNOUNCE
        _add(tx, workspace, revision, "strength_on", by_name, at, stage, tx.now)
    for stage, before in BEFORE.items():
        due_at = at - before
        if due_at > tx.now + (0 if stage == START else SOON):
            _add(tx, workspace, revision, "strength_notice", by_name, at, stage, due_at)


def turned_off(tx: Transaction, workspace: Row, revision: int, *, by_name: str) -> None:
    """The mandate is over: everybody is told, and no notice of it follows."""
    _stop(tx, workspace.id)
    _add(tx, workspace, revision, "mandate_off", by_name, None, None, tx.now)


def expand_campaign(tx: Transaction, *, most: int = 50) -> bool:
    """Queue the mails of the next `most` teammates of the campaign that is due for longest; whether one was due.

    How far it came is kept in the same transaction, and each notice is guarded by its own row, so that nobody is mailed
    twice. Locks: the campaign, then the accounts of the batch (a reset of one of them must not lose its ticket to
    ours), then their addresses; never the workspace, so that the switch waits for one batch at most.
    """
    campaign = campaigns.next_due(tx)
    if campaign is None:
        return False
    workspace = workspaces.by_id(tx, campaign.workspace_id)
    if workspace is None or not _still_true(tx, campaign, workspace) or _left_to_newer(tx, campaign):
        campaigns.advance(tx, campaign.id, campaign.after_id, done=True)
        return True
    batch = teammates.after(tx, workspace.id, campaign.after_id, most)
    notices.tell_batch(tx, campaign, workspace, batch)
    done = len(batch) < most
    if done:
        notices.summarise(tx, campaign, workspace)
    campaigns.advance(tx, campaign.id, batch[-1].id if batch else campaign.after_id, done=done)
    return True


# --- inside ---


def _stop(tx: Transaction, workspace_id: int) -> None:
    campaigns.end_all(tx, workspace_id)
    withdrawing.mandate_mails(tx, workspace_id)


def _add(
    tx: Transaction,
    workspace: Row,
    revision: int,
    kind: str,
    by_name: str,
    required_from: Instant | None,
    stage: str | None,
    due_at: Instant,
) -> None:
    campaigns.add(
        tx,
        workspace_id=workspace.id,
        revision=revision,
        kind=kind,
        by_name=by_name,
        required_from=required_from,
        stage=stage,
        due_at=due_at,
    )


def _still_true(tx: Transaction, campaign: Row, workspace: Row) -> bool:
    """Whether a campaign speaks of the mandate as it is. One that said "now" before there were stages has no date."""
    if campaign.kind == "mandate_off":
        return workspace.required_from is None
    if workspace.required_from is None:
        return False
    if campaign.kind == "mandate_reminder":
        return True
    if campaign.kind in STRENGTH:
        return bool(campaign.required_from == workspace.resistant_from)
    if campaign.required_from is None:
        return Mandate(workspace.required_from).in_force(tx.now)
    return bool(campaign.required_from == workspace.required_from)


def _left_to_newer(tx: Transaction, campaign: Row) -> bool:
    """Whether a later notice has come due too, and takes over; one that had to tell the ready hands that on."""
    if campaign.stage is None or campaign.due_at is None:
        return False
    newer = campaigns.newer_stage(
        tx, campaign.workspace_id, campaign.due_at, strength=campaign.kind in STRENGTH
    )
    if newer is None:
        return False
    if campaign.kind in ("mandate_on", "strength_on"):
        campaigns.set_kind(tx, newer, campaign.kind)
    return True
