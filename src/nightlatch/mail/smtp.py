"""Mail by SMTP (RFC 5321), with the standard library, for use in a thread."""

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NoReturn

from nightlatch.config import MailTarget
from nightlatch.mail.mime import Packed, pack
from nightlatch.mail.outgoing import OutgoingMail, Sender, Undeliverable
from nightlatch.mail.smtp_connection import connect, gone, refusal, timed_out

_ASCII_ONLY = "the mail server takes no address with letters beyond ASCII (SMTPUTF8)"


class SmtpSender:
    """Hands mails to one server. Sending opens a connection; a batch keeps it for all its mails."""

    def __init__(
        self, server: MailTarget, *, timeout: float = 15.0, context: ssl.SSLContext | None = None
    ) -> None:
        """`timeout` in seconds, for each answer of the server; `context` replaces the system's trust."""
        self._server = server
        self._timeout = timeout
        self._context = context or ssl.create_default_context()

    def send(self, mail: OutgoingMail) -> None:
        """One mail over a connection of its own. Raises Undeliverable."""
        with self.batch() as batch:
            batch.send(mail)

    @contextmanager
    def batch(self) -> Iterator[Sender]:
        """A sender over one connection, opened with the first mail and closed at the end. For one thread."""
        batch = _Batch(self._server, self._timeout, self._context)
        try:
            yield batch
        finally:
            batch.close()


class _Batch:
    """One connection's worth of mails."""

    def __init__(self, server: MailTarget, timeout: float, context: ssl.SSLContext) -> None:
        self._server = server
        self._timeout = timeout
        self._context = context
        self._connection: smtplib.SMTP | None = None
        self._out_of_order: Undeliverable | None = None

    def send(self, mail: OutgoingMail) -> None:
        packed = pack(mail)
        if self._out_of_order:  # every mail of a batch waiting for the same dead server would take hours
            raise Undeliverable(permanent=False, reason=self._out_of_order.reason, everybody=True)
        try:
            self._send(packed)
        except Undeliverable as failure:
            if failure.everybody:
                self._out_of_order = failure
                self.close()
            raise

    @contextmanager
    def batch(self) -> Iterator[Sender]:
        yield self

    def close(self) -> None:
        """Say goodbye, if there is anybody to say it to."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(OSError, smtplib.SMTPException):
                connection.quit()
            connection.close()

    def _send(self, packed: Packed) -> None:
        used_before = self._connection is not None
        try:
            self._converse(packed)
        except OSError as error:
            self.close()
            if not used_before or timed_out(error):
                raise gone(error) from None
        else:
            return
        # A server may end a connection after some time or some mails: that says nothing about this one.
        try:
            self._converse(packed)
        except OSError as error:
            raise gone(error) from None

    def _converse(self, packed: Packed) -> None:
        if self._connection is None:
            self._connection = connect(
                self._server, packed.sender.rpartition("@")[2], self._timeout, self._context
            )
        connection = self._connection
        options = []
        if packed.needs_smtputf8:
            if not connection.has_extn("smtputf8"):
                raise Undeliverable(permanent=True, reason=_ASCII_ONLY)
            options = ["SMTPUTF8", "BODY=8BITMIME"]
        code, reply = connection.mail(packed.sender, options)
        if code != 250:
            self._refused("the sender's address", code, reply, everybody=True)
        code, reply = connection.rcpt(packed.to)
        if code not in (250, 251):
            self._refused("the recipient's address", code, reply)
        code, said = _data(connection, packed.data)
        if code != 250:
            self._refused("the message", code, said)

    def _refused(self, what: str, code: int, reply: bytes | str, *, everybody: bool = False) -> NoReturn:
        """Leaves the connection ready for the next mail."""
        if code == 421:  # "I am closing this connection", in whatever state it was
            raise smtplib.SMTPServerDisconnected
        if self._connection is not None:
            with suppress(OSError):
                self._connection.rset()
        raise refusal(f"the mail server refused {what}", code, reply, everybody=everybody) from None


def _data(connection: smtplib.SMTP, data: bytes) -> tuple[int, bytes | str]:
    try:
        return connection.data(data)
    except smtplib.SMTPDataError as error:
        return error.smtp_code, error.smtp_error
