"""Remove a teammate, and with the next request all that was theirs in that workspace is dead; other workspaces go on.

One walk over everything that somebody can hold of a workspace: a browser's session, a bearer session, an API token, the
cookie of a protected host and a code on its way there, a mailed link to set up 2FA, an invitation at a former address,
what they answer for; and, of a product's person, its grant.
"""

from typing import Any

import pytest

from nightlatch.actions import service_accounts, teammates
from nightlatch.actions.by import By, operator
from nightlatch.addresses import parse
from nightlatch.ids import to_text
from nightlatch.store import accounts, email_changes
from nightlatch.store import teammates as memberships
from nightlatch.store.engine import Transaction
from nightlatch.vocabulary import Role, Scope
from tests.support.asgi import Client, Got
from tests.support.mails import link_in, newest
from tests.support.product import Product
from tests.support.world import World
from tests.web.hosts import BOARD, PAGE, SCRIPT, WIKI, Surfer, register, trusting
from tests.web.team import Team
from tests.web.test_product import enrol


class Stage:
    """Acme requires 2FA and has a wiki; Beta has a board. Mia has 2FA and is in both; Nils has none yet."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.team = Team(world, trusting(world))
        self.olga = self.team.person("Olga", two_factor=True)
        self.mia = self.team.person("Mia", two_factor=True)
        self.nils = self.team.person("Nils")
        everybody: dict[str, Any] = {"owner": self.olga, "admin": self.mia, "member": self.nils}
        self.acme = world.workspace("acme", **everybody)
        self.beta = world.workspace("beta", **everybody)
        register(world, self.acme, WIKI, handle="wiki")
        register(world, self.beta, BOARD, handle="board")
        world.require(self.acme)

    def surfer(self) -> Surfer:
        """Mia's browser, signed in at both hosts."""
        surfer = Surfer(self.team.app)
        surfer.open(f"{WIKI}/x")
        assert isinstance(surfer.sign_in(self.mia, self.team.code(self.mia)), Got)
        surfer.open(f"{BOARD}/x")
        return surfer

    def token(self, client: Client) -> Client:
        """A client with an API token of whoever is signed in."""
        got = client.post("/api/v1/me/tokens", {"name": "x", "scopes": list(Scope)})
        assert got.status == 201, got.text
        return Client(self.team.app, bearer=got.json["token"])

    def machine(self, client: Client, slug: str) -> Client:
        """A client with a token of a service account that Mia answers for."""
        got = client.post(f"/api/v1/workspaces/{slug}/service-accounts", {"name": "Robot"})
        path = f"/api/v1/workspaces/{slug}/service-accounts/{got.json['id']}/tokens"
        got = client.post(path, {"name": "x", "scopes": list(Scope)})
        assert got.status == 201, got.text
        return Client(self.team.app, bearer=got.json["token"])

    def former_address(self) -> str:
        """Mia had another address until lately, and Acme has an invitation for it; its token."""
        old = "mia.before@example.com"

        def body(tx: Transaction) -> None:
            account = accounts.by_id(tx, self.mia.id)
            assert account is not None
            change = email_changes.request(
                tx, account_id=account.id, old_email=old, new=parse(self.mia.email)
            )
            email_changes.confirm(tx, change, account.id)

        self.world.write(body)
        got = self.team.client(self.olga).post(
            "/api/v1/workspaces/acme/invitations", {"email": old, "role": "member"}
        )
        assert got.status == 201, got.text
        return str(newest(self.world, "invitation")["link"]).rpartition("/")[2]

    def ticket(self, client: Client) -> str:
        """Nils has the link to set up 2FA for Acme mailed to him; its token."""
        assert client.post("/api/v1/me/tickets", {"workspace": "acme"}).status == 202
        return str(link_in(self.world, "ticket")).rpartition("/")[2]


@pytest.fixture
def stage(world: World) -> Stage:
    return Stage(world)


def of(slug: str) -> str:
    return f"/api/v1/workspaces/{slug}/teammates"


