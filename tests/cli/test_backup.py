"""`nightlatch backup` and `nightlatch restore` (law 11)."""

import http.client
import json
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pysqlite3
import pytest

from nightlatch.actions import assertions, joining, second_step
from nightlatch.actions.proving import Proved, Wrong
from nightlatch.actions.tokens import new_token
from nightlatch.clock import Clock
from nightlatch.decision import Allow
from nightlatch.ids import to_text
from nightlatch.instants import SECOND
from nightlatch.keyring import KeyRing
from nightlatch.store import accounts, authenticators, events, outbox, sessions, tickets
from nightlatch.store.engine import Store, Unavailable
from nightlatch.vocabulary import Event, TicketPurpose
from nightlatch.wiring import open_store
from tests.cli.conftest import Cli
from tests.support.letters import letter
from tests.support.server import Serve, Server
from tests.support.world import World


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A folder for backups, apart from the keys."""
    folder = tmp_path / "backups"
    folder.mkdir()
    return folder


@contextmanager
def reopened(world: World) -> Iterator[Store]:
    """The world's database as it is now."""
    store = open_store(world.url, Clock(world.clock_file), world.keys)
    try:
        yield store
    finally:
        store.close()


def test_a_copy_is_whole_closed_and_without_keys(cli: Cli, world: World, elsewhere: Path, data: Path) -> None:
    world.workspace("acme", owner=world.person("Dana"))
    done = cli.ok("backup", "--path", str(elsewhere / "copy"))
    assert [each.name for each in elsewhere.iterdir()] == ["copy"]
    assert stat.S_IMODE((elsewhere / "copy").stat().st_mode) == 0o600
    content = (elsewhere / "copy").read_bytes()
    key = (data / "keys").read_text().strip().partition(":")[2]
    assert key.encode() not in content
    assert str(data / "keys") in done.out  # it says where the key lies


def test_a_copy_never_overwrites_and_never_lies_with_the_keys(cli: Cli, elsewhere: Path, data: Path) -> None:
    (elsewhere / "copy").write_text("something")
    assert cli("backup", "--path", str(elsewhere / "copy")).code == 1
    assert (elsewhere / "copy").read_text() == "something"
    done = cli("backup", "--path", str(data / "copy"))
    assert (done.code, "keys" in done.err) == (1, True)
    assert not (data / "copy").exists()
    assert cli("backup", "--path", str(elsewhere)).code == 2
    assert cli("backup", "--path", str(elsewhere / "no" / "copy")).code == 1
    assert sorted(each.name for each in elsewhere.iterdir()) == ["copy"]


def test_a_copy_is_consistent_while_others_write(world: World, cli: Cli, elsewhere: Path) -> None:
    """Each write makes an account and its identity: no copy has one without the other."""
    stop = threading.Event()

    def keep_writing() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            world.person(f"P{number}")

    writer = threading.Thread(target=keep_writing)
    writer.start()
    try:
        copies = [elsewhere / f"copy{number}" for number in range(4)]
        for path in copies:
            cli.ok("backup", "--path", str(path))
    finally:
        stop.set()
        writer.join()
    if world.store.dialect != "sqlite":
        return  # pg_dump's own promise
    counts = []
    for path in copies:
        connection = pysqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        people, identities = connection.execute(
            "SELECT (SELECT count(*) FROM accounts), (SELECT count(*) FROM identities)"
        ).fetchone()
        connection.close()
        assert people == identities
        counts.append(people)
    assert counts == sorted(counts)


