"""Binding a passkey by the real actions, with one in software."""

from typing import Any

from nightlatch.actions import passkey_asking, passkey_enrolment
from nightlatch.actions.binding import HashedCode
from nightlatch.actions.by import By
from nightlatch.actions.passkey_asking import Asked
from nightlatch.actions.tokens import new_token
from nightlatch.authenticators import passkey_answers
from tests.support.passkeys import SITE, SoftPasskey
from tests.support.world import World

CODES = [HashedCode(f"{n:04}", "hash") for n in range(10)]


def ask_new(world: World, by: By, **more: Any) -> Asked:
    """What the browser is to be asked."""
    given: dict[str, Any] = {"name": "", "replaces": None, "workspace_id": None, **more}
    return world.write(lambda tx: passkey_asking.ask_new(tx, by=by, site=SITE, **given))


def bind(world: World, by: By, soft: SoftPasskey, asked: Asked | None = None, **lies: Any) -> Any:
    """Confirmed, or NotMade."""
    made = passkey_answers.read_made(soft.make((asked or ask_new(world, by)).options, **lies))
    return world.write(
        lambda tx: passkey_enrolment.bind(tx, by=by, site=SITE, answer=made, codes=CODES, token=new_token())
    )
