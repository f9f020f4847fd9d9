"""The ways that a browser has been sent: the state that has to come back, and where to go afterwards. Sealed."""

import hmac
import json
from dataclasses import asdict, dataclass, field, replace
from typing import Literal

from nightlatch_client.cookies import ROOM, WAY_SECONDS
from nightlatch_client.sealed import Box

MOST = 3
FormFate = Literal["none", "kept", "lost"]


@dataclass(frozen=True, slots=True)
class Way:
    """One way: for whom, back to which path, and what became of the form that was on its way."""

    state: str = field(repr=False)
    person: str
    path: str
    at: int
    form: FormFate = "none"


@dataclass(frozen=True, slots=True)
class Ways:
    """A browser's ways, the newest last, and the page of Nightlatch that waits for the product's own sign-in."""

    ways: tuple[Way, ...] = ()
    open: str | None = None
    open_at: int = 0

    def with_way(self, way: Way) -> "Ways":
        """With one more; of the ways with a form only the newest has it still."""
        ways = self.ways
        if way.form == "kept":
            ways = tuple(replace(each, form="lost") if each.form == "kept" else each for each in ways)
        return replace(self, ways=(*ways, way)[-MOST:])

    def take(self, state: str) -> "tuple[Way | None, Ways]":
        """The way of that state, compared in constant time, and what is left without it."""
        found = None
        left: list[Way] = []
        for way in self.ways:
            if hmac.compare_digest(way.state.encode(), state.encode("utf-8", "backslashreplace")):
                found = way
            else:
                left.append(way)
        return found, replace(self, ways=tuple(left))

    def waiting(self, name: str | None, now: float) -> "Ways":
        """With the page to open after the product's sign-in; None: nothing waits (any more)."""
        return replace(self, open=name, open_at=int(now) if name is not None else 0)

    def __bool__(self) -> bool:
        return bool(self.ways) or self.open is not None


def seal_ways(box: Box, name: str, ways: Ways) -> str:
    """The cookie's value."""
    while True:
        plain = json.dumps(asdict(ways), separators=(",", ":"))
        sealed = box.seal(name, plain.encode("utf-8", "backslashreplace"))
        if len(sealed) <= ROOM or len(ways.ways) <= 1:
            return sealed
        ways = replace(ways, ways=ways.ways[1:])


def open_ways(box: Box, name: str, value: str | None, now: float) -> Ways:
    """The ways of a cookie that are young enough; none where it is not one of ours."""
    plain = box.open(name, value) if value else None
    if plain is None:
        return Ways()
    found = json.loads(plain)  # sealed by us
    since = now - WAY_SECONDS
    ways = tuple(way for way in (Way(**each) for each in found["ways"]) if way.at >= since)
    waits = found["open"] is not None and found["open_at"] >= since
    return Ways(ways, found["open"] if waits else None, found["open_at"] if waits else 0)
