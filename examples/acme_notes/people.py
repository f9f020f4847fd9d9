"""Users, teams, and who is in which."""

import re
import secrets
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from acme_notes import database


class Taken(Exception):
    """There is somebody with this address."""


@dataclass(frozen=True)
class User:
    """Somebody with an account at Acme Notes."""

    id: str
    name: str
    email: str
    last_team: str | None


@dataclass(frozen=True)
class Member:
    """A user in a team; `role` is owner, admin or member."""

    user: User
    team: str
    team_name: str
    role: str

    @property
    def manages(self) -> bool:
        """May see to the team and its money."""
        return self.role in ("owner", "admin")


_USER = "SELECT id, name, email, last_team FROM users WHERE "
_MEMBER = (
    "SELECT u.id, u.name, u.email, u.last_team, t.id AS team, t.name AS team_name, m.role "
    "FROM members m JOIN users u ON u.id = m.user_id JOIN teams t ON t.id = m.team_id "
)


def user(user_id: str) -> User | None:
    """By their id."""
    row = database.one(_USER + "id = ?", user_id)
    return User(*row) if row else None


def by_email(email: str) -> User | None:
    """By their address."""
    row = database.one(_USER + "email = ?", email.strip())
    return User(*row) if row else None


def by_chirp(handle: str) -> User | None:
    """By their account at Chirp."""
    row = database.one(_USER + "chirp = ?", handle)
    return User(*row) if row else None


def password_of(user_id: str) -> str | None:
    """The password as it is kept."""
    row = database.one("SELECT password FROM users WHERE id = ?", user_id)
    return row["password"] if row else None


def set_password(user_id: str, hashed: str) -> None:
    """Another password; whoever is signed in with the old one is signed out."""
    database.run("UPDATE users SET password = ? WHERE id = ?", hashed, user_id)
    database.run("DELETE FROM sessions WHERE user_id = ?", user_id)


def add_user(
    name: str,
    email: str,
    *,
    password: str | None = None,
    chirp: str | None = None,
    user_id: str | None = None,
) -> User:
    """Somebody new. Raises Taken."""
    if by_email(email) is not None:
        raise Taken(email)
    made = user_id or secrets.token_hex(8)
    database.run(
        "INSERT INTO users (id, name, email, password, chirp) VALUES (?, ?, ?, ?, ?)",
        made, name.strip(), email.strip(), password, chirp,
    )  # fmt: skip
    return User(made, name.strip(), email.strip(), None)


# --- teams ---


def add_team(name: str, owner: User, *, team_id: str | None = None) -> str:
    """A new team; its id."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:30] or "team"
    made = team_id or f"{words}-{secrets.token_hex(3)}"
    code = "-".join(secrets.token_hex(2) for _ in range(3))
    database.run("INSERT INTO teams (id, name, invite_code) VALUES (?, ?, ?)", made, name.strip(), code)
    add_member(made, owner.id, "owner")
    return made


def team_of_code(code: str) -> str | None:
    """The team that an invite code belongs to."""
    row = database.one("SELECT id FROM teams WHERE invite_code = ?", code.strip().lower())
    return row["id"] if row else None


def code_of(team: str) -> str:
    """A team's invite code."""
    row = database.one("SELECT invite_code FROM teams WHERE id = ?", team)
    return row["invite_code"] if row else ""


def add_member(team: str, user_id: str, role: str = "member") -> None:
    """Let somebody in. Who is in already stays as they are."""
    database.run(
        "INSERT OR IGNORE INTO members (team_id, user_id, role) VALUES (?, ?, ?)", team, user_id, role
    )


def set_role(team: str, user_id: str, role: str) -> None:
    """Another role."""
    database.run("UPDATE members SET role = ? WHERE team_id = ? AND user_id = ?", role, team, user_id)


def remove_member(team: str, user_id: str) -> None:
    """Out of the team, their tokens too."""
    database.run("DELETE FROM members WHERE team_id = ? AND user_id = ?", team, user_id)
    database.run("DELETE FROM tokens WHERE team_id = ? AND user_id = ?", team, user_id)


def visited(user_id: str, team: str) -> None:
    """Remember where somebody was last."""
    database.run("UPDATE users SET last_team = ? WHERE id = ? AND last_team IS NOT ?", team, user_id, team)


def member(user_id: str, team: str | None) -> Member | None:
    """Somebody in one of their teams."""
    row = database.one(_MEMBER + "WHERE m.user_id = ? AND m.team_id = ?", user_id, team)
    return Member(User(*row[:4]), *row[4:]) if row else None


def teams_of(user_id: str) -> list[Member]:
    """Somebody in all of their teams."""
    found = database.rows(_MEMBER + "WHERE m.user_id = ? ORDER BY t.name, t.id", user_id)
    return [Member(User(*row[:4]), *row[4:]) for row in found]


def members_of(team: str) -> list[Member]:
    """Everybody in a team."""
    found = database.rows(_MEMBER + "WHERE m.team_id = ? ORDER BY u.name, u.id", team)
    return [Member(User(*row[:4]), *row[4:]) for row in found]


def all_members() -> Iterator[Member]:
    """Everybody in every team."""
    for row in database.rows(_MEMBER + "ORDER BY t.id, u.id"):
        yield Member(User(*row[:4]), *row[4:])
