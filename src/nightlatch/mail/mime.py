"""A mail as the octets that go over the wire (RFC 5322, RFC 2045, RFC 3834, RFC 8058)."""

import hashlib
import re
from dataclasses import dataclass
from email.errors import HeaderParseError
from email.headerregistry import Address as Mailbox
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime, parseaddr

from nightlatch.addresses import BadAddress, parse
from nightlatch.instants import to_datetime
from nightlatch.mail.outgoing import OutgoingMail, Undeliverable

_MESSAGE_ID = re.compile(r"<[!-;=?-~]+@[A-Za-z0-9.-]+>")


@dataclass(frozen=True, slots=True)
class Packed:
    """A mail ready to be handed to a server."""

    sender: str
    to: str
    needs_smtputf8: bool
    """An address has other letters than ASCII before its @ (RFC 6531)."""
    data: bytes
    """Headers and body with CRLF line ends, no line longer than 998 octets, the body in ASCII."""


def pack(mail: OutgoingMail) -> Packed:
    """The octets of a mail: the same ones each time.

    Raises Undeliverable, permanently, for an address that cannot be read and for a header that would need a
    second line.
    """
    display, sender = _sender(mail.sender)
    to = _recipient(mail.to)
    international = not (sender + to).isascii()
    message = EmailMessage(policy=SMTPUTF8 if international else SMTP)
    try:
        message["Message-ID"] = _message_id(mail.message_id)
        message["Date"] = format_datetime(to_datetime(mail.at).replace(microsecond=0))
        message["From"] = _mailbox(sender, display)
        message["To"] = _mailbox(to)
        message["Subject"] = _one_line(mail.subject, "the subject")
        message["Auto-Submitted"] = "auto-generated"
        message["X-Auto-Response-Suppress"] = "All"
        if mail.unsubscribe:
            message["List-Unsubscribe"] = f"<{_one_line(mail.unsubscribe, 'the link to unsubscribe')}>"
            message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    except (ValueError, HeaderParseError):
        raise Undeliverable(permanent=True, reason="a header of the mail cannot be written") from None
    _body(message, mail)
    return Packed(sender, to, international, message.as_bytes())


def _body(message: EmailMessage, mail: OutgoingMail) -> None:
    # Quoted-printable whatever the content: short lines and ASCII for every server on the way.
    message.set_content(_encodable(mail.text), cte="quoted-printable")
    message.add_alternative(_encodable(mail.html), subtype="html", cte="quoted-printable")
    # Made from the id, so that a second try is the same to the octet.
    message.set_boundary("=_" + hashlib.sha256(mail.message_id.encode("utf-8", "replace")).hexdigest()[:32])


def _sender(text: str) -> tuple[str, str]:
    try:
        display, address = parseaddr(_one_line(text, "the sender"))
        return display, parse(address).wire
    except (Undeliverable, BadAddress):
        # A setting, not this mail: once it is mended, what waits can go.
        reason = "the sender cannot be used: look at NIGHTLATCH_MAIL_FROM"
        raise Undeliverable(permanent=False, reason=reason, everybody=True) from None


def _recipient(text: str) -> str:
    try:
        return parse(text).wire
    except BadAddress as bad:
        reason = f"the recipient's address cannot be used: {bad.reason}"
        raise Undeliverable(permanent=True, reason=reason) from None


def _mailbox(address: str, display: str = "") -> Mailbox:
    local, _, domain = address.rpartition("@")
    return Mailbox(display, local, domain)


def _message_id(text: str) -> str:
    if not _MESSAGE_ID.fullmatch(text):
        raise Undeliverable(permanent=True, reason="the mail has no usable Message-ID")
    return text


def _one_line(text: str, what: str) -> str:
    if any(ord(letter) < 32 or letter in "\x7f\x85\u2028\u2029" for letter in text):
        raise Undeliverable(permanent=True, reason=f"{what} holds a line break or another control character")
    return _encodable(text)


def _encodable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()
