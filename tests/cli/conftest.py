"""The command line, run in this process against a world; the real program is `serve` of the main conftest."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from nightlatch.cli import main
from nightlatch.store import migrate
from tests.support import programs
from tests.support.world import World


@dataclass(frozen=True)
class Done:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its output as JSON."""
        return json.loads(self.out)

    @property
    def items(self) -> Any:
        """The items of its list."""
        return self.json["items"]


class Cli:
    """Runs commands with one set of settings."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        self.settings = dict(settings)

    def __call__(self, *arguments: str, **settings: str) -> Done:
        named = {f"NIGHTLATCH_{name.upper()}": value for name, value in settings.items()}
        result = CliRunner().invoke(main, arguments, env={**self.settings, **named})
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Done(result.exit_code, result.stdout, result.stderr)

    def ok(self, *arguments: str, **settings: str) -> Done:
        """The same for a command that has to work."""
        done = self(*arguments, **settings)
        assert done.code == 0, done.out + done.err
        return done


_ADDRESS = {"NIGHTLATCH_PORT": str(programs.free_port()), "NIGHTLATCH_ORIGIN": "http://localhost:8000"}
"""Where `serve` would listen if it were not refused: never 8000, where a developer's own may be running."""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder."""
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture
def cli(world: World, data: Path) -> Cli:
    """The command line beside a world, with its database, keys and clock."""
    world.keys.save(data / "keys")
    if migrate.is_sqlite(world.url):
        for file in world.folder.glob(f"{migrate.sqlite_path(world.url).name}*"):
            file.chmod(0o600)
    return Cli(
        {
            "NIGHTLATCH_DATA": str(data),
            "NIGHTLATCH_DATABASE_URL": world.url,
            "NIGHTLATCH_TEST_CLOCK": str(world.clock_file),
            **_ADDRESS,
        }
    )


@pytest.fixture
def bare_cli(data: Path) -> Cli:
    """The command line with an empty data folder and nothing else."""
    return Cli({"NIGHTLATCH_DATA": str(data), **_ADDRESS})
