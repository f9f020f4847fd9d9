"""A Starlette product with its own sign-in, behind the gate."""

from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route

from nightlatch_client import Nightlatch, Person
from tests.client.products import Browser, Place, way_on
from tests.client.stand_in_server import Server


def person(request: HTTPConnection) -> Person | None:
    name = request.session.get("user")
    if name is None:
        return None
    workspace = request.session.get("workspace", "7")
    return Person(name, f"{name}@acme.dev", name.title(), workspace, "Acme", "member")


async def login(request: Request) -> Response:
    if request.method == "POST":
        form = await request.form()
        request.session.update({"user": form["user"], "workspace": form.get("workspace", "7")})
        return RedirectResponse(str(form.get("next", "/")), 303)
    return PlainTextResponse("please sign in")


async def logout(request: Request) -> Response:
    request.session.clear()
    return RedirectResponse("/login", 303)


async def notes(request: Request) -> Response:
    if request.method == "POST":
        form = await request.form()
        return JSONResponse({"saved": {name: str(value) for name, value in form.multi_items()}})
    return PlainTextResponse(f"notes of {request.session.get('user')}")


@pytest.fixture
def product(nl: Nightlatch, place: Place) -> None:
    async def team(request: Request) -> Response:
        response: Response = await nl.open_page(request, "team/authentication")
        return response

    async def payouts(request: Request) -> Response:
        await request.body()
        proof = await nl.fresh(minutes=10)(request)
        return JSONResponse({"aal": proof.aal})

    async def who(request: Request) -> Response:
        proof = nl.proof(request)
        return JSONResponse({"aal": proof.aal if proof else None})

    app = Starlette(
        routes=[
            Route("/", notes),
            Route("/login", login, methods=["GET", "POST"]),
            Route("/logout", logout, methods=["POST"]),
            Route("/notes", notes, methods=["GET", "POST"]),
            Route("/payouts", payouts, methods=["GET", "POST"]),
            Route("/team", team),
            Route("/who", who),
            Mount("/below", routes=[Route("/payouts", payouts, methods=["POST"])]),
        ],
        middleware=[Middleware(SessionMiddleware, secret_key="session")],
    )
    assert nl.protect(app, person, open=["/login", "/logout", "/static/*"]) is app
    place.serve(app)


@pytest.fixture
def signed_in(product: None, browser_: Browser) -> Browser:
    browser_.submit("/login", {"user": "ada"})
    return browser_


def test_who_is_signed_out_is_the_product_s_own_business(product: None, browser_: Browser, server: Server):
    assert browser_.visit("/notes").text == "notes of None"
    assert server.stand_in.calls == []


def test_where_nothing_is_required_the_request_goes_on_after_one_round_trip(
    signed_in: Browser, server: Server
):
    assert signed_in.visit("/notes").text == "notes of ada"
    assert [path for _, path, _ in server.stand_in.calls] == ["/app/check"]
    assert server.stand_in.calls[0][2] == {
        "person": {
            "id": "ada",
            "email": "ada@acme.dev",
            "name": "Ada",
            "role": "member",
            "workspace": "7",
            "workspace_name": "Acme",
        }
    }
    for _ in range(3):
        signed_in.visit("/notes")
    assert server.wire.connections == 1


def test_the_switch_bites_the_next_click_and_leads_back_there(
    signed_in: Browser, server: Server, place: Place
):
    server.stand_in.requires("7")
    sent = signed_in.visit("/notes?tag=a%20b&x=%2F")
    assert sent.status_code == 302
    assert sent.headers["location"].startswith(f"{server.url}/app/start/")
    assert sent.headers["cache-control"] == "no-store"
    back = signed_in.come_back(server.stand_in.prove(sent.headers["location"]))
    assert back == "/notes?tag=a%20b&x=%2F"
    assert signed_in.visit(back).text == "notes of ada"
    assert signed_in.visit("/who").json() == {"aal": 2}
    assert "nightlatch-acme-way" not in signed_in.cookies


def test_a_way_back_counts_in_its_own_browser_alone(
    signed_in: Browser, server: Server, new_browser: Callable[[], Browser]
):
    server.stand_in.requires("7")
    start = signed_in.visit("/notes").headers["location"]
    other = new_browser()
    other.submit("/login", {"user": "eve"})
    other.visit("/notes")
    callback = server.stand_in.prove(start)
    refused = other.visit(callback)
    assert (refused.status_code, "another browser" in refused.text) == (400, True)
    assert other.visit("/notes").status_code == 302
    assert signed_in.come_back(callback) == "/notes"
    # Nor does it count a second time, in the browser itself.
    assert signed_in.visit(callback).status_code == 400
    assert signed_in.visit("/notes").status_code == 200


