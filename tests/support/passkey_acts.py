"""Binding and showing a passkey by the real actions, with one in software."""

from collections.abc import Sequence
from typing import Any

from nightlatch import addresses
from nightlatch.actions import passkey_asking, passkey_enrolment, passkeys
from nightlatch.actions.binding import Confirmed, HashedCode
from nightlatch.actions.by import By
from nightlatch.actions.passkey_asking import Asked, Purpose
from nightlatch.actions.proving import Proved, Wait, Wrong
from nightlatch.actions.tokens import hash_token, new_token
from nightlatch.authenticators import passkey_answers
from nightlatch.vocabulary import Credential
from tests.support.passkeys import SITE, SoftPasskey
from tests.support.world import Person, World, carried_on

VISITOR = By("visitor", None, "", "192.0.2.1", "Firefox", None, Credential.NONE, hash_token("browser"))
CODES = [HashedCode(f"{n:04}", "hash") for n in range(10)]


def ask_new(world: World, by: By, **more: Any) -> Asked:
    """What the browser is to be asked."""
    given: dict[str, Any] = {"name": "", "replaces": None, "workspace_id": None, **more}
    return world.write(lambda tx: passkey_asking.ask_new(tx, by=by, site=SITE, **given))


def bind(
    world: World,
    by: By,
    soft: SoftPasskey,
    asked: Asked | None = None,
    *,
    codes: Sequence[HashedCode] = CODES,
    **lies: Any,
) -> Any:
    """Confirmed, or NotMade."""
    made = passkey_answers.read_made(soft.make((asked or ask_new(world, by)).options, **lies))
    return world.write(
        lambda tx: passkey_enrolment.bind(tx, by=by, site=SITE, answer=made, codes=codes, token=new_token())
    )


def bound(world: World, person: Person, by: By, **habits: Any) -> tuple[SoftPasskey, By]:
    """A passkey of a person, and the session that bound it."""
    soft = SoftPasskey(**habits)
    result = bind(world, by, soft)
    assert isinstance(result, Confirmed), result
    return soft, carried_on(by, result.token)


def enrolled(world: World, person: Person, **habits: Any) -> tuple[SoftPasskey, By]:
    """Somebody with a passkey, by way of an authenticator app."""
    app, _ = world.bind_totp(person)
    return bound(world, person, world.signed_in(person, app), **habits)


def ask(world: World, by: By, purpose: Purpose = Purpose.SECOND_STEP) -> Asked:
    """What a session's browser is to be asked."""
    return world.write(lambda tx: passkey_asking.ask_in_session(tx, by=by, site=SITE, purpose=purpose))


def show(
    world: World,
    by: By,
    soft: SoftPasskey,
    asked: Asked | None = None,
    purpose: Purpose = Purpose.SECOND_STEP,
    **lies: Any,
) -> Proved | Wrong:
    """Show it in a session."""
    answer = passkey_answers.read_shown(soft.show((asked or ask(world, by, purpose)).options, **lies))
    return world.write(
        lambda tx: passkeys.show(tx, by=by, site=SITE, answer=answer, purpose=purpose, token=new_token())
    )


def ask_sign_in(world: World, email: str | None = None, by: By = VISITOR) -> Asked:
    """What a visitor's browser is to be asked."""
    address = addresses.parse(email) if email is not None else None
    return world.write(lambda tx: passkey_asking.ask_sign_in(tx, by=by, site=SITE, address=address))


def sign_in(
    world: World, soft: SoftPasskey, asked: Asked | None = None, by: By = VISITOR, **lies: Any
) -> Proved | Wrong | Wait:
    """Sign in with it."""
    answer = passkey_answers.read_shown(soft.show((asked or ask_sign_in(world, by=by)).options, **lies))
    return world.write(
        lambda tx: passkeys.sign_in(
            tx, by=by, site=SITE, answer=answer, kind=Credential.COOKIE, token=new_token()
        )
    )
