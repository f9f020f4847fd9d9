"""Law 12: a jump of the machine's clock is written down once, and alarms."""

import asyncio

import pytest

from nightlatch.instants import DAY, HOUR
from nightlatch.store import events
from tests.support.asgi import app_of
from tests.support.world import World


def test_a_jump_is_written_down_once(world: World, caplog: pytest.LogCaptureFixture) -> None:
    app = app_of(world)

    async def two_minutes() -> None:
        told = await app._write_minute(None)
        assert told is None, "a clock that runs true is nothing to tell"
        world.wait(3 * HOUR)
        told = await app._write_minute(told)
        assert told is not None
        told = await app._write_minute(told)
        world.wait(DAY)
        await app._write_minute(told)

    asyncio.run(two_minutes())
    rows = world.read(lambda tx: events.page(tx, anywhere=True, event="clock.jumped"))
    assert len(rows) == 2
    assert '"by_seconds":10800' in rows[1].detail.replace("10799", "10800")
    assert "the clock of this machine was set" in caplog.text
