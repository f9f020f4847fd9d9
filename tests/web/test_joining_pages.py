"""The invited side: from the link in the mail to the workspace, with and without 2FA on the way."""

import pytest

from nightlatch.actions import invitations
from nightlatch.actions.by import operator
from nightlatch.addresses import parse
from nightlatch.instants import DAY
from nightlatch.vocabulary import Role
from nightlatch.web.app import App
from tests.support.asgi import app_of
from tests.support.mails import link_in
from tests.support.visitor import Visitor, codes_shown, resident, seed_shown, signed_in
from tests.support.world import PASSWORD, World


@pytest.fixture
def app(world: World) -> App:
    return app_of(world)


def invite(world: World, workspace_id: int, email: str, role: Role = Role.MEMBER) -> str:
    """Invite somebody; the path of the link in their mail."""
    world.write(
        lambda tx: invitations.invite(
            tx, by=operator("Olga"), workspace_id=workspace_id, pasted=[parse(email)], role=role
        )
    )
    return str(link_in(world, "invitation"))


def test_a_newcomer_chooses_a_password_and_is_in(world: World, app: App) -> None:
    acme = world.workspace("acme", owner=world.person("Dana"))
    newcomer = Visitor(app)
    page = newcomer.open(invite(world, acme, "ana@example.com"))
    assert page.path == "/invitation"
    assert page.heading == "Join Acme"
    assert "Olga" in page.text
    assert "ana@example.com" in page.text
    page = newcomer.submit("/invitation", name="Ana", password=PASSWORD)
    assert page.path == "/w/acme?said=joined"
    assert page.heading == "Acme"
    assert "Welcome. You are in." in page.text


def test_where_2fa_is_required_it_is_one_flow(world: World, app: App) -> None:
    acme = world.workspace("acme", owner=world.person("Dana"))
    world.require(acme)
    newcomer = Visitor(app)
    page = newcomer.open(invite(world, acme, "ana@example.com"))
    assert "Set up 2FA" in page.text
    page = newcomer.submit("/invitation", name="Ana", password=PASSWORD)
    assert page.path.startswith("/set-up?workspace=acme")
    assert page.heading == "Set up 2FA to continue"
    seed = seed_shown(page)
    assert seed_shown(newcomer.open(page.path)) == seed, "a reload draws the same code again"
    page = newcomer.submit("/set-up", code=world.code(seed))
    assert page.heading == "Save your recovery codes"
    assert len(codes_shown(page)) == 10
    page = newcomer.submit("/set-up/done")
    assert page.status == 422
    assert len(codes_shown(page)) == 10, "without the tick the codes stay in sight"
    page = newcomer.submit("/set-up/done", saved="yes")
    assert page.path == "/w/acme?said=two-factor-on"
    assert page.heading == "Acme"


def test_without_set_up_nothing_opens_and_everything_leads_to_it(world: World, app: App) -> None:
    acme = world.workspace("acme", owner=world.person("Dana"))
    world.require(acme)
    newcomer = Visitor(app)
    newcomer.open(invite(world, acme, "ana@example.com"))
    newcomer.submit("/invitation", name="Ana", password=PASSWORD)
    page = newcomer.open("/w/acme")
    assert page.path == "/set-up?workspace=acme&next=%2Fw%2Facme"
    assert page.heading == "Set up 2FA to continue"


