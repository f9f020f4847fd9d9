"""OpenID Connect against a provider of our own that lies in every way there is (F35, F36)."""

import re
import time
from collections.abc import Iterator
from html import unescape

import pytest
from joserfc.jwk import Key

from nightlatch.access import decide_workspace
from nightlatch.decision import Allow
from nightlatch.instants import SECOND
from nightlatch.sso import fetching
from nightlatch.store import connections
from nightlatch.vocabulary import Event
from tests.support.events import events
from tests.support.provider import (
    CLIENT_ID,
    SECRET,
    Provider,
    ec,
    ed,
    headed,
    rsa,
    rsa_pss_alone,
    rsa_to_encrypt,
    running,
    short,
    signed,
    signed_with_public_key,
    unsigned,
    wide,
)
from tests.support.signing_on import a_connection, a_domain, connected
from tests.support.visitor import Page, Visitor
from tests.web.team import Team


class Acme:
    """Ana is a member of Acme, and known to its provider as u-1."""

    def __init__(self, team: Team, provider: Provider) -> None:
        self.team, self.provider, self.world = team, provider, team.world
        self.dana, self.ana = team.person("Dana"), team.person("Ana")
        self.id = team.world.workspace("acme", owner=self.dana, member=self.ana)
        self.okta = self.connection()
        connected(self.world, self.ana, self.okta, "u-1")

    def connection(self, provider: Provider | None = None) -> int:
        issuer = (provider or self.provider).issuer
        id = a_connection(self.world, self.id, issuer=issuer, name="Okta")
        self.world.write(lambda tx: connections.set_secret(tx, id, SECRET))
        return id

    def path(self, connection: int | None = None) -> str:
        from nightlatch.ids import to_text

        return f"/sso/{to_text(connection or self.okta)}"

    def leave(self, visitor: Visitor, connection: int | None = None) -> str:
        """Off to the provider: where the page leads to."""
        visitor.open(f"{self.path(connection)}?next=/w/acme")
        page = visitor.submit(self.path(connection))
        return left(page)

    def come(self, visitor: Visitor | None = None) -> Page:
        """There and back."""
        visitor = visitor or Visitor(self.team.app)
        return visitor.open(self.provider.authorize(self.leave(visitor)))

    def refused(self) -> list[tuple[str, str | None]]:
        return [
            (each.detail["why"], each.detail.get("code"))
            for each in events(self.world)
            if each.event is Event.SSO_REFUSED
        ]


def left(page: Page) -> str:
    assert page.status == 200, page.text
    found = re.search(r'http-equiv="refresh" content="0; url=([^"]+)"', page.got.text)
    assert found is not None, page.text
    return unescape(found[1])


def publishes(provider: Provider, key: Key, algorithm: str) -> None:
    """The provider says that a token is signed by this key, in this way."""
    provider.keys = [key, ed()]
    provider.token = lambda claims: headed({"alg": algorithm, "kid": key.get("kid")}, claims)


