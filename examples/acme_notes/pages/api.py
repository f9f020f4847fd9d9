"""The JSON API, for programs that show a person's own token."""

from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException
from pydantic import BaseModel, Field
from starlette.requests import HTTPConnection

from acme_notes import notes, sessions
from acme_notes.people import Member

router = APIRouter(prefix="/api")


class NewNote(BaseModel):
    """A note to write."""

    title: Annotated[str, Field(min_length=1, max_length=200)]
    body: Annotated[str, Field(max_length=20_000)] = ""
    colour: str = notes.COLOURS[0]


class Note(NewNote):
    """A note."""

    id: int
    changed_by: str
    changed_at: str


def member_of(request: HTTPConnection) -> Member:
    """Whose token it is, and in which team."""
    member = sessions.of_token(request)
    if member is None:
        raise HTTPException(401, "Show a token of Acme Notes.", {"www-authenticate": "Bearer"})
    return member


TokenOf = Annotated[Member, Depends(member_of)]


@router.get("/notes")
def all_notes(member: TokenOf) -> list[Note]:
    return [Note(**dict(row)) for row in notes.of_team(member.team)]


@router.post("/notes", status_code=201)
def write_note(member: TokenOf, note: NewNote) -> Note:
    written = notes.get(member.team, notes.write(member, note.title, note.body, note.colour))
    if written is None:
        raise HTTPException(409, "Somebody has deleted it already.")
    return Note(**dict(written))
