"""SAML from the pages' side: there by redirect, back by a POST from elsewhere that opens nothing by itself."""

import re
import subprocess
import sys
from collections.abc import Mapping
from html import unescape
from typing import Any

import pytest

from nightlatch.actions.sso_outcomes import Why
from nightlatch.ids import to_text
from nightlatch.instants import DAY, HOUR, MINUTE
from nightlatch.policy import Acceptance, SsoRule
from nightlatch.sso import extra
from nightlatch.sso.saml_metadata import Service
from nightlatch.store import connections
from nightlatch.vocabulary import Event
from tests.support.asgi import ORIGIN, Client, Got
from tests.support.events import events
from tests.support.saml_idp import MFA, Idp, Says, form_value
from tests.support.signing_on import a_domain, connected, rule
from tests.support.tables import everything
from tests.support.visitor import Page, Visitor
from tests.support.ways import Asked
from tests.web.team import Team

ELSEWHERE = {
    "origin": "https://idp.acme.example",
    "sec-fetch-site": "cross-site",
    "sec-fetch-mode": "navigate",
}


@pytest.fixture(scope="module")
def idp(tmp_path_factory: pytest.TempPathFactory) -> Idp:
    return Idp(tmp_path_factory.mktemp("idp"))


class Acme:
    """Ana is a member of Acme, and known to its provider as ana-7f3a."""

    def __init__(self, team: Team, idp: Idp) -> None:
        self.team, self.idp, self.world = team, idp, team.world
        self.dana, self.ana = team.person("Dana", two_factor=True), team.person("Ana")
        self.id = team.world.workspace("acme", owner=self.dana, member=self.ana)
        self.connection = self.connect(self.id, idp)
        connected(self.world, self.ana, self.connection, "ana-7f3a")

    def connect(self, workspace_id: int, idp: Idp, **settings: str) -> int:
        """A connection, made by nobody."""
        return self.world.write(
            lambda tx: connections.create(
                tx,
                workspace_id=workspace_id,
                kind="saml",
                name="Shibboleth",
                issuer=idp.entity_id,
                client_id="x",
                settings={**idp.provider.kept(), **settings},
                joins=True,
            )
        )

    def service(self, workspace_id: int | None = None) -> Service:
        path = f"{ORIGIN}/saml/{to_text(workspace_id or self.id)}"
        return Service(path, f"{path}/acs")

    def leave(self, visitor: Visitor, connection: int | None = None) -> Asked:
        """Off to the provider."""
        path = f"/sso/{to_text(connection or self.connection)}"
        visitor.open(f"{path}?next=/w/acme")
        return asked(visitor.submit(path))

    def says(self, request: Asked, **more: object) -> Says:
        return Says(self.service(), request.id, self.world.clock.now()).but(**more)

    def post(self, request: Asked, xml: str, *, to: int | None = None, **more: str) -> Got:
        """The provider's page posts the answer: another site, and none of our cookies."""
        form = {"SAMLResponse": form_value(xml), "RelayState": request.relay_state, **more}
        path = f"/saml/{to_text(to or self.id)}/acs"
        return Client(self.team.app).ask("POST", path, form=form, headers=ELSEWHERE)

    def come(self, visitor: Visitor | None = None, **more: object) -> Page:
        """There and back."""
        visitor = visitor or Visitor(self.team.app)
        request = self.leave(visitor)
        return visitor.open(onward(self.post(request, self.idp.answer(self.says(request, **more)))))

    def refused(self) -> list[tuple[str, str | None]]:
        told = [each for each in events(self.world) if each.event is Event.SSO_REFUSED]
        return [(each.detail["why"], each.detail.get("code")) for each in told]


def asked(page: Page) -> Asked:
    assert page.status == 200, page.text
    found = re.search(r'http-equiv="refresh" content="0; url=([^"]+)"', page.got.text)
    assert found is not None, page.text
    return Asked(unescape(found[1]))


def onward(got: Got) -> str:
    assert got.status == 303, got.text
    assert not got.all("set-cookie"), "who posts an answer is given nothing"
    return got.header("location")


@pytest.fixture
def acme(team: Team, idp: Idp) -> Acme:
    return Acme(team, idp)


def test_who_is_known_comes_in(acme: Acme) -> None:
    visitor = Visitor(acme.team.app)
    page = acme.come(visitor)
    assert page.path == "/w/acme", page.text
    assert acme.refused() == []
    assert visitor.open("/settings/user").status == 200


def test_our_metadata_is_what_the_request_says(acme: Acme) -> None:
    request = acme.leave(Visitor(acme.team.app))
    got = Client(acme.team.app).get(f"/saml/{to_text(acme.id)}")
    assert got.header("content-type") == "application/samlmetadata+xml"
    for part in (acme.service().entity_id, acme.service().answers_to):
        assert part in got.text
        assert part in request.xml
    assert Client(acme.team.app).get(f"/saml/{to_text(4711)}").status == 404


