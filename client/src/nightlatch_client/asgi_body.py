"""The body of a request, looked at in passing: a form that has to be kept is still there after its view read it."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from nightlatch_client.forms import BODY_LIMIT
from nightlatch_client.view import View

Message = MutableMapping[str, Any]


class Body:
    """Hands the body on, and remembers it where it is a form, up to BODY_LIMIT bytes."""

    def __init__(self, receive: Callable[[], Awaitable[Message]], view: View) -> None:
        self._receive = receive
        self._remembers = view.is_form
        self._parts: list[bytes] = []
        self._size = 0
        self._done = False
        self.content_type = view.headers.get("content-type", "")

    async def receive(self) -> Message:
        """The next message, as the app receives it."""
        message = await self._receive()
        if self._remembers and message["type"] == "http.request":
            self._note(message)
        return message

    async def complete(self) -> bytes | None:
        """The whole form, what nobody has read yet included; None where it is too long or its sender is gone."""
        while self._remembers and not self._done and self._size <= BODY_LIMIT:
            message = await self._receive()
            if message["type"] != "http.request":
                return None
            self._note(message)
        if not self._remembers or self._size > BODY_LIMIT:
            return None
        return b"".join(self._parts)

    def _note(self, message: Message) -> None:
        part = message.get("body", b"")
        self._size += len(part)
        if self._size <= BODY_LIMIT:
            self._parts.append(part)
        else:
            self._parts.clear()
        self._done = not message.get("more_body", False)
