"""Asking the admins for help when the second factor is lost, and setting such a call aside.

Whoever has the first factor can ask: the person, or whoever stole their password. So asking changes nothing, it is told
to the person at every address, and the admins are warned and shown what they need to tell the two apart.
"""

from dataclasses import dataclass

from nightlatch.access import decide_workspace
from nightlatch.actions import kinds
from nightlatch.actions.by import By
from nightlatch.actions.guard import allowed, person_of
from nightlatch.actions.mailing import mail_account, mail_address
from nightlatch.actions.not_me import not_me_link
from nightlatch.actions.reset_rules import may_ask
from nightlatch.assurance import enrolled, relied, relied_on
from nightlatch.audit.events import account as account_subject
from nightlatch.audit.events import record
from nightlatch.decision import Challenge
from nightlatch.facts import AccountId, Facts, WorkspaceId
from nightlatch.ids import to_text
from nightlatch.instants import DAY, Duration, Instant
from nightlatch.refusals import Code, Refused, WayOut, not_found
from nightlatch.store import accounts, authenticators, help_requests, teammates, workspaces
from nightlatch.store.engine import Transaction
from nightlatch.store.facts import read_account_facts
from nightlatch.store.known import Known, Place
from nightlatch.store.locks import lock
from nightlatch.store.query import Row
from nightlatch.vocabulary import Event, Method, Role

ASK_EVERY: Duration = DAY
"""One call for a person and workspace in so long a time."""
MOST_TOLD = 20
"""Owners and admins told of one call, owners first: whoever has a password must not set off thousands of mails."""
_LOOKED_AT = 200


@dataclass(frozen=True, slots=True)
class Asked:
    """One workspace whose admins know: since now, or since an earlier call of the last 24 hours."""

    workspace_id: WorkspaceId
    slug: str
    name: str
    asked_at: Instant
    now: bool = False
    """They were told by this very call."""
    closed: bool = False
    """It needs nobody any more."""


@dataclass(frozen=True, slots=True)
class Call:
    """An open call for help, as an admin of its workspace sees it: nothing of what is elsewhere."""

    id: int
    teammate_id: int
    name: str
    email: str
    role: Role
    asked_at: Instant
    ip: str
    user_agent: str
    app_used_at: Instant | None
    """When an app that this workspace relies on was last used."""
    may_reset: bool
    """Whoever looks may ask for the reset of this person."""


def ask(tx: Transaction, *, by: By, workspace_id: WorkspaceId | None = None) -> list[Asked]:
    """Tell the admins of every workspace that challenges this session (or of the one named), and the person.

    Raises Refused: what the gate raises, `conflict` where nothing asks for a second step or nobody could help,
    `too_many_attempts` where all of them were asked within the last 24 hours.
    """
    lock(tx, accounts=[by.id] if by.id is not None else [])
    known = allowed(tx, by, kinds.ASK_HELP)
    account = accounts.by_id(tx, person_of(known).id)
    if account is None:
        raise not_found()
    places = [(place, helpers_of(tx, known, place)) for place in asking_for(known, workspace_id)]
    if not any(helpers for _, helpers in places):
        raise _nobody(bool(places))
    asked = [_ask(tx, by, known, account, place, helpers) for place, helpers in places if helpers]
    if not any(each.now for each in asked):
        raise Refused(
            Code.TOO_MANY_ATTEMPTS,
            "The admins were asked already. They will contact you another way.",
            WayOut("See the other ways in.", "/recover"),
            retry_at=min(each.asked_at for each in asked) + ASK_EVERY,
        )
    mail_account(
        tx,
        "help_asked",
        account,
        by=by,
        workspace=", ".join(each.name for each in asked if each.now),
        not_me_link=not_me_link(tx, account.id, None),
    )
    return asked


def asking_for(known: Known, workspace_id: WorkspaceId | None) -> list[Place]:
    """The workspaces to ask: those that wait for a second step; else those that rely on one at all."""
    facts, places = known.facts, known.places or {}
    mine = [each.workspace for each in facts.teammates if workspace_id in (None, each.workspace)]
    relying = [each for each in mine if relied_on(facts, each)]
    waiting = [each for each in relying if isinstance(decide_workspace(facts, each), Challenge)]
    return [places[each] for each in waiting or relying]


def asked_lately(tx: Transaction, *, known: Known) -> list[Asked]:
    """The calls of the last 24 hours, for the lost-device page. Reads only."""
    account_id = person_of(known).id
    found = []
    for place in asking_for(known, None):
        row = help_requests.newest_since(tx, account_id, place.id, tx.now - ASK_EVERY)
        if row is not None:
            found.append(
                Asked(place.id, place.slug, place.name, row.created_at, closed=row.closed_at is not None)
            )
    return found


def helpers_of(tx: Transaction, known: Known, place: Place) -> list[Row]:
    """Who may reset this person there and can get in to do it, by rank: their names, addresses and roles.

    Where nobody can get in at the moment, those who will once they have set up 2FA themselves.
    """
    mine = known.facts.teammate(place.id)
    if mine is None:
        return []
    return _helpers(tx, place.id, known.facts.account or 0, teammates.rank(tx, place.teammate_id, mine.role))


def calls(tx: Transaction, *, by: By, workspace_id: WorkspaceId) -> list[Call]:
    """The open calls in a workspace, the newest first. Reads only. Raises Refused: what the gate raises."""
    known = allowed(tx, by, kinds.LOOK_AT_RESET.at(workspace_id))
    return [_call(tx, known, workspace_id, row) for row in help_requests.open_in(tx, workspace_id)]


