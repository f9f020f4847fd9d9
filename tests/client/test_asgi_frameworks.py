"""The gate before FastAPI, Litestar and an app without a framework: whatever they do with exceptions."""

import json
from collections.abc import Callable
from typing import Annotated, Any

import litestar
import pytest
from fastapi import Depends, FastAPI, Form, Request
from fastapi.responses import JSONResponse
from litestar import Litestar
from litestar.middleware.session.client_side import CookieBackendConfig

from nightlatch_client import Nightlatch, Person, Proof
from tests.client.products import Browser, Place
from tests.client.stand_in_server import Server


def someone(request: Any) -> Person | None:
    """Who says so in a header or a cookie."""
    name = request.headers.get("x-user") or request.cookies.get("user")
    return Person(name, f"{name}@acme.dev", name, "7", "Acme", "owner") if name else None


async def someone_later(request: Any) -> Person | None:
    return someone(request)


def fastapi_product(nl: Nightlatch) -> Any:
    app = FastAPI()

    @app.exception_handler(Exception)
    async def hide(request: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"hidden": True}, 500)

    @app.post("/payouts")
    async def payouts(
        amount: Annotated[int, Form()], proof: Annotated[Proof, Depends(nl.fresh(minutes=10))]
    ) -> dict[str, Any]:
        return {"amount": amount, "amr": proof.amr}

    @app.get("/notes")
    async def notes() -> str:
        return "notes"

    @app.get("/team", response_model=None)
    async def team(request: Request) -> Any:
        return await nl.open_page(request, "team/authentication")

    below = FastAPI()

    @below.get("/payouts")
    def below_payouts(proof: Annotated[Proof, Depends(nl.fresh(minutes=10))]) -> int:
        return proof.aal

    app.mount("/below", below)  # its own ServerErrorMiddleware answers 500 before we are asked
    nl.protect(app, someone_later, open=["/open"])
    return app


def litestar_product(nl: Nightlatch) -> Any:
    @litestar.post("/payouts", status_code=200)
    async def payouts(request: litestar.Request[Any, Any, Any]) -> dict[str, Any]:
        form = await request.form()
        proof: Proof = await nl.fresh(minutes=10)(request)
        return {"amount": int(form["amount"]), "amr": list(proof.amr)}

    @litestar.get("/notes")
    async def notes() -> str:
        return "notes"

    @litestar.get("/below/payouts")
    async def below(request: litestar.Request[Any, Any, Any]) -> int:
        proof: Proof = await nl.fresh(minutes=10)(request)
        return proof.aal

    return nl.protect(Litestar([payouts, notes, below]), someone, open=["/open"])


def bare_product(nl: Nightlatch) -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            for what in ("startup", "shutdown"):
                assert (await receive())["type"] == f"lifespan.{what}"
                await send({"type": f"lifespan.{what}.complete"})
            return
        status, answer = 200, '"notes"'
        request = type("Request", (), {"scope": scope})
        if scope["path"].endswith("/payouts"):
            body = (await receive())["body"]
            try:
                proof = await nl.fresh(minutes=10)(request)
                amount = int(body.decode().partition("=")[2] or 0)
                answer = json.dumps({"amount": amount, "amr": proof.amr} if body else proof.aal)
            except Exception:
                status, answer = 500, '"caught"'
        if scope["path"] == "/team":
            await (await nl.open_page(request, "team/authentication"))(scope, receive, send)
            return
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.encode()})

    return nl.protect(app, someone, open=["/open"])


PRODUCTS = {"fastapi": fastapi_product, "litestar": litestar_product, "bare": bare_product}


@pytest.fixture(params=PRODUCTS)
def product(request: pytest.FixtureRequest, nl: Nightlatch, place: Place, browser_: Browser) -> Browser:
    make: Callable[[Nightlatch], Any] = PRODUCTS[request.param]
    place.serve(make(nl))
    browser_.plant("user", "ada")
    return browser_


