"""What all pages share: templates, where the reader is, and sending them on."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, HTTPException, Request, Response, WebSocketException
from fastapi.responses import RedirectResponse
from fastapi.templating import Jinja2Templates
from starlette.requests import HTTPConnection

from acme_notes import moments, people, sessions, settings
from acme_notes.people import Member, User
from acme_notes.two_factor import nl
from nightlatch_client import Proof

_HERE = Path(__file__).parent
_templates = Jinja2Templates(_HERE / "templates")
_templates.env.filters["moment"] = moments.shown
STATIC = _HERE / "static"


class SignInFirst(Exception):
    """Nobody is signed in."""


@dataclass(frozen=True)
class Here:
    """The reader of a page within a team."""

    member: Member
    proof: Proof | None

    @property
    def team(self) -> str:
        """The team's id."""
        return self.member.team

    @property
    def user(self) -> User:
        """The reader."""
        return self.member.user

    def path(self, rest: str) -> str:
        """A path within the team."""
        return f"/t/{self.team}/{rest}"


def signed_in(request: HTTPConnection) -> User:
    """Whoever is signed in, in no team in particular."""
    session = sessions.of(request)
    if session is None:
        if request.scope["type"] == "websocket":
            raise WebSocketException(4401)
        raise SignInFirst
    return session.user


def in_team(request: HTTPConnection, team: str, user: Annotated[User, Depends(signed_in)]) -> Here:
    """The reader in the team that the path names. To others it does not exist."""
    member = people.member(user.id, team)
    if member is None:
        if request.scope["type"] == "websocket":
            raise WebSocketException(4404)
        raise HTTPException(404, "There is no such team, or you are not in it.")
    people.visited(user.id, team)
    return Here(member, nl.proof(request))


def managing(here: Annotated[Here, Depends(in_team)]) -> Here:
    """An owner or admin of the team."""
    if not here.member.manages:
        raise HTTPException(403, "Owners and admins of the team may do that.")
    return here


SignedIn = Annotated[User, Depends(signed_in)]
InTeam = Annotated[Here, Depends(in_team)]
Managing = Annotated[Here, Depends(managing)]


def page(
    request: Request, template: str, /, *, here: Here | None = None, status: int = 200, **values: Any
) -> Response:
    """A page of Acme Notes."""
    if here is not None:
        values |= {"here": here, "teams": people.teams_of(here.user.id)}
    shared = {"here": None, "demo": settings.DEMO, "nightlatch_url": settings.NIGHTLATCH_URL}
    return _templates.TemplateResponse(request, template, shared | values, status_code=status)


def go(path: str) -> RedirectResponse:
    """On to a page, by GET."""
    return RedirectResponse(path, 303)


def safe_path(path: str | None) -> str | None:
    """A path of our own to lead on to, and nothing that a browser could take for another site."""
    if not path or not path.startswith("/") or path.startswith("//") or "\\" in path:
        return None
    return path if path.isascii() and path.isprintable() and " " not in path else None


def after_sign_in(user: User, wanted: str | None) -> str:
    """Where somebody goes who has just signed in."""
    teams = people.teams_of(user.id)
    last = next(
        (each.team for each in teams if each.team == user.last_team), teams[0].team if teams else None
    )
    return safe_path(wanted) or (f"/t/{last}/notes" if last else "/")
