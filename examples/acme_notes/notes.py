"""A team's notes."""

import sqlite3

from acme_notes import database, moments
from acme_notes.live import hub
from acme_notes.people import Member

COLOURS = ("sun", "rose", "sky", "leaf")


def of_team(team: str, words: str = "") -> list[sqlite3.Row]:
    """The notes, the newest change first; with `words`, those that hold them."""
    like = "%" + words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    sql = "SELECT * FROM notes WHERE team_id = ? AND (title LIKE ? ESCAPE '\\' OR body LIKE ? ESCAPE '\\')"
    return database.rows(sql + " ORDER BY changed_at DESC, id DESC", team, like, like)


def get(team: str, note_id: int) -> sqlite3.Row | None:
    """One note of the team."""
    return database.one("SELECT * FROM notes WHERE team_id = ? AND id = ?", team, note_id)


def write(member: Member, title: str, body: str, colour: str, note_id: int | None = None) -> int:
    """Write a note, or write it anew; everybody who has the list open sees it."""
    colour = colour if colour in COLOURS else COLOURS[0]
    title, at = title.strip()[:200] or "Untitled", moments.text()
    body = body.replace("\r\n", "\n")[:20_000]
    if note_id is None:
        sql = "INSERT INTO notes (team_id, title, body, colour, changed_by, changed_at) VALUES (?, ?, ?, ?, ?, ?)"
        note_id = database.insert(sql, member.team, title, body, colour, member.user.name, at)
    else:
        sql = (
            "UPDATE notes SET title = ?, body = ?, colour = ?, changed_by = ?, changed_at = ? "
            "WHERE team_id = ? AND id = ?"
        )
        database.run(sql, title, body, colour, member.user.name, at, member.team, note_id)
    hub.tell(member.team, {"note": note_id, "title": title, "by": member.user.name, "what": "wrote"})
    return note_id


def delete(member: Member, note_id: int) -> None:
    """Away with it."""
    row = get(member.team, note_id)
    if row is not None:
        database.run("DELETE FROM notes WHERE team_id = ? AND id = ?", member.team, note_id)
        hub.tell(
            member.team, {"note": note_id, "title": row["title"], "by": member.user.name, "what": "deleted"}
        )
