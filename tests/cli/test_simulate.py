"""`nightlatch simulate`: a small company's rollout, played through."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from nightlatch.cli import main


@pytest.fixture(scope="module")
def chart(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("simulation") / "rollout.svg"


@pytest.fixture(scope="module")
def told(chart: Path):
    done = CliRunner().invoke(
        main, ["simulate", "--people", "60", "--seed", "4", "--json", "--chart", str(chart)]
    )
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_nobody_gets_in_below_policy_and_everybody_is_in_at_the_end(told):
    assert told["below_policy"] == 0
    assert len(told["days"]) == 42
    assert told["days"][-1]["not_set_up"] == 0
    assert told["days"][-1]["shut_out"] == 0


def test_something_happened(told):
    days = told["days"]
    assert days[0]["set_up"] < days[-1]["set_up"]
    assert told["set_up_on_the_spot"] > 0
    assert told["shut_out"], "somebody lost a phone and the codes"
    assert sum(told["thieves"].values()) > 0
    assert told["mails"] > 60


def test_the_chart_is_a_picture_with_a_title(told, chart: Path):
    drawn = chart.read_text("utf-8")
    assert drawn.startswith("<svg ")
    assert drawn.count("<title>") == 1
    assert drawn.count("<polygon ") == 3


def test_the_same_seed_is_the_same_play():
    first, second = (
        CliRunner().invoke(main, ["simulate", "--people", "20", "--seed", "9"]).stdout for _ in range(2)
    )
    assert first == second
    assert "Let in below what was required: 0." in first
