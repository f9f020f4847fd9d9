"""The gate on https, without a framework and a network: its cookies, what it keeps, whom it asks."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from nightlatch_client import Nightlatch, Person
from nightlatch_client.answers import Answer
from nightlatch_client.forms import Caught, Form
from nightlatch_client.gate import Gate, Pass
from nightlatch_client.pages import form_page
from nightlatch_client.standin import StandIn
from nightlatch_client.steps import Ask, AskPerson, AskServer, run
from nightlatch_client.view import View
from tests.client.core import ADA, connect


class Edge:
    """A product and a stand-in in one."""

    def __init__(self, nl: Nightlatch, person: Person | None = ADA) -> None:
        self.nl = nl
        self.person = person
        self.stand_in = StandIn()

    def answer(self, ask: Ask) -> Any:
        if isinstance(ask, AskServer):
            call = ask.call
            return call.read(self.stand_in.answer(self.nl.settings, call.method, call.path, call.body))
        return self.person if isinstance(ask, AskPerson) else Form((("title", "T"),))


def view(
    path: str = "/notes", method: str = "GET", cookies: dict[str, str] | None = None, **headers: str
) -> View:
    said = {"accept": "text/html", **{name.replace("_", "-"): value for name, value in headers.items()}}
    plain, _, query = path.partition("?")
    pairs = dict(part.split("=", 1) for part in query.split("&")) if query else {}
    return View("http", method, plain, path, "", pairs, said, cookies or {})


def cookies_of(outcome: Answer | Pass) -> list[str]:
    headers = outcome.headers if isinstance(outcome, Answer) else outcome.cookies
    return [value for name, value in headers if name == "set-cookie"]


def kept_by(outcome: Answer | Pass, cookies: dict[str, str]) -> dict[str, str]:
    """The browser's cookies after an answer."""
    kept = dict(cookies)
    for line in cookies_of(outcome):
        name, _, value = line.partition(";")[0].partition("=")
        kept[name] = value
        if "Max-Age=0" in line:
            del kept[name]
    return kept


def test_cookies_on_https_are_bound_to_their_host():
    nl = connect()
    edge = Edge(nl)
    edge.stand_in.requires("7")
    gate = Gate(nl.desk)
    form_type = "application/x-www-form-urlencoded"
    posted = view("/notes", "POST", content_type=form_type, origin="https://app.acme.dev")
    sent = run(gate.enter(posted), edge)
    assert isinstance(sent, Answer)
    way, form = sorted((line for line in cookies_of(sent) if "Max-Age=0" not in line), reverse=True)
    assert way.startswith("__Host-nightlatch-acme-way=")
    assert form.startswith("__Host-nightlatch-acme-form-0=")
    for line, age in ((way, 900), (form, 3600)):
        assert line.endswith(f"; Path=/; Max-Age={age}; HttpOnly; SameSite=Lax; Secure")
        assert "Domain" not in line
    start = sent.header("location") or ""
    back = run(gate.enter(view(edge.stand_in.prove(start), cookies=kept_by(sent, {}))), edge)
    assert isinstance(back, Answer)
    grant = next(line for line in cookies_of(back) if line.startswith("__Host-nightlatch-acme="))
    assert grant.endswith("; Path=/; HttpOnly; SameSite=Lax; Secure")
    assert back.header("location") == "https://app.acme.dev/nightlatch/form"
    assert back.header("referrer-policy") == "no-referrer"


def test_a_form_whose_way_back_took_too_long_is_found_again():
    nl = connect()
    edge = Edge(nl)
    edge.stand_in.requires("7")
    gate = Gate(nl.desk)
    form_type = "application/x-www-form-urlencoded"
    posted = view("/notes", "POST", content_type=form_type, origin="https://app.acme.dev")
    cookies = kept_by(run(gate.enter(posted), edge), {})
    del cookies["__Host-nightlatch-acme-way"]  # a quarter of an hour later
    cookies = kept_by(late := run(gate.enter(view("/", cookies=cookies)), edge), cookies)
    assert isinstance(late, Answer)
    back = run(gate.enter(view(edge.stand_in.prove(late.header("location") or ""), cookies=cookies)), edge)
    assert isinstance(back, Answer)
    assert back.header("location") == "https://app.acme.dev/nightlatch/form"