def test_what_was_handed_out_ends(cli: Cli, world: World, elsewhere: Path) -> None:
    dana = world.person("Dana")
    acme = world.workspace("acme", owner=dana)
    bound, seed = world.bind_totp(dana)
    by = world.signed_in(dana, bound)
    ticket, link = new_token(), new_token()

    def hand_out(tx):
        tickets.create(
            tx,
            token_hash=ticket.hash,
            account_id=dana.id,
            purpose=TicketPurpose.SELF_SERVICE,
            workspace_id=acme,
        )
        tickets.create_link(
            tx, token_hash=link.hash, purpose="password_reset", account_id=dana.id, email_key=dana.email
        )

    world.write(hand_out)
    cli.ok("teammate", "invite", "--workspace", "acme", "x@acme.example")
    invitation = letter(world, "invitation").hash()
    cli.ok("backup", "--path", str(elsewhere / "copy"))
    later = world.person("Later")
    code = world.code(seed)
    session = world.session(dana)  # after the backup: it is gone with it
    assert isinstance(
        world.write(lambda tx: second_step.present_totp(tx, by=session, code=code, token=new_token())), Proved
    )
    world.store.close()

    assert cli("restore", "--path", str(elsewhere / "copy")).code == 1  # not without --yes
    done = cli.ok("restore", "--path", str(elsewhere / "copy"), "--yes", "--operator", "Sam")
    # the invitation has a link of its own beside it: never again
    assert "1 tickets, 1 invitations, 2 mailed links" in done.out

    with reopened(world) as store:
        world.store = store
        assert world.read(lambda tx: accounts.by_id(tx, later.id)) is None
        assert world.read(lambda tx: sessions.of_account(tx, dana.id)) == []
        assert not isinstance(world.opens(by, acme), Allow)
        assert world.read(lambda tx: tickets.newest_open(tx, dana.id, acme)) is None
        dead = world.read(lambda tx: tickets.link(tx, link.hash, "password_reset"))
        assert dead is not None
        assert dead.ended_at is not None
        assert world.read(lambda tx: joining.look(tx, invitation)).state is joining.State.REVOKED
        [mail] = world.read(lambda tx: outbox.recent(tx, 10))
        assert (mail.sent_at, bool(mail.failed_at), "restored" in mail.error) == (None, True, True)
        assert world.read(outbox.next_due) is None
        # The code was spent after the backup, which knows nothing of it: it is refused all the same.
        again = world.session(dana)
        assert isinstance(
            world.write(lambda tx: second_step.present_totp(tx, by=again, code=code, token=new_token())),
            Wrong,
        )
        world.wait(31 * SECOND)
        code = world.code(seed)
        assert isinstance(
            world.write(lambda tx: second_step.present_totp(tx, by=again, code=code, token=new_token())),
            Proved,
        )
        told = world.read(lambda tx: events.page(tx, anywhere=True, event=Event.DATABASE_RESTORED))
        assert {(row.workspace_id, row.actor_name) for row in told} == {(None, "Sam"), (acme, "Sam")}
        items = cli.ok("teammate", "list", "--workspace", "acme", "--json").items
        assert [each["status"] for each in items] == ["active"]  # the invited one is gone from the table, too


def test_a_step_of_the_future_stays_spent(cli: Cli, world: World, elsewhere: Path) -> None:
    dana = world.person("Dana")
    bound, _ = world.bind_totp(dana)
    world.write(lambda tx: authenticators.spend_step(tx, bound, 2**40))
    cli.ok("backup", "--path", str(elsewhere / "copy"))
    world.store.close()
    cli.ok("restore", "--path", str(elsewhere / "copy"), "--yes")
    with reopened(world) as store:
        row = store.read_now(lambda tx: authenticators.by_id(tx, bound, dana.id))
        assert row is not None
        assert row.highest_step == 2**40


def test_a_signing_key_that_was_forgotten_does_not_come_back(cli: Cli, world: World, elsewhere: Path) -> None:
    leaked = to_text(world.write(assertions.make_first).id)
    cli.ok("backup", "--path", str(elsewhere / "copy"))
    cli.ok("keys", "rotate-signing", "--at-once")
    world.store.close()
    cli.ok("restore", "--path", str(elsewhere / "copy"), "--yes")
    [only] = cli.ok("keys", "signing", "--json").json
    assert only["state"] == "signs"
    assert only["key"] != leaked
    with reopened(world) as store:
        assert store.read_now(assertions.key_set) is not None


