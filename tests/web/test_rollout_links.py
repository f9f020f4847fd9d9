"""Every link of every mail of a rollout: opened three times by a scanner, then by the person, days later."""

import re
from dataclasses import dataclass, field

import pytest

from nightlatch.actions import campaigns, mandate, notices_recheck, reminders
from nightlatch.actions.by import operator
from nightlatch.instants import DAY, HOUR
from nightlatch.mail.drain import Post, drain_once
from nightlatch.policy import ManagedBy
from nightlatch.store import campaigns as stored
from nightlatch.store import workspaces
from tests.mail.test_drain import Pigeon
from tests.support.asgi import ORIGIN
from tests.support.tables import everything
from tests.support.visitor import Page, Visitor, seed_shown
from tests.support.world import Person
from tests.web.team import Team

OPERATOR = operator("Op")


@dataclass
class Rollout:
    """Acme, whose owner has 2FA, and the mails that leave."""

    team: Team
    dana: Person
    ana: Person
    ben: Person
    acme: int
    pigeon: Pigeon = field(default_factory=Pigeon)

    def change(self, *, required: bool, since: int | None = None) -> None:
        row = self.team.world.read(lambda tx: workspaces.by_id(tx, self.acme))
        assert row is not None
        self.team.world.write(
            lambda tx: mandate.change_policy(
                tx,
                by=OPERATOR,
                workspace_id=self.acme,
                required=required,
                required_from=since,
                managed_by=ManagedBy.ADMINS,
                if_revision=row.revision,
                reason="Enough",
            )
        )

    def send(self) -> list[tuple[str, str, str]]:
        """What leaves now: to whom, the subject, and each link."""
        world, before = self.team.world, len(self.pigeon.sent)
        while world.read(stored.waits):
            world.write(campaigns.expand_campaign)
        post = Post(
            world.store, self.pigeon, "N", "n@example.com", ORIGIN, world.clock, notices_recheck.why_untrue
        )
        while drain_once(post).handled:
            pass
        return [
            (mail.to, mail.subject, link)
            for mail in self.pigeon.sent[before:]
            for link in re.findall(rf"{ORIGIN}\S+", mail.text)
        ]


@pytest.fixture
def rollout(team: Team) -> Rollout:
    dana, ana, ben = team.person("Dana", two_factor=True), team.person("Ana"), team.person("Ben")
    return Rollout(team, dana, ana, ben, team.world.workspace("acme", owner=dana, member=[ana, ben]))


def scanned(rollout: Rollout, link: str) -> None:
    """A scanner opens it three times, in a browser of its own, and nothing at all has happened."""
    before = everything(rollout.team.world)
    scanner = Visitor(rollout.team.app)
    for _ in range(3):
        assert scanner.open(link).status == 200, link
    assert everything(rollout.team.world) == before


def fresh(rollout: Rollout, visitor: Visitor, page: Page) -> Page:
    """The button of a late link, and the link of the mail that it sends."""
    assert page.heading == "Set up 2FA for Acme"
    page = visitor.submit("/ticket/renew")
    assert page.heading == "Check your mail"
    ((_, subject, link),) = rollout.send()
    assert subject == "Your new link to set up 2FA for Acme"
    scanned(rollout, link)
    return visitor.open(link)


def test_no_link_of_a_rollout_is_dead(rollout: Rollout) -> None:
    world = rollout.team.world
    rollout.change(required=True, since=world.clock.now() + 14 * DAY)
    mailed = rollout.send()
    for wait in (7 * DAY, 4 * DAY, 2 * DAY, 12 * HOUR):
        world.wait(wait)
        mailed += rollout.send()
    world.write(lambda tx: reminders.remind(tx, by=OPERATOR, workspace_id=rollout.acme, teammate_ids=None))
    mailed += rollout.send()
    world.wait(DAY)
    mailed += rollout.send()
    assert len([each for each in mailed if each[0] == rollout.ana.email]) == 6
    assert len([each for each in mailed if each[0] == rollout.dana.email]) == 5
    for _, _, link in mailed:
        scanned(rollout, link)
    world.wait(5 * DAY)
    for to, _, link in mailed:
        scanned(rollout, link)
        if to == rollout.ana.email:
            visitor = Visitor(rollout.team.app)  # nobody is signed in: it takes no session to go on
            assert visitor.open(link).heading == "Set up 2FA for Acme"
            assert visitor.page is not None
            assert rollout.ana.email not in visitor.page.text
        elif to == rollout.dana.email:
            page = rollout.team.visitor(rollout.dana).open(link)
            assert (page.status, page.heading) == (200, "Progress")


