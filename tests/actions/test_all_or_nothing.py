"""Law 6: a change, its audit event and its mail happen together or not at all. F51: each act leaves its event."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from nightlatch import addresses
from nightlatch.actions import emails, mandate, passwords, resets, unlock
from nightlatch.actions.by import By, operator
from nightlatch.actions.tokens import new_token
from nightlatch.policy import ManagedBy
from nightlatch.store import outbox
from nightlatch.store.engine import Transaction
from tests.support.letters import letter, letters
from tests.support.tables import broken, everything, rows
from tests.support.world import World

VISITOR = By("visitor", None, "", "198.51.100.7", "test")
Act = Callable[[Transaction], Any]


@dataclass(frozen=True)
class Scene:
    """An owner and a locked-out member."""

    world: World
    acme: int
    owner: By
    member: By
    email: str
    teammate: int
    account: int


@pytest.fixture
def scene(world: World) -> Scene:
    dana, ana = world.person("Dana"), world.person("Ana")
    acme = world.workspace("acme", owner=dana, member=ana)
    app, _ = world.bind_totp(dana)
    anas_app, _ = world.bind_totp(ana)
    (teammate,) = [each.id for each in rows(world, "teammates") if each.account_id == ana.id]
    owner, member = world.signed_in(dana, app), world.signed_in(ana, anas_app)
    return Scene(world, acme, owner, member, ana.email, teammate, ana.id)


def _request_change(scene: Scene) -> Act:
    return lambda tx: emails.request_change(tx, by=scene.member, address=addresses.parse("new@example.org"))


def _cancel(scene: Scene) -> Act:
    scene.world.write(_request_change(scene))
    return lambda tx: emails.cancel(tx, by=scene.member)


def _confirm(scene: Scene) -> Act:
    scene.world.write(_request_change(scene))
    link = letter(scene.world, "email_confirm").hash()
    return lambda tx: emails.confirm(tx, by=VISITOR, token_hash=link)


def _undo(scene: Scene) -> Act:
    scene.world.write(_confirm(scene))
    link = letter(scene.world, "email_changed").hash("undo_link")
    return lambda tx: emails.undo(tx, by=VISITOR, token_hash=link)


def _request_reset(scene: Scene) -> Act:
    return lambda tx: passwords.request_reset(tx, by=VISITOR, address=addresses.parse(scene.email))


def _finish_reset(scene: Scene) -> Act:
    scene.world.write(_request_reset(scene))
    link = letter(scene.world, "password_reset").hash()
    return lambda tx: passwords.finish_reset(tx, by=VISITOR, token_hash=link, password_hash="new")


def _change_password(scene: Scene) -> Act:
    return lambda tx: passwords.change(tx, by=scene.member, password_hash="new", session_token=new_token())


def _policy(scene: Scene, by: By, *, required: bool) -> Act:
    revision = rows(scene.world, "workspaces")[0].revision
    return lambda tx: mandate.change_policy(
        tx,
        by=by,
        workspace_id=scene.acme,
        required=required,
        required_from=None,
        managed_by=ManagedBy.ADMINS,
        if_revision=revision,
        reason="Because",
    )


def _turn_on(scene: Scene) -> Act:
    return _policy(scene, scene.owner, required=True)


def _break_glass(scene: Scene) -> Act:
    scene.world.write(_turn_on(scene))
    return _policy(scene, operator("Otto"), required=False)


def _reset(scene: Scene) -> Act:
    return lambda tx: resets.disable_two_factor(
        tx,
        by=scene.owner,
        workspace_id=scene.acme,
        teammate_id=scene.teammate,
        reason="Lost phone",
        recognised_by="By voice",
    )


def _renew(scene: Scene) -> Act:
    scene.world.write(_reset(scene))
    return lambda tx: resets.renew(tx, by=scene.owner, workspace_id=scene.acme, teammate_id=scene.teammate)


def _unlock(scene: Scene) -> Act:
    return lambda tx: unlock.account_unlock(
        tx, by=operator("Otto"), account_id=scene.account, reason="Called us"
    )


ACTS = {
    each.__name__.strip("_"): each
    for each in (
        _request_change,
        _cancel,
        _confirm,
        _undo,
        _request_reset,
        _finish_reset,
        _change_password,
        _turn_on,
        _break_glass,
        _reset,
        _renew,
        _unlock,
    )
}
WITHOUT_MAIL = {"cancel", "turn_on"}
"""The switch queues a campaign instead."""


@pytest.mark.parametrize("name", ACTS)
def test_an_unwritable_audit_event_stops_the_change(scene: Scene, name: str) -> None:
    act = ACTS[name](scene)
    before = everything(scene.world)
    with broken(scene.world, "audit_events"), pytest.raises(Exception, match=r".*"):
        scene.world.write(act)
    assert everything(scene.world) == before
    scene.world.write(act)
    assert everything(scene.world) != before


@pytest.mark.parametrize("name", sorted(set(ACTS) - WITHOUT_MAIL))
def test_a_mail_that_cannot_be_queued_stops_the_change(scene: Scene, name: str) -> None:
    act = ACTS[name](scene)
    before = everything(scene.world)
    with broken(scene.world, "outbox"), pytest.raises(Exception, match=r".*"):
        scene.world.write(act)
    assert everything(scene.world) == before


@pytest.mark.parametrize("name", ACTS)
def test_each_act_leaves_its_event_and_no_secret(scene: Scene, name: str) -> None:
    """F51, law 10."""
    act = ACTS[name](scene)
    earlier = len(rows(scene.world, "audit_events"))
    mailed = len(letters(scene.world))
    result = scene.world.write(act)
    added = rows(scene.world, "audit_events")[earlier:]
    assert added
    assert (len(letters(scene.world)) > mailed) == (name not in WITHOUT_MAIL)
    secrets = [
        value.rpartition("/")[2]
        for each in letters(scene.world)
        for key, value in each.values.items()
        if key.endswith("link")
    ]
    secrets += [result.number] if isinstance(result, resets.ResetDone) and result.number else []
    written = repr(rows(scene.world, "audit_events"))
    assert not [each for each in secrets if each in written]


def test_what_is_delivered_is_wiped(scene: Scene) -> None:
    """Law 10: nobody who reads the database later finds a link that works."""
    scene.world.write(_request_reset(scene))
    (row,) = rows(scene.world, "outbox")
    assert row.sealed is not None
    assert b"/password-reset/" not in row.sealed
    scene.world.write(lambda tx: outbox.sent(tx, row.id))
    assert rows(scene.world, "outbox")[0].sealed is None
