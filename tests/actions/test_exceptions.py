"""More time for a member: two people agree to it, it bites and ends by the clock, and it weakens nothing else."""

from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import bindparam, update

from nightlatch.actions import exceptions, teammates
from nightlatch.actions.by import By, operator
from nightlatch.decision import Allow, Enrol
from nightlatch.instants import DAY, HOUR, Duration
from nightlatch.refusals import Code, Refused
from nightlatch.store import exceptions as store
from nightlatch.store import teammates as store_teammates
from nightlatch.store.query import Query
from nightlatch.store.schema import workspaces
from nightlatch.vocabulary import Event, Role
from tests.support.tables import rows
from tests.support.world import Person, World


@dataclass
class Team:
    """Acme, which requires 2FA: Olga the owner, Dana and Kim the admins, Ana and Ben without 2FA."""

    world: World
    id: int
    olga: Person
    dana: Person
    kim: Person
    ana: Person
    by: dict[str, By]

    def mate(self, person: Person) -> int:
        row = self.world.read(lambda tx: store_teammates.by_account(tx, person.id, self.id))
        assert row is not None
        return int(row.id)

    def ask(
        self, who: str = "dana", whom: Person | None = None, days: float = 7, reason: str = "New phone"
    ) -> int:
        mate = self.mate(whom or self.ana)
        return self.world.write(
            lambda tx: exceptions.ask(
                tx,
                by=self.by[who],
                workspace_id=self.id,
                teammate_id=mate,
                reason=reason,
                ends_at=tx.now + int(days * DAY),
            )
        ).id

    def approve(self, id: int, who: str = "kim", reason: str | None = None) -> None:
        self.world.write(
            lambda tx: exceptions.approve(
                tx, by=self.by[who], workspace_id=self.id, exception_id=id, reason=reason
            )
        )

    def end(self, id: int, who: str = "olga") -> str:
        return self.world.write(
            lambda tx: exceptions.end(tx, by=self.by[who], workspace_id=self.id, exception_id=id)
        )

    def give(self, days: float = 7) -> int:
        id = self.ask(days=days)
        self.approve(id)
        return id

    def fresh(self) -> None:
        """Everybody who decides has just shown their second step."""
        for name in ("olga", "dana", "kim"):
            person = getattr(self, name)
            app = next(row for row in rows(self.world, "authenticators") if row.account_id == person.id)
            self.by[name] = self.world.signed_in(person, app.id)

    def wait(self, duration: Duration) -> None:
        self.world.wait(duration)
        self.fresh()

    def opens(self, person: Person) -> type:
        return type(self.world.opens(self.world.session(person), self.id))

    def events(self, *events: Event) -> list[str]:
        return [
            row.event
            for row in rows(self.world, "audit_events")
            if row.workspace_id == self.id and row.event in events
        ]

    def mails(self, kind: str) -> list[str]:
        return [row.address for row in rows(self.world, "outbox") if row.kind == kind]


_KEEP = Query(update(workspaces).values(managed_by="owners").where(workspaces.c.id == bindparam("id")))
_PASSKEYS = Query(
    update(workspaces)
    .values(resistant_from=bindparam("from"), resistant_announced_at=bindparam("from"))
    .where(workspaces.c.id == bindparam("id"))
)
ALL = (Event.EXCEPTION_ASKED, Event.EXCEPTION_GRANTED, Event.EXCEPTION_REFUSED, Event.EXCEPTION_ENDED)


@pytest.fixture
def team(world: World) -> Team:
    olga, dana, kim, ana = (world.person(name) for name in ("Olga", "Dana", "Kim", "Ana"))
    acme = world.workspace("acme", owner=olga, admin=[dana, kim], member=[ana])
    for person in (olga, dana, kim):
        world.bind_totp(person)
    world.require(acme)
    made = Team(world, acme, olga, dana, kim, ana, {"operator": operator("Root")})
    made.fresh()
    return made


def refused(code: Code) -> Any:
    return pytest.raises(Refused, match=f"^{code}:")


def test_it_takes_two_and_then_the_clock_ends_it(team: Team) -> None:
    id = team.ask(days=7)
    assert team.opens(team.ana) is Enrol, "asking alone changes nothing"
    team.approve(id)
    assert team.opens(team.ana) is Allow
    team.wait(7 * DAY - HOUR)
    assert team.opens(team.ana) is Allow
    team.wait(HOUR)
    assert team.opens(team.ana) is Enrol, "nothing had to run for it to end"
    assert team.events(*ALL) == [Event.EXCEPTION_ASKED, Event.EXCEPTION_GRANTED]
    with refused(Code.CONFLICT):
        team.end(id)


def test_everybody_concerned_is_told(team: Team) -> None:
    id = team.ask()
    assert len(team.mails("exception_asked")) == 2, "the owner and the other admin"
    team.approve(id)
    assert len(team.mails("exception_granted")) == 1
    assert len(team.mails("exception_given")) == 1
    team.end(id)
    assert len(team.mails("exception_ended")) == 1
    assert len(team.mails("exception_over")) == 1