def test_a_grant_planted_in_another_person_s_browser_is_nobody_s(
    signed_in: Browser, server: Server, new_browser: Callable[[], Browser]
):
    server.stand_in.requires("7")
    signed_in.come_back(server.stand_in.prove(signed_in.visit("/notes").headers["location"]))
    other = new_browser()
    other.submit("/login", {"user": "eve"})
    other.plant("nightlatch-acme", signed_in.cookies["nightlatch-acme"])
    assert other.visit("/notes").status_code == 302
    # It ended by that, for its owner too: somebody else had it.
    assert signed_in.visit("/notes").status_code == 302


def test_signing_out_of_the_product_ends_the_grant(signed_in: Browser, server: Server):
    server.stand_in.requires("7")
    signed_in.come_back(server.stand_in.prove(signed_in.visit("/notes").headers["location"]))
    kept = signed_in.cookies["nightlatch-acme"]
    signed_in.submit("/logout", {})
    assert signed_in.visit("/login").text == "please sign in"
    assert "nightlatch-acme" not in signed_in.cookies
    assert server.stand_in.calls[-1][1] == "/app/grants/end"
    signed_in.submit("/login", {"user": "ada"})
    signed_in.plant("nightlatch-acme", kept)
    assert signed_in.visit("/notes").status_code == 302


def test_a_second_workspace_is_asked_for_with_the_same_person_s_grant(signed_in: Browser, server: Server):
    server.stand_in.requires("7")
    signed_in.come_back(server.stand_in.prove(signed_in.visit("/notes").headers["location"]))
    signed_in.submit("/login", {"user": "ada", "workspace": "8"})
    assert signed_in.visit("/notes").status_code == 302  # proof for 7 is none for 8
    assert "grant" in server.stand_in.calls[-1][2]
    signed_in.submit("/login", {"user": "ada", "workspace": "7"})
    assert signed_in.visit("/notes").status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"accept": "application/json"},
        {"accept": "*/*"},
        {"accept": "text/html", "x-requested-with": "XMLHttpRequest"},
        {"accept": "text/html", "sec-fetch-mode": "cors"},
        {"accept": "text/html", "authorization": "Bearer x"},
        {"accept": "text/html", "hx-request": "true"},
        {"accept": "text/html;q=0"},
    ],
)
def test_programs_are_told_and_not_sent_away(signed_in: Browser, server: Server, place: Place, headers):
    server.stand_in.requires("7")
    answer = signed_in.call("GET", "/notes", headers={**headers, "referer": f"{place.origin}/board?x=1"})
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "enrolment_required"
    assert answer.json()["way_out"]["path"] == "/nightlatch/start?back=/board%3Fx%3D1"
    assert answer.headers["www-authenticate"].startswith('Bearer error="insufficient_user_authentication"')
    assert 'acr_values="urn:nightlatch:aal2"' in answer.headers["www-authenticate"]
    # The way out leads a person there and back to the page.
    sent = signed_in.visit(answer.json()["way_out"]["path"])
    assert signed_in.come_back(server.stand_in.prove(sent.headers["location"])) == "/board?x=1"


def test_who_is_denied_is_told_so(signed_in: Browser, server: Server):
    server.stand_in.denied("ada")
    page = signed_in.visit("/notes")
    assert (page.status_code, "Acme Notes" in page.text) == (403, True)
    assert signed_in.call("GET", "/notes").json()["code"] == "not_permitted"


def test_while_nightlatch_is_down_it_is_closed_and_says_so(signed_in: Browser, server: Server):
    server.stand_in.down()
    page = signed_in.visit("/notes")
    assert (page.status_code, page.headers["retry-after"]) == (503, "5")
    assert "Acme&#x27;s lock is being repaired." in page.text
    assert signed_in.call("GET", "/notes").json()["detail"] == "Acme's lock is being repaired."
    assert signed_in.visit("/login").status_code == 200
    server.stand_in.down(down=False)
    assert signed_in.visit("/notes").status_code == 200


def test_a_half_written_form_is_back_afterwards_and_sends_nothing_by_itself(
    signed_in: Browser, server: Server
):
    server.stand_in.requires("7")
    fields = {"csrf": "c1", "title": 'Half <written> "ü"', "text": "two\r\nlines", "password": "hunter2"}
    sent = signed_in.submit("/notes?draft=1", fields)
    assert sent.status_code == 303
    back = signed_in.come_back(server.stand_in.prove(sent.headers["location"]))
    assert back == "/nightlatch/form"
    page = signed_in.visit(back)
    assert 'name="title" value="Half &lt;written&gt; &quot;ü&quot;"' in page.text
    assert 'name="csrf" value="c1"' in page.text
    assert 'type="password" name="password"' in page.text
    assert "hunter2" not in page.text
    assert 'action="/notes?draft=1"' in page.text
    done = signed_in.submit("/notes?draft=1", {**fields, "password": "again"})
    assert done.json()["saved"]["title"] == fields["title"]
    assert "nightlatch-acme-form-0" not in signed_in.cookies


