"""Choosing a team, making one, joining one; a team's own page."""

from typing import Annotated, Any

from fastapi import APIRouter, Form, HTTPException, Request, Response

from acme_notes import database, mailbox, people, sessions, settings
from acme_notes.house import InTeam, Managing, SignedIn, go, page
from acme_notes.sessions import add_token
from acme_notes.two_factor import nl, team_changed

router = APIRouter()
Text = Annotated[str, Form()]


@router.get("/")
def start(request: Request) -> Response:
    session = sessions.of(request)
    if session is None:
        return page(request, "start.html")
    return page(request, "choose.html", user=session.user, teams=people.teams_of(session.user.id), error=None)


@router.get("/mailbox")
def mails(request: Request) -> Response:
    if not settings.DEMO:
        raise HTTPException(404)
    return page(request, "mailbox.html", mails=mailbox.newest())


@router.post("/teams/new")
async def new_team(user: SignedIn, team_name: Text) -> Response:
    if not team_name.strip():
        raise HTTPException(422, "A team has a name.")
    with database.together():
        team = people.add_team(team_name, user)
    await team_changed(team)
    return go(f"/t/{team}/notes")


@router.post("/teams/join")
async def join(request: Request, user: SignedIn, code: Text) -> Response:
    team = people.team_of_code(code)
    if team is None:
        error = "There is no team with this invite code."
        return page(
            request, "choose.html", status=422, user=user, teams=people.teams_of(user.id), error=error
        )
    people.add_member(team, user.id)
    await team_changed(team)
    return go(f"/t/{team}/notes")


# --- within a team ---


@router.get("/t/{team}")
def home(here: InTeam) -> Response:
    return go(here.path("notes"))


@router.get("/t/{team}/team")
def team_page(request: Request, here: InTeam) -> Response:
    members, code = people.members_of(here.team), people.code_of(here.team)
    return page(request, "team.html", here=here, members=members, code=code)


@router.get("/t/{team}/two-factor")
async def two_factor(request: Request, here: Managing) -> Any:
    """The switch of the team: a page of Nightlatch."""
    return await nl.open_page(request, "team/authentication")


@router.get("/t/{team}/teammates")
async def teammates(request: Request, here: Managing) -> Any:
    """Who of the team has 2FA, and "Disable 2FA" for whoever is locked out."""
    return await nl.open_page(request, "team")


@router.get("/t/{team}/my-two-factor")
async def my_two_factor(request: Request, here: InTeam) -> Any:
    """The reader's own authenticator app and recovery codes."""
    return await nl.open_page(request, "user")


@router.post("/t/{team}/members/{user_id}/remove")
async def remove(here: Managing, user_id: str) -> Response:
    other = _other(here, user_id)
    people.remove_member(here.team, other.user.id)
    await team_changed(here.team)
    return go(here.path("team"))


@router.post("/t/{team}/members/{user_id}/role")
async def change_role(here: Managing, user_id: str, role: Text) -> Response:
    other = _other(here, user_id)
    if role not in ("admin", "member"):
        raise HTTPException(422, "A role is admin or member.")
    people.set_role(here.team, other.user.id, role)
    await team_changed(here.team)
    return go(here.path("team"))


def _other(here: Managing, user_id: str) -> people.Member:
    other = people.member(user_id, here.team)
    if other is None:
        raise HTTPException(404, "There is nobody like that in this team.")
    if other.role == "owner" or user_id == here.user.id:
        raise HTTPException(403, "Neither the owner nor yourself.")
    return other


# --- API tokens ---


@router.get("/t/{team}/tokens")
def tokens_page(request: Request, here: InTeam) -> Response:
    return page(request, "tokens.html", here=here, tokens=_tokens(here), made=None, origin=settings.ORIGIN)


@router.post("/t/{team}/tokens")
def make_token(request: Request, here: InTeam, name: Text) -> Response:
    made = add_token(here.member, name.strip() or "Token")
    return page(request, "tokens.html", here=here, tokens=_tokens(here), made=made, origin=settings.ORIGIN)


def _tokens(here: InTeam) -> list[str]:
    sql = "SELECT name FROM tokens WHERE team_id = ? AND user_id = ? ORDER BY name"
    return [row["name"] for row in database.rows(sql, here.team, here.user.id)]
