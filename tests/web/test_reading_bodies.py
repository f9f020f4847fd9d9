"""A body as a server hands it over: in pieces, cut off, with and without a length that was declared."""

import asyncio
from typing import Any

import pytest
from starlette.requests import Request

from nightlatch.refusals import Code, Refused
from nightlatch.web.json_body import read_body

LIMIT = 10


class Served:
    """One request's body, piece by piece; what was asked for after the last piece is told as the client's end."""

    def __init__(self, *pieces: bytes, length: str | None = None) -> None:
        headers = [(b"content-length", length.encode("latin-1"))] if length is not None else []
        self.scope: dict[str, Any] = {"type": "http", "headers": headers}
        self.waiting = [
            {"type": "http.request", "body": each, "more_body": number < len(pieces)}
            for number, each in enumerate(pieces, 1)
        ]
        self.asked = 0

    async def receive(self) -> dict[str, Any]:
        self.asked += 1
        return self.waiting.pop(0) if self.waiting else {"type": "http.disconnect"}

    def read(self) -> bytes:
        return asyncio.run(read_body(Request(self.scope, self.receive), LIMIT))

    def refused(self) -> Code:
        with pytest.raises(Refused) as refusal:
            self.read()
        return refusal.value.code


@pytest.mark.parametrize(
    "pieces", [(b"abcdef",), (b"abc", b"def"), (b"", b"abcdef", b""), (b"a", b"bcdef", b"")]
)
@pytest.mark.parametrize("length", [None, "6"])
def test_whole_whatever_the_pieces(pieces: tuple[bytes, ...], length: str | None) -> None:
    assert Served(*pieces, length=length).read() == b"abcdef"


def test_the_end_is_not_asked_for_where_the_length_is_known() -> None:
    """A server answers that from another thread."""
    known, unknown = Served(b"abcdef", b"", length="6"), Served(b"abcdef", b"")
    assert known.read() == unknown.read() == b"abcdef"
    assert (known.asked, unknown.asked) == (1, 2)
    nothing = Served(b"", length="0")
    assert nothing.read() == b""
    assert nothing.asked == 0


@pytest.mark.parametrize("length", [None, "6"])
@pytest.mark.parametrize("pieces", [(), (b"abc",)])
def test_cut_off_is_no_body(pieces: tuple[bytes, ...], length: str | None) -> None:
    served = Served(*pieces, length=length)
    for each in served.waiting:
        each["more_body"] = True
    assert served.refused() is Code.MALFORMED


def test_longer_than_it_may_be() -> None:
    assert Served(b"x" * 11).refused() is Code.TOO_LARGE
    assert Served(b"x" * 6, b"x" * 5).refused() is Code.TOO_LARGE
    said = Served(b"x" * 11, length="11")
    assert said.refused() is Code.TOO_LARGE
    assert said.asked == 0, "it was said to be too long: none of it is read"
    assert Served(b"x" * 10, length="10").read() == b"x" * 10


@pytest.mark.parametrize("length", ["", "-1", "six", "6, 6", "\xb2", "1e1"])
def test_a_length_that_is_no_number_says_nothing(length: str) -> None:
    assert Served(b"abc", b"def", length=length).read() == b"abcdef"