def test_whoever_asked_cannot_agree_even_as_an_owner(team: Team) -> None:
    id = team.ask("dana")
    with refused(Code.NOT_PERMITTED):
        team.approve(id, "dana")
    own = team.end(id, "dana")
    assert own == "withdrawn"
    id = team.ask("olga")
    with refused(Code.NOT_PERMITTED):
        team.approve(id, "olga")
    assert team.opens(team.ana) is Enrol


def test_the_person_never_agrees_whatever_they_have_become(team: Team) -> None:
    id = team.ask()
    mate = team.mate(team.ana)
    team.world.write(
        lambda tx: teammates.change_role(
            tx, by=team.by["olga"], workspace_id=team.id, teammate_id=mate, role=Role.ADMIN
        )
    )
    app, _ = team.world.bind_totp(team.ana)
    team.by["ana"] = team.world.signed_in(team.ana, app)
    with refused(Code.CONFLICT):
        team.approve(id, "ana")
    assert team.events(*ALL) == [Event.EXCEPTION_ASKED, Event.EXCEPTION_REFUSED]


@pytest.mark.parametrize("whom", ["olga", "kim", "dana"])
def test_admins_owners_and_oneself_have_none(team: Team, whom: str) -> None:
    with refused(Code.NOT_PERMITTED):
        team.ask("dana", getattr(team, whom))


def test_a_member_neither_asks_nor_agrees(team: Team) -> None:
    ben = team.world.person("Ben")
    team.world.write(
        lambda tx: store_teammates.join(tx, workspace_id=team.id, account_id=ben.id, role=Role.MEMBER)
    )
    app, _ = team.world.bind_totp(ben)
    team.by["ben"] = team.world.signed_in(ben, app)
    with refused(Code.NOT_PERMITTED):
        team.ask("ben")
    id = team.ask()
    for act in (team.approve, team.end):
        with refused(Code.NOT_PERMITTED):
            act(id, "ben")


def test_agreeing_asks_for_fresh_proof(team: Team) -> None:
    id = team.ask()
    team.world.wait(HOUR)
    with refused(Code.STEP_UP_REQUIRED):
        team.approve(id)


def test_where_owners_keep_authentication_only_they_agree(team: Team) -> None:
    team.world.write(
        lambda tx: tx.run(_KEEP, id=team.id),
    )
    id = team.ask("dana")
    with refused(Code.NOT_PERMITTED):
        team.approve(id, "kim")
    team.approve(id, "olga")
    assert team.opens(team.ana) is Allow


def test_at_most_thirty_days_and_not_into_the_past(team: Team) -> None:
    for days in (30.01, -1, 0):
        with refused(Code.INVALID):
            team.ask(days=days)
    team.ask(days=30)


def test_two_in_a_row_and_then_thirty_days_without(team: Team) -> None:
    team.give(days=10)
    team.wait(9 * DAY)
    second = team.give(days=10)
    assert [row.ended_why for row in rows(team.world, "exceptions")].count("replaced") == 1
    team.wait(10 * DAY)
    assert team.opens(team.ana) is Enrol
    for waited in (0 * DAY, 29 * DAY):
        team.wait(waited)
        with refused(Code.CONFLICT):
            team.ask()
    team.wait(1 * DAY)
    team.give()
    assert team.opens(team.ana) is Allow
    assert second


def test_asking_before_the_gap_and_agreeing_after_does_not_help(team: Team) -> None:
    first = team.give(days=1)
    second = team.ask(days=20)
    team.approve(second)
    with refused(Code.CONFLICT):
        team.ask(days=30)
    assert first


def test_leaving_and_coming_back_begins_no_new_row(team: Team) -> None:
    team.give(days=10)
    team.wait(DAY)
    team.give(days=10)
    mate = team.mate(team.ana)
    team.world.write(
        lambda tx: teammates.remove(tx, by=team.by["olga"], workspace_id=team.id, teammate_id=mate)
    )
    team.world.write(
        lambda tx: store_teammates.join(tx, workspace_id=team.id, account_id=team.ana.id, role=Role.MEMBER)
    )
    assert team.opens(team.ana) is Enrol, "it went with the membership"
    team.fresh()
    with refused(Code.CONFLICT):
        team.ask()


def test_it_ends_early_and_bites_at_once(team: Team) -> None:
    id = team.give()
    assert team.end(id) == "ended"
    assert team.opens(team.ana) is Enrol
    assert team.events(*ALL)[-1] == Event.EXCEPTION_ENDED


def test_refused_is_told_to_whoever_asked(team: Team) -> None:
    assert team.end(team.ask("dana"), "kim") == "refused"
    assert len(team.mails("exception_refused")) == 1
    assert team.events(*ALL) == [Event.EXCEPTION_ASKED, Event.EXCEPTION_REFUSED]


