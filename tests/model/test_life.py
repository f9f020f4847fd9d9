"""The whole life of two workspaces at random, held against a model after every step (laws 2, 3, 7, 8, 9, 12 and 14).

Each life is the same in every run. To look for new ones: `LIVES=200 pytest tests/model`.
"""

import os
import random
from collections import Counter

import pytest

from tests.model.fate import Fate
from tests.support.world import World

LIVES = int(os.environ.get("LIVES", "8"))
STEPS = 80


def test_a_life(world: World) -> None:
    seen: Counter[str] = Counter()
    for number in range(LIVES):
        fate = Fate(world, random.Random(number))
        try:
            for _ in range(STEPS):
                fate.step()
        except AssertionError:
            pytest.fail(f"life {number}: {fate.told[-12:]}", pytrace=True)
        seen += fate.life.seen
    for what in ("said allow", "said challenge", "said enrol", "confirm", "code"):
        assert seen[what] >= 20, f"{what}: too little happened"
    for what in (
        "led to set-up",
        "reset",
        "return",
        "mandate now",
        "mandate off",
        "unbind",
        "remove",
        "role",
        "restore",
        "suspended",
        "waited and done",
        "approve",
        "app accepted",
        "key accepted",
        "key bound",
        "passkey shown",
        "signed in by passkey",
        "recovery code",
        "app taken away",
        "key taken away",
        "passkeys now",
        "passkeys later",
        "passkeys off",
        "led to a passkey",
        "passkeys now refused: not_enrolled",
        "passkeys later refused: grace_used",
        "mandate later refused: grace_used",
        "unbind refused: mandated",
        "unbind refused: last_owner",
        "let in by more time",
        "remove refused: last_owner",
        "role refused: last_owner",
        "leave refused: last_owner",
        "mandate now refused: not_enrolled",
        "ended by last_owner",
    ):
        assert seen[what] >= 1, f"{what}: it did not happen"
