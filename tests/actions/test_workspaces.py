"""New workspaces: by the operator for an invited owner, by an account where sign-up is open."""

import pytest

from nightlatch.actions import joining, workspaces
from nightlatch.actions.by import By, operator
from nightlatch.actions.joining import State
from nightlatch.actions.workspaces import Created
from nightlatch.addresses import Address, parse
from nightlatch.decision import Allow
from nightlatch.facts import reach_of
from nightlatch.refusals import Code, Refused
from nightlatch.vocabulary import Event, Role
from tests.support.events import events
from tests.support.letters import letter, letters
from tests.support.overtaking import overtaken
from tests.support.tables import everything, rows
from tests.support.world import World

OLGA = operator("Olga")
EVE = parse("eve@example.com")


def create(
    world: World,
    by: By,
    slug: str = "acme",
    name: str = "Acme",
    owner: Address | None = None,
    *,
    sign_up_open: bool = True,
) -> Created:
    return world.write(
        lambda tx: workspaces.create(tx, by=by, name=name, slug=slug, owner=owner, sign_up_open=sign_up_open)
    )


def refused(code: Code):
    return pytest.raises(Refused, match=f"^{code}:")


def test_the_first_person_comes_in_by_the_operators_link(world):
    made = create(world, OLGA, owner=EVE, name="  Acme  Corp ", sign_up_open=False)
    assert (made.slug, made.name, made.mailed) == ("acme", "Acme Corp", True)
    assert made.invitation is not None
    mail = letter(world, "invitation")
    assert (mail.to, mail.token(), mail.values["role"]) == (EVE.display, made.invitation.text, "owner")
    found = world.read(lambda tx: joining.look(tx, mail.hash()))
    assert (found.state, found.role, found.slug) == (State.OPEN, Role.OWNER, "acme")
    assert [each.event for each in events(world, workspace=made.workspace_id)] == [
        Event.WORKSPACE_CREATED,
        Event.INVITATION_SENT,
    ]
    assert made.invitation.text not in repr(made)


def test_no_link_is_told_for_an_account_that_is_there(world):
    made = create(world, OLGA, owner=parse(world.person("Old").email))
    assert made.invitation is None
    assert made.mailed


def test_an_owner_who_gets_no_more_mail_today_is_no_reason_to_fail(world):
    for number in range(4):
        made = create(world, OLGA, f"acme-{number}", owner=EVE)
        assert made.mailed is (number < 3)
    assert len(letters(world, "invitation")) == 3


def test_an_account_becomes_the_owner_at_once(world):
    ana = world.person("Ana")
    anas = world.session(ana)
    made = create(world, anas)
    assert isinstance(world.opens(anas, made.workspace_id), Allow)
    teammate = world.known(anas).facts.teammate(made.workspace_id)
    assert teammate is not None
    assert teammate.role is Role.OWNER
    row = rows(world, "standing")[0]
    assert (row.account_id, row.role, row.last_sign_in_at is not None) == (ana.id, "owner", True)
    assert not letters(world)


def test_where_sign_up_is_closed_accounts_make_none(world):
    """F32: the operator alone hands out workspaces."""
    anas = world.session(world.person("Ana"))
    before = everything(world)
    with refused(Code.NOT_PERMITTED):
        create(world, anas, sign_up_open=False)
    assert everything(world) == before


def test_whoever_has_not_shown_enough_makes_none(world):
    ana = world.person("Ana")
    other = world.workspace("other", owner=ana)
    world.bind_totp(ana, reach_of(other))
    with refused(Code.SECOND_FACTOR_REQUIRED):
        create(world, world.session(ana))
    with refused(Code.SIGN_IN_REQUIRED):
        create(world, By("visitor", None, ""))


def test_nobody_makes_a_workspace_for_somebody_else(world):
    anas = world.session(world.person("Ana"))
    with refused(Code.INVALID):
        create(world, anas, owner=EVE)
    with refused(Code.INVALID):
        create(world, OLGA)


@pytest.mark.parametrize(
    "slug, name, field",
    [
        ("Acme!", "Acme", "slug"),
        ("new", "Acme", "slug"),
        ("a\x00b", "Acme", "slug"),
        ("\ud800b", "Acme", "slug"),
        ("acme", " ", "name"),
    ],
)
def test_bad_names_are_refused(world, slug, name, field):
    anas = world.session(world.person("Ana"))
    before = everything(world)
    with refused(Code.INVALID) as told:
        create(world, anas, slug, name)
    assert [each.field for each in told.value.errors] == [field]
    assert everything(world) == before


def test_a_slug_belongs_to_one_workspace(world):
    anas = world.session(world.person("Ana"))
    create(world, anas, "acme")
    with refused(Code.SLUG_TAKEN):
        create(world, anas, " acme ")
    with refused(Code.SLUG_TAKEN):
        create(world, OLGA, "acme", owner=EVE)


def test_two_who_want_a_slug_at_once_get_one(world):
    sessions = [world.session(world.person(name)) for name in ("Ana", "Ben")]
    first, second = overtaken(
        world,
        *(
            lambda tx, by=by: workspaces.create(tx, by=by, name="Acme", slug="acme", sign_up_open=True)
            for by in sessions
        ),
    )
    assert isinstance(first, Created)
    assert isinstance(second, Refused)
    assert second.code is Code.SLUG_TAKEN
