"""What a connection's rule takes a sign-in at its provider for."""

from dataclasses import replace

import pytest

from nightlatch.instants import HOUR, MINUTE
from nightlatch.policy import Acceptance, SsoRule, Told, evidence_of
from nightlatch.vocabulary import Evidence

NOW = 50 * HOUR
ACCEPT = Acceptance(
    SsoRule.ACCEPT, frozenset({"mfa", "otp"}), frozenset({"hwk", "urn:example:phr"}), max_age=30 * MINUTE
)
EXEMPT = Acceptance(SsoRule.EXEMPT, exempt_until=NOW + 1)
MFA, OTHER = Told(amr=frozenset({"pwd", "mfa"})), Told("urn:example:pwd", frozenset({"pwd"}))

TABLE: list[tuple[str, Acceptance, Told, int, Evidence]] = [
    ("nothing is listed by default", Acceptance(), MFA, NOW, Evidence.NONE),
    ("who always asks takes no listed value either", replace(ACCEPT, rule=SsoRule.ASK), MFA, NOW, Evidence.NONE),
    ("a listed value among amr", ACCEPT, MFA, NOW, Evidence.SECOND),
    ("or as acr", ACCEPT, Told("mfa"), NOW, Evidence.SECOND),
    ("one that is not listed", ACCEPT, OTHER, NOW, Evidence.NONE),
    ("nothing told", ACCEPT, Told(), NOW, Evidence.NONE),
    ("the stronger one of two", ACCEPT, Told("urn:example:phr", frozenset({"mfa"})), NOW, Evidence.RESISTANT),
    ("phishing-resistant among amr", ACCEPT, Told(amr=frozenset({"hwk"})), NOW, Evidence.RESISTANT),
    ("just young enough", ACCEPT, MFA, NOW - 30 * MINUTE + 1, Evidence.SECOND),
    ("just too old", ACCEPT, MFA, NOW - 30 * MINUTE, Evidence.NONE),
    ("when it was is not known", ACCEPT, MFA, 0, Evidence.NONE),
    ("no age is too old where none is set", replace(ACCEPT, max_age=None), MFA, 0, Evidence.SECOND),
    ("exempt, whatever was told", EXEMPT, OTHER, 0, Evidence.EXEMPT),
    ("until its very end", replace(EXEMPT, exempt_until=NOW), OTHER, NOW, Evidence.NONE),
    ("never without an end", replace(EXEMPT, exempt_until=None), MFA, NOW, Evidence.NONE),
    ("an end makes no exemption of another rule", Acceptance(exempt_until=NOW + 1), MFA, NOW, Evidence.NONE),
]  # fmt: skip


@pytest.mark.parametrize("rule,told,at,evidence", [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_the_table(rule: Acceptance, told: Told, at: int, evidence: Evidence):
    """A claim from a connection that is not configured for it counts for nothing."""
    assert evidence_of(rule, told, at, NOW) is evidence
    assert rule.stands(NOW) or evidence is Evidence.NONE


@pytest.mark.parametrize(
    "rule,stands",
    [
        (Acceptance(), False),
        (ACCEPT, True),
        (EXEMPT, True),
        (replace(EXEMPT, exempt_until=NOW), False),
        (replace(EXEMPT, exempt_until=None), False),
    ],
)
def test_whether_a_rule_stands(rule: Acceptance, stands: bool):
    """It takes a sign-in for more than a first factor, now."""
    assert rule.stands(NOW) is stands
