"""A product's people: written only where something changed, whatever the product says about them taking effect.

Identity is (product, the product's own id of the person); an e-mail never joins it to anything. The product vouches for
its own people, in its own workspaces, and for nobody else.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from nightlatch.actions.by import By
from nightlatch.actions.exceptions_ending import end_of_person
from nightlatch.actions.help_closing import closed
from nightlatch.actions.mailing import every_address, mail_account, mail_address, mail_copies
from nightlatch.actions.remembering import forget as forget_browsers
from nightlatch.actions.reset_ending import person_gone, role_changed
from nightlatch.actions.standing_notes import note_changed, note_if_secured, note_joined
from nightlatch.addresses import Address
from nightlatch.audit.events import account as account_subject
from nightlatch.audit.events import record
from nightlatch.audit.events import workspace as workspace_subject
from nightlatch.facts import AppId
from nightlatch.names import search_key
from nightlatch.refusals import Code, Refused, WayOut
from nightlatch.store import (
    accounts,
    email_changes,
    people,
    sessions,
    standing,
    teammates,
    tickets,
    withdrawing,
    workspaces,
)
from nightlatch.store.engine import Transaction
from nightlatch.store.locks import lock
from nightlatch.store.query import Row
from nightlatch.vocabulary import Event, Role

LOSING_PART = 5
"""A full list that would remove more than one in five asks for confirmation: it may be half a list."""


@dataclass(frozen=True, slots=True)
class App:
    """The product that speaks, as its secret says."""

    id: AppId
    handle: str
    name: str
    role_map: Mapping[str, Role]
    return_url: str

    @property
    def by(self) -> By:
        """On whose behalf its changes are made."""
        return By("app", self.id, self.name)


def app_of(row: Row) -> App:
    """The product of a secret's row. Our own words for roles need no entry in its map."""
    return App(row.id, row.handle, row.name, _roles(row.role_map), row.return_url)


@lru_cache(maxsize=256)
def _roles(role_map: str) -> Mapping[str, Role]:
    words = {**{role.value: role.value for role in Role}, **json.loads(role_map)}
    return {word: Role(role) for word, role in words.items()}


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in the product's own words, already cleaned; `role` in ours."""

    id: str
    address: Address
    name: str
    workspace: str
    workspace_name: str
    role: Role


@dataclass(frozen=True, slots=True)
class Place:
    """Where a person stands: account and workspace."""

    account_id: int
    workspace_id: int


@dataclass(frozen=True, slots=True)
class Said:
    """What a product says about a person, word for word."""

    id: str
    email: str
    name: str
    workspace: str
    workspace_name: str
    role: Role | None


def place_of(tx: Transaction, app: App, said: Said) -> Place | None:
    """Where a person stands, if all is word for word as it is kept: then nothing is cleaned, and nothing written."""
    row = people.standing(tx, app.id, said.id, said.workspace)
    if (
        row is None
        or row.name != said.name
        or row.email != said.email
        or row.given_role != said.role
        or row.workspace_name != said.workspace_name
    ):
        return None
    return Place(row.account_id, row.workspace_id)


def _differs(row: Row, person: Person) -> bool:
    return bool(
        row.name != person.name or row.email != person.address.display or row.given_role != person.role
    )


def note_person(tx: Transaction, *, app: App, person: Person) -> Place:
    """Write what is new about one person: that they are, their name, address, workspace, role."""
    workspace = _workspace(tx, app, person.workspace, person.workspace_name)
    before = accounts.by_person(tx, app.id, person.id)
    lock(tx, workspaces=[workspace.id], accounts=[before.id] if before is not None else [])
    account_id = _note(tx, app, workspace, person)
    return Place(account_id, workspace.id)


@dataclass(frozen=True, slots=True)
class Difference:
    """What a full list would change, or did."""

    added: int
    changed: int
    removed: int
    unchanged: int
    news: tuple[Person, ...]
    """Of whom there is something to write."""
    gone: tuple[str, ...]
    """Who is not on the list, by the product's ids."""


def compare(tx: Transaction, *, app: App, workspace: str, listed: Sequence[Person]) -> Difference:
    """What a full list of one workspace would change. Reads only."""
    row = workspaces.by_app(tx, app.id, workspace)
    here = people.of_workspace(tx, app.id, row.id) if row is not None else []
    known = {each.person: each for each in here}
    added = [each for each in listed if each.id not in known]
    changed = [each for each in listed if each.id in known and _differs(known[each.id], each)]
    named = {each.id for each in listed}
    gone = tuple(each.person for each in here if each.person not in named)
    unchanged = len(listed) - len(added) - len(changed)
    return Difference(len(added), len(changed), len(gone), unchanged, (*added, *changed), gone)


def needs_confirmation(difference: Difference) -> bool:
    """Whether a list would lose over a fifth of the workspace."""
    before = difference.changed + difference.unchanged + difference.removed
    return difference.removed * LOSING_PART > before


