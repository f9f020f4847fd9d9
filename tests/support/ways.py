"""Every way into a workspace, gone through the real routes: each answers in a word what it was told there."""

import base64
import re
import secrets
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from html import unescape
from urllib.parse import parse_qs, urlsplit

from sqlalchemy import update

from nightlatch.actions import passkey_asking, passkey_enrolment, resets
from nightlatch.actions.binding import HashedCode
from nightlatch.actions.tokens import new_api_token, new_token
from nightlatch.authenticators import passkey_answers
from nightlatch.facts import EVERYWHERE, reach_of
from nightlatch.ids import to_text
from nightlatch.instants import DAY
from nightlatch.policy import Acceptance, SsoRule
from nightlatch.sso.saml_metadata import Service
from nightlatch.store import (
    accounts,
    api_tokens,
    authenticators,
    connections,
    service_accounts,
    standing,
    teammates,
    workspaces,
)
from nightlatch.store.engine import Transaction
from nightlatch.store.query import Query
from nightlatch.store.schema import workspaces as table
from nightlatch.vocabulary import Method, Role, Scope
from tests.support.asgi import Client, Got
from tests.support.passkeys import SITE, SoftPasskey
from tests.support.product import Product
from tests.support.provider import SECRET, Provider
from tests.support.saml_idp import MFA, PASSWORD, Idp, Says, form_value
from tests.support.signing_on import a_connection, connected, rule
from tests.support.visitor import Visitor
from tests.support.world import Person, World
from tests.web.hosts import Surfer, trusting
from tests.web.hosts import register as register_host
from tests.web.team import Team

Ask = Callable[[], str]
WIKI = "https://wiki.acme.example"
_WORDS = {
    "second_factor_required": "code",
    "enrolment_required": "set up",
    "mail_proof_required": "set up",
    "step_up_required": "first",
    "sign_in_required": "first",
    "not_found": "gone",
    "not_permitted": "no",
}
_LISTED = (frozenset({"mfa", MFA}), frozenset({"phr"}))
RULES = {
    "ask": Acceptance(SsoRule.ASK, *_LISTED),
    "accept": Acceptance(SsoRule.ACCEPT, *_LISTED),
    "exempt": Acceptance(SsoRule.EXEMPT, *_LISTED, exempt_until=2**60),
}
"""The values are listed in all three: only one rule looks at them."""


def word(got: Got) -> str:
    """What a route of the API answered."""
    return "open" if got.status == 200 else _WORDS[got.code]


