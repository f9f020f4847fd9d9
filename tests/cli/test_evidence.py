"""`nightlatch audit evidence`: for people, as CSV and as JSON."""

import csv
import io

from nightlatch.web.api.evidence_models import Evidence
from tests.cli.conftest import Cli


def test_evidence_of_a_workspace(cli: Cli) -> None:
    cli.ok("workspace", "create", "Acme", "--slug", "acme", "--owner", "dana@example.com")
    text = cli.ok("audit", "evidence", "acme").out
    assert "Acme at " in text
    assert "2FA: off; decided by The operator" in text
    assert "No teammates." in text
    found = cli.ok("audit", "evidence", "acme", "--json").json
    Evidence.model_validate(found)
    assert found["policy"]["decided_by"]["kind"] == "operator"
    rows = list(csv.DictReader(io.StringIO(cli.ok("audit", "evidence", "acme", "--csv").out)))
    assert [row["record"] for row in rows] == ["workspace", "policy", "managed_by"]
    assert cli.ok("audit", "evidence", "acme", "--on", found["on"], "--json").json["on"] == found["on"]


def test_what_it_refuses(cli: Cli) -> None:
    cli.ok("workspace", "create", "Acme", "--slug", "acme", "--owner", "dana@example.com")
    before = cli("audit", "evidence", "acme", "--on", "2020-01-01")
    assert (before.code, "events begin on" in before.err) == (1, True)
    assert cli("audit", "evidence", "acme", "--on", "2999-01-01").code == 1
    assert cli("audit", "evidence", "acme", "--on", "24.11.2026").err == "This is a day such as 2026-11-24.\n"
    assert cli("audit", "evidence", "nowhere").code == 1
    assert cli("audit", "evidence", "acme", "--csv", "--json").code == 2