def test_the_late_reader_goes_on_with_one_button(rollout: Rollout) -> None:
    team, world = rollout.team, rollout.team.world
    rollout.change(required=True)
    links = {to: link for to, _, link in rollout.send()}
    world.wait(40 * DAY)
    visitor = Visitor(team.app)
    page = fresh(rollout, visitor, visitor.open(links[rollout.ana.email]))
    assert page.heading == "Set up 2FA"
    page = visitor.open("/sign-in?next=/ticket")
    page = visitor.submit("/sign-in", email=rollout.ana.email, password="a long and honest password")
    page = visitor.submit("/ticket")
    seed = seed_shown(page)
    page = visitor.submit("/set-up", code=world.code(seed))
    assert page.status == 200
    # and whoever opens the first mail afterwards is told that all is well
    assert visitor.open(links[rollout.ana.email]).heading == "2FA is set up"
    assert Visitor(team.app).open(links[rollout.ana.email]).heading == "2FA is set up"


def test_late_links_of_what_is_over(rollout: Rollout) -> None:
    rollout.change(required=True)
    links = {to: link for to, _, link in rollout.send()}
    rollout.change(required=False)
    rollout.send()
    rollout.team.world.wait(2 * DAY)
    page = Visitor(rollout.team.app).open(links[rollout.ana.email])
    assert (page.status, page.heading) == (200, "There is nothing to do")


def test_a_flood_of_presses_is_held_back_and_takes_no_working_link_away_for_long(rollout: Rollout) -> None:
    rollout.change(required=True)
    links = {to: link for to, _, link in rollout.send()}
    rollout.team.world.wait(2 * DAY)
    visitor = Visitor(rollout.team.app)
    for _ in range(5):
        visitor.open(links[rollout.ana.email])
        assert visitor.submit("/ticket/renew").heading == "Check your mail"
    visitor.open(links[rollout.ana.email])
    page = visitor.submit("/ticket/renew")
    assert page.status == 429
    assert "Use the newest one" in page.text
    newest = rollout.send()[-1][2]
    assert Visitor(rollout.team.app).open(newest).heading == "Set up 2FA"


def test_reminders_through_the_pages_and_the_api(rollout: Rollout) -> None:
    team = rollout.team
    api = "/api/v1/workspaces/acme/teammates"
    client = team.client(rollout.dana)
    assert client.post(f"{api}/remind", {}).status == 409  # nothing is required
    rollout.change(required=True)
    rollout.send()
    ana, ben = team.id_of(rollout.ana, rollout.acme), team.id_of(rollout.ben, rollout.acme)
    got = client.post(f"{api}/{ana}/remind")
    assert (got.status, got.json) == (202, {"reminded": 1, "left_out": 0})
    got = client.post(f"{api}/{ana}/remind")
    assert (got.status, got.json["code"]) == (429, "too_many_attempts")
    assert int(got.header("retry-after")) > 80_000
    got = client.post(f"{api}/remind", {"ids": [ana, ben]})
    assert (got.status, got.json) == (202, {"reminded": 1, "left_out": 1})
    assert client.post(f"{api}/remind").status == 429  # a request without a body: all
    team.world.wait(DAY + HOUR)
    visitor = team.visitor(rollout.dana)
    table = "/w/acme/settings/team"
    page = visitor.open(table)
    assert f"{table}/remind" in page.actions
    page = visitor.submit(f"{table}/remind")
    assert "Tick somebody to remind first." in page.text
    page = visitor.submit(f"{table}/remind", which="ticked", ids=f"{ana},{ben}")
    assert "They are reminded by mail." in page.text
    page = visitor.submit(f"{table}/remind", which="matching", two_factor="overdue")
    assert "within the last day already" in page.text
    assert len([each for each in rollout.send() if "reminder" in each[1]]) == 2
    team.world.wait(DAY + HOUR)
    visitor = team.visitor(rollout.dana)
    progress = f"{table}/authentication/progress"
    visitor.open(progress)
    page = visitor.submit(f"{table}/remind", next="https://evil.example")
    assert page.path.startswith(table)
    assert len([each for each in rollout.send() if "reminder" in each[1]]) == 2
