"""`nightlatch serve`: the real program, from its first start to its last request."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nightlatch.keyring import KeyRing
from nightlatch.store import meta
from tests.cli.conftest import Cli
from tests.support import programs
from tests.support.server import Serve, Server
from tests.support.world import World

IDLE_MEMORY = 150
"""MB that everything together may take (the issue's own figure)."""


def ask(server: Server, path: str, **headers: str) -> http.client.HTTPResponse:
    """One GET."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    connection.request("GET", path, headers={"Host": f"localhost:{server.port}", **headers})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer


@pytest.fixture(scope="module")
def shared(serve_module: Serve) -> Server:
    """A server for tests that leave it as it was."""
    return serve_module(migrate=False)


def processes(server: Server) -> list[int]:
    """The processes of a server that are alive, the supervisor first."""
    group = subprocess.run(["pgrep", "-g", str(server.pid)], capture_output=True, text=True, check=False)
    return sorted(int(line) for line in group.stdout.split())


def until(condition, seconds: float = 60) -> None:
    """Wait for something to come true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


# --- what it refuses ---


def test_every_problem_of_the_configuration(bare_cli: Cli) -> None:
    done = bare_cli("serve", origin="http://example.com", workers="0")
    assert done.code == 2
    assert "NIGHTLATCH_ORIGIN" in done.err
    assert "NIGHTLATCH_WORKERS" in done.err


def test_a_demo_database(cli: Cli, world: World) -> None:
    world.write(lambda tx: meta.write(tx, meta.DEMO, "made"))
    done = cli("serve", port=str(programs.free_port()))
    assert (done.code, "demo" in done.err) == (1, True)


def test_a_database_that_this_very_demo_made(serve: Serve) -> None:
    demo = serve("demo")
    assert demo.stop() == 0
    done = demo.run("serve")
    assert (done.returncode, "demo database" in done.stderr) == (1, True)


def test_wrong_keys(cli: Cli, data: Path) -> None:
    KeyRing.generate(lambda number: b"x" * number).save(data / "keys")
    done = cli("serve", port=str(programs.free_port()))
    assert (done.code, "keys" in done.err) == (2, True)


@pytest.mark.postgres
def test_postgresql_that_is_not_migrated(bare_cli: Cli, blank_postgres_url: str) -> None:
    done = bare_cli("serve", database_url=blank_postgres_url, port=str(programs.free_port()))
    assert (done.code, "nightlatch migrate" in done.err) == (1, True)


def test_a_port_that_is_taken(shared: Server, bare_cli: Cli) -> None:
    """Two servers would share it silently, each getting half of the requests."""
    done = bare_cli("serve", port=str(shared.port))
    assert (done.code, "NIGHTLATCH_PORT" in done.err) == (1, True)


# --- how it runs ---


def test_a_new_sqlite_file_is_made_and_migrated(serve: Serve) -> None:
    server = serve(migrate=False)
    assert ask(server, "/readyz").status == 200
    assert (server.folder / "data" / "nightlatch.db").stat().st_mode & 0o777 == 0o600
    assert (server.folder / "data").stat().st_mode & 0o077 == 0


@pytest.mark.postgres
def test_postgresql(serve: Serve, postgres_url: str) -> None:
    server = serve(database_url=postgres_url, workers="2")
    assert ask(server, "/readyz").status == 200
    assert server.stop() == 0


def test_no_version_is_told(shared: Server) -> None:
    for path in ("/healthz", "/sign-in", "/nowhere", "/api/v1/session"):
        answer = ask(shared, path)
        assert not re.search(r"\d", answer.headers.get("Server", ""))
        assert "X-Powered-By" not in answer.headers


def test_a_head_that_is_too_large(shared: Server) -> None:
    assert ask(shared, "/healthz", Cookie="a" * 8000).status == 200
    assert ask(shared, "/healthz", Cookie="a" * 100_000).status == 431
    assert shared.is_healthy()


def test_a_body_that_is_too_large(shared: Server) -> None:
    head = (
        "POST /api/v1/sign-in/password HTTP/1.1\r\nContent-Type: application/json\r\n"
        f"Host: localhost:{shared.port}\r\n"
    ).encode()
    told = head + b"Content-Length: 5000000\r\n\r\n{"
    untold = head + b"Transfer-Encoding: chunked\r\n\r\n" + 20 * (b"2000\r\n" + b"a" * 0x2000 + b"\r\n")
    for request in (told, untold):
        with socket.create_connection(("127.0.0.1", shared.port), timeout=60) as connection:
            connection.sendall(request)
            assert connection.recv(100).startswith(b"HTTP/1.1 413")
    assert shared.is_healthy()


def test_a_request_in_flight_is_finished(serve: Serve) -> None:
    server = serve(migrate=False)
    body = json.dumps({"email": "a@b.example", "password": "not so short a password"}).encode()
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(
            b"POST /api/v1/sign-in/password HTTP/1.1\r\nContent-Type: application/json\r\n"
            + f"Host: localhost:{server.port}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            + body[:10]
        )
        assert ask(server, "/readyz").status == 200  # it came later, so the one above has begun
        os.kill(server.pid, signal.SIGTERM)
        until(lambda: not server.is_healthy())
        connection.sendall(body[10:])
        assert connection.recv(100).startswith(b"HTTP/1.1 401")
    assert server.ended() == 0


@pytest.mark.parametrize("workers", ["1", "2"])
def test_it_ends_in_good_order(serve: Serve, workers: str) -> None:
    server = serve(migrate=False, workers=workers)
    assert len(processes(server)) == 1 + int(workers)
    group = server.pid
    assert server.stop() == 0
    assert subprocess.run(["pgrep", "-g", str(group)], check=False, capture_output=True).stdout == b""
    assert "ERROR" not in server.output()
    assert "Traceback" not in server.output()


def test_ctrl_c(serve: Serve) -> None:
    server = serve(migrate=False)
    os.killpg(server.pid, signal.SIGINT)  # as a terminal does: to all of them
    assert server.ended() == 0


def test_a_worker_that_dies_is_replaced(serve: Serve) -> None:
    server = serve(migrate=False)
    supervisor, worker = processes(server)
    os.kill(worker, signal.SIGKILL)
    until(lambda: len(processes(server)) == 2 and worker not in processes(server))
    until(server.is_healthy)
    assert supervisor == server.pid


def test_workers_do_not_outlive_their_supervisor(serve: Serve) -> None:
    server = serve(migrate=False, workers="2")
    supervisor, *workers = processes(server)
    os.kill(supervisor, signal.SIGKILL)
    until(lambda: not any(Path(f"/proc/{each}").exists() for each in workers))
    assert not server.is_healthy()


def test_several_workers_on_one_sqlite_file(serve: Serve) -> None:
    server = serve(migrate=False, workers="2")
    made = server.run("workspace", "create", "Acme", "--slug", "acme", "--owner", "dana@acme.example")
    assert made.returncode == 0, made.stderr
    body = json.dumps({"email": "dana@acme.example", "password": "not so short a password"})
    statuses = []
    for _ in range(12):  # each writes: an event, and a charged guess
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        connection.request(
            "POST",
            "/api/v1/sign-in/password",
            body,
            {"Host": f"localhost:{server.port}", "Content-Type": "application/json"},
        )
        statuses.append(connection.getresponse().status)
        connection.close()
    assert statuses[:5] == [401] * 5  # one budget, whichever worker judged
    assert set(statuses[6:]) == {429}


def test_mail_queued_beside_a_running_server_leaves(shared: Server) -> None:
    shared.run("workspace", "create", "Acme", "--slug", "acme", "--owner", "dana@acme.example")
    mails = shared.folder / "data" / "mail"
    until(lambda: mails.exists() and len(list(mails.glob("*.eml"))) == 1)


def test_fresh_keys_are_taken_up_without_a_stop(serve: Serve) -> None:
    server = serve(migrate=False)
    worker = processes(server)[1]
    assert server.run("keys", "rotate", "add").returncode == 0
    assert server.run("keys", "rotate", "promote").returncode == 0
    os.kill(server.pid, signal.SIGHUP)
    down = 0
    deadline = time.monotonic() + 60
    while worker in processes(server):
        down += not server.is_healthy()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert down == 0
    assert server.run("keys", "rotate", "finish").returncode == 0  # only the new key opens from now on
    assert ask(server, "/readyz").status == 200
    assert server.stop() == 0


def test_a_configuration_that_broke_meanwhile_stops_nobody(serve: Serve, tmp_path: Path) -> None:
    keys = tmp_path / "ring"
    KeyRing.create(keys)
    server = serve(migrate=False, environment={"NIGHTLATCH_KEYS_FILE": str(keys)})
    worker = processes(server)[1]
    keys.write_text("nonsense")
    os.kill(server.pid, signal.SIGHUP)
    until(lambda: worker not in processes(server), 20)
    assert ask(server, "/readyz").status == 200
    assert "NIGHTLATCH_KEYS" in server.output()


# --- what it says ---


def test_the_log_holds_no_path_and_no_token(shared: Server) -> None:
    token = "kT0xMm4Yc0FtZQ2s3vB1nD5wq8LrE7uH6jPaXyZ9oGI"
    for path in (f"/invitations/{token}", f"/tickets/{token}", f"/undo/{token}", f"/password-reset/{token}"):
        ask(shared, path)
    ask(shared, f"/api/v1/session?token={token}", Authorization=f"Bearer {token}")
    assert token not in shared.output()
    assert len(shared.output().splitlines()) == 1  # no access log: one line says where it serves


def test_an_error_is_told_by_place_and_type_alone() -> None:
    program = """
import logging
from nightlatch import logs
logs.configure()
def work(secret):
    raise ValueError(f"what of {secret}?")
try:
    try:
        work("hunter2")
    except ValueError as error:
        raise OSError(28, "No space left on device", "/secret/hunter2") from error
except OSError:
    logging.getLogger("nightlatch").exception("it failed\\nfor %s", "\\x1b[2J")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    first, *trace = done.stderr.splitlines()
    assert re.fullmatch(r"\S+ ERROR nightlatch: it failed\\nfor \\x1b\[2J", first)
    assert all(line.startswith("    ") for line in trace)
    assert any("in work" in line for line in trace)
    assert "ValueError" in done.stderr
    assert "No space left on device" in done.stderr
    assert "hunter2" not in done.stderr


# --- how large, how fast ---


def test_idle_memory(serve: Serve) -> None:
    server = serve(migrate=False)
    ask(server, "/sign-in")
    ask(server, "/api/v1/session")
    assert sum(map(_pss, processes(server))) < IDLE_MEMORY


def _pss(pid: int) -> float:
    """Megabytes of a process, what it shares counted by share."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    found = re.search(r"^Pss:\s+(\d+) kB", text, re.MULTILINE)
    assert found is not None
    return int(found[1]) / 1024


_ASKED = (
    "import os; from nightlatch import server; {before}; server._run_on(); print(os.sched_getscheduler(0))"
)


@pytest.mark.parametrize(
    "before,policy",
    [("pass", os.SCHED_BATCH), ("os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))", os.SCHED_IDLE)],
)
def test_threads_do_not_interrupt_each_other_unless_the_operator_says_otherwise(
    before: str, policy: int
) -> None:
    told = subprocess.run(
        [sys.executable, "-c", _ASKED.format(before=before)], check=True, capture_output=True, text=True
    )
    assert int(told.stdout) == policy


def test_workers_and_their_threads_are_scheduled_so(serve: Serve) -> None:
    server = serve()
    workers = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
    threads = [int(each.name) for worker in workers for each in Path(f"/proc/{worker}/task").iterdir()]
    assert len(threads) > 1
    assert {os.sched_getscheduler(each) for each in threads} == {os.SCHED_BATCH}
