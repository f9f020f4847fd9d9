"""A real SMTP server in a thread: keeps what it takes, and refuses, hangs or dies on demand."""

import asyncio
import email
import email.policy
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any, cast
from urllib.parse import quote

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.support import programs

OK = "250 2.0.0 taken"


@dataclass(frozen=True)
class Received:
    """One message, with the envelope that it came in."""

    sender: str
    recipients: tuple[str, ...]
    message: EmailMessage
    raw: bytes

    @property
    def subject(self) -> str:
        return str(self.message["Subject"])

    @property
    def text(self) -> str:
        """The plain part."""
        return self._part("plain")

    @property
    def html(self) -> str:
        """The HTML part."""
        return self._part("html")

    def _part(self, kind: str) -> str:
        part = self.message.get_body(preferencelist=(kind,))
        if part is None:
            raise AssertionError(f"the message {self.subject!r} has no {kind} part")
        return str(part.get_content())


class MailServer:
    """`smtp://127.0.0.1:port`. With `login`, (user, password), it takes mail only after that AUTH."""

    def __init__(
        self,
        *,
        login: tuple[str, str] | None = None,
        tls: ssl.SSLContext | None = None,
        starttls: bool = False,
    ) -> None:
        self.port = programs.free_port()
        self.messages: list[Received] = []
        self._login = login
        self._tls = tls
        self._starttls = starttls
        self._refusals: list[str] = []
        self._refused: dict[str, str] = {}
        self._changed = threading.Condition()
        self._open = threading.Event()
        self._open.set()
        self._controller: Controller | None = None

    @property
    def url(self) -> str:
        """As NIGHTLATCH_MAIL takes it."""
        scheme = "smtps" if self._tls and not self._starttls else "smtp"
        user = ":".join(quote(part, safe="") for part in self._login) + "@" if self._login else ""
        return f"{scheme}://{user}127.0.0.1:{self.port}"

    def start(self) -> None:
        """Listen (again, on the same port, after `stop`)."""
        options: dict[str, Any] = {
            "hostname": "127.0.0.1",
            "port": self.port,
            "authenticator": self._authenticate if self._login else None,
            "auth_required": self._login is not None,
            # A test's server is on loopback; whether our side insists on TLS is our side's to show.
            "auth_require_tls": False,
        }
        if self._tls and self._starttls:
            options |= {"tls_context": self._tls, "require_starttls": True}
        elif self._tls:
            options |= {"ssl_context": self._tls}
        self._controller = Controller(self, **options)
        self._controller.start()

    def stop(self) -> None:
        """Stop listening: what a dead mail server looks like. What came in is kept."""
        if self._controller is not None:
            self._open.set()
            self._controller.stop()
            self._controller = None

    def refuse(self, times: int = 1, reply: str = "451 4.3.0 try again later") -> None:
        """Answer the next `times` messages with `reply` after their data."""
        with self._changed:
            self._refusals += [reply] * times

    def refuse_recipient(self, address: str, reply: str = "550 5.1.1 no such mailbox") -> None:
        """Answer every RCPT TO for `address` with `reply`."""
        self._refused[address.lower()] = reply

    def accept_all(self) -> None:
        """Take everything again."""
        with self._changed:
            self._refusals.clear()
            self._refused.clear()

    def hang(self) -> None:
        """Leave clients waiting after their data until `resume` (or `stop`)."""
        self._open.clear()

    def resume(self) -> None:
        """End `hang`."""
        self._open.set()

    def to(self, address: str) -> list[Received]:
        """What `address` got so far, oldest first."""
        with self._changed:
            return [message for message in self.messages if address in message.recipients]

    def wait(self, number: int = 1, *, to: str | None = None, seconds: float = 60) -> list[Received]:
        """Wait until at least `number` messages (to an address) have come; all of those, oldest first."""

        def come() -> list[Received]:
            return [message for message in self.messages if to is None or to in message.recipients]

        return self._wait(
            lambda: len(come()) >= number, come, f"{number} message(s) to {to or 'anybody'}", seconds
        )

    def wait_for(self, to: str, subject: str, *, seconds: float = 60) -> Received:
        """Wait for a message to `to` whose subject contains `subject`; the newest such."""

        def come() -> list[Received]:
            return [one for one in self.messages if to in one.recipients and subject in one.subject]

        return self._wait(lambda: bool(come()), come, f"a message to {to} about {subject!r}", seconds)[-1]

    def _wait(
        self, done: Callable[[], bool], answer: Callable[[], list[Received]], what: str, seconds: float
    ) -> list[Received]:
        with self._changed:
            if not self._changed.wait_for(done, timeout=seconds):
                came = [(message.recipients, message.subject) for message in self.messages]
                raise AssertionError(f"no {what} within {seconds} s; came: {came}")
            return answer()

    # What aiosmtpd calls, by these names, in its own thread.

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        reply = self._refused.get(address.lower())
        if reply:
            return reply
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return OK

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        while not self._open.is_set():
            await asyncio.sleep(0.02)
        raw = cast(bytes, envelope.content)
        message = email.message_from_bytes(raw, policy=email.policy.default)
        with self._changed:
            if self._refusals:
                return self._refusals.pop(0)
            received = Received(envelope.mail_from or "", tuple(envelope.rcpt_tos), message, raw)
            self.messages.append(received)
            self._changed.notify_all()
        return OK

    def _authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object
    ) -> AuthResult:
        given = (data.login.decode(), data.password.decode()) if isinstance(data, LoginPassword) else None
        return AuthResult(success=given == self._login, handled=False)
