"""`nightlatch demo`: its world, its inbox and its phone, and that nobody else gets at them."""

import html
import http.client
import json
import re
import stat
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

import pytest

from nightlatch.authenticators import totp
from nightlatch.demo import folder, people
from nightlatch.demo.phone import BadKey, Phone
from tests.cli.conftest import Cli
from tests.support.oath import totp as oathtool
from tests.support.server import Serve, Server, program

SEED = bytes(range(20))
ONE_TAP = "one tap to go on"


@pytest.fixture(scope="module")
def demo(serve_module: Serve) -> Server:
    """The demo, running."""
    return serve_module("demo")


@dataclass
class Answer:
    """What a browser got."""

    status: int
    text: str
    location: str
    headers: http.client.HTTPMessage


@dataclass
class Browser:
    """A browser without JavaScript: cookies, and forms with their hidden fields."""

    server: Server
    cookies: dict[str, str] = field(default_factory=dict)

    def ask(self, method: str, path: str, body: str | None = None, **headers: str) -> Answer:
        """One request."""
        sent = {"Host": f"localhost:{self.server.port}", **headers}
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if method == "POST":
            sent |= {"Content-Type": "application/x-www-form-urlencoded", "Origin": self.server.url}
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)
        connection.request(method, path, body, sent)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        for cookie in answer.headers.get_all("Set-Cookie", []):
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        return Answer(answer.status, text, answer.headers.get("Location", ""), answer.headers)

    def get(self, path: str) -> Answer:
        """Open a page."""
        return self.ask("GET", path)

    def send(self, page: str, action: str, **fields: str) -> Answer:
        """Open a page and send one of its forms."""
        shown = self.get(page).text
        csrf = re.search(r'name="csrf" value="([^"]+)"', shown)
        assert csrf is not None, shown
        return self.ask("POST", action, urlencode({"csrf": html.unescape(csrf[1]), **fields}))


@pytest.fixture
def visitor(demo: Server) -> Browser:
    """Somebody with a fresh browser."""
    return Browser(demo)


def codes(page: str) -> dict[str, str]:
    """The codes on the phone, by account."""
    found = re.findall(
        r'<span class="muted small break">([^<]*)</span>.*?data-secret="\w+">([\d ]+)<', page, re.DOTALL
    )
    return {account: code.replace(" ", "") for account, code in found}


# --- nobody else gets at it ---


@pytest.mark.parametrize(
    "settings",
    [
        {"host": "0.0.0.0"},  # noqa: S104  (it is refused)
        {"host": "192.0.2.1"},
        {"host": "::"},
        {"host": "example.com"},
        {"origin": "https://demo.example.com"},
        {"origin": "http://192.168.1.5:8000"},
    ],
)
def test_it_is_for_this_machine_alone(bare_cli: Cli, tmp_path: Path, settings: dict[str, str]) -> None:
    done = bare_cli("demo", data=str(tmp_path / "demo"), **settings)
    assert done.code == 2
    assert "NIGHTLATCH_" in done.err
    assert not (tmp_path / "demo").exists()


def test_other_hosts_are_refused(demo: Server) -> None:
    for host in ("example.com", f"192.168.1.5:{demo.port}", f"127.0.0.1:{demo.port}", "localhost"):
        for path in ("/demo/inbox", "/demo/phone", "/sign-in"):
            assert Browser(demo).ask("GET", path, Host=host).status == 421
    answer = Browser(demo).ask(
        "GET", "/demo/phone", Host="example.com", **{"X-Forwarded-Host": f"localhost:{demo.port}"}
    )
    assert answer.status == 421  # the demo believes no proxy