@pytest.fixture
def provider(team: Team) -> Iterator[Provider]:
    with running(lambda: team.world.clock.now() // SECOND) as found:
        yield found


@pytest.fixture
def acme(team: Team, provider: Provider) -> Acme:
    return Acme(team, provider)


def test_who_is_known_comes_in(acme: Acme) -> None:
    visitor = Visitor(acme.team.app)
    page = acme.come(visitor)
    assert page.path == "/w/acme", page.text
    assert acme.refused() == []
    assert acme.provider.asked.count("POST /token") == 1
    asked = next(iter(visitor.trail))
    assert "code=" in asked


@pytest.mark.parametrize(
    "sign", [("PS256", rsa, "rsa-main"), ("ES256", ec, "ec"), ("EdDSA", ed, "ed"), ("RS256", rsa, None)]
)
def test_signatures_that_are_accepted(acme: Acme, sign) -> None:
    algorithm, key, kid = sign
    acme.provider.token = lambda claims: signed(claims, algorithm, key(), kid)
    assert acme.come().path == "/w/acme"


LIES = {
    "wrong_audience": lambda it: it.claims.update(aud="another"),
    "wrong_audience list": lambda it: it.claims.update(aud=["another", "third"]),
    "wrong_audience party": lambda it: it.claims.update(aud=[CLIENT_ID, "x"]),
    "wrong_audience other party": lambda it: it.claims.update(azp="another"),
    "wrong_issuer": lambda it: it.claims.update(iss="https://elsewhere.example"),
    "wrong_issuer slash": lambda it: it.claims.update(iss=it.issuer + "/"),
    "wrong_nonce": lambda it: it.claims.update(nonce="x" * 43),
    "wrong_nonce none": lambda it: it.claims.update(nonce=None),
    "expired": lambda it: it.claims.update(exp=it.now() - 61),
    "too_old": lambda it: it.claims.update(auth_time=it.now() - 24 * 60 * 60 - 61),
    "from_the_future": lambda it: it.claims.update(iat=it.now() + 120),
    "from_the_future sign-in": lambda it: it.claims.update(auth_time=it.now() + 120),
    "no_times": lambda it: it.claims.update(exp=None),
    "no_times text": lambda it: it.claims.update(exp="soon"),
    "no_times yes": lambda it: it.claims.update(iat=True),
    "no_subject": lambda it: it.person.update(sub=None),
    "no_subject number": lambda it: it.person.update(sub=7),
    "no_subject empty": lambda it: it.person.update(sub=""),
    "no_subject long": lambda it: it.person.update(sub="u" * 256),
    "no_subject unseen": lambda it: it.person.update(sub="u-1\n"),
    "wrong_at_hash": lambda it: it.claims.update(at_hash="x"),
    "bad_algorithm none": lambda it: setattr(it, "token", unsigned),
    "bad_algorithm confusion": lambda it: setattr(it, "token", signed_with_public_key),
    "bad_signature": lambda it: setattr(
        it, "token", lambda claims: signed(claims, "RS256", rsa("other"), "rsa-main")
    ),
    "unknown_key": lambda it: setattr(
        it, "token", lambda claims: signed(claims, "RS256", rsa("other"), "rsa-other")
    ),
    "unknown_key of another kind": lambda it: setattr(
        it, "token", lambda claims: headed({"alg": "RS256", "kid": "ec"}, claims)
    ),
    "unknown_key of another curve": lambda it: publishes(it, wide(), "ES256"),
    "unknown_key for another algorithm": lambda it: publishes(it, rsa_pss_alone(), "RS256"),
    "unknown_key for encryption": lambda it: publishes(it, rsa_to_encrypt(), "RS256"),
    "bad_id_token extension": lambda it: setattr(
        it, "token", lambda claims: headed({"alg": "EdDSA", "kid": "ed", "crit": ["x"], "x": 1}, claims)
    ),
    "bad_id_token": lambda it: setattr(it, "token", lambda claims: "a.b"),
    "bad_id_token long": lambda it: setattr(it, "token", lambda claims: "a" * 70_000),
    "bad_id_token list": lambda it: setattr(
        it,
        "token",
        lambda claims: signed([1], "RS256", rsa(), "rsa-main"),  # type: ignore[arg-type]
    ),
    "no_id_token": lambda it: it.answers.update({"/token": lambda: (200, {}, b'{"access_token": "at"}')}),
    "other_error": lambda it: it.answers.update(
        {"/token": lambda: (400, {}, b'{"error": "<b>evil.example</b>"}')}
    ),
    "invalid_client": lambda it: it.answers.update(
        {"/token": lambda: (401, {}, b'{"error": "invalid_client"}')}
    ),
    "redirected": lambda it: it.answers.update({"/token": lambda: (302, {"Location": "/jwks"}, b"{}")}),
    "not_json": lambda it: it.answers.update({"/token": lambda: (200, {}, b"<html>")}),
    "not_json deep": lambda it: it.answers.update({"/token": lambda: (200, {}, b"[" * 100_000)}),
    "too_large": lambda it: it.answers.update(
        {"/token": lambda: (200, {}, b" " * (fetching.MOST_OCTETS + 1))}
    ),
}


@pytest.mark.parametrize("lie", LIES)
def test_no_lie_lets_anybody_in(acme: Acme, lie: str) -> None:
    LIES[lie](acme.provider)
    visitor = Visitor(acme.team.app)
    page = acme.come(visitor)
    code = lie.split()[0]
    assert page.status == 502, page.text
    assert acme.refused() == [("provider", code)]
    assert code in page.text
    assert "evil" not in page.got.text
    assert visitor.open("/w/acme").path.startswith("/sign-in")
    assert page.read.links["Begin again"].startswith(acme.path())  # the way on


def test_a_slow_provider_is_not_waited_for(acme: Acme, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "SECONDS", 0.3)

    def slowly() -> tuple[int, dict[str, str], bytes]:
        time.sleep(1)
        return 200, {}, b"{}"

    acme.provider.answers["/token"] = slowly
    assert acme.come().status == 502
    assert acme.refused() == [("provider", "too_slow")]


def test_a_code_is_redeemed_once(acme: Acme) -> None:
    visitor = Visitor(acme.team.app)
    back = acme.provider.authorize(acme.leave(visitor))
    assert visitor.open(back).path == "/w/acme"
    page = visitor.open(back)
    assert page.status == 409
    assert "completed already" in page.text
    stolen = re.sub(r"state=[^&]+", "", acme.provider.authorize(acme.leave(visitor)))
    assert visitor.open(stolen).status == 404  # without its state it is nothing
    assert acme.provider.asked.count("POST /token") == 1


def test_a_way_ends_in_the_browser_where_it_began(acme: Acme) -> None:
    """The attacker's own sign-in, sent to a victim: it signs the victim in as nobody."""
    attacker, victim = Visitor(acme.team.app), Visitor(acme.team.app)
    back = acme.provider.authorize(acme.leave(attacker))
    page = victim.open(back)
    assert page.status == 403
    assert "another browser" in page.text
    acme.leave(victim)  # a way of the victim's own that is under way does not help
    assert "another browser" in victim.open(back).text
    assert acme.provider.asked.count("POST /token") == 0
    assert attacker.open(back).path == "/w/acme"


def test_mixed_up_providers(acme: Acme) -> None:
    """A provider that sends the browser to an honest one learns no code of that: each connection has its callback, and
    the answer names who gave it (RFC 9207)."""
    with running(acme.provider.now) as evil:
        bad = acme.connection(evil)
        visitor = Visitor(acme.team.app)
        leave = acme.leave(visitor, bad)
        state = dict(re.findall(r"(state|nonce)=([^&]+)", leave))["state"]
        honest = acme.provider.authorize(acme.leave(visitor))  # what the honest one would answer
        code = re.findall(r"code=([^&]+)", honest)[0]
        page = visitor.open(f"{acme.path(bad)}/callback?code={code}&state={state}&iss={acme.provider.issuer}")
        assert page.status == 502
        assert acme.refused() == [("provider", "mixed_up")]
        other = acme.leave(visitor, bad)
        state = dict(re.findall(r"(state|nonce)=([^&]+)", other))["state"]
        assert visitor.open(f"{acme.path()}/callback?code={code}&state={state}").status == 404
        assert "POST /token" not in evil.asked


def test_an_answer_without_its_sender_is_refused_where_the_provider_names_itself(acme: Acme) -> None:
    visitor = Visitor(acme.team.app)
    page = visitor.open(acme.provider.authorize(acme.leave(visitor), iss=""))
    assert page.status == 502
    assert acme.refused() == [("provider", "mixed_up")]


def test_a_provider_that_names_itself_nowhere_works(acme: Acme) -> None:
    acme.provider.says_issuer = False
    assert acme.come().path == "/w/acme"


def test_without_a_code_nothing_is_asked(acme: Acme) -> None:
    visitor = Visitor(acme.team.app)
    page = visitor.open(acme.provider.authorize(acme.leave(visitor), code=""))
    assert page.status == 502
    assert acme.refused() == [("provider", "no_code")]
    assert acme.provider.asked.count("POST /token") == 0


@pytest.mark.filterwarnings("ignore:Key size should be")
def test_a_key_that_could_be_factored_is_none(acme: Acme) -> None:
    acme.provider.keys = [short()]
    visitor = Visitor(acme.team.app)
    visitor.open(acme.path())
    page = visitor.submit(acme.path())
    assert page.status == 502
    assert "no_keys" in page.text


def test_cancelling_there_is_told_apart(acme: Acme) -> None:
    visitor = Visitor(acme.team.app)
    page = visitor.open(acme.provider.authorize(acme.leave(visitor), code="", error="access_denied"))
    assert page.status == 403
    assert page.heading == "You were not signed in"


def test_an_address_learns_where_its_domain_leads_and_nothing_else(acme: Acme) -> None:
    """The same for an address that somebody has and for one that nobody has (ASVS 6.3.8)."""
    a_domain(acme.world, acme.id, "example.com")
    seen = []
    for email in (acme.ana.email, "nobody@example.com"):
        visitor = Visitor(acme.team.app)
        visitor.open("/sign-in/sso")
        page = visitor.submit("/sign-in/sso", email=email)
        assert acme.path() in page.actions
        seen.append(page.text)
        visitor.open("/sign-in")
        page = visitor.submit("/sign-in", email=email, password="not the right one at all")
        assert page.status == 401
        assert acme.path() in page.actions  # offered, beside the password
        assert "/sign-in" in page.actions
    assert seen[0] == seen[1]
    visitor = Visitor(acme.team.app)
    visitor.open("/sign-in/sso")
    assert acme.path() not in visitor.submit("/sign-in/sso", email="x@elsewhere.example").actions


def test_a_link_asks_for_nothing_beyond_what_it_needs(acme: Acme) -> None:
    """A connection that is not finished is a way for nobody, and says so."""
    half = acme.world.write(
        lambda tx: connections.create(
            tx,
            workspace_id=acme.id,
            kind="oidc",
            name="Half",
            issuer="https://half.example",
            client_id="",
            settings={},
            joins=False,
        )
    )
    page = Visitor(acme.team.app).open(acme.path(half))
    assert page.status == 409
    assert Visitor(acme.team.app).open("/sso/0000000000001").status == 404


def test_stepping_up_goes_back_to_the_provider_which_asks_again(acme: Acme) -> None:
    """Nothing local is bound, and no password: prompt=login, max_age=0, and auth_time is looked at."""
    a_domain(acme.world, acme.id, "corp.example")
    acme.world.write(
        lambda tx: connections.change(
            tx, acme.okta, name="Okta", client_id=CLIENT_ID, settings={}, joins_from=tx.now
        )
    )
    acme.provider.person = {"sub": "new", "email": "new@corp.example", "email_verified": True, "name": "New"}
    visitor = Visitor(acme.team.app)
    assert acme.come(visitor).path == "/w/acme"
    acme.world.wait(11 * 60 * SECOND)
    leave = _step_up(acme, visitor)
    assert "prompt=login" in leave
    assert "max_age=0" in leave
    acme.provider.auth_time = acme.provider.now() - 300
    assert visitor.open(acme.provider.authorize(leave)).heading == "Okta did not ask you again"
    acme.provider.auth_time = None
    page = visitor.open(acme.provider.authorize(_step_up(acme, visitor)))
    assert page.path.startswith("/settings/user"), page.text
    page = (
        visitor.submit(f"{acme.path()}/disconnect") if f"{acme.path()}/disconnect" in page.actions else page
    )
    assert "Disconnect" not in page.text  # it is the only way into this account


def _step_up(acme: Acme, visitor: Visitor) -> str:
    page = visitor.open("/step-up?workspace=acme&act=authenticators&next=/settings/user")
    assert page.heading == "Confirm that it is you", page.text
    return left(visitor.submit(f"{acme.path()}/step-up"))


def test_the_first_set_up_takes_the_provider_in_place_of_the_mailbox(acme: Acme) -> None:
    acme.world.require(acme.id)
    visitor = Visitor(acme.team.app)
    acme.provider.claims = {"auth_time": None}
    page = acme.come(visitor)
    assert page.path.startswith("/set-up?"), page.path
    assert "Confirm with Okta" in page.text  # it did not say when: a sign-in that is made now
    acme.provider.claims = {}
    page = visitor.open(acme.provider.authorize(left(visitor.submit(f"{acme.path()}/step-up"))))
    assert "/set-up/begin" in page.actions, page.text


def test_an_unverified_address_of_a_local_account_opens_nothing(acme: Acme) -> None:
    a_domain(acme.world, acme.id, "example.com")
    for verified in (None, False, "true", 1, True):
        acme.provider.person = {"sub": "u-9", "email": acme.dana.email, "email_verified": verified}
        visitor = Visitor(acme.team.app)
        page = acme.come(visitor)
        assert page.heading == "You already have an account here"
        assert visitor.open("/w/acme").path.startswith("/sign-in")
    assert {each[0] for each in acme.refused()} == {"has_account"}


def test_a_new_key_is_fetched_once_it_is_needed(acme: Acme) -> None:
    assert acme.come().path == "/w/acme"
    acme.provider.keys = [rsa("next")]
    acme.provider.token = lambda claims: signed(claims, "RS256", rsa("next"), "rsa-next")
    acme.world.wait(11 * SECOND)
    assert acme.come().path == "/w/acme"
    assert acme.provider.asked.count("GET /jwks") == 2


def test_the_address_may_be_in_the_userinfo_alone(acme: Acme) -> None:
    acme.provider.person = {"sub": "u-9"}
    acme.provider.userinfo = {"sub": "u-9", "email": acme.dana.email}
    assert acme.come().heading == "You already have an account here"
    acme.provider.userinfo = {"sub": "u-1", "email": "x@corp.example"}
    acme.come()
    assert acme.refused()[-1] == ("provider", "wrong_userinfo")


@pytest.mark.parametrize(
    "lie, code",
    [
        ({"issuer": "https://elsewhere.example"}, "other_issuer"),
        ({"token_endpoint": "http://evil.example/token"}, "not_https"),
        ({"authorization_endpoint": "javascript:alert(1)"}, "bad_address"),
        ({"authorization_endpoint": None}, "no_endpoint"),
        ({"jwks_uri": "https://user:pw@evil.example/"}, "bad_address"),
    ],
)
def test_a_discovery_document_that_leads_astray(acme: Acme, lie, code: str) -> None:
    acme.provider.discovery = lie
    visitor = Visitor(acme.team.app)
    visitor.open(acme.path())
    page = visitor.submit(acme.path())
    assert page.status == 502
    assert code in page.text


def test_nothing_of_what_was_shown_counts_in_another_workspace(acme: Acme) -> None:
    beta = acme.world.workspace("beta", owner=acme.ana)
    visitor = Visitor(acme.team.app)
    acme.come(visitor)
    page = visitor.open("/w/beta")
    assert page.path.startswith("/step-up?workspace=beta"), page.text
    assert "password" in page.text.lower()
    assert not isinstance(
        decide_workspace(
            acme.world.read(lambda tx: _facts(tx, visitor)),
            beta,
        ),
        Allow,
    )


def _facts(tx, visitor):
    from nightlatch.actions.tokens import hash_session_token
    from nightlatch.store.session_facts import read_known
    from nightlatch.vocabulary import Credential

    return read_known(tx, hash_session_token(visitor.client.cookies["nightlatch"]), Credential.COOKIE).facts
