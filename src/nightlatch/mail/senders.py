"""The ways for mails to leave, by what NIGHTLATCH_MAIL names: SMTP, a folder, the console."""

from collections.abc import Callable

from nightlatch.config import MailTarget
from nightlatch.mail.console import ConsoleSender
from nightlatch.mail.folder import FolderInbox, FolderSender
from nightlatch.mail.outgoing import OutgoingMail, Sender, Undeliverable
from nightlatch.mail.smtp import SmtpSender

__all__ = [
    "ConsoleSender",
    "FolderInbox",
    "FolderSender",
    "OutgoingMail",
    "Sender",
    "SmtpSender",
    "Undeliverable",
    "build_sender",
]


def build_sender(target: MailTarget, *, show: Callable[[str], object], timeout: float = 15.0) -> Sender:
    """The sender for the configured target. Opens nothing yet.

    `show` takes what `console:` prints; `timeout` is seconds for each answer of a mail server.
    """
    if target.kind == "console":
        return ConsoleSender(show)
    if target.kind == "folder":
        if target.folder is None:
            raise ValueError("the mail folder is not named")
        return FolderSender(target.folder)
    return SmtpSender(target, timeout=timeout)
