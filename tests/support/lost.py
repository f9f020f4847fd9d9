"""A person who may have lost the phone: second steps shown by the real actions, and the link "this was not me"."""

import secrets

from nightlatch.actions import contesting, second_step
from nightlatch.actions.by import By
from nightlatch.actions.proving import Proved, Wrong
from nightlatch.actions.tokens import hash_token, new_token
from nightlatch.authenticators import recovery_code
from nightlatch.authenticators.recovery_code import NewCode
from nightlatch.budget import Counter
from nightlatch.decision import Allow
from nightlatch.facts import EVERYWHERE, Reach
from nightlatch.store import authenticators, guesses, standing
from nightlatch.store.engine import Transaction
from nightlatch.vocabulary import Method
from tests.support.mails import newest
from tests.support.world import Person, World, carried_on

VISITOR = By("visitor", None, "", "198.51.100.7", "test")


def bind_codes(world: World, person: Person, reach: Reach = EVERYWHERE) -> tuple[int, list[NewCode]]:
    """A set of recovery codes, without any journey: its id and the codes."""
    fresh = list(recovery_code.generate(secrets.token_bytes)[:2])  # each costs a hash
    kept = [(each.selector, recovery_code.hash_secret(each.secret)) for each in fresh]

    def body(tx: Transaction) -> int:
        id = authenticators.bind(
            tx, account_id=person.id, method=Method.RECOVERY_CODE, name="Recovery codes", reach=reach
        )
        authenticators.add_codes(tx, id, kept)
        standing.refresh(tx, person.id)
        return id

    return world.write(body), fresh


def show_code(world: World, by: By, seed: bytes) -> By:
    """The second step with an app; the session after it."""
    code = world.code(seed)
    result = world.write(lambda tx: second_step.present_totp(tx, by=by, code=code, token=new_token()))
    assert isinstance(result, Proved), result
    return carried_on(by, result.token)


def show_recovery_code(world: World, by: By, text: str) -> By:
    """The second step with a recovery code; the session after it."""
    parts = recovery_code.canonical(text)
    candidate = world.read(lambda tx: second_step.look_code(tx, by=by, parts=parts))
    right = candidate.hash is not None and recovery_code.verify_secret(candidate.hash, parts.secret)
    result = world.write(
        lambda tx: second_step.present_recovery_code(
            tx, by=by, parts=parts, candidate=candidate, right=right, token=new_token()
        )
    )
    assert isinstance(result, Proved), result
    return carried_on(by, result.token)


def hundredth_wrong_code(world: World, person: Person, by: By) -> None:
    """The last wrong code of a hundred in a row: their app is suspended."""
    world.write(lambda tx: guesses.keep(tx, Method.TOTP, str(person.id), Counter(99, 0)))
    result = world.write(lambda tx: second_step.present_totp(tx, by=by, code="000000", token=new_token()))
    assert isinstance(result, Wrong), result
    assert result.suspended


def not_me(world: World, kind: str) -> bytes:
    """The token's hash of the link in the newest mail of a kind."""
    link = newest(world, kind)["not_me_link"]
    assert link.startswith("/not-me/")
    return hash_token(link.removeprefix("/not-me/"))


def press_not_me(world: World, token_hash: bytes) -> contesting.NotMe:
    """The button of that page is pressed."""
    return world.write(lambda tx: contesting.contest(tx, by=VISITOR, token_hash=token_hash))


def link_about(world: World, person: Person, authenticator_id: int | None) -> bytes:
    """A link as a mail about something would carry it."""
    path = world.write(lambda tx: contesting.not_me_link(tx, person.id, authenticator_id))
    return hash_token(path.removeprefix("/not-me/"))


def is_open(world: World, by: By, workspace_id: int) -> bool:
    """Whether a workspace is open to a session now."""
    return isinstance(world.opens(by, workspace_id), Allow)
