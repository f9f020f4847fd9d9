"""Mail onto the console: for the operator who wants to see what would be sent."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from nightlatch.mail.mime import pack
from nightlatch.mail.outgoing import OutgoingMail, Sender


class ConsoleSender:
    """Shows the text of each mail."""

    def __init__(self, show: Callable[[str], object]) -> None:
        """`show` is given each mail in one call, as several lines."""
        self._show = show

    def send(self, mail: OutgoingMail) -> None:
        """Show one mail. Raises Undeliverable where no server would take it either."""
        packed = pack(mail)
        rule = "-" * 72
        self._show(_shown(f"{rule}\nTo: {packed.to}\nSubject: {mail.subject}\n\n{mail.text}{rule}"))

    @contextmanager
    def batch(self) -> Iterator[Sender]:
        """Itself."""
        yield self


def _shown(text: str) -> str:
    """Without what a terminal would obey."""
    return "".join(letter if letter.isprintable() or letter == "\n" else " " for letter in text)
