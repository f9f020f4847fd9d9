"""Who sends mail is woken by what queued some, and by nothing else."""

import asyncio
from pathlib import Path

from nightlatch import addresses
from nightlatch.actions import workspaces
from nightlatch.actions.by import operator
from tests.support.asgi import Client, app_of
from tests.support.world import World


def test_only_what_queued_mail_wakes_its_sender(sqlite_url: str, tmp_path: Path) -> None:
    world = World(sqlite_url, tmp_path)
    owner = addresses.parse("olga@acme.example")
    made = world.write(
        lambda tx: workspaces.create(tx, by=operator("Test"), name="Acme", slug="acme", owner=owner)
    )
    assert made.invitation is not None
    app = app_of(world)
    wanted = app.front.mail_wanted = asyncio.Event()
    client = Client(app)

    def woke(path: str, **body: str) -> bool:
        wanted.clear()
        client.post(f"/api/v1{path}", body)
        return wanted.is_set()

    password = "walnut harbour kettle"
    woke("/invitations/accept", token=made.invitation.text, name="Olga", password=password)
    assert not woke("/sign-in/password", email="olga@acme.example", password="wrong")
    assert not woke("/sign-in/password", email="olga@acme.example", password=password)
    assert woke("/password-reset", email="olga@acme.example")
    world.close()