def test_pages_are_whole_in_themselves():
    nl = connect(name="Acme <Notes>")
    edge = Edge(nl)
    edge.stand_in.down()
    page = run(Gate(nl.desk).enter(view()), edge)
    assert isinstance(page, Answer)
    text = page.body.decode()
    policy = page.header("content-security-policy") or ""
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "Acme &lt;Notes&gt;" in text
    assert "script" not in text
    assert "style=" not in text
    assert '<html lang="en">' in text
    assert 'name="viewport"' in text
    assert "prefers-color-scheme: dark" in text
    assert page.header("cache-control") == "no-store"


def test_a_navigation_that_may_follow_a_form_leaves_by_a_page():
    """Browsers hold `form-action` of the product's page against redirects to another origin."""
    nl = connect()
    edge = Edge(nl)
    edge.stand_in.requires("7")
    gate = Gate(nl.desk)
    form: dict[str, Any] = {
        "content_type": "application/x-www-form-urlencoded",
        "origin": "https://app.acme.dev",
    }
    nothing: dict[str, Any] = {}
    for method, more in (("GET", nothing), ("POST", form)):
        for site in ("same-origin", "same-site", "cross-site"):
            page = run(
                gate.enter(view("/notes", method, sec_fetch_site=site, sec_fetch_mode="navigate", **more)),
                edge,
            )
            assert isinstance(page, Answer)
            assert (page.status, page.header("location")) == (200, None)
            text = page.body.decode()
            target = re.findall(r'(?:content="0;url=|href=")([^"]+)"', text)
            assert target == [target[0]] * 2
            assert target[0].startswith("https://2fa.acme.dev/app/start/")
            assert (page.header("referrer-policy"), page.header("cache-control")) == (
                "no-referrer",
                "no-store",
            )
            assert "form-action 'none'" in (page.header("content-security-policy") or "")
            assert any("-way=" in line for line in cookies_of(page))
            assert edge.stand_in.prove(target[0])
        for headers in (nothing, {"sec_fetch_site": "none", "sec_fetch_mode": "navigate"}):
            sent = run(gate.enter(view("/notes", method, **{**headers, **more})), edge)
            assert isinstance(sent, Answer)
            assert (sent.status, bool(sent.header("location"))) == (302 if method == "GET" else 303, True)


def test_on_the_same_origin_it_stays_a_redirect():
    nl = Nightlatch("https://app.acme.dev/2fa", app="acme", secret="s", origin="https://app.acme.dev")
    edge = Edge(nl)
    edge.stand_in.requires("7")
    asked = view("/notes", sec_fetch_site="same-origin", sec_fetch_mode="navigate")
    sent = run(Gate(nl.desk).enter(asked), edge)
    assert isinstance(sent, Answer)
    assert (sent.status, bool(sent.header("location"))) == (302, True)


@pytest.mark.parametrize(
    "name, value, shown",
    [
        ("title", "A <b>", '<input id="field-0" type="text" name="title" value="A &lt;b&gt;" '),
        ("text", "\na\r\nb", '<textarea id="field-0" rows="4" name="text" '),
        ("text", "x" * 61, '<textarea id="field-0" rows="3" name="text" '),
        ("agreed", "on", '<input id="field-0" type="checkbox" name="agreed" checked>'),
        ("csrfmiddlewaretoken", "x", '<input type="hidden" name="csrfmiddlewaretoken" value="x">'),
        ("note_id", "7", '<input type="hidden" name="note_id" value="7">'),
        ("noteId", "7", '<input type="hidden" name="noteId" value="7">'),
        ("empty", "", '<input type="hidden" name="empty" value="">'),
        ("paid", "7", '<input id="field-0" type="text" name="paid" value="7" '),
    ],
)
def test_a_form_that_is_back_can_still_be_changed(name: str, value: str, shown: str):
    page = form_page(Caught(Form(((name, value),)), "/notes", "ada", 0), name="Acme", home="/")
    text = page.body.decode()
    assert shown in text
    assert ('for="field-0"' in text) == ('type="hidden"' not in shown)
    assert "<script" not in text


