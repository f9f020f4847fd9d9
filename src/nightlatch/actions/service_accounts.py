"""Service accounts: the machines of a workspace, each with a teammate who answers for it, its sponsor.

They belong to the workspace, are listed apart from its teammates, and are the only exemption from its mandate: nobody
signs in as one, and its tokens read what their scopes name in that workspace alone. When the sponsor goes, it is
suspended in the same transaction, and its admins are told; it works again once somebody else is named.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from nightlatch.actions import kinds
from nightlatch.actions.api_tokens import ApiToken as ApiToken
from nightlatch.actions.api_tokens import Made, clean_expiry, clean_scopes, room, shown
from nightlatch.actions.by import By
from nightlatch.actions.guard import place_of
from nightlatch.actions.kept import locked
from nightlatch.actions.mailing import mail_address
from nightlatch.actions.tokens import new_api_token
from nightlatch.addresses import Address
from nightlatch.audit.events import Subject, record
from nightlatch.facts import ServiceId, WorkspaceId
from nightlatch.ids import to_text
from nightlatch.instants import Instant
from nightlatch.instants import to_text as instant_text
from nightlatch.names import clean_name
from nightlatch.refusals import Code, Refused, WayOut, invalid, not_found
from nightlatch.store import api_tokens, service_accounts, teammates
from nightlatch.store.engine import Transaction
from nightlatch.store.query import Row
from nightlatch.vocabulary import Event

MOST_IN_A_WORKSPACE = 100


@dataclass(frozen=True, slots=True)
class Sponsor:
    """The teammate who answers for a service account."""

    teammate_id: int
    name: str
    email: str
    gone: bool
    """They are no teammate any more."""


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """A service account, as the workspace's admins see it."""

    id: ServiceId
    name: str
    sponsor: Sponsor
    created_at: Instant
    created_by: str
    suspended_at: Instant | None
    tokens: int
    """How many are good now."""
    last_used_at: Instant | None


# --- reading; the gate has asked ---


def every(tx: Transaction, workspace_id: WorkspaceId) -> list[ServiceAccount]:
    """The service accounts of a workspace, by name."""
    return [_service(row) for row in service_accounts.of_workspace(tx, workspace_id)]


def read(
    tx: Transaction, workspace_id: WorkspaceId, service_id: ServiceId
) -> tuple[ServiceAccount, list[ApiToken]]:
    """One of them, and its tokens, the newest first. Raises Refused (`not_found`)."""
    row = _there(tx, workspace_id, service_id)
    return _service(row), [shown(tx, each) for each in api_tokens.of_service(tx, service_id)]


# --- adding, changing, removing ---


def add(
    tx: Transaction,
    *,
    by: By,
    workspace_id: WorkspaceId,
    name: str,
    sponsor: int | Address | None = None,
) -> ServiceAccount:
    """Add a service account. `sponsor`: a teammate's id or address; None: whoever adds it.

    Raises Refused: what the gate raises, `invalid` (the name, or a sponsor who is no teammate), `conflict` for one too
    many, `not_permitted` in a workspace that a product brought.
    """
    name = clean_name(name)
    workspace, known = locked(tx, by, workspace_id, kinds.MANAGE_SERVICES)
    mine = place_of(known, workspace_id).teammate_id
    if service_accounts.count(tx, workspace_id) >= MOST_IN_A_WORKSPACE:
        raise Refused(
            Code.CONFLICT,
            f"A workspace has at most {MOST_IN_A_WORKSPACE} service accounts.",
            WayOut("Remove one first.", _path(workspace)),
        )
    who = _sponsor(tx, workspace_id, mine if sponsor is None else sponsor)
    id = service_accounts.create(tx, workspace_id=workspace_id, name=name, sponsor_id=who.id, by_name=by.name)
    row = _there(tx, workspace_id, id)
    _record(tx, Event.SERVICE_ACCOUNT_ADDED, by, row, sponsor=who.name)
    _tell_sponsor(tx, by, workspace, row, who)
    return _service(row)


def change(
    tx: Transaction,
    *,
    by: By,
    workspace_id: WorkspaceId,
    service_id: ServiceId,
    name: str | None = None,
    sponsor: int | Address | None = None,
) -> ServiceAccount:
    """Give it another name or sponsor (None leaves it). A suspended one works again with its new sponsor.

    Raises Refused as `add` does, and `not_found`.
    """
    name = clean_name(name) if name is not None else None
    workspace, _ = locked(tx, by, workspace_id, kinds.MANAGE_SERVICES)
    old = _there(tx, workspace_id, service_id)
    if name is not None and name != old.name:
        service_accounts.rename(tx, service_id, name)
        row = _there(tx, workspace_id, service_id)
        _record(tx, Event.SERVICE_ACCOUNT_CHANGED, by, row, former_name=old.name)
    if sponsor is not None:
        _change_sponsor(tx, by, workspace, old, _sponsor(tx, workspace_id, sponsor))
    return _service(_there(tx, workspace_id, service_id))


def remove(tx: Transaction, *, by: By, workspace_id: WorkspaceId, service_id: ServiceId) -> None:
    """Take it out: every token of it is dead with the next request. Raises Refused: the gate's, `not_found`."""
    locked(tx, by, workspace_id, kinds.END_SERVICE)
    row = _there(tx, workspace_id, service_id)
    ended = api_tokens.end_all_of_service(tx, service_id)
    if not service_accounts.remove(tx, service_id):
        raise not_found()
    _record(tx, Event.SERVICE_ACCOUNT_REMOVED, by, row, tokens_ended=len(ended))


# --- its tokens ---


