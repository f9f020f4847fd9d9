"""Two transactions, the second of which comes before the first has committed: a race, every time."""

import threading
from concurrent.futures import ThreadPoolExecutor

from nightlatch.instants import MINUTE, SECOND
from nightlatch.store.engine import Body, T, Transaction
from tests.support.world import World

HOLD = MINUTE // 120  # long enough for the second to have come


def overtaken(world: World, first: Body[T], second: Body[T]) -> tuple[T | Exception, T | Exception]:
    """What each returned or raised. The first holds its transaction open until the second has had its time."""
    inside = threading.Event()

    def hold(tx: Transaction) -> T:
        result = first(tx)
        inside.set()
        threading.Event().wait(HOLD / SECOND)
        return result

    def run(body: Body[T]) -> T | Exception:
        try:
            return world.write(body)
        except Exception as error:
            inside.set()
            return error

    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(run, hold)
        inside.wait()
        two = pool.submit(run, second)
        return one.result(), two.result()
