"""A world that changes by the real actions, at random but the same each time, and what its tables said on each day."""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from nightlatch import addresses
from nightlatch.actions import (
    authenticators,
    emails,
    enrolment,
    exceptions,
    invitations,
    joining,
    mandate,
    people,
    profile,
    reset_ending,
    resets,
    restored,
    teammates,
    workspaces,
)
from nightlatch.actions.by import By, operator
from nightlatch.actions.enrolment import Confirmed, HashedCode
from nightlatch.actions.people import App
from nightlatch.actions.reset_doing import finish_due
from nightlatch.actions.tokens import new_token
from nightlatch.assurance import enrolled, relied
from nightlatch.facts import EVERYWHERE, Facts
from nightlatch.instants import DAY, HOUR, MINUTE, Instant, to_text
from nightlatch.policy import ManagedBy
from nightlatch.refusals import Refused
from nightlatch.store import accounts, sessions, standing
from nightlatch.store import authenticators as store_authenticators
from nightlatch.store import teammates as store_teammates
from nightlatch.store import workspaces as store_workspaces
from nightlatch.store.engine import Transaction
from nightlatch.store.facts import read_account_facts
from nightlatch.store.query import Row
from nightlatch.vocabulary import Credential, Method, Role
from tests.support.letters import letter
from tests.support.product import register
from tests.support.tables import rows
from tests.support.world import World

VISITOR = By("visitor", None, "", "198.51.100.7", "test", None, Credential.NONE, b"browser")
OPERATOR = operator("Olga")


class Nobody(Exception):
    """There is nobody of whom this could happen now."""


@dataclass
class Snapshot:
    """What the tables said of one workspace at the end of a day."""

    name: str
    required_from: Instant | None
    managed_by: str
    changed: tuple[Instant | None, str | None]
    teammates: dict[int, tuple[object, ...]]
    gone: dict[int, tuple[object, ...]]
    resets: list[tuple[object, ...]]
    restores: int
    exceptions: list[tuple[object, ...]]
    exempt: dict[int, Instant]


