"""Opening an SMTP connection that a login and a mail may be trusted to, and reading refusals."""

import re
import smtplib
import ssl
from contextlib import suppress
from ipaddress import ip_address

from nightlatch.config import MailTarget
from nightlatch.mail.outgoing import Undeliverable

_ENHANCED = re.compile(rb"\s*([245]\.\d{1,3}\.\d{1,3})\b")
_OUR_LOGIN = frozenset((530, 534, 535, 538))  # RFC 4954 section 6: what no other recipient would cure


def connect(server: MailTarget, hello: str, timeout: float, context: ssl.SSLContext) -> smtplib.SMTP:
    """A connection that has greeted as `hello`, is encrypted where it can or must be, and is signed in where
    there is a login. STARTTLS is used wherever it is offered, and required where a login goes to another
    machine.

    Raises Undeliverable for everybody, temporarily: whatever is wrong here is for the operator to mend.
    """
    try:
        return _open(server, hello, timeout, context, starttls=True)
    except ssl.SSLError as error:
        unverified = isinstance(error, ssl.SSLCertVerificationError)
    if server.kind == "smtp" and _loopback(server):
        # A relay on this machine, with the certificate its package made up: nothing leaves the machine.
        return _open(server, hello, timeout, context, starttls=False)
    if unverified:
        raise _for_everybody("the mail server's certificate cannot be verified")
    raise _for_everybody("the mail server does not speak TLS as it should")


def probe(
    server: MailTarget, hello: str, *, timeout: float = 10.0, context: ssl.SSLContext | None = None
) -> tuple[str, bool]:
    """Connect, greet, encrypt and sign in as for a mail, and say goodbye; no mail is sent.

    What was agreed, in words, and whether the way to the server is closed to others (encrypted, or this machine).
    Raises Undeliverable.
    """
    connection = connect(server, hello, timeout, context or ssl.create_default_context())
    try:
        sock = connection.sock
        encrypted = isinstance(sock, ssl.SSLSocket)
        how = (sock.version() or "TLS") if isinstance(sock, ssl.SSLSocket) else "no TLS"
        with suppress(OSError, smtplib.SMTPException):
            connection.quit()
    finally:
        connection.close()
    login = "the login is accepted" if server.user else "no login"
    return f"{how}, {login}", encrypted or _loopback(server)


def refusal(what: str, code: int, reply: bytes | str, *, everybody: bool = False) -> Undeliverable:
    """What a refusal means. Of the server's words only the codes are kept: it may quote the mail, or the
    login.
    """
    octets = reply.encode("ascii", "replace") if isinstance(reply, str) else reply
    enhanced = _ENHANCED.match(octets)
    said = f"{code} {enhanced[1].decode()}" if enhanced else str(code)
    everybody = everybody or code in _OUR_LOGIN
    permanent = 500 <= code < 600 and not everybody
    return Undeliverable(permanent=permanent, reason=f"{what} ({said})", everybody=everybody)


def gone(error: OSError) -> Undeliverable:
    """What a connection that failed means; every exception of smtplib and ssl is an OSError."""
    if isinstance(error, smtplib.SMTPResponseException):
        what = "the mail server turned us away"
        return refusal(what, error.smtp_code, error.smtp_error, everybody=True)
    if timed_out(error):
        return _for_everybody("the mail server did not answer in time")
    if isinstance(error, smtplib.SMTPServerDisconnected):
        return _for_everybody("the mail server closed the connection")
    return _for_everybody("the mail server cannot be reached")


def timed_out(error: OSError) -> bool:
    """Whether nobody answered in time: smtplib reports most of those as a closed connection."""
    return isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError)


def _open(
    server: MailTarget, hello: str, timeout: float, context: ssl.SSLContext, *, starttls: bool
) -> smtplib.SMTP:
    connection: smtplib.SMTP | None = None
    try:
        connection = _dial(server, hello, timeout, context)
        connection.ehlo_or_helo_if_needed()
        if server.kind == "smtp":
            _encrypt(connection, server, context, starttls=starttls)
        if server.user:
            _log_in(connection, server)
    except BaseException as error:
        if connection is not None:
            connection.close()
        if isinstance(error, ssl.SSLError) or not isinstance(error, OSError):
            raise
        raise gone(error) from None
    return connection


def _dial(server: MailTarget, hello: str, timeout: float, context: ssl.SSLContext) -> smtplib.SMTP:
    if server.kind == "smtps":
        return smtplib.SMTP_SSL(server.host, server.port, hello, timeout=timeout, context=context)
    return smtplib.SMTP(server.host, server.port, hello, timeout=timeout)


def _encrypt(
    connection: smtplib.SMTP, server: MailTarget, context: ssl.SSLContext, *, starttls: bool
) -> None:
    if starttls and connection.has_extn("starttls"):
        connection.starttls(context=context)
        connection.ehlo_or_helo_if_needed()
    elif server.user and not _loopback(server):
        raise _for_everybody("the mail server offers no STARTTLS, and a login is not sent in the clear")


def _log_in(connection: smtplib.SMTP, server: MailTarget) -> None:
    try:
        connection.login(server.user, server.password)
    except smtplib.SMTPAuthenticationError as error:
        what = "the mail server refused our login"
        raise refusal(what, error.smtp_code, error.smtp_error, everybody=True) from None
    except smtplib.SMTPNotSupportedError:
        raise _for_everybody("the mail server takes no login here") from None
    except UnicodeEncodeError:
        raise _for_everybody("a mail login has ASCII letters only") from None


def _for_everybody(reason: str) -> Undeliverable:
    return Undeliverable(permanent=False, reason=reason, everybody=True)


def _loopback(server: MailTarget) -> bool:
    try:
        return ip_address(server.host).is_loopback
    except ValueError:
        return server.host == "localhost" or server.host.endswith(".localhost")