def test_a_text_that_begins_with_a_new_line_keeps_it():
    page = form_page(Caught(Form((("text", "\na"),)), "/notes", "ada", 0), name="Acme", home="/")
    assert 'dir="auto">\n\na</textarea>' in page.body.decode()


def test_the_host_header_is_worth_nothing():
    nl = connect()
    edge = Edge(nl)
    edge.stand_in.requires("7")
    gate = Gate(nl.desk)
    hostile: dict[str, Any] = {"host": "evil.example", "x_forwarded_host": "evil.example"}
    sent = run(gate.enter(view("/notes", **hostile)), edge)
    assert isinstance(sent, Answer)
    callback = edge.stand_in.prove(sent.header("location") or "")
    back = run(gate.enter(view(callback, cookies=kept_by(sent, {}), **hostile)), edge)
    assert isinstance(back, Answer)
    assert back.header("location") == "https://app.acme.dev/notes"


def test_an_allowed_request_is_asked_about_each_time():
    nl = connect()
    edge = Edge(nl)
    gate = Gate(nl.desk)
    for asked in range(1, 4):
        assert isinstance(run(gate.enter(view()), edge), Pass)
        assert len(edge.stand_in.calls) == asked
    edge.stand_in.requires("7")
    assert isinstance(run(gate.enter(view()), edge), Answer)


def journey(gate: Gate, edge: Edge, path: str = "/notes") -> dict[str, str]:
    """The cookies of a browser that has proved."""
    sent = run(gate.enter(view(path)), edge)
    assert isinstance(sent, Answer)
    cookies = kept_by(sent, {})
    back = run(gate.enter(view(edge.stand_in.prove(sent.header("location") or ""), cookies=cookies)), edge)
    return kept_by(back, cookies)


def test_a_grant_is_dropped_and_ended_with_its_person():
    nl = connect()
    edge = Edge(nl)
    edge.stand_in.requires("7")
    gate = Gate(nl.desk, open=["/login"])
    cookies = journey(gate, edge)
    assert isinstance(run(gate.enter(view(cookies=cookies)), edge), Pass)
    for person, path in ((None, "/login"), (replace(ADA, id="eve"), "/notes")):
        edge.person = person
        outcome = run(gate.enter(view(path, cookies=cookies)), edge)
        assert "nightlatch-acme" in cookies_of(outcome)[0]
        assert "Max-Age=0" in cookies_of(outcome)[0]
        assert any(path == "/app/grants/end" for _, path, _ in edge.stand_in.calls)
        edge.person = ADA
        again = run(gate.enter(view(cookies=cookies)), edge)
        assert isinstance(again, Answer)  # kept elsewhere it is dead, too
        cookies = journey(gate, edge)


def test_what_a_script_or_a_program_asks_signs_nobody_out():
    nl = connect()
    edge = Edge(nl)
    edge.stand_in.requires("7")
    gate = Gate(nl.desk, open=["/api/login"])
    cookies = journey(gate, edge)
    edge.person = None
    for asked in (
        view("/api/me", cookies=cookies, accept="application/json"),
        view("/api/me", "POST", cookies=cookies, authorization="Bearer unknown"),
        replace(view("/live", cookies=cookies), kind="websocket"),
    ):
        assert cookies_of(run(gate.enter(asked), edge)) == []
    for path in ("/api/login", "/api/other"):  # a page that signs people in by a script
        asked = view(path, "POST", cookies=cookies, accept="application/json")
        assert "Max-Age=0" in cookies_of(run(gate.enter(asked), edge))[0]
    edge.person = ADA
    assert isinstance(run(gate.enter(view(cookies=cookies)), edge), Answer)


def test_a_code_for_somebody_else_is_ended_and_not_kept():
    nl = connect()
    edge = Edge(nl)
    edge.stand_in.requires("7")
    gate = Gate(nl.desk)
    sent = run(gate.enter(view()), edge)
    assert isinstance(sent, Answer)
    callback = edge.stand_in.prove(sent.header("location") or "")
    edge.person = replace(ADA, id="eve")
    refused = run(gate.enter(view(callback, cookies=kept_by(sent, {}))), edge)
    assert isinstance(refused, Answer)
    assert refused.status == 400
    assert edge.stand_in.calls[-1][1] == "/app/grants/end"
    assert not any("nightlatch-acme=" in line and "Max-Age=0" not in line for line in cookies_of(refused))