@dataclass
class History:
    """Acme, its neighbour Beta with some of the same people, and a workspace that a product keeps."""

    world: World
    chance: random.Random = field(default_factory=lambda: random.Random(10))
    """One with which everything happens: another act may ask for another number."""
    done: Counter[str] = field(default_factory=Counter)
    snapshots: dict[tuple[int, str], Snapshot] = field(default_factory=dict)
    ids: list[int] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    restores: int = 0
    names: int = 0

    def begin(self) -> None:
        """Dana makes Acme, Rosa makes Beta; the product tells of its first people.

        It begins at nine in the morning, and ids, which differ each time, put nobody in an order.
        """
        self.world.wait(DAY - self.world.clock.now() % DAY + 9 * HOUR)
        app_id, _ = register(self.world)
        self.app = App(app_id, "acme", "Acme Notes", {}, "https://app.acme.example/back")
        self.dana, self.rosa = self.world.person("Dana").id, self.world.person("Rosa").id
        for owner, slug in ((self.dana, "acme"), (self.rosa, "beta")):
            self.set_up(owner)
            self.ids.append(self.makes(owner, slug))
        self.acme, self.beta = self.ids
        for _ in range(6):
            self.joins_with_a_new_account()
        self.product_says("first", Role.OWNER)
        (self.notes,) = {row.id for row in rows(self.world, "workspaces")} - set(self.ids)
        self.ids.append(self.notes)
        self.act(
            self.mandate_later
        )  # from the day it was in force and turned off it is only required at once

    def makes(self, owner: int, slug: str) -> int:
        by = self.session(owner)
        made = self.world.write(
            lambda tx: workspaces.create(tx, by=by, name=slug.title(), slug=slug, sign_up_open=True)
        )
        return made.workspace_id

    @property
    def changes(self) -> int:
        """How many things have happened, refusals left out."""
        return sum(number for name, number in self.done.items() if " " not in name)

    @property
    def today(self) -> int:
        return self.world.clock.now() // DAY

    def wait(self) -> None:
        """Hours pass; where a day ends by it, what the tables say is kept for that day."""
        self.end_of_day(self.chance.randrange(10, 9 * 60) * MINUTE)

    def end_of_day(self, duration: int) -> None:
        before = self.today
        found = {each: self.read(each) for each in self.ids}
        self.world.wait(duration)
        for day in range(before, self.today):
            for workspace_id, snapshot in found.items():
                self.snapshots[workspace_id, day_text(day)] = replace(
                    snapshot,
                    exempt={who: until for who, until in snapshot.exempt.items() if until >= (day + 1) * DAY},
                )

    def play(self) -> None:
        """Everything that can happen, once, in an order of chance; hours pass before each."""
        acts = self.acts()
        self.chance.shuffle(acts)
        for act in acts:
            self.wait()
            self.act(act)

    def acts(self) -> list[Callable[[], object]]:
        """All of it. What makes the others more interesting is in it more than once."""
        return [
            self.joins_with_a_new_account,
            self.joins_with_an_account,
            self.joins_with_an_account,
            self.leaves,
            self.is_removed,
            self.is_removed_by_the_operator,
            self.has_another_role,
            self.has_another_role,
            self.sets_up,
            self.sets_up,
            self.sets_up,
            self.takes_the_app_away,
            self.replaces_the_app,
            self.is_reset,
            self.is_reset,
            self.is_reset_by_the_operator,
            self.a_reset_is_asked_for,
            self.a_reset_is_asked_for,
            self.what_waits_is_done,
            self.what_waits_is_taken_back,
            self.sets_up_again,
            self.sets_up_again,
            self.is_suspended,
            self.is_given_more_time,
            self.is_given_more_time,
            self.is_given_more_time_by_the_operator,
            self.more_time_is_ended,
            self.more_time_is_refused,
            self.sets_up_in_more_time,
            self.mandate_now,
            self.mandate_later,
            self.mandate_off,
            self.mandate_off_by_the_operator,
            self.managed_by_others,
            self.has_another_name,
            self.has_another_address,
            self.takes_the_address_back,
            self.a_backup_is_put_back,
            self.product_brings_somebody,
            self.product_brings_somebody,
            self.product_says_more,
            self.product_says_more,
            self.product_drops_somebody,
            self.product_forgets_somebody,
            self.product_renames_the_workspace,
            self.products_person_sets_up,
        ]

    def act(self, act: Callable[[], object]) -> None:
        """One thing happens, or is refused."""
        try:
            if act() is not False:
                self.done[act.__name__] += 1
        except Nobody:
            self.done["nobody to do it"] += 1
        except Refused as refused:
            self.done[f"was refused: {refused.code}"] += 1

    # --- who ---

    def members(self, workspace_id: int, **wanted: object) -> list[Row]:
        return [
            row
            for row in rows(self.world, "standing")
            if row.workspace_id == workspace_id
            and row.status == "active"
            and all(getattr(row, name) == value for name, value in wanted.items())
        ]

    def one(self, workspace_id: int, **wanted: object) -> Row:
        """A teammate, by chance, but never the two founders. Raises Nobody."""
        since = {row.id: row.created_at for row in rows(self.world, "accounts")}
        found = [
            each
            for each in sorted(self.members(workspace_id, **wanted), key=lambda row: since[row.account_id])
            if each.account_id not in (self.dana, self.rosa)
        ]
        if not found:
            raise Nobody
        return self.chance.choice(found)

    def session(self, account_id: int, *more: tuple[Method, int | None, int | None]) -> By:
        """A session that has just proved all that its person can: and `more`, with workspace and reset."""
        token = new_token()

        def body(tx: Transaction) -> str:
            account = accounts.by_id(tx, account_id)
            assert account is not None
            session_id = sessions.create(
                tx,
                account_id=account_id,
                kind=Credential.COOKIE,
                token_hash=token.hash,
                ip="192.0.2.1",
                user_agent="test",
                pending=False,
            )
            if account.app_id is None:
                sessions.add_proof(tx, session_id, Method.PASSWORD)
            else:
                for membership in store_teammates.of_account(tx, account_id):
                    sessions.add_proof(
                        tx,
                        session_id,
                        Method.PROVIDER,
                        workspace_id=membership.workspace_id,
                        supersedes=False,
                    )
            for bound in store_authenticators.of_account(tx, account_id):
                if bound.method == Method.TOTP:
                    sessions.add_proof(tx, session_id, Method.TOTP, authenticator_id=bound.id)
            for method, workspace_id, reset_id in more:
                sessions.add_proof(tx, session_id, method, workspace_id=workspace_id, reset_id=reset_id)
            return str(account.name)

        name = self.world.write(body)
        return By(
            "account",
            account_id,
            name,
            "192.0.2.1",
            "test",
            token.hash,
            Credential.COOKIE,
            b"browser",
        )

    def named(self) -> str:
        self.names += 1
        return f"Person {self.names}"

    # --- joining and leaving ---

    def invited(self, workspace_id: int, email: str, role: Role = Role.MEMBER) -> bytes:
        owner = self.dana if workspace_id == self.acme else self.rosa
        address, by = addresses.parse(email), self.session(owner)
        self.world.write(
            lambda tx: invitations.invite(tx, by=by, workspace_id=workspace_id, pasted=[address], role=role)
        )
        return letter(self.world, "invitation", to=address.display).hash()

    def joins_with_a_new_account(self) -> None:
        name, token = self.named(), new_token()
        workspace_id = self.chance.choice([self.acme, self.acme, self.beta])
        role = self.chance.choice([Role.MEMBER, Role.MEMBER, Role.ADMIN])
        link = self.invited(workspace_id, f"{name.replace(' ', '.').lower()}@example.com", role)
        self.world.write(
            lambda tx: joining.accept_new(
                tx,
                by=VISITOR,
                token_hash=link,
                name=name,
                password_hash="unusable",
                session_token=token,
                kind=Credential.COOKIE,
            )
        )

    def joins_with_an_account(self) -> None:
        """Somebody who was there before, or who is in the neighbours' workspace."""
        workspace_id = self.chance.choice([self.acme, self.beta])
        here = {each.account_id for each in self.members(workspace_id)}
        found = [row for row in rows(self.world, "accounts") if row.app_id is None and row.id not in here]
        if not found:
            raise Nobody
        account = self.chance.choice(sorted(found, key=lambda row: row.created_at))
        link, by = self.invited(workspace_id, account.email), self.session(account.id)
        self.world.write(lambda tx: joining.accept_existing(tx, by=by, token_hash=link))

    def leaves(self) -> None:
        workspace_id = self.chance.choice([self.acme, self.beta])
        by = self.session(self.one(workspace_id).account_id)
        self.world.write(lambda tx: teammates.leave(tx, by=by, workspace_id=workspace_id))

    def is_removed(self) -> None:
        target, by = self.one(self.acme), self.session(self.dana)
        self.world.write(
            lambda tx: teammates.remove(tx, by=by, workspace_id=self.acme, teammate_id=target.id)
        )

    def is_removed_by_the_operator(self) -> None:
        target = self.one(self.acme)
        self.world.write(
            lambda tx: teammates.remove(
                tx, by=OPERATOR, workspace_id=self.acme, teammate_id=target.id, reason="=Asked by letter"
            )
        )

    def has_another_role(self) -> bool:
        target, by, role = self.one(self.acme), self.session(self.dana), self.chance.choice(list(Role))
        return self.world.write(
            lambda tx: teammates.change_role(
                tx, by=by, workspace_id=self.acme, teammate_id=target.id, role=role
            )
        )

    # --- 2FA ---

    def set_up(
        self, account_id: int, *proofs: tuple[Method, int | None, int | None], replaces: int | None = None
    ) -> None:
        """An authenticator app by the real journey, from a session that has shown the mailbox by `proofs`."""
        shown = proofs or ((Method.INVITATION, None, None),)
        by = self.session(account_id, *shown)
        workspace_id = shown[0][1]
        pending = self.world.write(
            lambda tx: enrolment.begin(tx, by=by, name="", replaces=replaces, workspace_id=workspace_id)
        )
        code, token = self.world.code(pending.seed), new_token()
        codes = [HashedCode(f"{number:04d}", "unusable") for number in range(10)]
        confirmed = self.world.write(
            lambda tx: enrolment.confirm(
                tx, by=by, enrolment_id=pending.id, code=code, codes=codes, token=token
            )
        )
        assert isinstance(confirmed, Confirmed)

    def sets_up(self) -> None:
        self.set_up(self.one(self.chance.choice([self.acme, self.acme, self.beta]), state="off").account_id)

    def apps_of(self, account_id: int) -> list[Row]:
        found = [
            row
            for row in rows(self.world, "authenticators")
            if row.account_id == account_id and row.method == Method.TOTP
        ]
        if not found:
            raise Nobody
        return sorted(found, key=lambda row: row.bound_at)

    def takes_the_app_away(self) -> None:
        if self.required():
            self.mandate_off()
        account_id = self.one(self.acme, state="on").account_id
        app, by = self.apps_of(account_id)[0], self.session(account_id)
        self.world.write(lambda tx: authenticators.unbind(tx, by=by, authenticator_id=app.id))

    def replaces_the_app(self) -> None:
        account_id = self.one(self.acme, state="on").account_id
        self.set_up(account_id, replaces=self.apps_of(account_id)[-1].id)

    def reset(self, by: By, target: Row, workspace_id: int) -> None:
        self.world.write(
            lambda tx: resets.disable_two_factor(
                tx,
                by=by,
                workspace_id=workspace_id,
                teammate_id=target.id,
                reason="Lost phone",
                recognised_by="phone",
                waive_number=target.role == Role.MEMBER and self.chance.random() < 0.3,
            )
        )

    def is_reset(self) -> None:
        workspace_id = self.chance.choice([self.acme, self.beta])
        owner = self.session(self.dana if workspace_id == self.acme else self.rosa)
        self.reset(owner, self.one(workspace_id, state="on"), workspace_id)

    def is_reset_by_the_operator(self) -> None:
        self.reset(OPERATOR, self.one(self.acme, state="on"), self.acme)

    def a_reset_is_asked_for(self) -> None:
        """Of an owner or admin: it waits."""
        target = self.one(self.acme, state="on", role=self.chance.choice([Role.OWNER, Role.ADMIN]))
        self.reset(self.session(self.dana), target, self.acme)

    def what_waits_is_done(self) -> bool:
        """Days later, by the background task."""
        waits = [row for row in rows(self.world, "resets") if row.done_at is None and row.ended_at is None]
        self.end_of_day(73 * HOUR)
        while self.world.write(finish_due):
            pass
        return bool(waits)

    def what_waits_is_taken_back(self) -> None:
        self.a_reset_is_asked_for()
        by = self.session(self.dana)
        waits = [row for row in rows(self.world, "resets") if row.done_at is None and row.ended_at is None]
        asked = max(waits, key=lambda row: row.created_at)
        self.world.write(
            lambda tx: reset_ending.cancel(tx, by=by, workspace_id=asked.workspace_id, reset_id=asked.id)
        )

    def sets_up_again(self) -> None:
        """With what the reset's ticket proves."""
        workspace_id = self.chance.choice([self.acme, self.beta])
        target = self.one(workspace_id, state="reset")
        (membership,) = [row for row in rows(self.world, "teammates") if row.id == target.id]
        self.set_up(target.account_id, (Method.TICKET, workspace_id, membership.reset_id))

    def is_suspended(self) -> None:
        """As after a hundred wrong codes: it is 2FA all the same."""
        account_id = self.one(self.acme, state="on").account_id
        app = self.apps_of(account_id)[0]

        def body(tx: Transaction) -> None:
            store_authenticators.suspend(tx, app.id, EVERYWHERE)
            standing.refresh(tx, account_id)

        self.world.write(body)

    # --- the policy ---

    def policy(self, by: By, **values: object) -> None:
        row = self.world.read(lambda tx: store_workspaces.by_id(tx, self.acme))
        assert row is not None
        complete = {
            "required": row.required_from is not None,
            "required_from": row.required_from,
            "managed_by": ManagedBy(row.managed_by),
            "reason": "An audit",
            **values,
        }
        self.world.write(
            lambda tx: mandate.change_policy(
                tx, by=by, workspace_id=self.acme, if_revision=row.revision, **complete
            )
        )

    def required(self) -> bool:
        row = self.world.read(lambda tx: store_workspaces.by_id(tx, self.acme))
        return row is not None and row.required_from is not None

    def mandate_now(self) -> None:
        self.policy(self.session(self.dana), required=True, required_from=None)

    def mandate_later(self) -> None:
        at = self.world.clock.now() + self.chance.randrange(1, 72) * 60 * MINUTE
        self.policy(self.session(self.dana), required=True, required_from=at)

    def mandate_off(self) -> None:
        self.policy(self.session(self.dana), required=False)

    def mandate_off_by_the_operator(self) -> None:
        self.policy(OPERATOR, required=False)

    def managed_by_others(self) -> None:
        self.policy(self.session(self.dana), managed_by=self.chance.choice(list(ManagedBy)))

    # --- exceptions ---

    def asks_for_more_time(self, by: By, account_id: int) -> int:
        target = self.member(account_id)
        days = self.chance.randrange(1, 5)
        return self.world.write(
            lambda tx: exceptions.ask(
                tx,
                by=by,
                workspace_id=self.acme,
                teammate_id=target.id,
                reason="Waits for a phone",
                ends_at=tx.now + days * DAY,
            )
        ).id

    def without_two_factor(self) -> Row:
        """A member who needs more time: 2FA is required, and they have none."""
        if not self.required():
            self.mandate_now()
        if not self.members(self.acme, state="off", role="member"):
            self.joins_with_a_new_account()
        return self.one(self.acme, state="off", role="member")

    def member(self, account_id: int) -> Row:
        (found,) = self.members(self.acme, account_id=account_id)
        return found

    def approves(self, by: By, id: int) -> None:
        self.world.write(
            lambda tx: exceptions.approve(
                tx, by=by, workspace_id=self.acme, exception_id=id, reason="=It is true"
            )
        )

    def is_given_more_time(self) -> None:
        self.more_time_for(self.without_two_factor().account_id)

    def more_time_for(self, account_id: int) -> int:
        id = self.asks_for_more_time(OPERATOR, account_id)
        self.approves(self.session(self.dana), id)
        return id

    def is_given_more_time_by_the_operator(self) -> None:
        target = self.without_two_factor()
        self.approves(OPERATOR, self.asks_for_more_time(self.session(self.dana), target.account_id))

    def more_time_is_ended(self) -> None:
        id = self.more_time_for(self.without_two_factor().account_id)
        self.ends_more_time(id)

    def more_time_is_refused(self) -> None:
        target = self.without_two_factor()
        self.ends_more_time(self.asks_for_more_time(OPERATOR, target.account_id))

    def ends_more_time(self, id: int) -> None:
        by = self.session(self.dana)
        self.world.write(lambda tx: exceptions.end(tx, by=by, workspace_id=self.acme, exception_id=id))

    def sets_up_in_more_time(self) -> None:
        account_id = self.without_two_factor().account_id
        self.more_time_for(account_id)
        self.wait()
        self.set_up(account_id, (Method.TICKET, self.acme, None))

    # --- names and addresses ---

    def has_another_name(self) -> None:
        account_id, name = self.one(self.acme).account_id, f"Renamed {self.named()}"
        by = self.session(account_id)
        self.world.write(lambda tx: profile.rename(tx, by=by, name=name))

    def has_another_address(self) -> None:
        by = self.session(self.one(self.acme).account_id)
        new = addresses.parse(f"{self.named().replace(' ', '.').lower()}@example.org")
        self.world.write(lambda tx: emails.request_change(tx, by=by, address=new))
        link = letter(self.world, "email_confirm", to=new.display).hash()
        self.world.write(lambda tx: emails.confirm(tx, by=VISITOR, token_hash=link))

    def takes_the_address_back(self) -> None:
        self.has_another_address()
        link = letter(self.world, "email_changed").hash("undo_link")
        self.world.write(lambda tx: emails.undo(tx, by=VISITOR, token_hash=link))

    def a_backup_is_put_back(self) -> None:
        self.world.write(lambda tx: restored.after_restore(tx, by=OPERATOR))
        self.restores += 1

    # --- the product ---

    def product_says(self, person: str, role: Role, **more: str) -> None:
        row = self.notes_row()
        said = people.Person(
            person,
            addresses.parse(more.get("email", f"{person}@people.example")),
            more.get("name", person.title()),
            "w1",
            more.get("workspace", row.name if row is not None else "Notes"),
            role,
        )
        self.world.write(lambda tx: people.note_person(tx, app=self.app, person=said))
        if person not in self.kept:
            self.kept.append(person)

    def notes_row(self) -> Row | None:
        return self.world.read(lambda tx: store_workspaces.by_app(tx, self.app.id, "w1"))

    def product_brings_somebody(self) -> None:
        """New, or one who was there before."""
        person = self.chance.choice([*self.kept, f"kept{len(self.kept)}"])
        self.product_says(person, self.chance.choice(list(Role)))

    def product_says_more(self) -> None:
        person = self.chance.choice(self.kept)
        name, email = self.chance.choice(["One", "Two"]), self.chance.choice(["a", "b"])
        self.product_says(
            person, self.chance.choice(list(Role)), name=name, email=f"{person}.{email}@people.example"
        )

    def product_drops_somebody(self) -> None:
        person = self.chance.choice(self.kept)
        self.world.write(
            lambda tx: people.remove_some(tx, app=self.app, workspace="w1", gone=[person, "nobody"])
        )

    def product_forgets_somebody(self) -> None:
        person = self.chance.choice(self.kept)
        self.world.write(lambda tx: people.forget(tx, app=self.app, person=person))

    def product_renames_the_workspace(self) -> None:
        self.product_says(self.kept[0], Role.OWNER, workspace=f"Notes {self.named()}")

    def products_person_sets_up(self) -> None:
        target = self.one(self.notes, state="off")
        self.set_up(target.account_id, (Method.TICKET, self.notes, None))

    # --- what the tables say ---

    def read(self, workspace_id: int) -> Snapshot:
        """The truth of this moment, from the tables and the facts behind every decision."""
        (workspace,) = [row for row in rows(self.world, "workspaces") if row.id == workspace_id]
        people_by_id = {row.id: row for row in rows(self.world, "accounts")}
        table = {row.id: row for row in rows(self.world, "standing")}
        here: dict[int, tuple[object, ...]] = {}
        gone: dict[int, tuple[object, ...]] = {}
        for row in rows(self.world, "teammates"):
            if row.workspace_id != workspace_id:
                continue
            if row.removed_at is not None:
                gone[row.account_id] = (row.role, row.joined_at, row.removed_at)
                continue
            account = people_by_id[row.account_id]
            facts = self.world.read(lambda tx, id=row.account_id: read_account_facts(tx, id))  # type: ignore[misc]
            here[row.account_id] = (
                account.name,
                account.email,
                row.role,
                row.joined_at,
                *_two_factor(facts, workspace_id, row.reset_id),
                table[row.id].since,
            )
            assert table[row.id].state == here[row.account_id][4]
        return Snapshot(
            workspace.name,
            workspace.required_from,
            workspace.managed_by,
            (workspace.policy_changed_at, workspace.policy_changed_by),
            here,
            gone,
            sorted(
                (
                    row.account_id,
                    row.done_at,
                    row.requester,
                    row.reason,
                    row.recognised_by,
                    row.number_tag == b"",
                    row.completed_at,
                    row.ended_at,
                    row.created_at if row.effective_at > row.created_at else None,
                    row.approver,
                )
                for row in rows(self.world, "resets")
                if row.workspace_id == workspace_id and row.done_at is not None
            ),
            self.restores,
            sorted(
                (
                    row.account_id,
                    row.approved_at,
                    row.approver,
                    row.requester,
                    row.reason,
                    row.ends_at,
                    row.ended_at,
                    row.ended_by,
                    row.ended_why,
                )
                for row in rows(self.world, "exceptions")
                if row.workspace_id == workspace_id and row.approved_at is not None
            ),
            {
                row.account_id: row.exempt_until
                for row in rows(self.world, "teammates")
                if row.workspace_id == workspace_id
                and row.removed_at is None
                and (row.exempt_until or 0) > self.world.clock.now()
            },
        )


def _two_factor(facts: Facts, workspace_id: int, reset_id: int | None) -> tuple[str, tuple[str, ...]]:
    here = [each for each in facts.authenticators if relied(each, workspace_id)]
    if enrolled(here, workspace_id):
        return "on", tuple(sorted({each.method for each in here} - {Method.RECOVERY_CODE}))
    return ("reset" if reset_id is not None else "off"), ()


def day_text(day: int) -> str:
    """A day since the epoch, as the pages take it."""
    return to_text(day * DAY)[:10]
