"""Acme Notes beside the demo world: the product registered, its people known, and some of them with 2FA.

The product itself is not in this package: it is examples/acme_notes, and scripts/demo starts both.
"""

import os
from importlib.resources import files
from pathlib import Path

from nightlatch import addresses
from nightlatch.actions import app_flows, apps, people
from nightlatch.actions.apps import Changes, Made
from nightlatch.actions.by import operator
from nightlatch.actions.people import Person, Place, app_of
from nightlatch.clock import Clock
from nightlatch.config import Config
from nightlatch.demo.folder import PRODUCT_SECRET
from nightlatch.demo.people import ADMIN, ANA, BEN, CHEN, OWNER, Part
from nightlatch.demo.phone import Phone
from nightlatch.demo.stage import Letterbox, Stage, StageClock
from nightlatch.demo.world import ACME
from nightlatch.instants import MINUTE
from nightlatch.mail.drain import Post
from nightlatch.mail.folder import FolderSender
from nightlatch.products import Home
from nightlatch.store import apps as stored
from nightlatch.store.engine import Transaction
from nightlatch.store.query import Row
from nightlatch.store.workspaces import by_slug
from nightlatch.vocabulary import Role
from nightlatch.wiring import load_keys, open_store

HANDLE, NAME, COLOUR = "acme-notes", "Acme Notes", "#0f766e"
MAIN, OTHER = ("lighthouse", "Lighthouse"), ("harbour-studio", "Harbour Studio")
TEAMS: tuple[tuple[tuple[str, str], Part, Role], ...] = (
    *((MAIN, part, part.role) for part in (OWNER, ADMIN, ANA, BEN, CHEN)),
    (OTHER, ANA, Role.OWNER),
    (OTHER, BEN, Role.MEMBER),
)
"""Who is in which of the product's teams. The product's ids of the people are their first names."""
_AGO = 30 * MINUTE
"""Everything happens so long before now, so that every code on the phone is unused."""
_BY = operator("Nightlatch demo")


def prepare(config: Config, origin: str) -> None:
    """See that the product is registered at this origin, and that its secret is in the data folder.

    The first time, its people are made known, and those with 2FA set it up. Raises Refused for a wrong origin.
    """
    staged = StageClock()
    staged.instant = Clock(config.test_clock).now() - _AGO
    clock = Clock(wall=staged, steady=staged)
    store = open_store(config.database_url, clock, load_keys(config))
    try:
        home = Home(config.origin, config.path, sign_up_open=False)
        app = store.read_now(lambda tx: stored.by_handle(tx, HANDLE))
        if app is None:
            made = store.write_now(lambda tx: _register(tx, home, origin))
            _keep(config.data / PRODUCT_SECRET, made.secret.text)
            letterbox = Letterbox(FolderSender(config.mail.folder or config.data / "mail"))
            post = Post(store, letterbox, config.name, config.mail_from, config.base_url, clock)
            _people(Stage(store, staged, post, letterbox, ""), Phone(config.data))
            return
        staged.instant += _AGO
        changes = Changes(origins=[origin])
        store.write_now(lambda tx: apps.change(tx, by=_BY, home=home, app_id=app.id, changes=changes))
        if not (config.data / PRODUCT_SECRET).exists():
            again = store.write_now(lambda tx: apps.rotate(tx, by=_BY, app_id=app.id, end_older=True))
            _keep(config.data / PRODUCT_SECRET, again.secret.text)
    finally:
        store.close()


def _register(tx: Transaction, home: Home, origin: str) -> Made:
    """Managed by the world's own workspace, so that its owner sees the registration's page."""
    workspace = by_slug(tx, ACME)
    made = apps.add(
        tx,
        by=_BY,
        home=home,
        name=NAME,
        handle=HANDLE,
        origins=[origin],
        colour=COLOUR,
        workspace_id=workspace.id if workspace is not None else None,
    )
    logo = files("nightlatch.demo").joinpath("acme-notes.png").read_bytes()
    apps.set_logo(tx, by=_BY, app_id=made.app.id, logo=logo)
    return made


def _people(stage: Stage, phone: Phone) -> None:
    """Everybody becomes known; then who has 2FA in the world sets it up for the product, too."""
    app = stage.store.read_now(_registered)
    everybody = [(team, _person(part, team, role)) for team, part, role in TEAMS]
    places = {
        (person.id, team): stage.store.write_now(
            lambda tx, person=person: people.note_person(tx, app=app_of(app), person=person)  # type: ignore[misc]
        )
        for team, person in everybody
    }
    for part in (OWNER, ADMIN, ANA):
        link = stage.store.read_now(lambda tx, place=places[part.local, MAIN]: _start(tx, app, place))  # type: ignore[misc]
        stage.come_from(part.name, part.email, link)
        stage.show_mailbox(part.email)
        phone.add(NAME, part.email, stage.enrol(part.email, None, codes=True))
    stage.deliver()


def _registered(tx: Transaction) -> Row:
    row = stored.by_handle(tx, HANDLE)
    if row is None:
        raise AssertionError("the product that was just registered is not there")
    return row


def _person(part: Part, team: tuple[str, str], role: Role) -> Person:
    return Person(part.local, addresses.parse(part.email), part.name, team[0], team[1], role)


def _start(tx: Transaction, app: Row, place: Place) -> str:
    return app_flows.start_link(
        tx.keys,
        app=app_of(app),
        place=place,
        signed_in_at=tx.now,
        session_id=None,
        state="-" * 22,
        max_age=None,
        opens="set-up",
        now=tx.now,
    )


def _keep(path: Path, secret: str) -> None:
    """For the product's process alone: readable by their owner."""
    with open(path, "w", encoding="ascii", opener=_private) as file:
        file.write(secret)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
