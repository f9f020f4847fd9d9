"""What the second step and the step-up were asked for stays on the page when a code was wrong."""

from nightlatch.instants import HOUR
from tests.support.visitor import Visitor
from tests.support.world import PASSWORD
from tests.web.team import Team


def _wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"


def test_a_wrong_code_keeps_the_workspace_that_asks(team: Team) -> None:
    ana = team.person("Ana", two_factor=True)
    team.world.workspace("acme", owner=ana)
    team.world.workspace("bolt", owner=ana)
    visitor = Visitor(team.app)
    visitor.open("/sign-in")
    visitor.submit("/sign-in", email=ana.email, password=PASSWORD)
    page = visitor.open("/w/bolt")
    assert page.path == "/sign-in/second-step?workspace=bolt&next=%2Fw%2Fbolt"
    for wrong in ("12", _wrong(team.code(ana))):
        page = visitor.submit("/sign-in/second-step", code=wrong)
        assert page.status in (401, 422)
        assert "Bolt asks for this before you can open it." in page.text
    assert visitor.submit("/sign-in/second-step", code=team.code(ana)).path == "/w/bolt"


def test_the_page_to_wait_at_leads_back_to_the_same_question(team: Team) -> None:
    ana = team.person("Ana", two_factor=True)
    team.world.workspace("bolt", owner=ana)
    visitor = Visitor(team.app)
    visitor.open("/sign-in")
    visitor.submit("/sign-in", email=ana.email, password=PASSWORD)
    page = visitor.open("/w/bolt")
    for _ in range(5):
        page = visitor.submit("/sign-in/second-step", code=_wrong(team.code(ana)))
    assert page.heading == "Wait a little"
    assert page.read.links["Try again"] == "/sign-in/second-step?workspace=bolt&next=%2Fw%2Fbolt"


def test_a_wrong_code_keeps_what_fresh_proof_is_for(team: Team) -> None:
    ana = team.person("Ana", two_factor=True)
    team.world.workspace("acme", owner=ana)
    visitor = team.visitor(ana)
    team.world.wait(HOUR)
    page = visitor.open("/settings/user/password")
    assert "You are about to change your account." in page.text, page.path
    page = visitor.submit("/step-up", code=_wrong(team.code(ana)))
    assert page.status == 401
    assert "You are about to change your account." in page.text
