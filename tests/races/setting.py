"""What races begin from: recovery codes, codes that are wrong, links that were mailed."""

import secrets
from dataclasses import replace

from nightlatch.actions import (
    emails,
    enrolment,
    invitations,
    passwords,
    resets,
    second_step,
    sign_in,
    tickets,
)
from nightlatch.actions.by import By
from nightlatch.actions.proving import Wrong
from nightlatch.actions.tokens import hash_token, new_token
from nightlatch.addresses import parse
from nightlatch.authenticators import recovery_code
from nightlatch.budget import SECOND_STEP, Counter
from nightlatch.facts import EVERYWHERE
from nightlatch.store import authenticators, guesses, teammates
from nightlatch.store.engine import Transaction
from nightlatch.vocabulary import Credential, Method, Role
from tests.support.letters import letter, letters
from tests.support.world import Person, World

VISITOR = By("visitor", None, "", "198.51.100.7", "test", None, Credential.NONE, hash_token("new browser"))


def elsewhere(number: int, by: By = VISITOR) -> By:
    """The same from another address and another browser that was never seen."""
    return replace(by, ip=f"198.51.{number % 250}.{number // 250 + 1}", browser=hash_token(f"new {number}"))


def bind_codes(world: World, person: Person) -> list[str]:
    """A set of recovery codes; their texts."""
    fresh = recovery_code.generate(secrets.token_bytes)

    def body(tx: Transaction) -> None:
        bound = authenticators.bind(
            tx, account_id=person.id, method=Method.RECOVERY_CODE, name="Recovery codes", reach=EVERYWHERE
        )
        hashed = [(each.selector, recovery_code.hash_secret(each.secret)) for each in fresh]
        authenticators.add_codes(tx, bound, hashed)

    world.write(body)
    return [each.text for each in fresh]


def wrong_code(world: World, *seeds: bytes) -> str:
    """A code that is right for no moment near this one."""
    near = {world.code(seed, steps) for seed in seeds for steps in range(-30, 31)}
    return next(text for text in map("{:06d}".format, range(10_000)) if text not in near)


def wrong_recovery(right: str) -> str:
    """A recovery code that nobody has, with the selector of one that somebody has."""
    return right[:-1] + ("0" if right[-1] != "0" else "1")


def mailed_ticket(world: World, by: By, workspace_id: int | None = None) -> bytes:
    """The hash of a ticket's token, as its mail brings it."""
    world.write(lambda tx: tickets.send(tx, by=by, workspace_id=workspace_id))
    return letter(world, "ticket").hash()


def pending_enrolment(world: World, by: By) -> enrolment.Pending:
    """An enrolment that was begun, in a session that may bind."""
    token_hash = mailed_ticket(world, by)
    world.write(lambda tx: tickets.redeem(tx, by=by, token_hash=token_hash, number=None))
    return world.write(lambda tx: enrolment.begin(tx, by=by, name="Phone", replaces=None, workspace_id=None))


def invitation(world: World, by: By, workspace_id: int, email: str) -> bytes:
    """The hash of an invitation's token."""
    address = parse(email)
    world.write(
        lambda tx: invitations.invite(
            tx, by=by, workspace_id=workspace_id, pasted=[address], role=Role.MEMBER
        )
    )
    return letter(world, "invitation", to=address.display).hash()


def reset_link(world: World, person: Person) -> bytes:
    """The hash of a password-reset link's token."""
    world.write(lambda tx: passwords.request_reset(tx, by=VISITOR, address=parse(person.email)))
    return letter(world, "password_reset").hash()


def unblock_link(world: World, person: Person) -> bytes:
    """The hash of the token that lets a browser try a password again."""
    world.write(lambda tx: sign_in.ask_unblock(tx, by=VISITOR, address=parse(person.email)))
    return letter(world, "sign_in_unblock").hash()


def confirm_link(world: World, by: By, new: str) -> bytes:
    """The hash of the token that confirms a new e-mail address."""
    world.write(lambda tx: emails.request_change(tx, by=by, address=parse(new)))
    return letter(world, "email_confirm").hash()


def reset(world: World, by: By, workspace_id: int, person: Person) -> tuple[str, bytes]:
    """An admin turns off somebody's 2FA: the number to read out, and the hash of the ticket's token."""
    row = world.read(lambda tx: teammates.by_account(tx, person.id, workspace_id))
    assert row is not None
    done = world.write(
        lambda tx: resets.disable_two_factor(
            tx,
            by=by,
            workspace_id=workspace_id,
            teammate_id=row.id,
            reason="lost phone",
            recognised_by="by voice",
        )
    )
    assert done.number is not None
    return done.number, letter(world, "reset").hash()


def suspend(world: World, by: By, seed: bytes) -> None:
    """A hundred wrong codes in a row, over the years."""
    account = by.id or 0
    world.write(
        lambda tx: guesses.keep(
            tx, Method.TOTP, str(account), Counter(SECOND_STEP.last - 1 if SECOND_STEP.last else 0, 0)
        )
    )
    bad = wrong_code(world, seed)
    told = world.write(lambda tx: second_step.present_totp(tx, by=by, code=bad, token=new_token()))
    assert isinstance(told, Wrong)
    assert told.suspended


def lift_links(world: World) -> list[bytes]:
    """The hashes of the tokens of all lift links."""
    return [each.hash("lift_link") for each in letters(world, "second_factor_suspended")]