def test_a_form_with_a_file_comes_back_without_it(signed_in: Browser, server: Server):
    server.stand_in.requires("7")
    sent = signed_in.submit("/notes", {"title": "T"}, files={"picture": ("a.png", b"\x89PNG", "image/png")})
    page = signed_in.visit(signed_in.come_back(server.stand_in.prove(sent.headers["location"])))
    assert 'type="file" name="picture"' in page.text
    assert 'enctype="multipart/form-data"' in page.text
    assert 'name="title" value="T"' in page.text


@pytest.mark.parametrize(
    "text, headers",
    [("x" * 70_000, {}), ("x", {"origin": "https://evil.example", "sec_fetch_site": "cross-site"})],
    ids=["too long", "from another site"],
)
def test_a_form_that_cannot_be_kept_is_said_to_be_lost(signed_in: Browser, server: Server, text, headers):
    server.stand_in.requires("7")
    sent = signed_in.submit("/notes", {"text": text}, **headers)
    back = signed_in.come_back(server.stand_in.prove(way_on(sent)))
    page = signed_in.visit(back)
    assert "could not be kept" in page.text
    assert f'href="{signed_in.origin}/notes"' in page.text


@pytest.mark.parametrize("path", ["/payouts", "/below/payouts"])
def test_fresh_proof_is_asked_for_whatever_read_the_body_first(signed_in: Browser, server: Server, path):
    server.stand_in.proved("ada", minutes_ago=30)
    assert signed_in.visit("/notes").status_code == 200
    sent = signed_in.submit(path, {"amount": "10"})
    assert sent.status_code == 303
    page = signed_in.visit(signed_in.come_back(server.stand_in.prove(sent.headers["location"])))
    assert 'name="amount" value="10"' in page.text
    assert signed_in.submit(path, {"amount": "10"}).json() == {"aal": 2}


def test_fresh_proof_for_programs_names_the_age(signed_in: Browser, server: Server):
    server.stand_in.proved("ada", minutes_ago=30)
    answer = signed_in.call("GET", "/payouts")
    assert (answer.status_code, answer.json()["code"]) == (401, "step_up_required")
    assert 'max_age="600"' in answer.headers["www-authenticate"]
    assert "max_age=600" in answer.json()["way_out"]["path"]


def test_fresh_proof_of_nobody_is_the_product_s_sign_in(product: None, browser_: Browser):
    assert browser_.visit("/payouts").headers["location"].endswith("/login?next=/payouts")
    assert browser_.call("GET", "/payouts").json()["code"] == "sign_in_required"


def test_a_page_of_nightlatch_opens_and_leads_back(signed_in: Browser, server: Server, place: Place):
    sent = signed_in.visit("/team", referer=f"{place.origin}/notes?x=1")
    assert server.stand_in.opened(sent.headers["location"]) == "team/authentication"
    assert signed_in.come_back(server.stand_in.prove(sent.headers["location"])) == "/notes?x=1"


def test_a_mailed_link_leads_through_the_product_s_own_sign_in(
    product: None, browser_: Browser, server: Server
):
    sent = browser_.visit("/nightlatch/callback?open=ticket", sec_fetch_site="cross-site")
    assert sent.headers["location"].endswith("/login?next=/nightlatch/callback%3Fopen%3Dticket")
    back = browser_.submit("/login", {"user": "ada", "next": "/nightlatch/callback?open=ticket"})
    opened = browser_.visit(back.headers["location"])
    assert server.stand_in.opened(opened.headers["location"]) == "ticket"
    # It waits no longer.
    assert browser_.visit("/notes").status_code == 200


def test_a_mailed_link_is_found_again_by_a_product_that_knows_no_next(
    product: None, browser_: Browser, server: Server
):
    browser_.visit("/nightlatch/callback?open=ticket", sec_fetch_site="cross-site")
    browser_.submit("/login", {"user": "ada"})
    assert browser_.call("GET", "/notes").status_code == 200
    opened = browser_.visit("/notes")
    assert server.stand_in.opened(opened.headers["location"]) == "ticket"
    assert browser_.visit("/notes").status_code == 200


def test_the_client_s_own_paths_are_nobody_else_s(signed_in: Browser, server: Server):
    assert signed_in.visit("/nightlatch/other").status_code == 404
    assert signed_in.call("POST", "/nightlatch/callback").status_code == 405
    assert signed_in.visit("/nightlatch/callback").status_code == 400
    assert signed_in.visit("/nightlatch/callback?open=../x").status_code == 404
    for hostile in ("//evil.example", "/\\evil.example", "https://evil.example", "/%0d%0ax: y", "x"):
        sent = signed_in.visit(f"/nightlatch/start?back={hostile}")
        assert urlsplit(sent.headers["location"]).netloc == urlsplit(signed_in.origin).netloc
