"""F07: what a change of factors or password does to the person's other sessions."""

from nightlatch.actions import authenticators, enrolment, passwords
from nightlatch.actions.by import By
from nightlatch.actions.tokens import new_token
from nightlatch.decision import Allow, Challenge
from nightlatch.vocabulary import Method
from tests.support.world import World


def bind(world: World, by: By, replaces: int | None = None) -> None:
    """The whole journey of one session."""
    pending = world.write(
        lambda tx: enrolment.begin(tx, by=by, name="Phone", replaces=replaces, workspace_id=None)
    )
    code = world.code(pending.seed)
    world.write(
        lambda tx: enrolment.confirm(
            tx, by=by, enrolment_id=pending.id, code=code, codes=[], token=new_token()
        )
    )


def test_a_first_binding_challenges_the_others(world: World) -> None:
    ana = world.person("Ana")
    acme = world.workspace("acme", owner=ana)
    mine, other = world.session(ana, Method.PASSWORD, Method.TICKET), world.session(ana)
    assert isinstance(world.opens(other, acme), Allow)
    bind(world, mine)
    assert world.known(other).session is not None
    assert isinstance(world.opens(other, acme), Challenge)


def test_later_changes_end_the_others(world: World) -> None:
    ana = world.person("Ana")
    world.workspace("acme", owner=ana)
    app, _ = world.bind_totp(ana)
    mine, other = world.signed_in(ana, app), world.signed_in(ana, app)
    bind(world, mine, replaces=app)
    assert world.known(other).session is None


def test_unbinding_ends_the_others(world: World) -> None:
    ana = world.person("Ana")
    world.workspace("acme", owner=ana)
    app, _ = world.bind_totp(ana)
    mine, other = world.signed_in(ana, app), world.signed_in(ana, app)
    world.write(lambda tx: authenticators.unbind(tx, by=mine, authenticator_id=app))
    assert world.known(other).session is None
    assert world.known(mine).session is not None


def test_a_new_password_ends_the_others(world: World) -> None:
    ana = world.person("Ana")
    app, _ = world.bind_totp(ana)
    world.workspace("acme", owner=ana)
    mine, other = world.signed_in(ana, app), world.signed_in(ana, app)
    world.write(lambda tx: passwords.change(tx, by=mine, password_hash="new", session_token=new_token()))
    assert world.known(other).session is None