def test_other_sites_cannot_use_its_forms(visitor: Browser) -> None:
    page = visitor.get("/demo/phone").text
    csrf = re.search(r'name="csrf" value="([^"]+)"', page)
    assert csrf is not None
    body = urlencode({"csrf": html.unescape(csrf[1]), "key": totp.key_text(SEED)})
    for origin in ("https://evil.example", "null"):
        sent = {"Content-Type": "application/x-www-form-urlencoded", "Origin": origin}
        connection = http.client.HTTPConnection("127.0.0.1", visitor.server.port, timeout=60)
        cookie = "; ".join(f"{name}={value}" for name, value in visitor.cookies.items())
        connection.request(
            "POST",
            "/demo/phone/add",
            body,
            {"Host": f"localhost:{visitor.server.port}", "Cookie": cookie, **sent},
        )
        assert connection.getresponse().status == 403
        connection.close()
    assert visitor.ask("POST", "/demo/phone/add", urlencode({"key": totp.key_text(SEED)})).status == 403


def test_without_the_demo_there_is_nothing(serve: Serve) -> None:
    server = serve(migrate=False)
    for path in ("/demo/inbox", "/demo/inbox/x", "/demo/phone", "/demo/phone/add"):
        assert Browser(server).get(path).status == 404
    for path in ("/demo/phone/add", "/demo/phone/scan", "/demo/phone/remove"):
        assert Browser(server).ask("POST", path, "").status == 404


def test_only_its_own_folder_is_touched(bare_cli: Cli, data: Path) -> None:
    (data / "diary").write_text("Dear diary")
    for more in ([], ["--fresh"]):
        assert bare_cli("demo", *more).code == 1
    assert (data / "diary").read_text() == "Dear diary"


def test_a_real_database_is_not_touched(bare_cli: Cli, data: Path) -> None:
    bare_cli.ok("migrate")
    bare_cli.ok("workspace", "create", "Acme", "--slug", "acme", "--owner", "dana@acme.example")
    before = {each.name: each.read_bytes() for each in data.iterdir() if each.is_file()}
    for more in ([], ["--fresh"]):
        assert bare_cli("demo", *more).code == 1
    after = {each.name: each.read_bytes() for each in data.iterdir() if each.is_file()}
    assert {name: after[name] for name in before if name != "nightlatch.db-shm"} == before
    assert len(bare_cli.ok("workspace", "list", "--json").items) == 1


def test_settings_for_a_real_one_are_not_used() -> None:
    config = folder.settings(
        {
            "NIGHTLATCH_DATABASE_URL": "postgresql://prod/nightlatch",
            "NIGHTLATCH_KEYS_FILE": "/etc/nightlatch/keys",
            "NIGHTLATCH_MAIL": "smtp://mail.example.com",
            "NIGHTLATCH_TRUSTED_PROXIES": "10.0.0.0/8",
            "NIGHTLATCH_PORT": "8123",
        }
    )
    assert config.sqlite_path == config.data / "nightlatch.db"
    assert config.data.name == "data-demo"
    assert (config.mail.kind, config.mail.folder) == ("folder", config.data / "mail")
    assert (config.keys, config.trusted_proxies) == (None, ())
    assert (config.origin, config.host) == ("http://localhost:8123", "127.0.0.1")


def test_one_demo_at_a_time_in_a_folder(demo: Server) -> None:
    done = demo.run("demo", "--fresh", NIGHTLATCH_PORT="1", NIGHTLATCH_ORIGIN="http://localhost:1")
    assert (done.returncode, "running" in done.stderr) == (1, True)


# --- the world ---


def test_it_tells_who_can_sign_in(demo: Server) -> None:
    said = demo.output()
    for part in people.MAIN:
        assert part.name in said
        assert part.email in said
    for text in (people.PASSWORD, people.INVITED[1], f"{demo.url}/demo/inbox", f"{demo.url}/demo/phone"):
        assert text in said


def test_what_it_keeps_is_its_owners_alone(demo: Server) -> None:
    data = demo.folder / "data"
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    for each in data.rglob("*"):
        assert not each.stat().st_mode & 0o077, each


def test_people_in_every_state(demo: Server) -> None:
    items = json.loads(demo.run("teammate", "list", "--workspace", "acme", "--json").stdout)["items"]
    states = {each["two_factor"]["state"] for each in items if each["two_factor"]}
    assert len(items) > 30
    assert {"on", "off", "reset"} <= states
    assert sum(each["status"] == "invited" for each in items) == 2
    assert any(each["last_sign_in_at"] for each in items)
    listed = json.loads(demo.run("workspace", "list", "--json").stdout)["items"]
    assert [each["slug"] for each in listed] == ["acme", "harbour"]
    assert not any(each["two_factor"]["required"] for each in listed)


