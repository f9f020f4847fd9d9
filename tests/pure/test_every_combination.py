"""Every combination of what matters to a decision, in one workspace and between two, held against every property.

First of the password and the app (cases.py), then of the ways in beside them (ways.py).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import pytest

from nightlatch.decision import Action
from nightlatch.vocabulary import Reason
from tests.pure import cases, ways
from tests.pure.cases import Ground
from tests.pure.looking import MORE, PROPERTIES, Seen, look_through


@dataclass(frozen=True)
class Enumeration:
    """Grounds, what is asked on them, and how many decisions that is at least."""

    grounds: Callable[[], Iterator[Ground]]
    actions: Sequence[Action]
    least: int


ENUMERATIONS = {
    # All memberships, up to two authenticators in all states, all proofs, all purposes.
    "in one workspace": Enumeration(cases.one_workspace, cases.IN_ONE, 300_000),
    # All that one workspace, the other, or both may hold, with all proofs and purposes.
    "between two": Enumeration(cases.two_workspaces, cases.IN_TWO, 200_000),
    # Passkeys required, single sign-on, remembered browsers.
    "ways in one workspace": Enumeration(ways.in_one_workspace, cases.IN_ONE, 50_000),
    # What A asks for, provides or remembers, and B.
    "ways between two": Enumeration(ways.between_two, cases.IN_TWO, 20_000),
}


@cache
def seen_in(name: str) -> Seen:
    """What one of them came upon; gone through once."""
    found = ENUMERATIONS[name]
    return look_through(found.grounds(), found.actions)


@pytest.mark.parametrize("holds", [*PROPERTIES, MORE])
@pytest.mark.parametrize("name", ENUMERATIONS)
def test_every_combination(name: str, holds: str):
    """One property, over all of them."""
    broken = seen_in(name).broken[holds]
    assert not broken, "\n".join(broken)


@pytest.mark.parametrize("name", ENUMERATIONS)
def test_the_enumerations_are_not_empty(name: str):
    """Hundreds of thousands of decisions."""
    assert seen_in(name).decisions > ENUMERATIONS[name].least


def test_every_outcome_is_among_them():
    """Those of the password and the app are just these; and those that only another way in has."""
    assert seen_in("in one workspace").outcomes | seen_in("between two").outcomes == {
        ("Allow", Reason.ALLOWED),
        ("Challenge", Reason.FIRST_FACTOR),
        ("Challenge", Reason.SECOND_FACTOR),
        ("Challenge", Reason.SUSPENDED),
        ("Challenge", Reason.FRESHNESS),
        ("Enrol", Reason.MANDATE),
        ("Enrol", Reason.RESET),
        ("Deny", Reason.NOT_A_TEAMMATE),
        ("Deny", Reason.MAIL_PROOF),
        ("Deny", Reason.RECOVERY_LIMIT),
        ("Deny", Reason.ELSEWHERE_CLOSED),
    }
    of_two = {("Challenge", Reason.STRENGTH), ("Enrol", Reason.STRENGTH)}
    of_one = {*of_two, ("Challenge", Reason.SUSPENDED), ("Enrol", Reason.RESET)}
    assert of_one <= seen_in("ways in one workspace").outcomes
    assert of_two <= seen_in("ways between two").outcomes
