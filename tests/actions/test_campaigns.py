"""The mails to everybody: the switch answers at once, the mails follow in batches, each person's once."""

from typing import Any

from nightlatch.actions import campaigns, emails, enrolment, mandate, resets, tickets
from nightlatch.actions.by import By
from nightlatch.actions.enrolment import Confirmed
from nightlatch.actions.tokens import new_token
from nightlatch.addresses import parse
from nightlatch.decision import Allow, Enrol
from nightlatch.facts import reach_of
from nightlatch.instants import DAY, HOUR
from nightlatch.policy import ManagedBy
from nightlatch.store import campaigns as campaigns_store
from nightlatch.store import teammates as store_teammates
from nightlatch.vocabulary import Role, TicketPurpose
from tests.support.letters import Letter, letter, letters
from tests.support.races import at_once
from tests.support.tables import rows
from tests.support.world import World

VISITOR = By("visitor", None, "", "198.51.100.7", "test")


class Acme:
    """An owner with 2FA and members without."""

    def __init__(self, world: World, members: int = 3) -> None:
        self.world = world
        self.dana = world.person("Dana")
        self.members = [world.person(f"Member{number}") for number in range(members)]
        self.id = world.workspace("acme", owner=self.dana, member=self.members)
        self.app, _ = world.bind_totp(self.dana)

    def switch(self, *, required: bool, since: int | None = None, managed_by: str = "admins") -> None:
        danas = self.world.signed_in(self.dana, self.app)
        revision = rows(self.world, "workspaces")[0].revision
        self.world.write(
            lambda tx: mandate.change_policy(
                tx,
                by=danas,
                workspace_id=self.id,
                required=required,
                required_from=since,
                managed_by=ManagedBy(managed_by),
                if_revision=revision,
                reason=None if required else "Enough",
            )
        )


def expand(world: World, most: int = 50) -> int:
    """Until nothing is left; how many batches it took."""
    batches = 0
    while world.write(lambda tx: campaigns.expand_campaign(tx, most=most)):
        batches += 1
    return batches


def mails(world: World) -> list[Letter]:
    """What the people are mailed, without the owners' summaries."""
    return [each for each in letters(world) if each.kind != "mandate_summary"]


def by_person(found: list[Letter]) -> dict[int, Letter]:
    return {each.account_id: each for each in found if each.account_id is not None}


def open_tickets(world: World) -> list[Any]:
    return [each for each in rows(world, "tickets") if each.ended_at is None]


def test_each_gets_the_mail_that_fits_them(world: World) -> None:
    acme = Acme(world)
    acme.switch(required=True)
    assert not letters(world)  # the switch itself mails nobody: that takes as long as there are people
    expand(world)
    found = mails(world)
    assert sorted(each.kind for each in found) == ["mandate_enrol"] * 3 + ["mandate_ready"]
    assert letter(world, "mandate_ready").to == acme.dana.email
    assert {each.to for each in letters(world, "mandate_enrol")} == {each.email for each in acme.members}
    for each in found:
        assert each.values["by"] == "Dana"
        assert each.values["from_instant"] is None


def test_its_ticket_lets_the_person_bind_there(world: World) -> None:
    """Laws 4 and 14: one tap in the mail, then the flow."""
    acme = Acme(world, 1)
    (ana,) = acme.members
    acme.switch(required=True)
    expand(world)
    anas = world.session(ana)
    assert isinstance(world.opens(anas, acme.id), Enrol)
    link = letter(world, "mandate_enrol").hash()
    world.write(lambda tx: tickets.redeem(tx, by=anas, token_hash=link, number=None))
    pending = world.write(
        lambda tx: enrolment.begin(tx, by=anas, name="Phone", replaces=None, workspace_id=acme.id)
    )
    done = world.write(
        lambda tx: enrolment.confirm(
            tx, by=anas, enrolment_id=pending.id, code=world.code(pending.seed), codes=[], token=new_token()
        )
    )
    assert isinstance(done, Confirmed)
    bound = By("account", ana.id, ana.name, token_hash=done.token.hash, credential=anas.credential)
    assert isinstance(world.opens(bound, acme.id), Allow)


def test_a_date_is_in_the_mail(world: World) -> None:
    acme = Acme(world, 1)
    since = world.clock.now() + 3 * DAY
    acme.switch(required=True, since=since)
    expand(world)
    assert {each.values["from_instant"] for each in mails(world)} == {since}


def test_batches_reach_everybody_once(world: World) -> None:
    acme = Acme(world, 11)
    acme.switch(required=True)
    assert expand(world, most=5) == 3
    assert len(by_person(mails(world))) == len(mails(world)) == 12
    assert expand(world) == 0


