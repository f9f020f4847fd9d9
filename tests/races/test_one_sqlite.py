"""One copy of SQLite in the process, and one that is safe (dependencies P1 and P2).

Two copies lose commits: POSIX locks belong to the process, and whichever copy closes the file lets go of the other's.
"""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pysqlite3
import pytest

import nightlatch
from nightlatch.store import migrate, sqlite
from nightlatch.store.engine import Unavailable
from tests.support.server import Serve, Server

SOURCE = Path(nightlatch.__file__).parent
STRANGERS = {"sqlite3", "_sqlite3", "aiosqlite", "apsw", "sqlean"}


def imported(path: Path) -> set[str]:
    """The top-level names that a module imports, wherever in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {each.name.partition(".")[0] for each in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            names.add(node.module.partition(".")[0])
    return names


def test_no_module_of_ours_imports_another_copy() -> None:
    found = {path.name: imported(path) & STRANGERS for path in SOURCE.rglob("*.py")}
    assert len(found) > 50
    assert {name: strangers for name, strangers in found.items() if strangers} == {}


EVERYTHING = """
import importlib, json, pkgutil, sys
import nightlatch
for module in pkgutil.walk_packages(nightlatch.__path__, "nightlatch."):
    if "migrations" not in module.name and not module.name.endswith("__main__"):
        importlib.import_module(module.name)
from nightlatch import wiring
from nightlatch.config import Config
from nightlatch.store import meta, migrate
from nightlatch.web.app import App
config = Config.from_environment()
migrate.upgrade(config.database_url)
house = wiring.build(config)
App(house)
house.store.write_now(lambda tx: meta.write(tx, "note", "there"))
house.store.read_now(lambda tx: meta.read(tx, "note"))
house.close()
print(json.dumps(sorted(sys.modules)))
"""


def test_nothing_that_we_use_imports_another_copy(tmp_path: Path) -> None:
    """Every module of ours, SQLAlchemy's dialect and Alembic's migrations from an empty file, in one process."""
    done = subprocess.run(
        [sys.executable, "-c", EVERYTHING],
        env={"NIGHTLATCH_DATA": str(tmp_path / "data"), "PATH": ""},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    assert {"pysqlite3", "sqlalchemy.dialects.sqlite", "alembic", "nightlatch.web.app"} <= loaded
    assert loaded & STRANGERS == set()


def libraries(pid: int) -> set[str]:
    """The shared libraries that a process has loaded and that are, or hold, a SQLite."""
    maps = Path(f"/proc/{pid}/maps").read_text().splitlines()
    paths = {line.split(maxsplit=5)[5] for line in maps if line.count(" ") >= 5 and ".so" in line}
    return {Path(path).name.partition(".")[0] for path in paths if "sqlite" in path.rpartition("/")[2]}


def processes(server: Server) -> list[int]:
    """Supervisor and workers."""
    group = subprocess.run(["pgrep", "-g", str(server.pid)], capture_output=True, text=True, check=True)
    return [int(line) for line in group.stdout.split()]


def test_the_running_server_has_one_copy_loaded(serve: Serve) -> None:
    """What the system itself says of every process of it, after it made its file and answered."""
    server = serve(migrate=False)
    pids = processes(server)
    assert len(pids) >= 2
    assert [libraries(pid) for pid in pids] == [{"_sqlite3"}] * len(pids)
    for pid in pids:
        (path,) = {
            line.split(maxsplit=5)[5]
            for line in Path(f"/proc/{pid}/maps").read_text().splitlines()
            if "_sqlite3" in line
        }
        assert "pysqlite3" in path


def test_the_version_is_one_without_the_known_corruption() -> None:
    """The WAL-reset race (fixed in 3.51.3) and the memory faults of FTS5 (fixed in 3.53.2)."""
    assert pysqlite3.sqlite_version_info >= (3, 53, 2)
    assert sqlite.SAFE_VERSION == (3, 53, 2)


@pytest.mark.parametrize("version", [(3, 40, 1), (3, 51, 2), (3, 53, 1)])
def test_an_older_version_is_refused(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch, version: tuple[int, int, int]
) -> None:
    monkeypatch.setattr(pysqlite3, "sqlite_version_info", version)
    with pytest.raises(Unavailable, match=r"3\.53\.2"):
        sqlite.connect(str(migrate.sqlite_path(sqlite_url)))
    with pytest.raises(Unavailable, match=r"3\.53\.2"):
        migrate.pending(sqlite_url)