@dataclass
class Ways:
    """Acme, its owner, and Ana, a member, in some state; both kinds of providers know her."""

    world: World
    provider: Provider
    idp: Idp

    def __post_init__(self) -> None:
        self.app = trusting(self.world)
        self.team = Team(self.world, self.app)
        self.ana, self.dana = self.team.person("Ana"), self.team.person("Dana", two_factor=True)
        self.acme = self.world.workspace("acme", owner=self.dana, member=self.ana)
        self.oidc = a_connection(self.world, self.acme, issuer=self.provider.issuer)
        self.world.write(lambda tx: connections.set_secret(tx, self.oidc, SECRET))
        kept = self.idp.provider.kept()
        self.saml = a_connection(self.world, self.acme, issuer=self.idp.entity_id, kind="saml", settings=kept)
        for connection in (self.oidc, self.saml):
            connected(self.world, self.ana, connection, "u-1")
        self.soft = SoftPasskey()
        self.person = "nothing"

    # --- the state of the person ---

    def state(self, name: str) -> None:
        """Bring Ana into a state."""
        self.person = name
        {
            "nothing": lambda: None,
            "app": lambda: self.team.secure(self.ana),
            "lost": self._lost,
            "passkey": self._passkey,
            "reset": self._reset,
            "removed": self._removed,
        }[name]()

    def _lost(self) -> None:
        bound, self.team.seeds[self.ana.id] = self.world.bind_totp(self.ana)
        self.world.write(lambda tx: authenticators.suspend(tx, bound, EVERYWHERE))

    def _passkey(self) -> None:
        by = self.world.session(self.ana, Method.PASSWORD, Method.INVITATION)
        asked = self.world.write(
            lambda tx: passkey_asking.ask_new(tx, by=by, site=SITE, name="", replaces=None, workspace_id=None)
        )
        made = passkey_answers.read_made(self.soft.make(asked.options))
        codes = [HashedCode(f"{number:04}", "hash") for number in range(10)]
        self.world.write(
            lambda tx: passkey_enrolment.bind(
                tx, by=by, site=SITE, answer=made, codes=codes, token=new_token()
            )
        )

    def _reset(self) -> None:
        self.world.bind_totp(self.ana)
        owner = self.world.signed_in(self.dana, self._phone(self.dana.id))
        target = self.teammate
        self.world.write(
            lambda tx: resets.disable_two_factor(
                tx,
                by=owner,
                workspace_id=self.acme,
                teammate_id=target,
                reason="Lost phone",
                recognised_by="phone",
                waive_number=True,
            )
        )

    def _removed(self) -> None:
        self.team.secure(self.ana)

    def _phone(self, account_id: int) -> int:
        return int(self.world.read(lambda tx: authenticators.of_account(tx, account_id))[0].id)

    @property
    def teammate(self) -> int:
        """Ana's membership."""
        row = self.world.read(lambda tx: teammates.by_account(tx, self.ana.id, self.acme))
        assert row is not None
        return int(row.id)

    def remove(self) -> None:
        """She is a teammate no more, after she came in."""
        teammate = self.teammate

        def body(tx: Transaction) -> None:
            teammates.remove(tx, teammate)
            standing.refresh(tx, self.ana.id)

        self.world.write(body)

    # --- the workspace's policy ---

    def policy(self, name: str, workspace_id: int | None = None) -> None:
        """What the workspace asks for from now on."""
        id, now = workspace_id or self.acme, self.world.clock.now()
        since = {"off": None, "soon": now + DAY, "on": now, "passkeys": now, "sso": None}[name]

        def body(tx: Transaction) -> None:
            row = workspaces.by_id(tx, id)
            assert row is not None
            strong = since if name == "passkeys" else None
            workspaces.set_policy(
                tx,
                id,
                required_from=since,
                resistant_from=strong,
                resistant_announced_at=strong,
                managed_by=row.managed_by,
                by_name="test",
                if_revision=row.revision,
            )
            required = tx.now if name == "sso" else None
            tx.run(Query(update(table).where(table.c.id == id).values(sso_required_at=required)))

        self.world.write(body)

    def rule(self, name: str) -> None:
        """What both connections take a sign-in for."""
        for connection in (self.oidc, self.saml):
            rule(self.world, connection, RULES[name])

    # --- the doors ---

    def come(self, door: str) -> Ask:
        """Through a door: what Acme then says, each time it is asked."""
        way, _, more = door.partition(" + ")
        name, _, told = way.partition(" ")
        if name in ("oidc", "saml"):
            visitor = self.by_provider(name, told)
            if more == "code":
                visitor.open("/sign-in/second-step")
                visitor.submit("/sign-in/second-step", code=self.team.code(self.ana))
            return lambda: word(visitor.client.get("/api/v1/workspaces/acme"))
        return {
            "password": lambda: self._asks(self._by_password(more)),
            "passkey": lambda: self._asks(self._by_passkey()),
            "token": lambda: self._by_token(service=False),
            "machine": lambda: self._by_token(service=True),
            "proxy": lambda: self._by_proxy(more),
            "product": self._by_product,
        }[name]()

    def _asks(self, client: Client) -> Ask:
        return lambda: word(client.get("/api/v1/workspaces/acme"))

    def _by_password(self, more: str) -> Client:
        client = self.team.client(self.ana, second=more == "code")
        if more == "touch":
            options = client.post("/api/v1/sign-in/passkey/options", {}).json
            self.soft.verifies = False
            self._show(client, options)
        return client

    def _by_passkey(self) -> Client:
        client = Client(self.app)
        self._show(client, client.post("/api/v1/sign-in/passkey/options", {}).json)
        return client

    def _show(self, client: Client, options: dict[str, object]) -> None:
        got = client.post("/api/v1/sign-in/passkey", self.soft.show(options))
        assert got.status == 200, got.text
        client.bearer = got.json["token"]

    def by_provider(self, kind: str, told: str = "", subject: str = "u-1") -> Visitor:
        """Whom the provider of this kind knows by `subject` (Ana is "u-1") signs in there, and comes back."""
        return (self._by_oidc if kind == "oidc" else self._by_saml)(told, subject)

    def _by_oidc(self, told: str, subject: str) -> Visitor:
        self.provider.person = {"sub": subject}
        self.provider.claims = {"amr": [told]} if told else {}
        visitor, path = Visitor(self.app), f"/sso/{to_text(self.oidc)}"
        visitor.open(path)
        visitor.submit(path)
        visitor.open(self.provider.authorize(left(visitor)))
        return visitor

    def _by_saml(self, told: str, subject: str) -> Visitor:
        visitor, path = Visitor(self.app), f"/sso/{to_text(self.saml)}"
        visitor.open(path)
        visitor.submit(path)
        request = Asked(left(visitor))
        entity = f"http://localhost:8000/saml/{to_text(self.acme)}"
        context = {"mfa": MFA, "phr": "phr"}.get(told, PASSWORD)
        says = Says(
            Service(entity, f"{entity}/acs"),
            request.id,
            self.world.clock.now(),
            name_id=subject,
            context=context,
            assertion_id=f"_{secrets.token_hex(8)}",
        )
        form = {"SAMLResponse": form_value(self.idp.answer(says)), "RelayState": request.relay_state}
        got = Client(self.app).ask("POST", f"/saml/{to_text(self.acme)}/acs", form=form)
        visitor.open(got.header("location"))
        return visitor

    def _by_token(self, *, service: bool) -> Ask:
        token = new_api_token()

        def body(tx: Transaction) -> None:
            who = {"account_id": self.ana.id, "good_in": [self.acme]}
            if service:
                owner = teammates.by_account(tx, self.dana.id, self.acme)
                assert owner is not None
                robot = service_accounts.create(
                    tx, workspace_id=self.acme, name="Robot", sponsor_id=owner.id, by_name="Dana"
                )
                who = {"service_id": robot}
            ends = tx.now + DAY
            api_tokens.create(
                tx,
                token_hash=token.hash,
                name="t",
                scopes=[Scope.WORKSPACE],
                expires_at=ends,
                **who,  # type: ignore[arg-type]
            )

        self.world.write(body)
        return self._asks(Client(self.app, bearer=token.text))

    def _by_proxy(self, more: str) -> Ask:
        """Signed in for a protected host while the workspace asks for nothing; then each request is asked about."""
        register_host(self.world, self.acme, WIKI, roles=(Role.MEMBER, Role.OWNER))
        surfer = Surfer(self.app)
        surfer.open(f"{WIKI}/")
        surfer.sign_in(self.ana, self.team.code(self.ana) if more == "code" else None)

        def ask() -> str:
            got = surfer.check(f"{WIKI}/", headers={"accept": "application/json"})
            return "open" if got.status == 200 else _WORDS[got.json["code"]]

        return ask

    def _by_product(self) -> Ask:
        product = Product.of(self.world, self.app, "notes")
        person = product.person()
        product.check(person)
        row = self.world.read(lambda tx: workspaces.by_app(tx, product.id, "w1"))
        assert row is not None
        self.theirs = int(row.id)
        if self.person in ("app", "lost"):
            self._with_app_of(product, person["id"])
        words = {"allow": "open", "challenge": "code", "enrol": "set up", "deny": "no"}
        return lambda: words[product.check(person)["decision"]]

    def _with_app_of(self, product: Product, person_id: str) -> None:
        """The product's own person has an app there, too; lost, it is suspended."""
        row = self.world.read(lambda tx: accounts.by_person(tx, product.id, person_id))
        assert row is not None
        bound, _ = self.world.bind_totp(Person(row.id, row.email, row.name), reach_of(self.theirs))
        if self.person == "lost":
            self.world.write(lambda tx: authenticators.suspend(tx, bound, EVERYWHERE))


def left(visitor: Visitor) -> str:
    """Where the page that leads to a provider leads to."""
    assert visitor.page is not None
    found = re.search(r'http-equiv="refresh" content="0; url=([^"]+)"', visitor.page.got.text)
    assert found is not None, visitor.page.text
    return unescape(found[1])


class Asked:
    """A SAML request that a browser was sent off with."""

    def __init__(self, url: str) -> None:
        query = parse_qs(urlsplit(url).query)
        self.xml = zlib.decompress(base64.b64decode(query["SAMLRequest"][0]), wbits=-15).decode()
        self.relay_state = query["RelayState"][0]
        self.id = re.findall(r' ID="([^"]+)"', self.xml)[0]