def note_some(tx: Transaction, *, app: App, listed: Sequence[Person]) -> None:
    """The next people of a full list; those of whom nothing is new are passed over."""
    if not listed:
        return
    workspace = _workspace(tx, app, listed[0].workspace, listed[0].workspace_name)
    rows = {each.id: people.standing(tx, app.id, each.id, each.workspace) for each in listed}
    new = [each for each in listed if rows[each.id] is None or _differs(rows[each.id], each)]
    found = [accounts.by_person(tx, app.id, each.id) for each in new]
    lock(tx, workspaces=[workspace.id], accounts=[row.id for row in found if row is not None])
    for person in new:
        _note(tx, app, workspace, person, settle=False)
    if new:
        _settle(tx, app, workspace)


def remove_some(tx: Transaction, *, app: App, workspace: str, gone: Sequence[str]) -> None:
    """People who are no longer on the full list of a workspace."""
    row = workspaces.by_app(tx, app.id, workspace)
    if row is None:
        return
    lock(tx, workspaces=[row.id])
    for person in gone:
        found = people.standing(tx, app.id, person, workspace)
        if found is not None:
            _remove(tx, app, row, found.teammate_id, found.account_id, found.role)
    _settle(tx, app, row)


def forget(tx: Transaction, *, app: App, person: str) -> None:
    """Somebody is gone from the product: every membership, session and link of theirs ends. Unknown is no error."""
    account = accounts.by_person(tx, app.id, person)
    if account is None:
        return
    lock(
        tx,
        workspaces=[each.workspace_id for each in teammates.of_account(tx, account.id)],
        accounts=[account.id],
    )
    for each in teammates.of_account(tx, account.id):
        workspace = workspaces.by_id(tx, each.workspace_id)
        if workspace is not None:
            _remove(tx, app, workspace, each.id, account.id, each.role)
            _settle(tx, app, workspace)
    sessions.end_others(tx, account.id, keep=None)
    tickets.end_all(tx, account.id)


# --- inside ---


def _workspace(tx: Transaction, app: App, key: str, name: str) -> Row:
    """The product's workspace; made at first sight, renamed with the product."""
    row = workspaces.by_app(tx, app.id, key)
    if row is not None and row.name == name:
        return row
    if row is None:
        slug = _free_slug(tx, app, name)
        workspace_id = workspaces.create(tx, slug=slug, name=name, app_id=app.id, app_key=key)
        subject = workspace_subject(workspace_id, name)
        record(tx, Event.WORKSPACE_CREATED, by=app.by, subject=subject, workspace_id=workspace_id, slug=slug)
    else:
        workspaces.set_name(tx, row.id, name)
        subject = workspace_subject(row.id, name)
        record(
            tx,
            Event.WORKSPACE_RENAMED,
            by=app.by,
            subject=subject,
            workspace_id=row.id,
            former_name=row.name,
        )
    made = workspaces.by_app(tx, app.id, key)
    if made is None:
        raise AssertionError("a workspace that was just written is not there")
    return made


def _free_slug(tx: Transaction, app: App, name: str) -> str:
    """A slug of the product and the workspace's name, with a number where that is taken."""
    words = re.sub(r"[^a-z0-9]+", "-", f"{app.handle} {search_key(name)}").strip("-")[:34].strip("-")
    for number in range(1, 10_000):
        slug = words if number == 1 else f"{words}-{number}"
        if workspaces.by_slug(tx, slug) is None:
            return slug
    raise Refused(
        Code.CONFLICT, "There are too many workspaces of this name.", WayOut("Give it another name.", "/")
    )


def _note(tx: Transaction, app: App, workspace: Row, person: Person, *, settle: bool = True) -> int:
    account = accounts.by_person(tx, app.id, person.id)
    if account is None:
        account_id = accounts.create_person(
            tx, app_id=app.id, person=person.id, name=person.name, address=person.address
        )
        subject = account_subject(account_id, person.name)
        record(tx, Event.ACCOUNT_CREATED, by=app.by, subject=subject, how="product")
    else:
        account_id = account.id
        _note_account(tx, app, account, person)
    role_changed = _note_teammate(tx, app, workspace, account_id, person)
    standing.refresh(tx, account_id)
    if settle and role_changed:
        _settle(tx, app, workspace)
    return account_id


def _note_account(tx: Transaction, app: App, account: Row, person: Person) -> None:
    renamed, moved = account.name != person.name, account.email != person.address.display
    if renamed:
        accounts.set_name(tx, account.id, person.name)
        subject = account_subject(account.id, person.name)
        record(tx, Event.ACCOUNT_RENAMED, by=app.by, subject=subject, former_name=account.name)
    if moved:
        _note_email(tx, app, account, person)
    if renamed or moved:
        note_changed(tx, by=app.by, account_id=account.id)