def call_of(tx: Transaction, *, by: By, workspace_id: WorkspaceId, teammate_id: int) -> Call | None:
    """The open call of one teammate, for the page that turns off their 2FA. Reads only."""
    found = [each for each in calls(tx, by=by, workspace_id=workspace_id) if each.teammate_id == teammate_id]
    return found[0] if found else None


def dismiss(tx: Transaction, *, by: By, workspace_id: WorkspaceId, request_id: int) -> None:
    """An admin sets a call aside: it was settled another way, or it was not the person. Raises Refused."""
    allowed(tx, by, kinds.SETTLE_HELP.at(workspace_id))
    found = [each for each in help_requests.open_in(tx, workspace_id) if each.id == request_id]
    if not found or not help_requests.close(tx, request_id, "dismissed"):
        raise Refused(
            Code.ALREADY_USED,
            "It is closed already.",
            WayOut("See who else asks.", "/workspaces"),
        )
    record(
        tx,
        Event.HELP_CLOSED,
        by=by,
        subject=account_subject(found[0].account_id, found[0].name),
        workspace_id=workspace_id,
        request=to_text(request_id),
        why="dismissed",
    )


def tell_contested(tx: Transaction, *, by: By, account: Row, workspace_id: WorkspaceId) -> None:
    """The admins who were asked hear that it was not the person: they must not turn anything off."""
    row, workspace = teammates.by_account(tx, account.id, workspace_id), workspaces.by_id(tx, workspace_id)
    if row is None or workspace is None:
        return
    rank = teammates.rank(tx, row.id, Role(row.role))
    for each in _helpers(tx, workspace_id, account.id, rank):
        _mail_admin(tx, "help_contested", by, each, account, workspace)


# --- inside ---


def _helpers(tx: Transaction, workspace_id: WorkspaceId, account_id: AccountId, rank: int) -> list[Row]:
    managers = help_requests.managers(tx, workspace_id, account_id, _LOOKED_AT)
    may = [each for each in managers if may_ask(Role(each.role), rank)]
    able = [each for each in may if _gets_in(tx, each.account_id, workspace_id)]
    return (able or may)[:MOST_TOLD]


def _gets_in(tx: Transaction, account_id: AccountId, workspace_id: WorkspaceId) -> bool:
    """Whether 2FA, where it is required, does not stand between an admin and the workspace."""
    facts = read_account_facts(tx, account_id)
    here = facts.teammate(workspace_id)
    return here is not None and (
        not here.mandate.in_force(facts.now) or enrolled(facts.authenticators, workspace_id)
    )


def _ask(tx: Transaction, by: By, known: Known, account: Row, place: Place, helpers: list[Row]) -> Asked:
    before = help_requests.newest_since(tx, account.id, place.id, tx.now - ASK_EVERY)
    if before is not None:
        done = before.closed_at is not None
        return Asked(place.id, place.slug, place.name, before.created_at, closed=done)
    request_id = help_requests.add(
        tx, workspace_id=place.id, account_id=account.id, ip=by.ip, user_agent=by.user_agent[:400]
    )
    record(
        tx,
        Event.HELP_REQUESTED,
        by=by,
        subject=account_subject(account.id, account.name),
        workspace_id=place.id,
        request=to_text(request_id),
    )
    used_at = _app_used_at(tx, known.facts, account.id, place.id)
    for each in helpers:
        _mail_admin(tx, "help_requested", by, each, account, place, used_at=used_at)
    return Asked(place.id, place.slug, place.name, tx.now, now=True)


def _mail_admin(
    tx: Transaction, kind: str, by: By, admin: Row, account: Row, place: Place | Row, **values: Instant | None
) -> None:
    mail_address(
        tx,
        kind,
        admin.email,
        by=by,
        account_id=admin.account_id,
        workspace_id=place.id,
        workspace=place.name,
        name=account.name,
        account=account.email,
        link=f"/w/{place.slug}/settings/team/help-requests",
        **values,
    )


def _app_used_at(
    tx: Transaction, facts: Facts, account_id: AccountId, workspace_id: WorkspaceId
) -> Instant | None:
    """When an app that the workspace relies on was last used."""
    here = {each.id for each in facts.authenticators if relied(each, workspace_id)}
    used = [
        row.last_used_at
        for row in authenticators.of_account(tx, account_id)
        if row.id in here and row.method != Method.RECOVERY_CODE and row.last_used_at is not None
    ]
    return max(used, default=None)


def _call(tx: Transaction, known: Known, workspace_id: WorkspaceId, row: Row) -> Call:
    mine, facts = known.facts.teammate(workspace_id), read_account_facts(tx, row.account_id)
    rank = teammates.rank(tx, row.teammate_id, Role(row.role))
    return Call(
        row.id,
        row.teammate_id,
        row.name,
        row.email,
        Role(row.role),
        row.created_at,
        row.ip,
        row.user_agent,
        _app_used_at(tx, facts, row.account_id, workspace_id),
        mine is not None and row.account_id != known.facts.account and may_ask(mine.role, rank),
    )


def _nobody(some: bool) -> Refused:
    if some:
        return Refused(
            Code.CONFLICT,
            "Nobody else in your workspace can help with this. Ask whoever runs this installation.",
            WayOut("See how to get help.", "/help"),
        )
    return Refused(
        Code.CONFLICT,
        "Nothing here asks you for a second step.",
        WayOut("See your settings.", "/settings/user"),
    )
