"""Mail into a folder, one file each, and the inbox that reads it: for trying things out without a mail
server.
"""

import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from email.parser import BytesHeaderParser, BytesParser
from email.utils import parsedate_to_datetime
from pathlib import Path

from nightlatch.instants import Instant, from_datetime, to_datetime
from nightlatch.mail.mime import pack
from nightlatch.mail.outgoing import OutgoingMail, Sender, Undeliverable

_NAME = re.compile(r"[0-9]{8}T[0-9]{6}\.[0-9]{6}Z-[0-9a-f]{16}\.eml")
_LINK = re.compile(r"https?://[A-Za-z0-9._~:/?#&=%+\-\[\]@]+")


class FolderSender:
    """Writes each mail as one `.eml` file, readable by its owner alone, whole or not at all.

    Names sort by the time the mail was made. The same mail sent again takes the place of the first.
    """

    def __init__(self, folder: Path) -> None:
        """The folder is made with the first mail."""
        self._folder = folder

    def send(self, mail: OutgoingMail) -> None:
        """Write one mail. Raises Undeliverable."""
        packed = pack(mail)
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _write(self._folder / file_name(mail), packed.data)
        except OSError as error:
            why = error.strerror or "unknown error"
            raise Undeliverable(
                permanent=False, reason=f"the mail folder cannot be written: {why}", everybody=True
            ) from None

    @contextmanager
    def batch(self) -> Iterator[Sender]:
        """Itself: a folder keeps nothing open."""
        yield self


def file_name(mail: OutgoingMail) -> str:
    """`20261124T091400.000000Z-0123456789abcdef.eml`: the same for the same mail."""
    same = hashlib.sha256(f"{mail.message_id}\0{mail.to}".encode("utf-8", "replace")).hexdigest()[:16]
    return f"{to_datetime(mail.at):%Y%m%dT%H%M%S.%fZ}-{same}.eml"


@dataclass(frozen=True, slots=True)
class Listed:
    """A mail in the list."""

    name: str
    subject: str
    to: str
    date: Instant


@dataclass(frozen=True, slots=True)
class Read:
    """A mail opened."""

    name: str
    subject: str
    to: str
    date: Instant
    text: str
    html: str
    links: tuple[str, ...]
    """The distinct links of the text."""


class FolderInbox:
    """The mails in a folder, whoever they are to."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, name: str) -> Read | None:
        """The mail of that name, or None. A name that `list` would not give opens nothing."""
        if not _NAME.fullmatch(name):
            return None
        try:
            data = (self._folder / name).read_bytes()
        except OSError:
            return None
        message = BytesParser(EmailMessage, policy=policy.default).parsebytes(data)
        text = _part(message, "plain")
        return Read(
            *_headers(name, message), text, _part(message, "html"), tuple(dict.fromkeys(_LINK.findall(text)))
        )

    def list(self, most: int = 200) -> tuple[Listed, ...]:
        """The newest mails, newest first."""
        try:
            names = sorted(filter(_NAME.fullmatch, os.listdir(self._folder)), reverse=True)
        except OSError:
            return ()
        return tuple(listed for name in names[:most] if (listed := self._listed(name)))

    def _listed(self, name: str) -> Listed | None:
        try:
            with (self._folder / name).open("rb") as file:
                return Listed(
                    *_headers(name, BytesHeaderParser(EmailMessage, policy=policy.default).parse(file))
                )
        except OSError:
            return None


def _headers(name: str, message: EmailMessage) -> tuple[str, str, str, Instant]:
    date = from_datetime(parsedate_to_datetime(message["Date"]))
    return name, str(message["Subject"]), str(message["To"]), date


def _part(message: EmailMessage, subtype: str) -> str:
    part = message.get_body(preferencelist=(subtype,))
    return "" if part is None else str(part.get_content()).replace("\r\n", "\n")


def _write(path: Path, data: bytes) -> None:
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")  # 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
