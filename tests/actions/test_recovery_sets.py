"""Sets of recovery codes stand in for an app: one that stands for nothing goes; none is shown that counts nowhere."""

from nightlatch.actions import authenticators, resets, tickets
from nightlatch.actions.by import By
from nightlatch.actions.tickets import Redeemed
from nightlatch.decision import Allow
from nightlatch.facts import EVERYWHERE, reach_of
from nightlatch.instants import MINUTE
from nightlatch.store import authenticators as stored
from nightlatch.store import sessions as store_sessions
from nightlatch.store.engine import Transaction
from nightlatch.vocabulary import Method
from tests.actions.test_proving import enrol, ticket
from tests.support.letters import letter
from tests.support.tables import rows
from tests.support.world import Person, World


def sets(world: World) -> set[int]:
    return {each.id for each in rows(world, "authenticators") if each.method == Method.RECOVERY_CODE}


def shown(world: World, by: By) -> set[int]:
    """The sets that the person's own list shows."""
    listed = world.read(lambda tx: authenticators.own(tx, by=by))
    return {each.id for each in listed if each.method is Method.RECOVERY_CODE}


def first_enrolment(world: World, ana: Person) -> tuple[By, int]:
    """An app and ten codes that reach everywhere."""
    by = world.session(ana)
    ticket(world, by, None)
    by, confirmed = enrol(world, by)
    assert [each.reach for each in confirmed.known.facts.authenticators] == [EVERYWHERE] * 2
    return by, confirmed.authenticator_id


def reset(world: World, dana: Person, ana: Person, workspace_id: int) -> None:
    app, _ = world.bind_totp(dana)
    owner = world.signed_in(dana, app)
    [teammate] = [
        each.id
        for each in rows(world, "teammates")
        if (each.account_id, each.workspace_id) == (ana.id, workspace_id)
    ]
    world.write(
        lambda tx: resets.disable_two_factor(
            tx,
            by=owner,
            workspace_id=workspace_id,
            teammate_id=teammate,
            reason="Lost phone",
            recognised_by="phone",
            waive_number=True,
        )
    )


def set_up_again(world: World, ana: Person, workspace_id: int) -> By:
    by = world.session(ana)
    link = letter(world, "reset").hash()
    done = world.write(lambda tx: tickets.redeem(tx, by=by, token_hash=link, number=None))
    assert isinstance(done, Redeemed)
    by, _ = enrol(world, by, workspace=workspace_id)
    return by


def test_after_a_reset_the_void_set_is_not_shown_and_goes_with_the_old_app(world: World) -> None:
    dana, ana = world.person("Dana"), world.person("Ana")
    acme = world.workspace("acme", owner=dana, member=ana)
    _, old_app = first_enrolment(world, ana)
    [old_set] = sets(world)
    reset(world, dana, ana, acme)
    assert shown(world, world.session(ana)) == set()
    by = set_up_again(world, ana, acme)
    [new_set] = shown(world, by)
    assert sets(world) == {old_set, new_set}, "with the old app it may count where the person comes to yet"
    world.write(lambda tx: authenticators.unbind(tx, by=by, authenticator_id=old_app))
    assert sets(world) == {new_set}
    assert {each.authenticator_id for each in rows(world, "recovery_codes")} == {new_set}


def test_what_is_void_in_one_workspace_goes_on_in_another(world: World) -> None:
    """Law 7: until its app is gone there, too."""
    dana, ana = world.person("Dana"), world.person("Ana")
    acme = world.workspace("acme", owner=dana, member=ana)
    bolt = world.workspace("bolt", owner=dana, member=ana)
    _, old_app = first_enrolment(world, ana)
    [old_set] = sets(world)
    reset(world, dana, ana, acme)
    set_up_again(world, ana, acme)
    [new_set] = sets(world) - {old_set}
    both = world.signed_in(ana, old_app)
    assert isinstance(world.opens(both, bolt), Allow)
    assert shown(world, both) == {old_set, new_set}


def test_a_set_for_one_workspace_goes_with_the_only_app_there(world: World) -> None:
    ana = world.person("Ana")
    acme, bolt = world.workspace("acme", owner=ana), world.workspace("bolt", owner=ana)
    here, _ = world.bind_totp(ana, reach_of(acme))
    there, _ = world.bind_totp(ana, reach_of(bolt))
    codes = [
        world.write(
            lambda tx, place=place: stored.bind(  # type: ignore[misc]
                tx, account_id=ana.id, method=Method.RECOVERY_CODE, name="Codes", reach=reach_of(place)
            )
        )
        for place in (acme, bolt)
    ]
    by = world.signed_in(ana, here)

    def prove_there_too(tx: Transaction) -> None:
        [session] = store_sessions.of_account(tx, ana.id)
        store_sessions.add_proof(tx, session.id, Method.TOTP, authenticator_id=there, supersedes=False)

    world.write(prove_there_too)
    world.write(lambda tx: authenticators.unbind(tx, by=by, authenticator_id=here))
    assert sets(world) == {codes[1]}


def test_replacing_leaves_the_old_app_where_fresh_proof_is_still_to_come(world: World) -> None:
    """Laws 7 and 8: a code of one workspace replaces the app there, and takes it from no other."""
    ana = world.person("Ana")
    acme, bolt = world.workspace("acme", owner=ana), world.workspace("bolt", owner=ana)
    app, _ = world.bind_totp(ana)
    by = world.signed_in(ana, app)
    world.write(
        lambda tx: stored.bind(
            tx, account_id=ana.id, method=Method.RECOVERY_CODE, name="Codes", reach=reach_of(acme)
        )
    )
    [codes] = sets(world)
    world.require(bolt)
    world.wait(31 * MINUTE)

    def show_a_code_of_acme(tx: Transaction) -> None:
        [session] = store_sessions.of_account(tx, ana.id)
        store_sessions.add_proof(tx, session.id, Method.RECOVERY_CODE, authenticator_id=codes)

    world.write(show_a_code_of_acme)
    by, confirmed = enrol(world, by, replaces=app)
    facts = world.known(by).facts
    fresh, old = facts.authenticator(confirmed.authenticator_id), facts.authenticator(app)
    assert fresh is not None
    assert fresh.reach == reach_of(acme)
    assert old is not None, "bolt relies on it still"
    assert old.void == {acme}
    assert isinstance(world.opens(by, bolt), Allow)
