"""The script of the demo world: a workspace with a past, and people in every state."""

import zlib
from collections.abc import Callable
from pathlib import Path

from nightlatch.actions import resets
from nightlatch.authenticators.password import Pepper, hash_password
from nightlatch.clock import Clock
from nightlatch.config import Config
from nightlatch.demo.people import (
    ADMIN,
    ALSO_INVITED,
    ANA,
    CAMILA,
    CARELESS,
    INVITED,
    MAIN,
    OTHERS,
    OWNER,
    PASSWORD,
    YUKI,
    Part,
)
from nightlatch.demo.phone import Phone
from nightlatch.demo.stage import Letterbox, Stage, StageClock
from nightlatch.instants import DAY, HOUR, MINUTE, SECOND, Duration, Instant
from nightlatch.keyring import KeyRing
from nightlatch.mail.drain import Post
from nightlatch.mail.folder import FolderSender
from nightlatch.store import meta, migrate
from nightlatch.store.engine import Transaction
from nightlatch.vocabulary import Role
from nightlatch.wiring import load_keys, open_store

ACME = "acme"
HARBOUR = "harbour"
MAKING, MADE = "making", "made"
"""What the mark says while the world is made, and afterwards."""


def make(config: Config) -> None:
    """Make the world in an empty data folder. It ends before now, so that every code on the phone is unused."""
    now = Clock(config.test_clock).now()
    migrate.upgrade(config.database_url)
    keys, clock = load_keys(config), StageClock()
    clock.instant = now - 45 * DAY
    staged = Clock(wall=clock, steady=clock)
    store = open_store(config.database_url, staged, keys)
    try:
        store.write_now(lambda tx: _mark(tx, MAKING))
        letterbox = Letterbox(FolderSender(_mail_folder(config)))
        post = Post(store, letterbox, config.name, config.mail_from, config.base_url, staged)
        stage = Stage(store, clock, post, letterbox, _password_hash(keys))
        _play(stage, Phone(config.data), config.name, now)
        store.write_now(lambda tx: _mark(tx, MADE))
    finally:
        store.close()


def _mark(tx: Transaction, value: str) -> None:
    meta.write(tx, meta.DEMO, value)
    meta.write(tx, meta.KEY_CHECK, tx.keys.check_value().hex())


def _mail_folder(config: Config) -> Path:
    return config.mail.folder or config.data / "mail"


def _password_hash(keys: KeyRing) -> str:
    """One hash for everybody: their password is the same, and printed."""
    return hash_password(PASSWORD, Pepper(keys.current_id, keys.subkeys("password")))


def _play(stage: Stage, phone: Phone, issuer: str, now: Instant) -> None:
    """Everything in the order of time."""
    scenes: list[tuple[Duration, Callable[[], None]]] = []

    def joins(part: Part) -> None:
        stage.join(part.name, part.email)
        if part.two_factor:
            stage.wait(MINUTE)
            seed = stage.enrol(part.email, ACME, codes=part is not CARELESS)
            if part in MAIN:
                phone.add(issuer, part.email, seed)

    def invites(part: Part) -> None:
        stage.sign_in(OWNER.email)
        stage.invite(OWNER.email, ACME, part.role, part.email)

    def signs_in(part: Part) -> None:
        stage.sign_in(part.email)

    scenes.append((OWNER.joined + HOUR, lambda: stage.found("Acme", ACME, OWNER.email)))
    for part in (*MAIN, *OTHERS):
        untidy = _untidy(part)
        if part is not OWNER:
            scenes.append((part.joined + 3 * HOUR + untidy, lambda part=part: invites(part)))  # type: ignore[misc]
        scenes.append((part.joined + untidy, lambda part=part: joins(part)))  # type: ignore[misc]
        if part.seen is not None:
            scenes.append((part.seen + untidy, lambda part=part: signs_in(part)))  # type: ignore[misc]
    scenes += _harbour(stage)
    scenes += _lately(stage)
    for before, scene in sorted(scenes, key=lambda each: -each[0]):
        stage.at(now - before)
        scene()
    stage.deliver()


def _untidy(part: Part) -> Duration:
    """Nobody comes on the dot; but those who act afterwards have to be there."""
    return 0 if part in (OWNER, ADMIN) else zlib.crc32(part.local.encode()) % (40 * 60) * SECOND


def _harbour(stage: Stage) -> list[tuple[Duration, Callable[[], None]]]:
    """Ana has a small workspace of her own, with Camila in it."""

    def ana_joins() -> None:
        stage.sign_in(ANA.email)
        stage.join_too(ANA.email)

    def camila_joins() -> None:
        stage.sign_in(CAMILA.email)
        stage.join_too(CAMILA.email)

    return [
        (21 * DAY, lambda: stage.found("Harbour Studio", HARBOUR, ANA.email)),
        (20 * DAY + 5 * HOUR, ana_joins),
        (20 * DAY + 5 * HOUR - MINUTE, lambda: stage.invite(ANA.email, HARBOUR, Role.MEMBER, CAMILA.email)),
        (20 * DAY, camila_joins),
    ]


def _lately(stage: Stage) -> list[tuple[Duration, Callable[[], None]]]:
    """What happened in the last days: two invitations that wait, and a lost phone."""

    def yuki_lost_her_phone() -> None:
        by, workspace_id = stage.actors[ADMIN.email].by, stage.workspace_id(ACME)
        teammate_id = stage.teammate_id(YUKI.email, ACME)
        stage.store.write_now(
            lambda tx: resets.disable_two_factor(
                tx,
                by=by,
                workspace_id=workspace_id,
                teammate_id=teammate_id,
                reason="Her phone fell into the harbour.",
                recognised_by="Video call",
            )
        )
        stage.deliver()

    return [
        (5 * DAY, lambda: stage.sign_in(OWNER.email)),
        (5 * DAY - 2 * MINUTE, lambda: stage.invite(OWNER.email, ACME, Role.MEMBER, ALSO_INVITED)),
        # Both have just signed in, which is the fresh proof that these take (see ADMIN.seen and OWNER.seen).
        (5 * HOUR - 2 * MINUTE, yuki_lost_her_phone),
        (2 * HOUR - 3 * MINUTE, lambda: stage.invite(OWNER.email, ACME, Role.MEMBER, INVITED[1])),
    ]