def test_the_mailbox_shown_by_an_invitation_counts_for_an_hour(world: World, app: App) -> None:
    acme = world.workspace("acme", owner=world.person("Dana"))
    world.require(acme)
    newcomer = Visitor(app)
    newcomer.open(invite(world, acme, "ana@example.com"))
    newcomer.submit("/invitation", name="Ana", password=PASSWORD)
    world.wait(DAY // 24)
    page = newcomer.open("/w/acme")
    assert "/set-up/mail" in page.actions
    assert "ana@example.com" in page.text


def test_opening_the_link_changes_nothing(world: World, app: App) -> None:
    acme = world.workspace("acme", owner=world.person("Dana"))
    link = invite(world, acme, "ana@example.com")
    for _ in range(3):
        scanner = Visitor(app)
        assert scanner.open(link).status == 200
    assert Visitor(app).open(link).heading == "Join Acme"


def test_messages_stand_at_their_fields_and_the_name_is_kept(world: World, app: App) -> None:
    acme = world.workspace("acme", owner=world.person("Dana"))
    newcomer = Visitor(app)
    newcomer.open(invite(world, acme, "ana@example.com"))
    page = newcomer.submit("/invitation", name="Ana", password="too short")
    assert page.status == 422
    assert page.read.title.startswith("Error:")
    assert page.form("/invitation").fields["name"] == "Ana"
    assert page.form("/invitation").fields["password"] == ""
    page = newcomer.submit("/invitation", name="", password=PASSWORD)
    assert page.status == 422
    assert "Enter a name." in page.text


def test_a_used_invitation_says_so_and_leads_on(world: World, app: App) -> None:
    acme = world.workspace("acme", owner=world.person("Dana"))
    link = invite(world, acme, "ana@example.com")
    newcomer, thief = Visitor(app), Visitor(app)
    newcomer.open(link)
    thief.open(link)
    newcomer.submit("/invitation", name="Ana", password=PASSWORD)
    page = thief.submit("/invitation", name="Mallory", password="another long password")
    assert page.status == 410
    assert "Each invitation works once" in page.text
    assert page.read.links["Sign in"] == "/sign-in"


def test_an_unknown_invitation_is_404_with_a_way_on(app: App) -> None:
    page = Visitor(app).open("/invitations/" + "x" * 43)
    assert page.status == 404
    assert "Sign in" in page.read.links
    assert Visitor(app).open("/invitation").status == 404


def test_an_account_joins_only_as_itself(world: World, app: App) -> None:
    dana, ana, ben = world.person("Dana"), resident(world, "Ana"), resident(world, "Ben")
    acme = world.workspace("acme", owner=dana)
    world.workspace("bolt", owner=[ana, ben])
    link = invite(world, acme, ana.email)
    visitor = Visitor(app)
    page = visitor.open(link)
    assert "You already have an account" in page.text
    assert page.read.links["Sign in"] == "/sign-in?next=/invitation"
    visitor.open("/sign-in?next=/invitation")
    page = visitor.submit("/sign-in", email=ana.email, password=PASSWORD)
    assert page.path == "/invitation"
    page = visitor.submit("/invitation/join")
    assert page.path == "/w/acme?said=joined"

    other = signed_in(app, ben)
    page = other.open(invite(world, acme, "cleo@example.com"))
    assert "You are signed in with another account" in page.text
    assert "/invitation" not in page.actions
    page = other.submit("/sign-out")
    assert page.path == "/invitation", "signing out leads back to the invitation"
    assert "/invitation" in page.actions


def test_somebody_else_cannot_take_an_invitation_by_posting(world: World, app: App) -> None:
    dana, ben = world.person("Dana"), resident(world, "Ben")
    acme = world.workspace("acme", owner=dana)
    world.workspace("bolt", owner=ben)
    visitor = signed_in(app, ben)
    page = visitor.open(invite(world, acme, "cleo@example.com"))
    csrf = page.form("/sign-out").fields["csrf"]
    for path in ("/invitation/join", "/invitation"):
        page = visitor.post(path, {"csrf": csrf, "name": "Ben", "password": PASSWORD})
        assert "You are signed in with another account" in page.text
    assert visitor.open("/w/acme").status == 404


def test_below_a_path_prefix_every_link_form_and_cookie_has_it(world: World) -> None:
    app = app_of(world, NIGHTLATCH_PATH="/2fa")
    acme = world.workspace("acme", owner=world.person("Dana"))
    world.require(acme)
    newcomer = Visitor(app)
    page = newcomer.open("/2fa" + invite(world, acme, "ana@example.com"))
    assert page.path == "/2fa/invitation"
    page = newcomer.submit("/2fa/invitation", name="Ana", password=PASSWORD)
    assert page.path.startswith("/2fa/set-up?workspace=acme")
    page = newcomer.submit("/2fa/set-up", code=world.code(seed_shown(page)))
    page = newcomer.submit("/2fa/set-up/done", saved="yes")
    assert page.path == "/2fa/w/acme?said=two-factor-on"
    page = newcomer.open("/2fa/settings/user")
    assert all(each.startswith("/2fa/") for each in page.actions)
    assert all(each.startswith(("/2fa/", "#")) for each in page.read.links.values())
