"""The lock files: hashes for everything, no address anywhere, and the versions that pyproject.toml asks for."""

import json
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = ["build", "dev", "run"]


def _lock(name: str) -> str:
    return (ROOT / "requirements" / f"{name}.txt").read_text()


def _pins(name: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9-]+)==([^ ]+)", _lock(name), re.MULTILINE))


def _name(requirement: str) -> str:
    return re.split(r"[^A-Za-z0-9-]", requirement, maxsplit=1)[0].lower()


@pytest.mark.parametrize("name", LOCKS)
def test_every_pin_has_its_hashes_and_no_line_names_an_address(name):
    lock = _lock(name)
    pins = [part for part in re.split(r"\n(?=\S)", lock) if "==" in part]
    assert len(pins) == len(_pins(name)) > 0
    assert all("--hash=sha256:" in pin for pin in pins)
    assert not re.search(r"://|--(index|extra-index|find-links)|@ ?file", lock)


def test_the_smaller_locks_are_parts_of_the_development_lock():
    assert _pins("run").items() <= _pins("dev").items()
    assert _pins("build").items() <= _pins("dev").items()


def test_the_locks_hold_what_the_project_asks_for():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert {_name(line) for line in project["dependencies"]} <= _pins("run").keys()
    for extra in project["optional-dependencies"].values():
        assert {_name(line) for line in extra} <= _pins("dev").keys()
    client = tomllib.loads((ROOT / "client/pyproject.toml").read_text())["project"]
    assert {_name(line) for line in client["dependencies"]} <= _pins("run").keys()
    for name in ("build", "run", "dev"):
        lines = (ROOT / "requirements" / f"{name}.in").read_text().splitlines()
        asked = {_name(line) for line in lines if line and not line.startswith(("#", "-"))}
        assert asked <= _pins("dev").keys()


def test_the_lock_of_the_certified_provider_names_no_address_either():
    folder = ROOT / "tests/support/oidc_provider"
    text = (folder / "package-lock.json").read_text()
    lock = json.loads(text)
    assert "omit-lockfile-registry-resolved=true" in (folder / ".npmrc").read_text()
    packages = {name: each for name, each in lock["packages"].items() if name}
    assert packages
    assert all("integrity" in each and "resolved" not in each for each in packages.values())
    assert "://" not in text
