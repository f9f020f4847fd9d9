"""What the second step and the step-up were asked for stays on the page when a code was wrong."""

from nightlatch.instants import HOUR
from tests.support.lost import bind_codes
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
    assert (page.status, page.heading) == (401, "Wait a little")
    assert "did not match" not in page.text, "there is no field to try again in"
    assert page.read.links["Try again"] == "/sign-in/second-step?workspace=bolt&next=%2Fw%2Fbolt"


def test_the_other_pages_to_wait_at_lead_back_too(team: Team) -> None:
    ana = team.person("Ana", two_factor=True)
    bind_codes(team.world, ana)
    team.world.workspace("acme", owner=ana)
    visitor = team.visitor(ana)
    team.world.wait(HOUR)
    page = visitor.open("/settings/user/password")
    asked = page.path
    wrong = _wrong(team.code(ana))
    for status in (401, 401, 401, 401, 401, 429):
        visitor.open(asked)
        page = visitor.submit("/step-up", code=wrong)
        assert page.status == status
    assert "Too many wrong tries You can try again in" in page.text
    assert "There is a problem" not in page.text
    assert page.read.links["Try again"].startswith("/step-up?workspace=acme&act=account&using=totp&next=")
    assert "/step-up" in visitor.open(page.read.links["Try again"]).actions
    other = Visitor(team.app)
    other.open("/sign-in")
    other.submit("/sign-in", email=ana.email, password=PASSWORD)
    for _ in range(5):
        other.open("/recover?next=/settings/user")
        page = other.submit("/recover", recovery_code="aaaa-aaaa-aaaa-aaaa-aaaa")
    assert "Too many wrong recovery codes" in page.text
    assert "did not match" not in page.text
    assert page.read.links["Try again"] == "/recover?next=%2Fsettings%2Fuser"


def test_while_codes_have_to_wait_a_passkey_is_still_offered(team: Team) -> None:
    ana = team.person("Ana", two_factor=True)
    team.world.bind_passkey(ana)
    team.world.workspace("acme", owner=ana)
    visitor = Visitor(team.app)
    visitor.open("/sign-in")
    page = visitor.submit("/sign-in", email=ana.email, password=PASSWORD)
    for _ in range(5):
        page = visitor.submit("/sign-in/second-step", code=_wrong(team.code(ana)))
    assert "Too many wrong codes You can try again in" in page.text
    assert "Your passkey is taken meanwhile." in page.text
    assert "/sign-in/second-step/passkey" in page.actions
    assert "/sign-in/second-step" not in page.actions


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