def _note_email(tx: Transaction, app: App, account: Row, person: Person) -> None:
    # Kept as a change that was confirmed now: links for a first binding go to the former address for 7 days (law 14).
    change = email_changes.request(tx, account_id=account.id, old_email=account.email, new=person.address)
    email_changes.confirm(tx, change, account.id)
    accounts.set_person_email(tx, account.id, person.address)
    record(
        tx,
        Event.EMAIL_CHANGED,
        by=app.by,
        subject=account_subject(account.id, person.name),
        old=account.email,
        new=person.address.display,
    )
    for email in dict.fromkeys([account.email, *every_address(tx, account), person.address.display]):
        mail_address(
            tx,
            "person_email_changed",
            email,
            by=app.by,
            account_id=account.id,
            app=app.name,
            new=person.address.display,
            account=person.address.display,
        )
    mail_copies(
        tx,
        "person_email_changed",
        account,
        by=app.by,
        app=app.name,
        new=person.address.display,
        account=person.address.display,
    )


def _note_teammate(tx: Transaction, app: App, workspace: Row, account_id: int, person: Person) -> bool:
    """Whether who is an owner or admin may have changed."""
    row = teammates.by_account(tx, account_id, workspace.id)
    if row is None or row.removed_at is not None:
        teammates.join(
            tx, workspace_id=workspace.id, account_id=account_id, role=person.role, given_role=person.role
        )
        note_joined(tx, by=app.by, account_id=account_id, workspace_id=workspace.id, role=person.role)
        note_if_secured(tx, by=app.by, account_id=account_id, workspace_id=workspace.id)
        return person.role is not Role.MEMBER
    if row.given_role == person.role:
        return False
    teammates.set_given_role(tx, row.id, person.role)
    if row.role != person.role:
        _set_role(tx, app, workspace, row.id, (account_id, person.name), Role(row.role), person.role)
    return True


def _set_role(
    tx: Transaction, app: App, workspace: Row, teammate_id: int, who: tuple[int, str], old: Role, new: Role
) -> None:
    teammates.set_role(tx, teammate_id, old, new)
    role_changed(tx, app.by, workspace.id, who[0])
    if new is not Role.MEMBER:
        _end_exception(tx, app, workspace, who, "role")
    record(
        tx,
        Event.TEAMMATE_ROLE_CHANGED,
        by=app.by,
        subject=account_subject(*who),
        workspace_id=workspace.id,
        role=new,
        former_role=old,
    )


def _end_exception(tx: Transaction, app: App, workspace: Row, who: tuple[int, str], why: str) -> None:
    account_id, name = who
    end_of_person(tx, by=app.by, account_id=account_id, name=name, workspace_id=workspace.id, why=why)


def _remove(tx: Transaction, app: App, workspace: Row, teammate_id: int, account_id: int, role: str) -> None:
    """With the very next request nothing of theirs counts there (law 2)."""
    account = accounts.by_id(tx, account_id)
    if account is None or not teammates.remove(tx, teammate_id):
        return
    _end_exception(tx, app, workspace, (account_id, account.name), "gone")
    standing.drop(tx, teammate_id)
    person_gone(tx, app.by, workspace.id, account_id)
    forget_browsers(tx, app.by, account_id, account.name, how="gone", workspace_id=workspace.id)
    closed(tx, by=app.by, account_id=account_id, workspace_id=workspace.id, why="gone")
    tickets.end_open(tx, account_id, workspace.id)
    withdrawing.of_person(tx, account_id, workspace.id, "no teammate any more")
    record(
        tx,
        Event.TEAMMATE_REMOVED,
        by=app.by,
        subject=account_subject(account_id, account.name),
        workspace_id=workspace.id,
        role=role,
    )
    mail_account(
        tx,
        "teammate_removed",
        account,
        by=app.by,
        workspace_id=workspace.id,
        workspace=workspace.name,
        by_name=app.name,
    )


def _settle(tx: Transaction, app: App, workspace: Row) -> None:
    """Where the product has no owner, its admins count as owners; and whether an enrolled owner is left is looked at.

    Called under the workspace's lock.
    """
    wanted = Role.ADMIN if people.has_given_owner(tx, workspace.id) else Role.OWNER
    for row in people.given_admins(tx, workspace.id):
        if row.role != wanted:
            _set_role(tx, app, workspace, row.id, (row.account_id, row.name), Role(row.role), wanted)
            standing.refresh(tx, row.account_id, [workspace.id])
    _look_for_owner(tx, app, workspace)


def _look_for_owner(tx: Transaction, app: App, workspace: Row) -> None:
    """A change by the product always takes effect. If no enrolled owner is left, the mandate stays, and mail tells."""
    now = workspaces.by_id(tx, workspace.id)
    if now is None or now.required_from is None or teammates.enrolled_owners(tx, workspace.id):
        return
    if not teammates.owners(tx, workspace.id) and not people.given_admins(tx, workspace.id):
        return  # nobody is there any more who could be told
    subject = workspace_subject(workspace.id, now.name)
    record(tx, Event.MANDATE_OWNERLESS, by=app.by, subject=subject, workspace_id=workspace.id)
    for manager in teammates.managers(tx, workspace.id):
        mail_address(
            tx,
            "mandate_ownerless",
            manager.email,
            by=app.by,
            workspace_id=workspace.id,
            workspace=now.name,
            app=app.name,
        )
