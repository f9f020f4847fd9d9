"""`nightlatch doctor`."""

from pathlib import Path

import pytest
from sqlalchemy import delete

from nightlatch.actions import assertions
from nightlatch.actions.by import SYSTEM
from nightlatch.actions.clock_watch import note_jump
from nightlatch.audit.events import record
from nightlatch.instants import DAY, HOUR
from nightlatch.sso import extra
from nightlatch.store import meta, outbox
from nightlatch.store.query import Query
from nightlatch.store.schema_apps import signing_keys
from nightlatch.vocabulary import Event
from tests.cli.conftest import Cli, Done
from tests.support.saml_idp import Idp
from tests.support.signing_on import a_connection
from tests.support.smtp import MailServer
from tests.support.world import World
from tests.web.hosts import WIKI, register


def checks(done: Done) -> dict[str, str]:
    """The status of each check. Exit code and status are those of the worst."""
    found = {each["name"]: each["status"] for each in done.json["checks"]}
    assert done.code in ((1, 2) if "problem" in found.values() else (0,))
    assert done.json["status"] == max(found.values(), key=["ok", "warning", "problem"].index)
    return found


def message(done: Done, name: str) -> str:
    return str(next(each["message"] for each in done.json["checks"] if each["name"] == name))


def test_all_is_well(cli: Cli, world: World) -> None:
    done = cli("doctor", "--json")
    found = checks(done)
    found.pop("clock")  # it depends on the machine
    told = found.pop("durability")
    assert set(found.values()) == {"ok"}
    assert {"database", "keys", "keys_match", "demo", "mail", "files", "clock_behind", "sqlite"} <= set(found)
    assert {"clock_jumped", "mail_server"} <= set(found)
    if world.store.dialect == "sqlite":
        assert (told, done.code, cli("doctor").code) == ("ok", 0, 0)
    else:  # the tests' own server asks no disk
        assert (told, done.code, cli("doctor").code) == ("problem", 1, 1)
        assert "fsync and full_page_writes" in message(done, "durability")


def test_it_never_shows_a_secret(cli: Cli, world: World) -> None:
    key = world.keys.to_text().strip()
    done = cli("doctor", "--json", keys=key, mail="smtp://me:hunter2@mail.example")
    assert key.partition(":")[2] not in done.out
    assert "hunter2" not in done.out
    assert done.json["settings"]["NIGHTLATCH_KEYS"] == "set"


def test_problems_of_the_configuration(cli: Cli) -> None:
    done = cli("doctor", "--json", origin="http://example.com", port="no")
    assert done.code == 2
    assert [each["status"] for each in done.json["checks"]] == ["problem", "problem"]
    assert "NIGHTLATCH_PORT" in cli("doctor", port="no").out


def test_warnings_of_the_configuration(cli: Cli) -> None:
    done = cli("doctor", "--json", orgin="https://x.example")
    assert checks(done)["configuration"] == "warning"


def test_nothing_is_there_yet_and_nothing_is_made(bare_cli: Cli, data: Path) -> None:
    done = bare_cli("doctor", "--json")
    assert done.code == 1
    assert (checks(done)["database"], checks(done)["keys"]) == ("problem", "problem")
    assert list(data.iterdir()) == []


def test_no_database_server(cli: Cli) -> None:
    done = cli("doctor", "--json", database_url="postgresql://me:hunter2@127.0.0.1:1/x")
    assert (done.code, checks(done)["database"]) == (1, "problem")
    assert "hunter2" not in done.out


@pytest.mark.postgres
def test_migrations_are_due(cli: Cli, blank_postgres_url: str) -> None:
    done = cli("doctor", "--json", database_url=blank_postgres_url)
    assert (done.code, checks(done)["database"]) == (1, "problem")
    assert "nightlatch migrate" in done.out


def test_other_keys(cli: Cli, world: World, data: Path) -> None:
    world.keys.generate(lambda number: bytes(number)).save(data / "keys")
    done = cli("doctor", "--json")
    assert (done.code, checks(done)["keys_match"]) == (1, "problem")


def test_a_key_file_that_others_can_read(cli: Cli, data: Path) -> None:
    (data / "keys").chmod(0o644)
    done = cli("doctor", "--json")
    assert done.code == 1
    assert {checks(done)["keys"], checks(done)["files"]} == {"problem"}
    assert "chmod" in done.out


def test_a_demo_database(cli: Cli, world: World) -> None:
    world.write(lambda tx: meta.write(tx, meta.DEMO, "made"))
    assert checks(cli("doctor", "--json"))["demo"] == "problem"


def test_products_behind_a_proxy_that_is_not_named(cli: Cli, world: World) -> None:
    acme = world.workspace("acme", owner=world.person("Dana"))
    register(world, acme, WIKI)
    done = cli("doctor", "--json")
    assert checks(done)["proxies"] == "problem"
    assert "Wiki" in message(done, "proxies")
    assert checks(cli("doctor", "--json", trusted_proxies="127.0.0.1"))["proxies"] == "ok"


