"""Acme Notes' demo people. All of them are invented; their ids are their first names."""

from datetime import timedelta

from acme_notes import database, moments, notes, people
from acme_notes.secret_values import hash_password

PASSWORD = "walnut harbour kettle"
MAIN, OTHER = "lighthouse", "harbour-studio"
PEOPLE = (
    ("dana", "Dana Ruiz", "owner"),
    ("priya", "Priya Nair", "admin"),
    ("ana", "Ana Silva", "member"),
    ("ben", "Ben Okafor", "member"),
    ("chen", "Chen Wei", "member"),
)
"""Of the team Lighthouse. Ana has a team of her own beside it, with Ben in it."""
_NOTES = (
    ("ana", "leaf", "Autumn release", "Export to PDF is in.\nStill to do: the tour for newcomers, and the price page."),
    ("ben", "sun", "Customer call, Tuesday", "They love the search.\nAsked for: sorting by colour, and a quiet mode."),
    ("priya", "sky", "Office move", "Keys from the caretaker on Thursday at nine.\nChen brings the plants."),
    ("chen", "rose", "Names for the robot", "Biscuit\nAnchor\nMrs. Pepper"),
    ("dana", "sun", "Offsite agenda", "1. What went well\n2. What we stop doing\n3. Soup"),
)  # fmt: skip


def fill() -> None:
    """Everybody, their teams and their notes, once."""
    if people.by_email("dana@acme.example") is not None:
        return
    password = hash_password(PASSWORD)
    with database.together():
        users = {
            key: people.add_user(name, f"{key}@acme.example", password=password, chirp=f"@{key}", user_id=key)
            for key, name, _ in PEOPLE
        }
        people.add_team("Lighthouse", users["dana"], team_id=MAIN)
        for key, _, role in PEOPLE:
            people.add_member(MAIN, key, role)
            people.visited(key, MAIN)
        people.add_team("Harbour Studio", users["ana"], team_id=OTHER)
        people.add_member(OTHER, "ben")
        for number, (key, colour, title, body) in enumerate(_NOTES):
            author = people.member(key, MAIN)
            if author is not None:
                written = notes.write(author, title, body, colour)
                at = moments.text(moments.now() - timedelta(hours=3 + 19 * number, minutes=7 * number))
                database.run("UPDATE notes SET changed_at = ? WHERE id = ?", at, written)
        sql = (
            "INSERT INTO payouts (team_id, recipient, account, cents, reference, made_by, made_at) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)"
        )
        database.run(
            sql,
            MAIN,
            "Studio Blau",
            "DE89 3704 0044 0532 0130 00",
            128000,
            "Icons",
            "Dana Ruiz",
            moments.text(),
        )
