"""The writer held in a body, so that what is queued meanwhile becomes one batch."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from nightlatch.store.engine import Store, Transaction

PATIENCE = 60
"""Seconds after which something that does not happen has failed."""


@contextmanager
def held(store: Store) -> Iterator[None]:
    """Everything that is written meanwhile waits behind one body that does nothing."""
    entered, release = threading.Event(), threading.Event()

    def body(tx: Transaction) -> None:
        entered.set()
        assert release.wait(PATIENCE)

    thread = threading.Thread(target=store.write_now, args=(body,))
    thread.start()
    assert entered.wait(PATIENCE)
    try:
        yield
    finally:
        release.set()
        thread.join()