def test_becoming_an_admin_ends_it(team: Team) -> None:
    team.give()
    mate = team.mate(team.ana)
    team.world.write(
        lambda tx: teammates.change_role(
            tx, by=team.by["olga"], workspace_id=team.id, teammate_id=mate, role=Role.ADMIN
        )
    )
    assert team.opens(team.ana) is Enrol
    assert team.events(*ALL)[-1] == Event.EXCEPTION_ENDED


def test_one_at_a_time_waits(team: Team) -> None:
    team.ask()
    with refused(Code.CONFLICT):
        team.ask("kim")


def test_nothing_to_except_from(team: Team) -> None:
    team.world.bind_totp(team.ana)
    with refused(Code.CONFLICT):
        team.ask()
    ben = team.world.person("Ben")
    team.world.write(
        lambda tx: store_teammates.join(tx, workspace_id=team.id, account_id=ben.id, role=Role.MEMBER)
    )
    team.world.unrequire(team.id)
    with refused(Code.CONFLICT):
        team.ask(whom=ben)


def test_with_one_admin_the_operator_is_the_second_person(world: World) -> None:
    olga, ana = world.person("Olga"), world.person("Ana")
    acme = world.workspace("acme", owner=olga, member=[ana])
    world.bind_totp(olga)
    world.require(acme)
    team = Team(world, acme, olga, olga, olga, ana, {"operator": operator("Root")})
    team.fresh()
    mate = team.mate(ana)
    looked = world.write(
        lambda tx: exceptions.look(tx, by=team.by["olga"], workspace_id=acme, teammate_id=mate)
    )
    assert looked.approvers == ()
    assert looked.against is None
    id = team.ask("olga")
    with refused(Code.NOT_PERMITTED):
        team.approve(id, "olga")
    with refused(Code.INVALID):
        team.approve(id, "operator")
    team.approve(id, "operator", "Olga asked on the phone")
    assert team.opens(ana) is Allow
    assert len(team.mails("break_glass")) == 1


def test_the_operator_never_asks_and_agrees(team: Team) -> None:
    id = team.ask("operator")
    with refused(Code.NOT_PERMITTED):
        team.approve(id, "operator", "because")
    team.approve(id, "kim")


def test_another_workspace_sees_and_ends_nothing(team: Team) -> None:
    rosa = team.world.person("Rosa")
    beta = team.world.workspace("beta", owner=rosa, member=[team.ana])
    team.world.require(beta)
    app, _ = team.world.bind_totp(rosa)
    id = team.give()
    assert type(team.world.opens(team.world.session(team.ana), beta)) is Enrol
    with refused(Code.NOT_FOUND):
        by = team.world.signed_in(rosa, app)
        team.world.write(lambda tx: exceptions.end(tx, by=by, workspace_id=beta, exception_id=id))


def test_ending_all_ends_those_that_wait_too(team: Team) -> None:
    ben = team.world.person("Ben")
    team.world.write(
        lambda tx: store_teammates.join(tx, workspace_id=team.id, account_id=ben.id, role=Role.MEMBER)
    )
    team.give()
    team.ask(whom=ben)
    assert team.world.read(lambda tx: store.numbers(tx, team.id)) == (1, 1)
    ended = team.world.write(lambda tx: exceptions.end_all(tx, by=team.by["olga"], workspace_id=team.id))
    assert ended == 2
    assert team.world.read(lambda tx: store.numbers(tx, team.id)) == (0, 0)
    assert team.opens(team.ana) is Enrol
    (shown,) = [row for row in rows(team.world, "standing") if row.account_id == team.ana.id]
    assert shown.exempt_until is None


def test_one_that_would_end_before_they_are_asked_is_refused(team: Team) -> None:
    team.world.require(team.id, since=team.world.clock.now() + 10 * DAY)
    with refused(Code.INVALID):
        team.ask(days=9.9)
    id = team.ask(days=11)
    team.world.require(team.id, since=team.world.clock.now() + 12 * DAY)
    with refused(Code.CONFLICT):
        team.approve(id)
    team.world.require(team.id, since=team.world.clock.now() + 10 * DAY)
    team.approve(id)


def test_nor_is_it_asked_for_where_every_day_that_could_be_chosen_would(team: Team) -> None:
    team.world.require(team.id, since=team.world.clock.now() + 30 * DAY + HOUR)
    with refused(Code.CONFLICT):
        team.ask(days=30)
    team.wait(2 * HOUR)
    team.ask(days=30)


def test_where_passkeys_come_later_an_app_gives_time_until_then(team: Team) -> None:
    """Who has nothing is asked now, who has an app when passkeys are required."""
    acme = {"id": team.id, "from": team.world.clock.now() + 10 * DAY}
    team.world.write(lambda tx: tx.run(_PASSKEYS, **acme))
    team.ask(days=3)
    ben = team.world.person("Ben")
    team.world.write(
        lambda tx: store_teammates.join(tx, workspace_id=team.id, account_id=ben.id, role=Role.MEMBER)
    )
    team.world.bind_totp(ben)
    with refused(Code.INVALID):
        team.ask(whom=ben, days=3)
    team.ask(whom=ben, days=11)
