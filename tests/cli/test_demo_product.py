"""scripts/demo, what `make run` runs: the demo world and Acme Notes behind it, started and stopped together."""

import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pysqlite3
import pytest

from nightlatch.demo.phone import Phone
from nightlatch.demo.product import HANDLE, TEAMS
from tests.support import programs
from tests.support.demo_pair import DemoPair


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[DemoPair]:
    """Not started yet."""
    made = DemoPair(tmp_path)
    yield made
    made.close()


def ask(pair: DemoPair, sql: str) -> list[tuple[object, ...]]:
    """What the world's database says."""
    connection = pysqlite3.connect(f"file:{pair.data / 'nightlatch.db'}?mode=ro", uri=True)
    try:
        found: list[tuple[object, ...]] = connection.execute(sql).fetchall()
        return found
    finally:
        connection.close()


@pytest.mark.slow
def test_both_are_started_and_stopped_together(pair: DemoPair) -> None:
    pair.start()
    assert all(pair.answers(port) for port in pair.ports)
    secret = pair.data / "acme-notes.secret"
    assert secret.stat().st_mode & 0o777 == 0o600
    assert ask(pair, "SELECT handle, colour, logo_type FROM apps") == [(HANDLE, "#0f766e", "image/png")]
    people = "SELECT i.subject, w.app_key FROM teammates t JOIN identities i ON i.account_id = t.account_id "
    people += "JOIN workspaces w ON w.id = t.workspace_id WHERE w.app_id IS NOT NULL"
    assert set(ask(pair, people)) == {(part.local, team[0]) for team, part, _ in TEAMS}
    entries = [entry.account for entry in Phone(pair.data).entries() if entry.issuer == "Acme Notes"]
    assert sorted(entries) == [f"{name}@acme.example" for name in ("ana", "dana", "priya")]
    assert pair.stop(signal.SIGINT) == 0
    assert not any(pair.answers(port) for port in pair.ports)

    # Again, at another port and with the secret lost: the same registration, another origin, a new secret.
    old = secret.read_text()
    secret.unlink()
    pair.ports = programs.free_port(), programs.free_port()
    pair.start()
    assert secret.read_text() != old
    assert ask(pair, "SELECT origin FROM app_origins") == [(pair.acme,)]
    assert ask(pair, "SELECT count(*) FROM apps") == [(1,)]
    assert len(ask(pair, people)) == len(TEAMS)
    assert pair.stop() == 0
    assert not any(pair.answers(port) for port in pair.ports)
    assert "Traceback" not in pair.output()


def test_a_taken_port_is_said_before_anything_is_made(pair: DemoPair) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", pair.ports[1]))
        taken.listen()
        with pytest.raises(RuntimeError, match="set ACME_PORT"):
            pair.start()
    assert not pair.data.exists()