def signed_in(visitor: Browser, email: str) -> Answer:
    """Sign in with the password."""
    answer = visitor.send("/sign-in", "/sign-in", email=email, password=people.PASSWORD)
    assert answer.status == 303, answer.text
    return answer


def test_who_has_no_two_factor_signs_in(visitor: Browser) -> None:
    signed_in(visitor, people.BEN.email)
    assert "Ben Okafor" in visitor.get("/settings/user").text


@pytest.mark.parametrize(
    "part", [each for each in people.MAIN if each.two_factor], ids=lambda part: part.local
)
def test_who_has_two_factor_signs_in_with_the_phone(visitor: Browser, part: people.Part) -> None:
    signed_in(visitor, part.email)
    assert visitor.get("/settings/user").status == 303
    code = codes(visitor.get("/demo/phone").text)[part.email]
    answer = visitor.send("/sign-in/second-step", "/sign-in/second-step", code=code)
    assert answer.status == 303
    assert part.name in visitor.get("/settings/user").text


def test_the_inbox(visitor: Browser) -> None:
    page = visitor.get("/demo/inbox")
    assert page.status == 200
    email = people.INVITED[1]
    assert email in page.text
    [path] = mails_to(visitor, email)
    mail = visitor.get(path)
    assert mail.status == 200
    link = re.search(r'href="([^"]+/invitations/[^"]+)"', mail.text)
    assert link is not None
    shown = visitor.get(f"{path}/html")
    assert shown.status == 200
    assert link[1] in shown.text
    opened = visitor.get(link[1].removeprefix(visitor.server.url))
    assert opened.status == 303
    assert "Acme" in visitor.get(opened.location.removeprefix(visitor.server.url)).text


def test_mails_that_are_not_there(visitor: Browser) -> None:
    for name in ("x", "..%2f..%2fkeys", "20261124T091400.000000Z-0123456789abcdef.eml"):
        assert visitor.get(f"/demo/inbox/{name}").status == 404
        assert visitor.get(f"/demo/inbox/{name}/html").status == 404


def test_the_phone_takes_a_key_and_an_address(visitor: Browser) -> None:
    key = totp.grouped_key(SEED)
    assert visitor.send("/demo/phone", "/demo/phone/add", key=key.lower()).status == 303
    before, shown, after = oathtool(key), codes(visitor.get("/demo/phone").text)[""], oathtool(key)
    assert shown in (before, after)
    uri = totp.otpauth_uri(bytes(20), "Acme", "x@acme.example")
    assert visitor.send("/demo/phone", "/demo/phone/add", key=uri).status == 303
    page = visitor.get("/demo/phone").text
    assert codes(page)["x@acme.example"]
    for entry in Phone(visitor.server.folder / "data").entries():
        if entry.account in ("", "x@acme.example"):
            assert visitor.send("/demo/phone", "/demo/phone/remove", id=entry.id).status == 303
    assert "x@acme.example" not in codes(visitor.get("/demo/phone").text)


def test_what_is_no_key_is_told_at_its_field(visitor: Browser) -> None:
    for key in (
        "",
        "not a key!",
        "otpauth://hotp/x?secret=" + totp.key_text(SEED),
        "otpauth://totp/x?digits=8",
    ):
        answer = visitor.send("/demo/phone", "/demo/phone/add", key=key)
        assert answer.status == 422
        assert 'id="f-key-error"' in answer.text