def test_two_workers_mail_nobody_twice(world: World) -> None:
    acme = Acme(world, 11)
    acme.switch(required=True)
    at_once(*[lambda: expand(world, most=2)] * 4)
    expand(world)
    assert len(by_person(mails(world))) == len(mails(world)) == 12


def test_a_reset_person_gets_no_ticket(world: World) -> None:
    """Law 14: after a reset only that reset's ticket binds; the mandate's mail leads to the page instead."""
    acme = Acme(world, 1)
    (ana,) = acme.members
    world.bind_totp(ana)
    danas = world.signed_in(acme.dana, acme.app)
    membership = [each for each in rows(world, "teammates") if each.account_id == ana.id]
    world.write(
        lambda tx: resets.disable_two_factor(
            tx,
            by=danas,
            workspace_id=acme.id,
            teammate_id=membership[0].id,
            reason="Lost phone",
            recognised_by="By voice",
        )
    )
    acme.switch(required=True)
    expand(world)
    assert letter(world, "mandate_enrol").values["link"] == "/set-up?workspace=acme"
    assert [each.purpose for each in open_tickets(world)] == [TicketPurpose.RESET]


def test_what_is_relied_on_elsewhere_alone_is_not_2fa_here(world: World) -> None:
    acme = Acme(world, 1)
    (ana,) = acme.members
    other = world.workspace("other", owner=ana)
    world.bind_totp(ana, reach_of(other))
    acme.switch(required=True)
    expand(world)
    (ticket,) = open_tickets(world)
    assert (ticket.account_id, ticket.workspace_id, ticket.purpose) == (
        ana.id,
        acme.id,
        TicketPurpose.MANDATE,
    )


def test_the_ticket_goes_to_the_settled_address(world: World) -> None:
    acme = Acme(world, 1)
    (ana,) = acme.members
    anas, new = world.session(ana), parse("thief@example.org")
    world.write(lambda tx: emails.request_change(tx, by=anas, address=new))
    link = letter(world, "email_confirm").hash()
    world.write(lambda tx: emails.confirm(tx, by=VISITOR, token_hash=link))
    acme.switch(required=True)
    expand(world)
    assert [each.to for each in letters(world, "mandate_enrol")] == [ana.email]


def test_who_joins_later_is_not_mailed(world: World) -> None:
    acme = Acme(world, 1)
    acme.switch(required=True)
    nora = world.person("Nora")
    world.write(
        lambda tx: store_teammates.join(tx, workspace_id=acme.id, account_id=nora.id, role=Role.MEMBER)
    )
    expand(world)
    assert nora.id not in by_person(letters(world))


def test_turned_off_everybody_is_told_and_the_older_campaign_is_over(world: World) -> None:
    acme = Acme(world, 7)
    acme.switch(required=True)
    world.write(lambda tx: campaigns.expand_campaign(tx, most=2))
    assert len(letters(world)) == 2
    acme.switch(required=False)
    expand(world)
    assert len(by_person(letters(world, "mandate_off"))) == 8
    assert len(mails(world)) == 8  # what was queued of it is withdrawn


def test_another_revision_that_says_the_same_lets_it_go_on(world: World) -> None:
    acme = Acme(world, 7)
    acme.switch(required=True, since=world.clock.now() + HOUR)
    world.write(lambda tx: campaigns.expand_campaign(tx, most=2))
    acme.switch(required=True, since=rows(world, "workspaces")[0].required_from, managed_by="owners")
    expand(world)
    assert len(by_person(mails(world))) == 8


def test_a_reset_in_the_middle_of_it_keeps_its_ticket(world: World) -> None:
    """A race on PostgreSQL: the batch must not put its ticket in the place of the reset's."""
    for _ in range(10):
        _reset_while_expanding(world)


def _reset_while_expanding(world: World) -> None:
    dana, ana = world.person("Dana"), world.person("Ana")
    acme = world.workspace(f"acme-{dana.id}", owner=dana, member=ana)
    app, _ = world.bind_totp(dana)
    world.bind_totp(ana)
    danas = world.signed_in(dana, app)
    world.require(acme)
    (teammate,) = [each.id for each in rows(world, "teammates") if each.account_id == ana.id]
    _campaign(world, acme)
    results = at_once(
        lambda: expand(world),
        lambda: world.write(
            lambda tx: resets.disable_two_factor(
                tx,
                by=danas,
                workspace_id=acme,
                teammate_id=teammate,
                reason="Lost phone",
                recognised_by="By voice",
            )
        ),
    )
    assert not [each for each in results if isinstance(each, Exception)]
    alive = [each.purpose for each in open_tickets(world) if each.account_id == ana.id]
    assert alive == [TicketPurpose.RESET]


def _campaign(world: World, workspace_id: int) -> None:
    world.write(
        lambda tx: campaigns_store.add(
            tx, workspace_id=workspace_id, revision=2, kind="mandate_on", by_name="Dana", required_from=None
        )
    )
