"""Two-factor authentication for Acme Notes, by Nightlatch. This file is all there is to it; copy it."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Annotated

from fastapi import Depends, FastAPI
from starlette.requests import HTTPConnection

from acme_notes import people, sessions, settings
from nightlatch_client import Nightlatch, Person, Proof, Unavailable

nl = Nightlatch(
    settings.NIGHTLATCH_URL,
    app="acme-notes",
    secret_file=settings.NIGHTLATCH_SECRET_FILE,
    origin=settings.ORIGIN,
    sign_in="/sign-in",
    down_message="Acme Notes cannot check second steps right now, so your team's notes stay closed. Try again soon.",
    websocket_every=settings.LIVE_EVERY,
)
OPEN = ["/", "/sign-*", "/forgot", "/reset/*", "/chirp", "/mailbox", "/teams/*", "/static/*", "/healthz"]
FreshProof = Annotated[Proof, Depends(nl.fresh(minutes=10))]


def person(request: HTTPConnection) -> Person | None:
    """Who is asking, and in which team: from our own sessions and API tokens. None: nobody is signed in."""
    if request.url.path.startswith("/api/"):
        member = sessions.of_token(request)
        return as_person(member, token=True) if member else None
    session = sessions.of(request)
    member = in_team(request, session) if session else None
    return as_person(member, session=session) if member else None


@nl.everyone
def everyone() -> Iterator[Person]:
    """All people of all teams: Nightlatch's table knows them before they have signed in."""
    yield from map(as_person, people.all_members())


async def team_changed(team: str) -> None:
    """Somebody came, left or has another role: the table says so at once, not only tomorrow."""
    members = people.members_of(team)
    with suppress(Unavailable):  # the next check of each person and the nightly list say it, too
        await nl.areplace_team(team, members[0].team_name, map(as_person, members), confirm=True)


def guard(app: FastAPI) -> None:
    """From now on every request outside OPEN is asked about."""
    nl.protect(app, person, open=OPEN)


# --- our words for it ---


def as_person(
    member: people.Member, session: sessions.Session | None = None, *, token: bool = False
) -> Person:
    """A member of a team, as Nightlatch takes them."""
    return Person(
        id=member.user.id,
        email=member.user.email,
        name=member.user.name,
        workspace=member.team,
        workspace_name=member.team_name,
        role=member.role,
        signed_in_at=session.signed_in_at if session else None,
        token=token,
    )


def in_team(request: HTTPConnection, session: sessions.Session) -> people.Member | None:
    """In the team that the address names (/t/TEAM/...), else where this person was last."""
    user, parts = session.user, request.url.path.split("/")
    named = people.member(user.id, parts[2]) if parts[1] == "t" and len(parts) > 2 else None
    return named or people.member(user.id, user.last_team) or next(iter(people.teams_of(user.id)), None)
