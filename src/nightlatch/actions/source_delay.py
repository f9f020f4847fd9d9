"""Failures from a network slow it down, whoever it tries to be; it is never shut out (law 5 e)."""

from nightlatch.actions.by import By
from nightlatch.actions.proving import Wait, must_wait
from nightlatch.budget import SOURCE, failed
from nightlatch.instants import HOUR
from nightlatch.sources import source_of
from nightlatch.store import guesses
from nightlatch.store.engine import Transaction


def source_wait(tx: Transaction, by: By) -> Wait | None:
    """Whether the network has to wait."""
    return must_wait(SOURCE, guesses.peek(tx, "source", source_of(by.ip)), tx.now)


def charge_source(tx: Transaction, by: By) -> None:
    """Something from there was wrong."""
    source = source_of(by.ip)
    counter = guesses.take(tx, "source", source)
    if tx.now - counter.last_at > HOUR:
        counter = type(counter)()
    guesses.keep(tx, "source", source, failed(counter, tx.now))