def test_the_mandate_bites_and_the_way_leads_back(product: Browser, server: Server):
    assert "notes" in product.visit("/notes").text
    server.stand_in.requires("7")
    sent = product.visit("/notes?page=2")
    assert product.come_back(server.stand_in.prove(sent.headers["location"])) == "/notes?page=2"
    assert "notes" in product.visit("/notes").text


def test_fresh_proof_is_asked_for_and_the_form_is_back(product: Browser, server: Server):
    server.stand_in.proved("ada", minutes_ago=30)
    sent = product.submit("/payouts", {"amount": "7"})
    assert (sent.status_code, sent.text) == (303, "")
    page = product.visit(product.come_back(server.stand_in.prove(sent.headers["location"])))
    assert 'name="amount" value="7"' in page.text
    done = product.submit("/payouts", {"amount": "7"})
    assert done.json() == {"amount": 7, "amr": ["pwd", "otp", "mfa"]}


def test_fresh_proof_for_programs(product: Browser, server: Server):
    server.stand_in.proved("ada", minutes_ago=30)
    refused = product.call("GET", "/below/payouts")
    assert (refused.status_code, refused.json()["code"]) == (401, "step_up_required")
    assert 'max_age="600"' in refused.headers["www-authenticate"]
    server.stand_in.proved("ada")
    assert product.call("GET", "/below/payouts").json() == 2


def test_closed_while_it_is_down(product: Browser, server: Server):
    server.stand_in.down()
    assert product.visit("/notes").status_code == 503
    assert product.submit("/payouts", {"amount": "7"}).status_code == 503


@pytest.mark.parametrize("product", ["fastapi", "bare"], indirect=True)
def test_a_page_of_nightlatch_opens(product: Browser, server: Server):
    sent = product.visit("/team")
    assert (sent.status_code, server.stand_in.opened(sent.headers["location"])) == (
        303,
        "team/authentication",
    )


async def test_a_view_outside_the_gate_that_asks_for_proof_stays_closed(nl: Nightlatch):
    class Request:
        def __init__(self, scope: dict[str, Any]) -> None:
            self.scope = scope

    other = Nightlatch("http://localhost:1", app="other", secret="x", origin="http://localhost:2")
    for scope in ({}, {"nightlatch": True}):
        with pytest.raises(RuntimeError, match="did not come through"):
            await nl.fresh()(Request(scope))
    let_in: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        with pytest.raises(RuntimeError, match="did not come through"):
            await other.fresh()(Request(scope))  # another app's gate is not ours
        let_in.append(scope)

    gated: Any = nl.protect(app, someone, open=["/open"])
    await gated({"type": "http", "path": "/open", "method": "GET", "headers": []}, None, None)
    assert len(let_in) == 1


def test_unknown_kinds_of_connections_stay_closed(nl: Nightlatch):
    gated: Any = nl.protect(bare_product, someone)
    with pytest.raises(RuntimeError, match="stay closed"):
        gated({"type": "webtransport"}, None, None).send(None)


def test_litestar_s_own_sessions_are_there_for_person(
    nl: Nightlatch, place: Place, browser_: Browser, server: Server
):
    @litestar.post("/login", status_code=204)
    async def login(request: litestar.Request[Any, Any, Any]) -> None:
        request.set_session({"user": "ada"})

    @litestar.get("/notes")
    async def notes() -> str:
        return "notes"

    @litestar.get(nl.paths)
    async def own() -> None:
        raise AssertionError("the gate answers here")

    def person(request: Any) -> Person | None:
        name = request.session.get("user")
        return Person(name, f"{name}@acme.dev", name, "7", "Acme", "owner") if name else None

    sessions = CookieBackendConfig(secret=b"0123456789abcdef")
    gate = nl.middleware(person, open=["/login"])
    place.serve(
        Litestar([login, notes, own], middleware=[sessions.middleware, gate], on_shutdown=[nl.aclose])
    )
    assert browser_.visit("/notes").text == "notes"
    browser_.call("POST", "/login")
    server.stand_in.requires("7")
    sent = browser_.visit("/notes")
    assert browser_.come_back(server.stand_in.prove(sent.headers["location"])) == "/notes"
    assert browser_.visit("/notes").text == "notes"
