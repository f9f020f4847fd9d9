"""What client/README.md shows is so: its code runs, and what it names is there."""

import ast
import re
from pathlib import Path

import pytest

import nightlatch_client
from nightlatch_client.asgi import Guard
from nightlatch_client.django import conf  # the names of the settings
from nightlatch_client.standin import StandIn

CLIENT = Path(__file__).parents[2] / "client"
TEXT = (CLIENT / "README.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)


def test_every_example_is_python():
    assert len(BLOCKS) == 6
    for block in BLOCKS:
        ast.parse(block)


def test_the_first_example_runs_as_it_stands():
    names: dict[str, object] = {}
    exec(BLOCKS[0], names)  # noqa: S102
    nl, app = names["nl"], names["app"]
    assert isinstance(nl, nightlatch_client.Nightlatch)
    assert nl.people is names["everyone"]
    assert [each.cls for each in app.user_middleware] == [Guard]  # type: ignore[attr-defined]


@pytest.mark.parametrize("block", BLOCKS)
def test_what_the_examples_import_and_call_is_there(block: str):
    tree = ast.parse(block)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("nightlatch_client"):
            module = __import__(node.module or "", fromlist=["x"])
            assert all(hasattr(module, each.name) for each in node.names)
    for name in re.findall(r"\bnl\.(\w+)", block):
        assert hasattr(nightlatch_client.Nightlatch, name), name
    for name in re.findall(r"\bnightlatch\.(\w+)\(", block):
        assert hasattr(StandIn, name), name


def test_the_settings_of_django_are_complete():
    section = TEXT[TEXT.index("## Django") : TEXT.index("## Keeping people")]
    for name in (*conf._OPTIONAL, *conf._OWN):
        assert f'"{name}"' in section or f"`{name}`" in section, name


def test_the_public_names_are_lazy_and_complete():
    for name in nightlatch_client.__all__:
        assert getattr(nightlatch_client, name).__name__ == name
    assert sorted(nightlatch_client.__all__) == sorted(nightlatch_client._WHERE)
    with pytest.raises(AttributeError):
        _ = nightlatch_client.nothing
