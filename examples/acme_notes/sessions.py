"""Who is signed in: by a cookie in a browser, by a token in a program."""

from dataclasses import dataclass
from datetime import datetime

from fastapi import Request, Response
from starlette.requests import HTTPConnection

from acme_notes import database, moments, people, settings
from acme_notes.people import Member, User
from acme_notes.secret_values import hash_token, new_token

COOKIE = "acme_session"


@dataclass(frozen=True)
class Session:
    """A browser in which somebody has signed in."""

    user: User
    signed_in_at: datetime


def of(request: HTTPConnection) -> Session | None:
    """The session of a request."""
    token = request.cookies.get(COOKIE)
    row = database.one("SELECT * FROM sessions WHERE token_hash = ?", hash_token(token)) if token else None
    user = people.user(row["user_id"]) if row else None
    return Session(user, moments.read(row["signed_in_at"])) if row and user else None


def begin(request: Request, response: Response, user: User) -> None:
    """Sign somebody in, however they came: by password, by Chirp, by a new password, by signing up."""
    end(request, response)
    token = new_token()
    database.run("INSERT INTO sessions VALUES (?, ?, ?)", hash_token(token), user.id, moments.text())
    response.set_cookie(
        COOKIE,
        token,
        httponly=True,
        samesite="lax",
        secure=settings.ORIGIN.startswith("https:"),
        max_age=30 * 86400,
    )


def end(request: Request, response: Response) -> None:
    """Sign out."""
    token = request.cookies.get(COOKIE)
    if token:
        database.run("DELETE FROM sessions WHERE token_hash = ?", hash_token(token))
    response.delete_cookie(COOKIE)


# --- API tokens ---


def add_token(member: Member, name: str) -> str:
    """A token for programs, good in one team; shown once."""
    token = f"acme_{new_token()}"
    database.run(
        "INSERT INTO tokens VALUES (?, ?, ?, ?)", hash_token(token), member.team, member.user.id, name
    )
    return token


def of_token(request: HTTPConnection) -> Member | None:
    """Whose token a program shows, and in which team."""
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer":
        return None
    row = database.one("SELECT user_id, team_id FROM tokens WHERE token_hash = ?", hash_token(token.strip()))
    return people.member(row["user_id"], row["team_id"]) if row else None