def test_a_signing_key_that_is_gone(cli: Cli, world: World) -> None:
    assert checks(cli("doctor", "--json"))["signing_key"] == "ok"
    world.write(assertions.make_first)
    assert "keys that are shown: 1" in message(cli("doctor", "--json"), "signing_key")
    world.write(lambda tx: tx.run(Query(delete(signing_keys))))
    done = cli("doctor", "--json")
    assert checks(done)["signing_key"] == "problem"
    assert "rotate-signing --at-once" in message(done, "signing_key")
    cli.ok("keys", "rotate-signing")
    assert checks(cli("doctor", "--json"))["signing_key"] == "ok"


def test_a_clock_that_was_set_back(cli: Cli, world: World) -> None:
    world.wait(HOUR)
    world.write(lambda tx: record(tx, Event.ACCOUNT_RENAMED, by=SYSTEM, subject=("account", 1, "x")))
    world.clock_file.write_text("0")
    done = cli("doctor", "--json")
    assert (done.code, checks(done)["clock_behind"]) == (1, "problem")


def test_mail_that_does_not_leave(cli: Cli, world: World) -> None:
    dana = world.person("Dana")
    world.workspace("acme", owner=dana)
    cli.ok("teammate", "invite", "--workspace", "acme", "x@acme.example")
    assert checks(cli("doctor", "--json"))["mail"] == "ok"  # a moment is no trouble
    [mail] = world.read(lambda tx: outbox.recent(tx, 10))
    world.write(lambda tx: outbox.retry(tx, mail.id, tx.now, "the server says 451"))
    done = cli("doctor", "--json")
    assert checks(done)["mail"] == "warning"
    assert "451" in done.out
    world.wait(2 * HOUR)
    assert (checks(cli("doctor", "--json"))["mail"], cli("doctor").code) == ("problem", 1)
    cli.ok("teammate", "invite", "--workspace", "acme", "y@acme.example", "--send")
    done = cli("doctor", "--json")
    assert checks(done)["mail"] == "ok"
    assert "last delivery" in done.out


# --- a clock that was set ---


def test_a_jump_of_the_clock_is_shown_for_a_week(cli: Cli, world: World) -> None:
    world.write(lambda tx: note_jump(tx, by=SYSTEM, jump=-2 * HOUR))
    world.wait(3 * HOUR)
    done = cli("doctor", "--json")
    assert checks(done)["clock_jumped"] == "warning"
    assert "set back by 7200 s, 3 hours ago" in message(done, "clock_jumped")
    world.write(lambda tx: note_jump(tx, by=SYSTEM, jump=DAY))
    world.wait(8 * DAY)
    done = cli("doctor", "--json")
    assert checks(done)["clock_jumped"] == "ok"
    assert "set ahead by 86400 s, 8 days ago" in message(done, "clock_jumped")
    assert "clock_jumped: The clock was set ahead by 86400 s" in cli("doctor").out


# --- the mail server ---

FROM = "Acme <2fa@acme.example>"


def test_a_mail_server_that_answers(cli: Cli, mail_server: MailServer) -> None:
    done = cli("doctor", "--json", mail=mail_server.url, mail_from=FROM)
    assert checks(done)["mail_server"] == "ok"
    assert "answers: no TLS, no login" in message(done, "mail_server")
    assert mail_server.messages == []


def test_a_mail_server_that_does_not(cli: Cli, mail_server: MailServer) -> None:
    url = mail_server.url
    mail_server.stop()
    done = cli("doctor", "--json", mail=url, mail_from=FROM)
    assert (done.code, checks(done)["mail_server"]) == (1, "problem")
    assert "the mail server cannot be reached" in message(done, "mail_server")
    assert f"PROBLEM mail_server: {url}" in cli("doctor", mail=url, mail_from=FROM).out
    mail_server.start()


def test_a_mail_server_that_takes_the_login_and_one_that_does_not(cli: Cli) -> None:
    server = MailServer(login=("robot", "s3cret"))
    server.start()
    try:
        done = cli("doctor", "--json", mail=server.url, mail_from=FROM)
        assert checks(done)["mail_server"] == "ok"
        assert "the login is accepted" in message(done, "mail_server")
        wrong = server.url.replace("s3cret", "wr0ng")
        done = cli("doctor", "--json", mail=wrong, mail_from=FROM)
        assert (done.code, checks(done)["mail_server"]) == (1, "problem")
        assert "refused our login (535" in message(done, "mail_server")
        assert "wr0ng" not in done.out
    finally:
        server.stop()


def test_a_folder_is_no_server(cli: Cli) -> None:
    done = cli("doctor", "--json")
    assert "there is no server to try" in message(done, "mail_server")


def test_saml(cli: Cli, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody uses it, nothing is missing; where somebody does, the extra is, and a certificate's day is told."""
    monkeypatch.setattr(extra, "find_spec", lambda name: None)
    assert checks(cli("doctor", "--json"))["saml"] == "ok"
    acme, idp = world.workspace("acme", owner=world.person("Dana")), Idp(tmp_path / "idp")
    a_connection(world, acme, kind="saml", settings=idp.provider.kept())
    done = cli("doctor", "--json")
    assert checks(done)["saml"] == "problem"
    assert 'pip install "nightlatch[saml]"' in message(done, "saml")
    monkeypatch.undo()
    done = cli("doctor", "--json")
    assert checks(done)["saml"] == "warning"
    assert "sign in to acme by SAML with a certificate" in message(done, "saml")
