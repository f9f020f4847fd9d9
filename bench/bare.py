"""The bare loop: what one verification cannot do without, and nothing else, on the same file.

For each of a batch: the same keyed reads (session, proofs, authenticators, memberships, counter, seed), one decryption,
three HMACs, one guarded update; one durable commit a batch. Together with an empty answer that is the combined limit.
"""

import time
from pathlib import Path

from bench.seeding import token
from nightlatch.actions.tokens import hash_session_token
from nightlatch.authenticators import totp
from nightlatch.clock import Clock
from nightlatch.ids import to_text
from nightlatch.keyring import KeyRing
from nightlatch.store import authenticators, guesses, session_facts, sqlite
from nightlatch.store.engine import Transaction
from nightlatch.vocabulary import Credential


def seconds_each(folder: Path, people: int, batch: int) -> float:
    """CPU and waiting of this process for one verification of the bare loop, in seconds."""
    keys, clock = KeyRing.load(folder / "keys"), Clock()
    connection = sqlite.connect(str(folder / "nightlatch.sqlite"))
    began = time.process_time()
    for first in range(0, people, batch):
        connection.execute("BEGIN IMMEDIATE")
        tx = Transaction(connection.execute, "sqlite", clock.now(), keys)
        for number in range(first, min(people, first + batch)):
            _verify(tx, number)
        connection.execute("COMMIT")
    spent = time.process_time() - began
    connection.close()
    return spent / people


def _verify(tx: Transaction, number: int) -> None:
    known = session_facts.read_known(tx, hash_session_token(token(number)), Credential.BEARER)
    account_id = known.facts.account or 0
    guesses.peek(tx, "totp", str(account_id))
    bound = known.facts.authenticators[0]
    row = authenticators.seed(tx, bound.id, account_id)
    if row is None:
        raise RuntimeError("the bench's own data is missing")
    seed = tx.keys.open("authenticators", to_text(bound.id), row.sealed)
    step = totp.step_at(tx.now)
    for each in (step - 1, step, step + 1):
        totp.code_at(seed, each)
    authenticators.spend_step(tx, bound.id, 1)