def test_all_that_was_theirs_there_is_dead_with_the_next_request(stage: Stage) -> None:
    world, team = stage.world, stage.team
    surfer, bearer = stage.surfer(), team.client(stage.mia)
    cookie = Client(team.app, cookies=surfer.home.client.cookies)
    token, machine, elsewhere = (
        stage.token(bearer),
        stage.machine(bearer, "acme"),
        stage.machine(bearer, "beta"),
    )
    invitation = stage.former_address()
    nils = team.client(stage.nils)
    ticket = stage.ticket(nils)
    window, callback = on_the_way(surfer)
    anybody = Client(team.app)

    def asked() -> dict[str, int]:
        """What each answers now, in Acme and in Beta."""
        return {
            **{
                f"{name}, {slug}": client.get(of(slug)).status
                for name, client in (("browser", cookie), ("bearer", bearer), ("token", token))
                for slug in ("acme", "beta")
            },
            "machine, acme": machine.get(of("acme")).status,
            "machine, beta": elsewhere.get(of("beta")).status,
            "page, acme": cookie.get("/w/acme").status,
            "page, beta": cookie.get("/w/beta").status,
            "host, acme": surfer.check(f"{WIKI}/x", headers=SCRIPT).status,
            "host, beta": surfer.check(f"{BOARD}/x", headers=SCRIPT).status,
            "invitation": anybody.post("/api/v1/invitations/look", {"token": invitation}).status,
            "account": bearer.get("/api/v1/me").status,
        }

    assert set(asked().values()) == {200}
    olga = team.client(stage.olga)
    for person in (stage.mia, stage.nils):
        assert olga.ask("DELETE", f"{of('acme')}/{team.id_of(person, stage.acme)}").status == 204

    after = asked()
    assert {name for name, status in after.items() if status == 200} == {
        *(f"{name}, beta" for name in ("browser", "bearer", "token", "machine", "page", "host")),
        "account",
    }
    told = {"machine, acme": 403, "host, acme": 403, "invitation": 410}
    for name in ("browser", "bearer", "token", "page"):
        told[f"{name}, acme"] = 404
    assert {name: status for name, status in after.items() if status != 200} == told
    assert window.at_host(callback).status in (303, 400, 401, 403, 404), "a code on its way to the host"
    assert window.check(f"{WIKI}/x", headers=SCRIPT).status in (401, 403)
    assert nils.post("/api/v1/tickets/redeem", {"token": ticket}).status in (404, 410)
    assert nils.get(of("beta")).status == 200

    # Back again: what was from before stays dead; it takes a new proof, a new token, a new sponsor.
    def back(tx: Transaction) -> None:
        for person in (stage.mia, stage.nils):
            memberships.join(tx, workspace_id=stage.acme, account_id=person.id, role=Role.ADMIN)

    world.write(back)
    again = asked()
    assert {name: again[name] for name in told} == {
        "browser, acme": 401,
        "bearer, acme": 401,
        "token, acme": 403,
        "machine, acme": 403,
        "page, acme": 303,
        "host, acme": 401,
        "invitation": 410,
    }
    assert nils.post("/api/v1/tickets/redeem", {"token": ticket}).status in (404, 410)


def on_the_way(surfer: Surfer) -> tuple[Surfer, str]:
    """The same browser in another window, sent back to the host with a one-time code, and not there yet."""
    window = Surfer(surfer.app)
    window.home = surfer.home
    start = window.check(f"{WIKI}/y", headers=PAGE).header("location")
    window.home.elsewhere = ""
    window.home.open(window.at_host(start).header("location"))
    assert window.home.elsewhere.startswith(f"{WIKI}/.nightlatch/callback")
    return window, window.home.elsewhere


def test_leaving_is_no_different(stage: Stage) -> None:
    bearer = stage.team.client(stage.mia)
    token, machine = stage.token(bearer), stage.machine(bearer, "beta")
    assert bearer.post("/api/v1/workspaces/beta/leave").status == 204
    assert [each.get(of("beta")).status for each in (bearer, token, machine)] == [404, 404, 403]
    assert [each.get(of("acme")).status for each in (bearer, token)] == [200, 200]


def test_the_operator_removes_all_the_same(stage: Stage) -> None:
    """By the command line, past the workspace's own rules."""
    bearer = stage.team.client(stage.mia)
    token, machine = stage.token(bearer), stage.machine(bearer, "acme")
    row = stage.world.read(lambda tx: memberships.by_account(tx, stage.mia.id, stage.acme))
    assert row is not None
    by: By = operator("Root")
    stage.world.write(
        lambda tx: teammates.remove(
            tx, by=by, workspace_id=stage.acme, teammate_id=row.id, reason="left the company"
        )
    )
    assert [each.get(of("acme")).status for each in (bearer, token, machine)] == [404, 404, 403]
    assert [each.get(of("beta")).status for each in (bearer, token)] == [200, 200]
    (found,) = stage.world.read(lambda tx: service_accounts.every(tx, stage.acme))
    assert found.suspended_at is not None
    assert to_text(found.id)


def test_a_products_person_loses_the_grant_of_one_workspace(world: World) -> None:
    """Removed from one by the product's list, they keep the other's; back again, the old grant proves nothing."""
    product = Product.of(world, Team.of(world).app)
    ana, there = product.person(), product.person(workspace="w2")
    for each in (ana, there):
        product.check(each)
    for key in ("w1", "w2"):
        require(world, product, key)
    enrol(world, product, product.browser(), ana)
    assert product.check(ana)["decision"] == "allow"
    body = {"workspace": "w1", "workspace_name": "Team w1", "people": [], "confirm": True}
    assert product.call("PUT", "/app/teammates", body).status == 200
    grant = product.grants["ana", "w1"]
    assert product.check(ana, grant=grant)["decision"] != "allow"


def require(world: World, product: Product, key: str) -> None:
    """2FA is required in one of the product's workspaces."""
    from nightlatch.store import workspaces

    row = world.read(lambda tx: workspaces.by_app(tx, product.id, key))
    assert row is not None
    world.require(row.id)