def test_setting_up_with_the_inbox_and_the_phone(visitor: Browser) -> None:
    """Chen has no 2FA yet: the mailbox, the screen, the phone, and in."""
    chen = people.CHEN.email
    signed_in(visitor, chen)
    assert visitor.send("/set-up", "/set-up/mail").status in (200, 303)
    until(lambda: mails_to(visitor, chen, ONE_TAP) != [])
    [new] = mails_to(visitor, chen, ONE_TAP)
    link = re.search(r'href="http://localhost:\d+(/tickets/[^"]+)"', visitor.get(new).text)
    assert link is not None
    assert visitor.get(link[1]).location.endswith("/ticket")
    assert "/set-up" in visitor.send("/ticket", "/ticket").location
    assert codes(visitor.get("/demo/phone").text).get(chen) is None
    assert visitor.get("/set-up").status == 200  # the QR is on the screen
    [screen] = re.findall(r'name="id" value="([0-9a-z]{13})"', visitor.get("/demo/phone").text)
    assert visitor.send("/demo/phone", "/demo/phone/scan", id=screen).status == 303
    phone = visitor.get("/demo/phone").text
    assert re.findall(r'name="id" value="([0-9a-z]{13})"', phone) == []  # scanned is scanned
    answer = visitor.send("/set-up", "/set-up", code=codes(phone)[chen])
    assert len(set(re.findall(r"(?:[0-9a-z]{4}-){4}[0-9a-z]{4}", answer.text))) == 10


def test_what_is_no_longer_on_a_screen(visitor: Browser) -> None:
    answer = visitor.send("/demo/phone", "/demo/phone/scan", id="0000000000000")
    assert answer.status == 422
    assert "no longer on a screen" in answer.text


def mails_to(visitor: Browser, email: str, subject: str = "") -> list[str]:
    """The paths of somebody's mails, or of those with this in their subject."""
    page = visitor.get(f"/demo/inbox?{urlencode({'to': email})}").text
    return re.findall(rf'href="(/demo/inbox/[^"]+)"><strong>[^<]*{re.escape(subject)}', page)


def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Wait for something to come true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


# --- the phone by itself ---


def test_the_phones_file(tmp_path: Path) -> None:
    phone = Phone(tmp_path)
    assert phone.entries() == []
    first = phone.add("Acme", "a@acme.example", SEED)
    again = phone.add("Acme", "a@acme.example", SEED)
    assert [each.id for each in phone.entries()] == [again.id] != [first.id]
    assert phone.entries()[0].seed == SEED
    assert stat.S_IMODE((tmp_path / "phone.json").stat().st_mode) == 0o600
    phone.remove("nonsense")
    phone.remove(again.id)
    assert phone.entries() == []


@pytest.mark.parametrize("text", ["otpauth://totp/a?secret=AA", "1", "ABCDEFGH", "otpauth://[", "A" * 200])
def test_bad_keys(tmp_path: Path, text: str) -> None:
    with pytest.raises(BadKey):
        Phone(tmp_path).add_key(text)


# --- again, and anew ---


def test_the_world_is_kept_and_made_anew(serve: Serve) -> None:
    server = serve("demo")
    visitor = Browser(server)
    visitor.send("/demo/phone", "/demo/phone/add", key=totp.key_text(SEED))
    database = (server.folder / "data" / "nightlatch.db").stat().st_ino
    server.restart()
    assert "" in codes(visitor.get("/demo/phone").text)
    assert (server.folder / "data" / "nightlatch.db").stat().st_ino == database
    assert server.output().count("Making the demo world") == 1
    server.stop()
    with subprocess.Popen(
        [program(), "demo", "--fresh"], env=server.environment, stdout=subprocess.PIPE, text=True
    ) as fresh:
        until(server.is_healthy, 60)
        assert "" not in codes(visitor.get("/demo/phone").text)
        fresh.terminate()
        said, _ = fresh.communicate()
    assert fresh.returncode == 0
    assert "Making the demo world" in said


def test_a_world_that_was_not_finished_is_made_anew(serve: Serve) -> None:
    server = serve("demo")
    server.stop()
    import pysqlite3

    connection = pysqlite3.connect(str(server.folder / "data" / "nightlatch.db"))
    connection.execute("UPDATE meta SET value = 'making' WHERE name = 'demo'")
    connection.commit()
    connection.close()
    server.start()
    assert server.output().count("Making the demo world") == 2
