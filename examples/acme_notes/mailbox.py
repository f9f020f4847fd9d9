"""Acme Notes' own mail: on a developer's machine it stays in the database, and /mailbox shows it."""

import sqlite3

from acme_notes import database, moments, settings


def send(recipient: str, subject: str, body: str) -> None:
    """Send a mail."""
    database.run(
        "INSERT INTO mails (recipient, subject, body, at) VALUES (?, ?, ?, ?)",
        recipient,
        subject,
        body,
        moments.text(),
    )


def newest() -> list[sqlite3.Row]:
    """The mails, the newest first."""
    return database.rows("SELECT * FROM mails ORDER BY id DESC LIMIT 50")


def link(path: str) -> str:
    """A whole address for a mail."""
    return settings.ORIGIN + path
