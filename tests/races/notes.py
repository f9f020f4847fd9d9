"""Notes: the smallest thing that can be written, for tests of the engines."""

from nightlatch.store import meta
from nightlatch.store.engine import Body, Store, Transaction
from tests.support.world import World


def note(name: str, value: str = "there") -> Body[str]:
    """A body that writes one and returns its name."""

    def body(tx: Transaction) -> str:
        meta.write(tx, name, value)
        return name

    return body


def read_note(store: Store, name: str) -> str | None:
    """What one says."""
    return store.read_now(lambda tx: meta.read(tx, name))


def notes(world: World, *names: str) -> list[str]:
    """Those that are there."""
    return [name for name in names if read_note(world.store, name) is not None]