def test_the_backup_itself_is_not_touched(cli: Cli, world: World, elsewhere: Path) -> None:
    cli.ok("backup", "--path", str(elsewhere / "copy"))
    before = (elsewhere / "copy").read_bytes()
    world.store.close()
    cli.ok("restore", "--path", str(elsewhere / "copy"), "--yes")
    assert (elsewhere / "copy").read_bytes() == before
    assert [each.name for each in elsewhere.iterdir()] == ["copy"]


def test_what_is_no_backup(cli: Cli, world: World, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("Dear diary")
    (tmp_path / "empty").touch()
    for name in ("text", "empty", "missing"):
        done = cli("restore", "--path", str(tmp_path / name), "--yes")
        assert (done.code, done.out) == (1, "")
    world.person("Dana")  # the database is as it was


def test_other_keys_cannot_restore(cli: Cli, world: World, elsewhere: Path, data: Path) -> None:
    dana = world.person("Dana")
    cli.ok("backup", "--path", str(elsewhere / "copy"))
    KeyRing.generate(lambda number: b"x" * number).save(data / "keys")
    world.store.close()
    done = cli("restore", "--path", str(elsewhere / "copy"), "--yes")
    assert (done.code, "keys" in done.err) == (2, True)
    with reopened(world) as store:
        assert store.read_now(lambda tx: accounts.by_id(tx, dana.id)) is not None
    (data / "keys").unlink()
    assert cli("restore", "--path", str(elsewhere / "copy"), "--yes").code == 2
    assert not (data / "keys").exists()  # and none is made


def test_onto_an_empty_machine(cli: Cli, world: World, elsewhere: Path, tmp_path: Path) -> None:
    if world.store.dialect != "sqlite":
        return
    dana = world.person("Dana")
    cli.ok("backup", "--path", str(elsewhere / "copy"))
    fresh = tmp_path / "fresh"
    world.keys.save(_made(fresh) / "keys")
    settings = {"data": str(fresh), "database_url": f"sqlite:///{fresh}/nightlatch.db"}
    cli.ok("restore", "--path", str(elsewhere / "copy"), **settings)
    assert sorted(each.name for each in fresh.iterdir()) == ["keys", "nightlatch.db"]
    assert (fresh / "nightlatch.db").stat().st_mode & 0o777 == 0o600
    cli.ok("account", "show", dana.email, **settings)


def _made(folder: Path) -> Path:
    folder.mkdir(mode=0o700)
    return folder


def _call(
    server: Server, method: str, path: str, body: Any = None, token: str | None = None
) -> dict[str, Any]:
    """One call of the API, whatever it answers."""
    headers = {"Host": f"localhost:{server.port}", "Content-Type": "application/json"}
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    connection.request(method, path, json.dumps(body) if body is not None else None, headers)
    answer: dict[str, Any] = json.loads(connection.getresponse().read())
    connection.close()
    return answer


def test_under_a_running_server(serve: Serve, elsewhere: Path) -> None:
    """SQLite: the server goes on with the restored database, and the sessions of before are over."""
    server = serve(migrate=False)
    made = server.run("workspace", "create", "Acme", "--slug", "acme", "--owner", "dana@acme.example")
    invitation = made.stdout.strip().rpartition("/")[2]
    accepted = _call(
        server,
        "POST",
        "/api/v1/invitations/accept",
        {"token": invitation, "name": "Dana Ruiz", "password": "lantern otter marble"},
    )
    token = accepted["token"]
    assert _call(server, "GET", "/api/v1/session", token=token)["state"] == "active"
    assert server.run("backup", "--path", str(elsewhere / "copy")).returncode == 0
    server.run("workspace", "create", "Later", "--slug", "later", "--owner", "dana@acme.example")
    done = server.run("restore", "--path", str(elsewhere / "copy"), "--yes")
    assert done.returncode == 0, done.stderr
    assert server.is_healthy()
    assert _call(server, "GET", "/api/v1/session", token=token)["code"] == "sign_in_required"
    assert "later" not in server.run("workspace", "list").stdout
    made = server.run("workspace", "create", "Third", "--slug", "third", "--owner", "dana@acme.example")
    assert made.returncode == 0, made.stderr
    assert server.stop() == 0
    connection = pysqlite3.connect(str(server.folder / "data" / "nightlatch.db"))
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


@pytest.mark.postgres
def test_not_under_a_running_server_on_postgresql(serve: Serve, postgres_url: str, elsewhere: Path) -> None:
    server = serve(database_url=postgres_url)
    assert server.run("backup", "--path", str(elsewhere / "copy")).returncode == 0
    done = server.run("restore", "--path", str(elsewhere / "copy"), "--yes")
    assert (done.returncode, "Stop" in done.stderr) == (1, True)
    server.stop()
    done = server.run("restore", "--path", str(elsewhere / "copy"), "--yes")
    assert done.returncode == 0, done.stderr
    server.start()
    assert server.is_healthy()


_LIVE = """SELECT to_regclass('nightlatch_being_restored') IS NULL, count(*) FROM sessions WHERE ended_at IS NULL"""


@pytest.mark.postgres
def test_no_session_of_the_backup_ever_stands_in_an_open_database(
    serve: Serve, postgres_url: str, elsewhere: Path
) -> None:
    """Law 11: somebody looks all the while. The backup has a session; before and after it there is none."""
    import psycopg

    server = serve(database_url=postgres_url)
    made = server.run("workspace", "create", "Acme", "--slug", "acme", "--owner", "dana@acme.example")
    body = {
        "token": made.stdout.strip().rpartition("/")[2],
        "name": "Dana",
        "password": "lantern otter marble",
    }
    token = _call(server, "POST", "/api/v1/invitations/accept", body)["token"]
    assert server.run("backup", "--path", str(elsewhere / "copy")).returncode == 0
    assert server.run("sessions", "end", "--all", "--reason", "a drill", "--operator", "Sam").returncode == 0
    server.stop()

    seen: set[tuple[bool, bool]] = set()
    over = threading.Event()

    def watch() -> None:
        with psycopg.connect(postgres_url, autocommit=True) as connection:
            while not over.is_set():
                try:
                    is_open, live = connection.execute(_LIVE).fetchone() or (False, 0)
                except psycopg.errors.UndefinedTable:  # the moment in which the tables change places
                    continue
                seen.add((is_open, live > 0))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        done = server.run("restore", "--path", str(elsewhere / "copy"), "--yes")
    finally:
        over.set()
        watcher.join()
    assert done.returncode == 0, done.stderr
    assert (False, True) in seen, "the watcher saw nothing of the restore"
    assert (True, True) not in seen
    server.start()
    assert _call(server, "GET", "/api/v1/session", token=token)["code"] == "sign_in_required"


@pytest.mark.postgres
def test_a_restore_that_was_cut_off_keeps_the_database_shut(cli: Cli, world: World, elsewhere: Path) -> None:
    from nightlatch.store import fence

    if world.store.dialect != "postgresql":
        return
    dana = world.person("Dana")
    cli.ok("backup", "--path", str(elsewhere / "copy"))
    world.store.close()
    assert fence.raise_fence(world.url)  # as after a kill in the middle
    with reopened(world) as store, pytest.raises(Unavailable, match="restored"):
        store.read_now(lambda tx: accounts.by_id(tx, dana.id))
    for command in (["serve"], ["account", "show", dana.email]):
        done = cli(*command)
        assert (done.code, "run `nightlatch restore` to its end" in done.err) == (1, True)
    (elsewhere / "text").write_text("Dear diary")
    assert cli("restore", "--path", str(elsewhere / "text"), "--yes").code == 1
    assert not fence.raise_fence(world.url), "what restored nothing opens nothing"
    cli.ok("restore", "--path", str(elsewhere / "copy"), "--yes")
    cli.ok("account", "show", dana.email)


def test_nobody_reads_the_password_of_the_database_from_the_process_list() -> None:
    from nightlatch.store import copies

    settings = copies._settings("postgresql://me:hunter2@one:5432,two:5433/base?sslmode=require")
    assert settings["PGPASSWORD"] == "hunter2"
    assert settings["PGHOST"] == "one,two"
    assert settings["PGSSLMODE"] == "require"
