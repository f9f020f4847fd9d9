"""All that forgets a remembered browser, with what live sessions hold of it (F38)."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from nightlatch import addresses
from nightlatch.actions import (
    authenticators,
    contesting,
    emails,
    enrolment,
    losing,
    mandate,
    passwords,
    resets,
    sessions_end,
    teammates,
)
from nightlatch.actions.by import By, operator
from nightlatch.actions.enrolment import Confirmed
from nightlatch.actions.not_me import not_me_link
from nightlatch.actions.tokens import hash_token, new_token
from nightlatch.decision import Allow, Deny
from nightlatch.instants import DAY
from nightlatch.policy import ManagedBy
from nightlatch.store import remembered as store_remembered
from nightlatch.store import restored as store_restored
from nightlatch.store import teammates as store_teammates
from nightlatch.vocabulary import Method, Role
from tests.support.asgi import app_of
from tests.support.letters import letter
from tests.support.lost import hundredth_wrong_code
from tests.support.product import Product
from tests.support.remembering import Remembering
from tests.support.signing_on import a_connection, by_of, come, connected, who
from tests.support.tables import rows
from tests.support.world import World

VISITOR = By("visitor", None, "", "198.51.100.7", "test")


NEW = addresses.parse("ana@elsewhere.example")


@pytest.fixture
def acme(world: World) -> Remembering:
    return Remembering(world)


Change = Callable[[Remembering, By], object]


def new_password(acme: Remembering, by: By) -> None:
    token = new_token()
    acme.world.write(lambda tx: passwords.change(tx, by=by, password_hash="new", session_token=token))


def reset_password(acme: Remembering, by: By) -> None:
    address = addresses.parse(acme.ana.email)
    acme.world.write(lambda tx: passwords.request_reset(tx, by=VISITOR, address=address))
    link = letter(acme.world, "password_reset").hash()
    acme.world.write(lambda tx: passwords.finish_reset(tx, by=VISITOR, token_hash=link, password_hash="new"))


def another_app(acme: Remembering, by: By) -> None:
    begun = acme.world.write(
        lambda tx: enrolment.begin(tx, by=by, name="Second", replaces=None, workspace_id=None)
    )
    assert isinstance(acme.confirm(by, begun.id, begun.seed), Confirmed)


def app_replaced(acme: Remembering, by: By) -> None:
    begun = acme.world.write(
        lambda tx: enrolment.begin(tx, by=by, name="New", replaces=acme.anas_app, workspace_id=None)
    )
    assert isinstance(acme.confirm(by, begun.id, begun.seed), Confirmed)


def app_removed(acme: Remembering, by: By) -> None:
    acme.world.write(lambda tx: authenticators.unbind(tx, by=by, authenticator_id=acme.anas_app))


def new_codes(acme: Remembering, by: By) -> None:
    acme.world.write(lambda tx: authenticators.renew_codes(tx, by=by, codes=[], token=new_token()))


def lost(acme: Remembering, by: By) -> None:
    other, _ = acme.world.bind_totp(acme.ana)
    with_other = acme.world.signed_in(acme.ana, other)
    acme.world.write(lambda tx: losing.mark_lost(tx, by=with_other, authenticator_id=acme.anas_app))


def contested(acme: Remembering, by: By) -> None:
    link = acme.world.write(lambda tx: not_me_link(tx, acme.ana.id, acme.anas_app))
    token = hash_token(link.rsplit("/", 1)[1])
    acme.world.write(lambda tx: contesting.contest(tx, by=VISITOR, token_hash=token))


def email_changed(acme: Remembering, by: By) -> None:
    acme.world.write(lambda tx: emails.request_change(tx, by=by, address=NEW))
    link = letter(acme.world, "email_confirm", to=NEW.display).hash()
    acme.world.write(lambda tx: emails.confirm(tx, by=VISITOR, token_hash=link))


def reset(acme: Remembering, by: By) -> None:
    row = acme.world.read(lambda tx: store_teammates.by_account(tx, acme.ana.id, acme.id))
    assert row is not None
    admin = acme.world.signed_in(acme.adam, acme.adams_app)
    acme.world.write(
        lambda tx: resets.disable_two_factor(
            tx,
            by=admin,
            workspace_id=acme.id,
            teammate_id=row.id,
            reason="Lost phone",
            recognised_by="phone",
        )
    )


def removed(acme: Remembering, by: By) -> None:
    row = acme.world.read(lambda tx: store_teammates.by_account(tx, acme.ana.id, acme.id))
    assert row is not None
    owner = acme.world.signed_in(acme.dana, acme.app)
    acme.world.write(lambda tx: teammates.remove(tx, by=owner, workspace_id=acme.id, teammate_id=row.id))


def left(acme: Remembering, by: By) -> None:
    acme.world.write(lambda tx: teammates.leave(tx, by=by, workspace_id=acme.id))


def all_sessions_ended(acme: Remembering, by: By) -> None:
    acme.world.write(
        lambda tx: sessions_end.end_sessions(tx, by=operator("Op"), workspace_id=None, reason="A breach")
    )


def sessions_ended_here(acme: Remembering, by: By) -> None:
    acme.world.write(
        lambda tx: sessions_end.end_sessions(tx, by=operator("Op"), workspace_id=acme.id, reason="A breach")
    )


def backup_restored(acme: Remembering, by: By) -> None:
    acme.world.write(lambda tx: store_restored.end_everything(tx, "restored"))


ENDINGS: list[Change] = [
    new_password,
    reset_password,
    another_app,
    app_replaced,
    app_removed,
    new_codes,
    lost,
    contested,
    email_changed,
    reset,
    removed,
    left,
    all_sessions_ended,
    sessions_ended_here,
    backup_restored,
]


@pytest.mark.parametrize("change", ENDINGS, ids=lambda each: each.__name__)
def test_every_change_forgets_it_and_bites_live_sessions(acme: Remembering, change: Change) -> None:
    by = acme.remember()
    live = acme.password()
    assert acme.open(live)
    change(acme, by)
    assert acme.left()[0] == 0
    assert not _by_memory(acme, live)


def _by_memory(acme: Remembering, by: By) -> bool:
    return any(each.method is Method.REMEMBERED for each in acme.world.known(by).facts.proofs)


def test_an_e_mail_change_undone_forgets_it(acme: Remembering) -> None:
    email_changed(acme, acme.remember())
    undo = letter(acme.world, "email_changed", to=acme.ana.email).hash("undo_link")
    acme.code(acme.password(replace(acme.ana, email=NEW.display)), remembers=True)
    assert acme.kept() == 1
    acme.world.write(lambda tx: emails.undo(tx, by=VISITOR, token_hash=undo))
    assert acme.left()[0] == 0


def test_who_returns_begins_with_none(acme: Remembering, world: World) -> None:
    acme.remember()
    live = acme.password()
    removed(acme, live)
    assert isinstance(world.opens(live, acme.id), Deny)
    world.write(
        lambda tx: store_teammates.join(tx, workspace_id=acme.id, account_id=acme.ana.id, role=Role.MEMBER)
    )
    assert not acme.open(live)
    assert not acme.spared()


def test_a_reset_in_one_workspace_leaves_another_s_alone(acme: Remembering, world: World) -> None:
    """Law 7."""
    other = world.workspace("other", owner=acme.dana, member=acme.ana)
    by = world.signed_in(acme.dana, acme.app)
    world.write(
        lambda tx: mandate.change_policy(
            tx,
            by=by,
            workspace_id=other,
            required=False,
            required_from=None,
            managed_by=ManagedBy.ADMINS,
            if_revision=1,
            reason=None,
            remember_days=7,
        )
    )
    acme.remember()
    assert acme.kept() == 2
    reset(acme, acme.owner)
    assert acme.kept() == 1
    assert isinstance(world.opens(acme.password(), other), Allow)


def test_a_hundred_wrong_codes_forget_it(acme: Remembering, world: World) -> None:
    """Whoever has the password, and a browser of Ana's beside it, does not come past the suspension by that."""
    acme.remember()
    live = acme.password()
    elsewhere = acme.password(browser="a thief's")
    hundredth_wrong_code(world, acme.ana, elsewhere)
    assert acme.left() == (0, 0)
    assert not acme.open(live)
    assert not acme.spared()


def test_a_suspension_where_one_workspace_alone_is_reached_forgets_it_there(
    acme: Remembering, world: World
) -> None:
    """Law 7: wrong codes after the provider of another workspace."""
    other = world.workspace("other", owner=acme.dana, member=acme.ana)
    acme.remember()
    okta = a_connection(world, other)
    connected(world, acme.ana, okta)
    there = by_of(come(world, okta, who(acme.ana.name)))
    hundredth_wrong_code(world, acme.ana, there)
    assert acme.kept() == 1


def test_a_product_that_removes_somebody_forgets_it(world: World) -> None:
    """It makes none for its people; what is there all the same goes with them."""
    acme = Product.of(world, app_of(world))
    acme.check(acme.person())
    (teammate,) = rows(world, "teammates")
    world.write(
        lambda tx: store_remembered.keep(
            tx,
            account_id=teammate.account_id,
            workspace_id=teammate.workspace_id,
            browser=b"b" * 32,
            ip="",
            user_agent="",
            expires_at=tx.now + DAY,
        )
    )
    assert acme.call("DELETE", "/app/people/ana").status == 204
    assert rows(world, "remembered_browsers") == []