def test_an_answer_opens_nothing_in_another_browser(acme: Acme) -> None:
    """Login CSRF: whoever makes somebody's browser post their own answer does not sign them in as themself."""
    attacker, victim = Visitor(acme.team.app), Visitor(acme.team.app)
    request = acme.leave(attacker)
    location = onward(acme.post(request, acme.idp.answer(acme.says(request))))
    page = victim.open(location)
    assert page.status == 403
    assert "begun in another browser" in page.heading
    assert victim.open("/w/acme").path.startswith("/sign-in")
    acme.leave(victim)
    assert victim.open(location).status == 403, "also where it has begun a way of its own"
    assert acme.refused() == [(Why.OTHER_BROWSER, None)] * 2
    assert attacker.open(location).path == "/w/acme"


def test_once(acme: Acme) -> None:
    """The way back, and the assertion: neither works twice, nor for another request."""
    visitor = Visitor(acme.team.app)
    request = acme.leave(visitor)
    xml = acme.idp.answer(acme.says(request))
    location = onward(acme.post(request, xml))
    assert onward(acme.post(request, xml)) == location, "sent twice before it was used, the first stands"
    assert visitor.open(location).path == "/w/acme"
    assert visitor.open(location).status == 409
    assert acme.post(request, xml).status == 404
    another = acme.leave(visitor)
    page = visitor.open(onward(acme.post(another, xml)))
    assert page.status == 502
    assert acme.refused()[-1] == (Why.PROVIDER, "in_response_to")
    third = acme.leave(visitor)
    same_id = acme.idp.answer(acme.says(third))  # every assertion of this provider is called _assertion
    assert visitor.open(onward(acme.post(third, same_id))).status == 502
    assert acme.refused()[-1] == (Why.PROVIDER, "replayed")


def test_what_was_posted_but_holds_nothing(acme: Acme) -> None:
    visitor = Visitor(acme.team.app)
    request = acme.leave(visitor)
    for form in ({}, {"SAMLResponse": "x"}, {"SAMLResponse": "x", "RelayState": "y" * 43}):
        got = Client(acme.team.app).ask("POST", f"/saml/{to_text(acme.id)}/acs", form=form, headers=ELSEWHERE)
        assert got.status == 404
    assert acme.post(request, "<x/>", to=4711).status == 404
    plain = Client(acme.team.app).post(f"/saml/{to_text(acme.id)}/acs", {"RelayState": request.relay_state})
    assert plain.status == 415
    page = visitor.open(onward(acme.post(request, "<x/>")))
    assert "malformed" in page.text
    early = acme.leave(visitor)
    page = visitor.open(f"/sso/{to_text(acme.connection)}/callback?state={early.relay_state}")
    assert acme.refused()[-1] == (Why.PROVIDER, "no_answer")


def test_too_late(acme: Acme) -> None:
    visitor = Visitor(acme.team.app)
    request = acme.leave(visitor)
    acme.world.wait(11 * MINUTE)
    assert acme.post(request, acme.idp.answer(acme.says(request))).status == 404


@pytest.mark.parametrize(
    "code,changes",
    [
        ("audience", {"audience": "https://other.example"}),
        ("recipient", {"recipient": f"{ORIGIN}/saml/x/acs", "destination": ""}),
        ("in_response_to", {"in_response_to": ""}),
        ("issuer", {"issuer": "https://other.example"}),
        ("expired", {"lasts": -DAY}),
    ],
)
def test_refusals_reach_the_page_and_the_audit_log(acme: Acme, code: str, changes: Mapping[str, Any]) -> None:
    page = acme.come(**changes)
    assert page.status == 502
    assert code in page.text
    assert acme.refused() == [(Why.PROVIDER, code)]


def test_a_provider_opens_its_own_workspace_alone(acme: Acme) -> None:
    """One provider with one key, connected in two workspaces: what it says for one is nothing for the other."""
    beta = acme.world.workspace("beta", owner=acme.dana, member=acme.ana)
    theirs = acme.connect(beta, acme.idp)
    connected(acme.world, acme.ana, theirs, "ana-7f3a")
    visitor = Visitor(acme.team.app)
    assert acme.come(visitor).path == "/w/acme"
    assert visitor.open("/w/beta").path.startswith("/step-up"), "proof for Acme is none for Beta"
    request = acme.leave(Visitor(acme.team.app), theirs)
    for_acme = acme.idp.answer(acme.says(request))
    assert acme.post(request, for_acme).status == 404, "at Acme's address there is no such request"
    visitor = Visitor(acme.team.app)
    request = acme.leave(visitor, theirs)
    page = visitor.open(onward(acme.post(request, acme.idp.answer(acme.says(request)), to=beta)))
    assert (page.status, acme.refused()[-1]) == (502, (Why.PROVIDER, "recipient"))