@pytest.mark.parametrize(
    "change", [lambda state: state[:-1], lambda state: state + "x", lambda _: "x" * 32, lambda _: ""]
)
def test_a_state_that_is_not_this_browser_s_spends_no_code(change: Callable[[str], str]):
    nl = connect()
    edge = Edge(nl)
    edge.stand_in.requires("7")
    gate = Gate(nl.desk)
    sent = run(gate.enter(view()), edge)
    assert isinstance(sent, Answer)
    path, _, state = edge.stand_in.prove(sent.header("location") or "").rpartition("=")
    refused = run(gate.enter(view(f"{path}={change(state)}", cookies=kept_by(sent, {}))), edge)
    assert isinstance(refused, Answer)
    assert refused.status == 400
    assert not any(path == "/app/grants" for _, path, _ in edge.stand_in.calls)


def test_a_code_that_cannot_be_exchanged_now_can_be_later():
    nl = connect()
    edge = Edge(nl)
    edge.stand_in.requires("7")
    gate = Gate(nl.desk)
    sent = run(gate.enter(view()), edge)
    assert isinstance(sent, Answer)
    cookies, callback = kept_by(sent, {}), edge.stand_in.prove(sent.header("location") or "")
    edge.stand_in.down()
    down = run(gate.enter(view(callback, cookies=cookies)), edge)
    assert isinstance(down, Answer)
    assert down.status == 503
    edge.stand_in.down(down=False)
    back = run(gate.enter(view(callback, cookies=kept_by(down, cookies))), edge)
    assert isinstance(back, Answer)
    assert back.header("location") == "https://app.acme.dev/notes"


def test_an_api_token_is_no_proof_and_its_owner_s_standing_decides():
    nl = connect()
    token = replace(ADA, token=True)
    edge = Edge(nl, token)
    gate = Gate(nl.desk)
    asked = view(authorization="Bearer token-of-the-product")
    assert isinstance(run(gate.enter(asked), edge), Pass)  # not known before: made known by a check
    edge.stand_in.requires("7")
    refused = run(gate.enter(asked), edge)
    assert isinstance(refused, Answer)
    assert refused.status == 401
    edge.stand_in.enrolled("ada")
    passed = run(gate.enter(asked), edge)
    assert isinstance(passed, Pass)
    assert passed.passage.proof is not None
    assert passed.passage.proof.aal == 0
    assert run(gate.fresh(asked, passed.passage, 600), edge) is None
    answer = run(gate.demanded(asked, passed.passage), edge)
    assert answer.status == 403
    edge.stand_in.denied("ada")
    denied = run(gate.enter(asked), edge)
    assert isinstance(denied, Answer)
    assert denied.status == 403


def test_what_person_gives_is_a_person():
    nl = connect()
    edge: Any = Edge(nl)
    edge.person = {"id": "ada"}
    with pytest.raises(TypeError, match="returns a Person or None"):
        run(Gate(nl.desk).enter(view()), edge)


def test_a_failing_person_lets_nobody_in():
    nl = connect()

    class Failing(Edge):
        def answer(self, ask: Ask) -> Any:
            if isinstance(ask, AskPerson):
                raise LookupError("the session store is gone")
            return super().answer(ask)

    with pytest.raises(LookupError):
        run(Gate(nl.desk).enter(view()), Failing(nl))


def test_fresh_proof_while_it_is_down_is_503():
    nl = connect()
    edge = Edge(nl)
    passed = run(Gate(nl.desk).enter(view()), edge)
    assert isinstance(passed, Pass)
    edge.stand_in.down()
    gate = Gate(nl.desk)
    assert run(gate.fresh(view(), passed.passage, 600), edge) is None
    answer = run(gate.demanded(view(), passed.passage), edge)
    assert (answer.status, answer.header("retry-after")) == (503, "5")
