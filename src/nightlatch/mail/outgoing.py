"""A mail with its envelope, and what a way out of here promises."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from nightlatch.instants import Instant


@dataclass(frozen=True, slots=True)
class OutgoingMail:
    """One mail to one address."""

    message_id: str
    """`<…@…>`, the same each time this mail is tried."""
    to: str
    """The stored address, as its owner writes it."""
    subject: str
    text: str
    html: str
    sender: str
    """`Nightlatch <no-reply@example.com>` or the address alone."""
    at: Instant
    """When it was put into the outbox: its Date, the same each time it is tried."""
    unsubscribe: str = ""
    """Where one POST says "never again" (RFC 8058); empty where there is nothing to unsubscribe from."""


class Undeliverable(Exception):
    """A mail did not leave. Nothing in here, the reason included, repeats any of the mail or of a login."""

    def __init__(self, permanent: bool, reason: str, *, everybody: bool = False) -> None:
        super().__init__(reason)
        self.permanent = permanent
        """Trying again will not help."""
        self.reason = reason
        """For the operator's log: our own words and the server's codes."""
        self.everybody = everybody
        """The trouble is the way out, not this mail: the next one would fare no better now."""


class Sender(Protocol):
    """A way for mails to leave. One object may be used by several threads; what `batch` gives, by one."""

    def send(self, mail: OutgoingMail) -> None:
        """Hand one mail over. Raises Undeliverable; returning means that the next server answers for it."""

    def batch(self) -> AbstractContextManager["Sender"]:
        """A sender for several mails in a row, over one connection where there is any."""