def test_a_stranger_of_a_proved_domain_joins(acme: Acme) -> None:
    new: dict[str, Any] = {
        "name_id": "neo-1",
        "attributes": {"mail": ["neo@acme.example"], "displayName": ["Neo"]},
    }
    assert acme.come(assertion_id="_n1", **new).status == 403
    assert acme.refused() == [(Why.OTHER_DOMAIN, None)]
    a_domain(acme.world, acme.id, "acme.example")
    visitor = Visitor(acme.team.app)
    page = acme.come(visitor, assertion_id="_n2", **new)
    assert page.path == "/w/acme", page.text
    assert "Neo" in visitor.open("/settings/user").text


def test_who_must_set_up_is_led_there_unless_the_rule_takes_the_provider_s_word(acme: Acme) -> None:
    acme.world.require(acme.id)
    assert acme.come(assertion_id="_1").path.startswith("/set-up")
    strong: dict[str, Any] = {"context": MFA}
    assert acme.come(assertion_id="_2", **strong).path.startswith("/set-up"), (
        "not listed, it counts for nothing"
    )
    rule(acme.world, acme.connection, Acceptance(SsoRule.ACCEPT, second=frozenset({MFA}), max_age=HOUR))
    assert acme.come(assertion_id="_3").path.startswith("/set-up")
    assert acme.come(assertion_id="_4", **strong).path == "/w/acme"
    old = acme.world.clock.now() - 2 * HOUR
    assert acme.come(assertion_id="_5", signed_in_at=old, **strong).path.startswith("/set-up")


def test_an_attribute_of_methods_counts_like_amr(acme: Acme) -> None:
    acme.world.require(acme.id)
    rule(
        acme.world, acme.connection, Acceptance(SsoRule.ACCEPT, second=frozenset({"http://m/multipleauthn"}))
    )
    told = {"http://schemas.microsoft.com/claims/authnmethodsreferences": ["http://m/multipleauthn"]}
    assert acme.come(attributes=told).path == "/w/acme"


def test_step_up_goes_back_to_the_provider_and_wants_a_sign_in_that_is_made_now(acme: Acme) -> None:
    a_domain(acme.world, acme.id, "acme.example")
    visitor = Visitor(acme.team.app)
    neo: dict[str, Any] = {"name_id": "neo-1", "attributes": {"mail": ["neo@acme.example"]}}
    assert acme.come(visitor, **neo).path == "/w/acme"
    acme.world.wait(HOUR)
    page = visitor.open("/step-up?act=authenticators&workspace=acme&next=/w/acme")
    path = f"/sso/{to_text(acme.connection)}/step-up"
    request = asked(visitor.submit(path))
    assert 'ForceAuthn="true"' in request.xml
    stale = acme.says(request, assertion_id="_a", signed_in_at=acme.world.clock.now() - HOUR, **neo)
    page = visitor.open(onward(acme.post(request, acme.idp.answer(stale))))
    assert "did not ask you again" in page.text
    visitor.open("/step-up?act=authenticators&workspace=acme&next=/w/acme")
    request = asked(visitor.submit(path))
    other = acme.says(request, assertion_id="_b")
    page = visitor.open(onward(acme.post(request, acme.idp.answer(other))))
    assert acme.refused()[-1] == (Why.OTHER_PERSON, None)
    visitor.open("/step-up?act=authenticators&workspace=acme&next=/w/acme")
    request = asked(visitor.submit(path))
    page = visitor.open(
        onward(acme.post(request, acme.idp.answer(acme.says(request, assertion_id="_c", **neo))))
    )
    assert page.path == "/w/acme", page.text


def test_without_the_extra_it_is_said_what_to_install(acme: Acme, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same as in an installation that has not got it: it is looked for, not tried."""
    monkeypatch.setattr(extra, "find_spec", lambda name: None)
    visitor = Visitor(acme.team.app)
    path = f"/sso/{to_text(acme.connection)}"
    visitor.open(path)
    page = visitor.submit(path)
    assert page.status == 503
    assert 'pip install "nightlatch[saml]"' in unescape(page.got.text)
    assert Client(acme.team.app).get(f"/saml/{to_text(acme.id)}").status == 503


def test_an_installation_without_the_extra_starts() -> None:
    """Nothing that is imported at the start needs it."""
    code = (
        "import sys; sys.modules['lxml'] = sys.modules['signxml'] = None\n"
        "import nightlatch.server, nightlatch.cli.checks, nightlatch.web.table"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_no_page_of_the_way_keeps_an_answer(acme: Acme) -> None:
    """What was put aside is sealed: neither the subject nor an address stands in the database in plain."""
    request = acme.leave(Visitor(acme.team.app))
    onward(
        acme.post(request, acme.idp.answer(acme.says(request, attributes={"mail": ["secret@acme.example"]})))
    )
    assert "secret@acme.example" not in str(everything(acme.world)["sso_flows"])
    assert "ana-7f3a" not in str(everything(acme.world)["sso_flows"])
