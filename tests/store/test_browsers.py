"""Browsers that have signed in fully before: known as long as they come back within 400 days."""

from sqlalchemy import select

from nightlatch.instants import DAY, HOUR
from nightlatch.store import sessions
from nightlatch.store.query import Query
from nightlatch.store.schema import browsers
from tests.support.world import Person, World

MINE, OTHER = b"m" * 32, b"o" * 32


def _signs_in(world: World, person: Person, browser: bytes = MINE) -> bool:
    return world.write(lambda tx: sessions.remember_browser(tx, browser, person.id))


def _is_known(world: World, person: Person) -> bool:
    return world.read(lambda tx: sessions.browser_known(tx, MINE, person.id))


def _last(world: World) -> list[int]:
    return [row.last_at for row in world.read(lambda tx: tx.all(Query(select(browsers.c.last_at))))]


def test_the_first_is_no_news_and_another_one_is_once(world: World) -> None:
    ana, ben = world.person("Ana"), world.person("Ben")
    told = [
        _signs_in(world, ana),
        _signs_in(world, ana, OTHER),
        _signs_in(world, ana, OTHER),
        _signs_in(world, ben),
    ]
    assert told == [False, True, False, False]


def test_one_that_comes_back_now_and_then_stays_known(world: World) -> None:
    ana = world.person("Ana")
    _signs_in(world, ana)
    world.wait(399 * DAY)
    _signs_in(world, ana)
    world.wait(399 * DAY)
    assert _is_known(world, ana)
    world.wait(DAY)
    assert not _is_known(world, ana)


def test_when_it_came_last_is_written_once_a_day(world: World) -> None:
    ana = world.person("Ana")
    _signs_in(world, ana)
    (first,) = _last(world)
    world.wait(23 * HOUR)
    _signs_in(world, ana)
    assert _last(world) == [first]
    world.wait(HOUR)
    _signs_in(world, ana)
    (later,) = _last(world)
    assert later >= first + DAY
