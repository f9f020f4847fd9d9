"""What comes of a network slows it down, whoever it tries to be; it is never shut out (law 5 e)."""

from nightlatch.actions.by import By
from nightlatch.actions.proving import Wait, must_wait
from nightlatch.budget import FRESH, SOURCE, WAYS, failed
from nightlatch.instants import HOUR
from nightlatch.sources import source_of
from nightlatch.store import guesses
from nightlatch.store.engine import Transaction

_WAYS_DOOR = "sso"


def source_wait(tx: Transaction, by: By) -> Wait | None:
    """Whether the network has to wait."""
    return must_wait(SOURCE, guesses.peek(tx, "source", source_of(by.ip)), tx.now)


def charge_source(tx: Transaction, by: By) -> None:
    """Something from there was wrong."""
    _charge(tx, "source", by)


def way_wait(tx: Transaction, by: By) -> Wait | None:
    """Whether the network has to wait before somebody there goes off to an identity provider again."""
    return must_wait(WAYS, guesses.peek(tx, _WAYS_DOOR, source_of(by.ip)), tx.now)


def charge_way(tx: Transaction, by: By) -> None:
    """Somebody there goes off to an identity provider."""
    _charge(tx, _WAYS_DOOR, by)


def way_led_in(tx: Transaction, by: By) -> None:
    """Somebody there came back and is let in: people work there."""
    guesses.clear(tx, _WAYS_DOOR, source_of(by.ip))


def _charge(tx: Transaction, door: str, by: By) -> None:
    """An hour without any begins anew."""
    source = source_of(by.ip)
    counter = guesses.take(tx, door, source)
    if tx.now - counter.last_at > HOUR:
        counter = FRESH
    guesses.keep(tx, door, source, failed(counter, tx.now))
