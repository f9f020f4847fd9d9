"""The notes: list, editor, and the WebSocket that pushes changes."""

import asyncio
from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, Form, HTTPException, Request, Response, WebSocket, WebSocketDisconnect

from acme_notes import notes
from acme_notes.house import InTeam, go, page
from acme_notes.live import Queue, hub

router = APIRouter(prefix="/t/{team}")
Text = Annotated[str, Form()]


@router.get("/notes")
def list_page(request: Request, here: InTeam, q: str = "") -> Response:
    return page(request, "notes.html", here=here, notes=notes.of_team(here.team, q), q=q)


@router.get("/notes/new")
def new_page(request: Request, here: InTeam) -> Response:
    return page(request, "note.html", here=here, note=None, colours=notes.COLOURS)


@router.post("/notes/new")
def write_new(here: InTeam, title: Text = "", body: Text = "", colour: Text = "") -> Response:
    notes.write(here.member, title, body, colour)
    return go(here.path("notes"))


@router.get("/notes/{note_id}")
def edit_page(request: Request, here: InTeam, note_id: int) -> Response:
    note = notes.get(here.team, note_id)
    if note is None:
        raise HTTPException(404, "This note is gone.")
    return page(request, "note.html", here=here, note=note, colours=notes.COLOURS)


@router.post("/notes/{note_id}")
def write_again(here: InTeam, note_id: int, title: Text = "", body: Text = "", colour: Text = "") -> Response:
    if notes.get(here.team, note_id) is None:
        raise HTTPException(404, "This note is gone.")
    notes.write(here.member, title, body, colour, note_id)
    return go(here.path("notes"))


@router.post("/notes/{note_id}/delete")
def delete(here: InTeam, note_id: int) -> Response:
    notes.delete(here.member, note_id)
    return go(here.path("notes"))


@router.websocket("/live")
async def live(websocket: WebSocket, here: InTeam) -> None:
    await websocket.accept()
    with hub.listening(here.team) as changes:
        sending = asyncio.create_task(_send(websocket, changes))
        with suppress(WebSocketDisconnect):
            while True:
                await websocket.receive_text()  # nothing is expected; it ends with the connection
        sending.cancel()


async def _send(websocket: WebSocket, changes: Queue) -> None:
    with suppress(WebSocketDisconnect, RuntimeError):
        while True:
            await websocket.send_json(await changes.get())