def make_token(
    tx: Transaction,
    *,
    by: By,
    workspace_id: WorkspaceId,
    service_id: ServiceId,
    name: str,
    scopes: Iterable[str],
    expires_at: Instant | None = None,
) -> Made:
    """A token that reads in this workspace alone, as the service account; shown once.

    Raises Refused: what the gate raises, `not_found`, `invalid`, `conflict` (too many, or nobody answers for it).
    """
    name, wanted = clean_name(name), clean_scopes(scopes)
    ends = clean_expiry(tx, expires_at)
    workspace, _ = locked(tx, by, workspace_id, kinds.MANAGE_SERVICES)
    row = _there(tx, workspace_id, service_id)
    if row.suspended_at is not None:
        raise Refused(
            Code.CONFLICT,
            f"{row.name} is suspended: nobody answers for it.",
            WayOut("Name a sponsor first.", f"{_path(workspace)}/{to_text(service_id)}"),
        )
    room(row.tokens)
    token = new_api_token()
    id = api_tokens.create(
        tx, token_hash=token.hash, name=name, scopes=wanted, expires_at=ends, service_id=service_id
    )
    told = {"token": to_text(id), "token_name": name, "scopes": [each.value for each in wanted]}
    _record(tx, Event.TOKEN_MADE, by, row, **told, expires_at=instant_text(ends))
    made = next(each for each in api_tokens.of_service(tx, service_id) if each.id == id)
    return Made(shown(tx, made), token)


def end_token(
    tx: Transaction, *, by: By, workspace_id: WorkspaceId, service_id: ServiceId, token_id: int
) -> None:
    """End one of its tokens. Raises Refused: the gate's, `not_found`."""
    locked(tx, by, workspace_id, kinds.END_SERVICE)
    row = _there(tx, workspace_id, service_id)
    ended = api_tokens.end_of_service(tx, token_id, service_id)
    if ended is None:
        raise not_found()
    told = {"token": to_text(ended.id), "token_name": ended.name}
    _record(tx, Event.TOKEN_ENDED, by, row, **told, how="ended by an admin")


# --- when the sponsor goes ---


def suspend_of_sponsor(tx: Transaction, *, by: By, workspace: Row, teammate: Row) -> None:
    """Whatever a teammate who goes answered for is suspended, and the owners and admins who stay are mailed.

    Call it in the transaction that ends the membership, under the workspace's lock.
    """
    for suspended in service_accounts.suspend_of_sponsor(tx, teammate.id):
        row = _there(tx, workspace.id, suspended.id)
        _record(tx, Event.SERVICE_ACCOUNT_SUSPENDED, by, row, sponsor=teammate.name)
        for manager in service_accounts.managers(tx, workspace.id):
            mail_address(
                tx,
                "service_account_suspended",
                manager.email,
                by=by,
                account_id=manager.id,
                workspace_id=workspace.id,
                workspace=workspace.name,
                name=row.name,
                sponsor=teammate.name,
                link=f"{_path(workspace)}/{to_text(row.id)}",
            )


# --- inside ---


def _there(tx: Transaction, workspace_id: WorkspaceId, service_id: ServiceId) -> Row:
    row = service_accounts.by_id(tx, service_id, workspace_id)
    if row is None:
        raise not_found()
    return row


def _sponsor(tx: Transaction, workspace_id: WorkspaceId, who: int | Address) -> Row:
    """A teammate, by the membership's id or by address. Raises Refused (`invalid`)."""
    if isinstance(who, Address):
        found = service_accounts.teammate_by_address(tx, workspace_id, who.key)
        row = teammates.by_id(tx, found.id, workspace_id) if found is not None else None
    else:
        row = teammates.by_id(tx, who, workspace_id)
    if row is None:
        raise invalid("sponsor", "The sponsor is a teammate of this workspace.")
    return row


def _change_sponsor(tx: Transaction, by: By, workspace: Row, old: Row, who: Row) -> None:
    if who.id == old.sponsor_id and old.suspended_at is None:
        return
    service_accounts.set_sponsor(tx, old.id, who.id)
    row = _there(tx, workspace.id, old.id)
    resumed = old.suspended_at is not None
    event = Event.SERVICE_ACCOUNT_RESUMED if resumed else Event.SERVICE_ACCOUNT_CHANGED
    _record(tx, event, by, row, sponsor=who.name, former_sponsor=old.sponsor_name)
    _tell_sponsor(tx, by, workspace, row, who)


def _tell_sponsor(tx: Transaction, by: By, workspace: Row, service: Row, who: Row) -> None:
    """Nobody answers for a machine without knowing of it."""
    if who.account_id == by.id:
        return
    mail_address(
        tx,
        "service_account_sponsor",
        who.email,
        by=by,
        account_id=who.account_id,
        workspace_id=workspace.id,
        workspace=workspace.name,
        name=service.name,
        by_name=by.name,
    )


def _record(tx: Transaction, event: Event, by: By, row: Row, **detail: object) -> None:
    subject: Subject = ("service_account", row.id, row.name)
    record(tx, event, by=by, subject=subject, workspace_id=row.workspace_id, **detail)


def _path(workspace: Row) -> str:
    return f"/w/{workspace.slug}/settings/team/service-accounts"


def _service(row: Row) -> ServiceAccount:
    return ServiceAccount(
        row.id,
        row.name,
        Sponsor(row.sponsor_id, row.sponsor_name, row.sponsor_email, row.sponsor_removed_at is not None),
        row.created_at,
        row.created_by,
        row.suspended_at,
        row.tokens,
        row.last_used_at,
    )
