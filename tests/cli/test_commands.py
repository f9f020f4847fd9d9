"""The commands as a whole: their list, their speed, and how they say what is wrong."""

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from nightlatch import __version__
from nightlatch.cli import main
from tests.cli.conftest import Cli
from tests.support import server
from tests.support.world import World

HEAVY = ("sqlalchemy", "starlette", "pydantic", "cryptography", "granian", "jinja2", "alembic")


def test_version_and_help_load_nothing_heavy() -> None:
    for arguments in (["version"], ["--help"]):
        program = (
            f"import sys; sys.argv[1:] = {arguments!r}\n"
            "from nightlatch.cli import main\n"
            "try:\n    main()\n"
            "except SystemExit as end:\n    assert not end.code\n"
            f"print([name for name in {HEAVY!r} if name in sys.modules])"
        )
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        assert done.stdout.splitlines()[-1] == "[]"


def test_version() -> None:
    assert subprocess.check_output([server.program(), "version"], text=True) == f"{__version__}\n"


def test_every_listed_command_is_there_and_explains_itself() -> None:
    listed = CliRunner().invoke(main, ["--help"]).stdout
    for name in main.list_commands(None):  # type: ignore[arg-type]
        assert f"  {name} " in listed
        done = CliRunner().invoke(main, [name, "--help"])
        assert done.exit_code == 0
        assert "Usage:" in done.stdout


def test_wrong_usage_is_2(bare_cli: Cli) -> None:
    assert bare_cli("nonsense").code == 2
    assert bare_cli("migrate", "--nonsense").code == 2
    assert bare_cli("workspace", "create", "Acme").code == 2


def test_every_problem_of_the_configuration_is_told_at_once(bare_cli: Cli) -> None:
    done = bare_cli("workspace", "list", origin="ftp://x", port="0", workers="many")
    assert done.code == 2
    for name in ("NIGHTLATCH_ORIGIN", "NIGHTLATCH_PORT", "NIGHTLATCH_WORKERS"):
        assert name in done.err


def test_a_misspelt_setting_is_told(bare_cli: Cli) -> None:
    assert "NIGHTLATCH_ORIGIN" in bare_cli("migrate", orgin="https://x").err


def test_without_a_database_a_command_says_what_to_do(bare_cli: Cli, data: Path) -> None:
    done = bare_cli("workspace", "list")
    assert (done.code, done.out) == (1, "")
    assert "nightlatch migrate" in done.err
    assert list(data.iterdir()) == []


def test_migrate(bare_cli: Cli, data: Path) -> None:
    assert bare_cli("migrate", "--check").code == 1
    bare_cli.ok("migrate")
    bare_cli.ok("migrate")
    bare_cli.ok("migrate", "--check")
    assert (data / "nightlatch.db").stat().st_mode & 0o777 == 0o600


def test_migrate_makes_a_closed_folder(bare_cli: Cli, tmp_path: Path) -> None:
    bare_cli.ok("migrate", data=str(tmp_path / "deep" / "folder"))
    assert (tmp_path / "deep" / "folder").stat().st_mode & 0o777 == 0o700


@pytest.mark.postgres
def test_migrate_postgresql(bare_cli: Cli, blank_postgres_url: str) -> None:
    assert bare_cli("migrate", "--check", database_url=blank_postgres_url).code == 1
    bare_cli.ok("migrate", database_url=blank_postgres_url)
    bare_cli.ok("migrate", "--check", database_url=blank_postgres_url)


def test_a_newer_database_is_refused(cli: Cli, world: World) -> None:
    from sqlalchemy import text

    from nightlatch.store.query import Query

    world.write(lambda tx: tx.run(Query(text("UPDATE alembic_version SET version_num = '9999'"))))
    for command in (("migrate",), ("workspace", "list"), ("serve",)):
        done = cli(*command)
        assert done.code == 1
        assert "newer" in done.err


def test_wrong_keys_are_refused(cli: Cli, data: Path, world: World) -> None:
    (data / "keys").unlink()
    done = cli("workspace", "list")
    assert done.code == 2
    assert "keys" in done.err


def test_an_unreachable_database(bare_cli: Cli) -> None:
    done = bare_cli("workspace", "list", database_url="postgresql://secret:hunter2@127.0.0.1:1/x")
    assert done.code == 1
    assert "hunter2" not in done.err


def test_openapi_is_what_the_server_answers(bare_cli: Cli) -> None:
    document = bare_cli.ok("openapi").json
    assert document["openapi"].startswith("3.1")
    assert "/api/v1/session" in document["paths"]
