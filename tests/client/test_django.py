"""A Django product behind the gate: under WSGI and under ASGI, with views of both kinds."""

import threading
from collections.abc import Callable, Iterator
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

import pytest

from tests.client import django_project
from tests.client.products import Browser, Place
from tests.client.stand_in_server import SECRET, Server

from django.core.asgi import get_asgi_application  # isort: skip
from django.core.checks import run_checks  # isort: skip
from django.core.wsgi import get_wsgi_application  # isort: skip
from django.test import RequestFactory, override_settings  # isort: skip

from nightlatch_client import Misconfigured  # isort: skip
from nightlatch_client.django.conf import configured  # isort: skip


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Quiet."""


class ThreadedServer(ThreadingMixIn, WSGIServer):
    pass


@pytest.fixture
def setting(server: Server, place: Place) -> dict[str, Any]:
    return {
        "URL": server.url,
        "APP": "acme",
        "SECRET": SECRET,
        "ORIGIN": place.origin,
        "NAME": "Acme Notes",
        "PERSON": "tests.client.django_project.person",
        "EVERYONE": "tests.client.django_project.everyone",
        "OPEN": ["/login", "/static/*"],
        "DOWN_MESSAGE": "Acme's lock is being repaired.",
    }


@pytest.fixture(params=["wsgi", "asgi", "asgi, person awaited", "wsgi, person awaited"])
def product(
    request: pytest.FixtureRequest, setting: dict[str, Any], place: Place, browser_: Browser
) -> Iterator[Browser]:
    if "awaited" in request.param:
        setting["PERSON"] += "_later"
    with override_settings(NIGHTLATCH=setting):
        stop = serve_wsgi(place) if request.param.startswith("wsgi") else serve_asgi(place)
        yield browser_
        stop()


def serve_wsgi(place: Place) -> Callable[[], None]:
    server = ThreadedServer(("localhost", place.port), Quiet, bind_and_activate=False)
    server.socket.close()
    server.socket = place.socket
    server.server_name, server.server_port = "localhost", place.port
    server.setup_environ()
    server.set_app(get_wsgi_application())
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()

    def stop() -> None:
        server.shutdown()
        thread.join()
        server.server_close()
        configured().nl.close()

    return stop


def serve_asgi(place: Place) -> Callable[[], None]:
    application: Any = get_asgi_application()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "lifespan":
            await application(scope, receive, send)
            return
        for what in ("startup", "shutdown"):
            await receive()
            if what == "shutdown":
                await configured().nl.aclose()
            await send({"type": f"lifespan.{what}.complete"})

    place.serve(app)

    def stop() -> None:
        place.close()
        configured().nl.close()

    return stop


@pytest.fixture
def signed_in(product: Browser) -> Browser:
    token = product.visit("/login").text
    assert product.submit("/login", {"user": "ada", "csrfmiddlewaretoken": token}).status_code == 302
    return product


def test_who_is_signed_out_is_the_product_s_own_business(product: Browser, server: Server):
    assert product.visit("/notes").text == "notes of None"
    assert server.stand_in.calls == []


def test_the_switch_bites_the_next_click_and_leads_back_there(signed_in: Browser, server: Server):
    assert signed_in.visit("/notes").text == "notes of ada"
    assert signed_in.visit("/who").json() == {"aal": 1}
    server.stand_in.requires("7")
    sent = signed_in.visit("/notes?tag=a%20b")
    assert sent.status_code == 302
    assert signed_in.come_back(server.stand_in.prove(sent.headers["location"])) == "/notes?tag=a%20b"
    assert signed_in.visit("/who").json() == {"aal": 2}


def test_a_half_written_form_is_back_afterwards_csrf_value_included(signed_in: Browser, server: Server):
    token = signed_in.visit("/login").text
    server.stand_in.requires("7")
    fields = {"title": "Half <written>", "csrfmiddlewaretoken": token}
    sent = signed_in.submit("/notes?x=1", fields)
    assert sent.status_code == 303
    page = signed_in.visit(signed_in.come_back(server.stand_in.prove(sent.headers["location"])))
    assert 'action="/notes?x=1"' in page.text
    assert 'name="title" value="Half &lt;written&gt;"' in page.text
    assert signed_in.submit("/notes?x=1", fields).json()["saved"]["title"] == "Half <written>"
    assert "nightlatch-acme-form-0" not in signed_in.cookies


@pytest.mark.parametrize("path", ["/payouts", "/payouts-later", "/payouts-class"])
def test_fresh_proof(signed_in: Browser, server: Server, path):
    token = signed_in.visit("/login").text
    server.stand_in.proved("ada", minutes_ago=30)
    fields = {"amount": "7", "csrfmiddlewaretoken": token}
    refused = signed_in.call("POST", path, data=fields)
    assert (refused.status_code, refused.json()["code"]) == (401, "step_up_required")
    sent = signed_in.submit(path, fields, files={"bill": ("a.pdf", b"%PDF", "application/pdf")})
    assert sent.status_code == 303
    page = signed_in.visit(signed_in.come_back(server.stand_in.prove(sent.headers["location"])))
    assert 'name="amount" value="7"' in page.text
    assert 'type="file" name="bill"' in page.text
    assert signed_in.submit(path, fields).json() == {"aal": 2, "amount": "7"}
    server.stand_in.down()
    assert signed_in.submit(path, fields).status_code == 503


@pytest.mark.parametrize("path", ["/team", "/team-later"])
def test_a_page_of_nightlatch_opens(signed_in: Browser, server: Server, path):
    sent = signed_in.visit(path)
    assert server.stand_in.opened(sent.headers["location"]) == "team/authentication"


def test_down_denied_and_programs(signed_in: Browser, server: Server):
    server.stand_in.requires("7")
    told = signed_in.call("GET", "/notes")
    assert (told.status_code, told.json()["code"]) == (401, "enrolment_required")
    server.stand_in.denied("ada")
    assert signed_in.visit("/notes").status_code == 403
    server.stand_in.down()
    page = signed_in.visit("/notes")
    assert (page.status_code, page.headers["retry-after"]) == (503, "5")
    assert "Acme&#x27;s lock is being repaired." in page.text


def test_a_mailed_link_leads_through_the_product_s_own_sign_in(product: Browser, server: Server):
    sent = product.visit("/nightlatch/callback?open=ticket")
    assert sent.headers["location"].endswith("/login?next=/nightlatch/callback%3Fopen%3Dticket")
    token = product.visit("/login").text
    back = product.submit(
        "/login", {"user": "ada", "csrfmiddlewaretoken": token, "next": "/nightlatch/callback?open=ticket"}
    )
    opened = product.visit(back.headers["location"])
    assert server.stand_in.opened(opened.headers["location"]) == "ticket"


def test_a_view_outside_the_gate_that_asks_for_proof_stays_closed(setting: dict[str, Any]):
    with pytest.raises(RuntimeError, match="did not come through"):
        django_project.payouts(RequestFactory().get("/payouts"))


def test_the_checks_say_what_is_wrong(setting: dict[str, Any]):
    def said(**settings: Any) -> list[str]:
        with override_settings(**settings):
            return [
                message.id or "" for message in run_checks() if (message.id or "").startswith("nightlatch")
            ]

    assert said(NIGHTLATCH=setting) == []
    last = django_project.MIDDLEWARE
    assert said(NIGHTLATCH=setting, MIDDLEWARE=[*last, "django.middleware.common.CommonMiddleware"]) == [
        "nightlatch.W001"
    ]
    assert said(NIGHTLATCH=setting, MIDDLEWARE=last[:-1]) == ["nightlatch.E002"]
    for wrong in (
        None,
        {**setting, "ORIGINS": "x"},
        {**setting, "PERSON": ""},
        {**setting, "PERSON": "tests.client.django_project.nobody"},
        {**setting, "URL": "http://evil.example"},
        {**setting, "SECRET": None},
    ):
        assert said(NIGHTLATCH=wrong) == ["nightlatch.E001"], wrong
    with override_settings(NIGHTLATCH=None), pytest.raises(Misconfigured, match="NIGHTLATCH is missing"):
        get_wsgi_application()
