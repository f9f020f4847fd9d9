"""Resets by rank at the pages and through the API: what is said beforehand, what waits, who may end it."""

import pytest

from nightlatch.actions.tokens import new_token
from nightlatch.ids import to_text
from nightlatch.instants import DAY, HOUR, MINUTE
from nightlatch.refusals import Code
from tests.support.letters import letter
from tests.support.visitor import Visitor
from tests.support.world import Person
from tests.web.team import Team

API = "/api/v1/workspaces/acme"
TEAM = "/w/acme/settings/team"
BODY = {"reason": "Lost phone", "recognised_by": "phone"}


class Acme:
    """Two owners and an admin of long standing, and a member."""

    def __init__(self, team: Team) -> None:
        self.team = team
        self.olga, self.otto, self.ada, self.mia = (
            team.person(name, two_factor=True) for name in ("Olga", "Otto", "Ada", "Mia")
        )
        self.id = team.world.workspace("acme", owner=[self.olga, self.otto], admin=self.ada, member=self.mia)
        team.world.wait(8 * DAY)

    def path(self, of: Person) -> str:
        return f"{API}/teammates/{self.team.id_of(of, self.id)}/disable-two-factor"


@pytest.fixture
def acme(team: Team) -> Acme:
    return Acme(team)


def test_the_api_answers_202_lists_what_waits_and_approves(acme: Acme) -> None:
    ada = acme.team.client(acme.ada)
    got = ada.post(acme.path(acme.olga), BODY)
    assert got.status == 202, got.text
    reset = got.json["reset"]
    assert (reset["state"], reset["lapses_at"], len(reset["number"])) == ("waiting", None, 8)
    (waits,) = ada.get(f"{API}/resets").json["items"]
    assert (waits["id"], waits["teammate"]["name"], waits["requested_by"]) == (reset["id"], "Olga", "Ada")
    assert (waits["may_approve"], waits["may_cancel"], waits["needs_approval"]) == (False, True, False)
    assert waits["effective_at"] == reset["effective_at"]
    assert ada.post(f"{API}/resets/{reset['id']}/approve").code == Code.NOT_PERMITTED
    mia = acme.team.client(acme.mia)
    assert mia.get(f"{API}/resets").code == Code.NOT_PERMITTED
    otto = acme.team.client(acme.otto)
    assert otto.get(f"{API}/resets").json["items"][0]["may_approve"] is True
    got = otto.post(f"{API}/resets/{reset['id']}/approve")
    assert (got.status, got.json["reset"]["state"], got.json["reset"]["number"]) == (200, "done", None)
    assert otto.get(f"{API}/resets").json["items"] == []
    assert otto.post(f"{API}/resets/{to_text(4711)}/cancel").status == 404
    assert otto.post(f"{API}/resets/{reset['id']}/cancel").code == Code.CONFLICT


def test_approving_takes_fresh_proof_and_cancelling_does_not(acme: Acme) -> None:
    otto, ada = acme.team.client(acme.otto), acme.team.client(acme.ada)
    id = ada.post(acme.path(acme.olga), BODY).json["reset"]["id"]
    acme.team.world.wait(11 * MINUTE)
    assert otto.post(f"{API}/resets/{id}/approve").code == Code.STEP_UP_REQUIRED
    assert otto.post(f"{API}/resets/{id}/cancel").status == 204
    assert ada.get(f"{API}/resets").json["items"] == []


def test_whoever_looks_after_its_instant_finds_it_done(acme: Acme) -> None:
    """No background task runs here."""
    assert acme.team.client(acme.ada).post(acme.path(acme.olga), BODY).status == 202
    acme.team.world.wait(72 * HOUR)
    otto = acme.team.client(acme.otto)
    assert otto.get(f"{API}/resets").json["items"] == []
    assert letter(acme.team.world, "reset").to == acme.olga.email


def test_the_page_says_beforehand_what_will_happen(acme: Acme) -> None:
    ada = acme.team.visitor(acme.ada)
    page = ada.open(f"{TEAM}/{acme.team.id_of(acme.mia, acme.id)}/disable-two-factor")
    assert "It will not happen at once" not in page.text
    path = f"{TEAM}/{acme.team.id_of(acme.olga, acme.id)}/disable-two-factor"
    page = ada.open(path)
    assert "in 72 hours" in page.text
    assert "Let the link work without" not in page.text
    page = ada.submit(path, reason="Lost phone", recognised_by="phone")
    assert page.heading == "Turning off the 2FA of Olga waits", page.text
    page = ada.open(path)
    assert page.heading == "2FA of Olga is to be turned off"
    assert [each.rpartition("/")[2] for each in page.actions if "/resets/" in each] == ["stop"]
    olga = Visitor(acme.team.app)
    olga.open("/sign-in")
    page = olga.submit("/sign-in", email=acme.olga.email, password="a long and honest password")
    assert "Somebody asked to turn off your 2FA in Acme" in page.text


def test_it_is_stopped_from_inside_with_a_fresh_code(acme: Acme) -> None:
    """Somebody who was signed in before it was asked for is warned on every page."""
    olga = acme.team.visitor(acme.olga)
    acme.team.client(acme.ada).post(acme.path(acme.olga), BODY)
    page = olga.open("/w/acme")
    assert page.read.links["look at it and stop it"] == "/w/acme/reset"
    page = olga.open("/w/acme/reset")
    assert "Ada" in page.text
    page = olga.submit("/w/acme/reset")
    assert "Your 2FA in Acme is as it was" in page.heading
    assert letter(acme.team.world, "reset_ended", to=acme.ada.email).values["why"] == "second_step"


def test_the_mailed_page_works_signed_out_once(acme: Acme) -> None:
    ada, nobody = acme.team.client(acme.ada), Visitor(acme.team.app)
    ada.post(acme.path(acme.olga), BODY)
    link = letter(acme.team.world, "reset_waiting").values["link"]
    for _ in range(3):
        page = nobody.open(link)
        assert (page.status, page.path, page.heading) == (200, "/reset-stop", "Keep your 2FA on?")
    assert nobody.submit("/reset-stop").heading == "Stopped: your 2FA stays on"
    page = nobody.open(link)
    assert (page.status, page.heading) == (410, "Your 2FA in Acme was not turned off")
    ada.post(acme.path(acme.olga), BODY)
    page = nobody.open(letter(acme.team.world, "reset_waiting").values["link"])
    assert (page.status, page.heading) == (409, "Ask an owner to stop this")
    page = nobody.open(f"/reset-stop/{new_token().text}")
    assert page.status == 404


def test_owners_approve_and_stop_at_the_list(acme: Acme) -> None:
    ada, otto = acme.team.client(acme.ada), acme.team.visitor(acme.otto)
    first = ada.post(acme.path(acme.olga), BODY).json["reset"]["id"]
    otto.open(f"{TEAM}/resets")
    page = otto.submit(f"{TEAM}/resets/{first}/stop")
    assert "Stopped: 2FA stays on" in page.text
    assert "Nothing waits." in page.text
    second = ada.post(acme.path(acme.olga), BODY).json["reset"]["id"]
    otto.open(f"{TEAM}/resets")
    page = otto.submit(f"{TEAM}/resets/{second}/approve")
    if page.path.startswith("/step-up"):
        otto.submit("/step-up", using="totp", code=acme.team.code(acme.otto))
        page = otto.submit(f"{TEAM}/resets/{second}/approve")
    assert "Approved" in page.text
