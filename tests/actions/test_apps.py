"""Registering products: who may, what is refused, secrets two at a time, and what ends with a product."""

from typing import Any

import pytest

from nightlatch.actions import apps, teammates
from nightlatch.actions.apps import Changes, Made, Registration
from nightlatch.actions.by import By, operator
from nightlatch.actions.tokens import hash_token
from nightlatch.addresses import parse
from nightlatch.decision import Challenge, Deny
from nightlatch.products import Home
from nightlatch.refusals import Code, Refused
from nightlatch.store import accounts, workspaces
from nightlatch.store import apps as stored
from nightlatch.store import teammates as stored_teammates
from nightlatch.store.engine import Transaction
from nightlatch.vocabulary import Event, Method, Role
from tests.support.events import Told, events
from tests.support.letters import letter
from tests.support.overtaking import overtaken
from tests.support.pictures import picture
from tests.support.tables import broken, everything
from tests.support.world import Person, World

OLGA = operator("Olga")
HOME = Home("https://2fa.example.com", "")
ORIGIN = "https://app.acme.example"


def add(world: World, by: By = OLGA, *, home: Home = HOME, **more: Any) -> Made:
    wanted: dict[str, Any] = {"name": "Acme Notes", "origins": [ORIGIN], **more}
    return world.write(lambda tx: apps.add(tx, by=by, home=home, **wanted))


def change(world: World, app: Registration, by: By = OLGA, *, home: Home = HOME, **more: Any) -> Registration:
    workspace_id = more.pop("workspace_id", None)
    return world.write(
        lambda tx: apps.change(
            tx, by=by, home=home, app_id=app.id, changes=Changes(**more), workspace_id=workspace_id
        )
    )


def secrets_of(world: World, app: Registration) -> int:
    return len(world.read(lambda tx: apps.read(tx, app.id)).secrets)


def knows(world: World, secret: str) -> bool:
    return world.read(lambda tx: stored.by_secret(tx, hash_token(secret))) is not None


def app_events(world: World) -> list[Told]:
    return [each for each in events(world) if each.event.startswith("app.")]


def refused(code: Code):
    return pytest.raises(Refused, match=f"^{code}:")


@pytest.fixture
def dana(world: World) -> Person:
    """The owner of acme."""
    return world.person("Dana")


@pytest.fixture
def acme(world: World, dana: Person) -> int:
    """A workspace of Nightlatch's own."""
    return world.workspace("acme", owner=dana)


def owner(world: World, dana: Person) -> By:
    """Dana, with a fresh second step."""
    bound, _ = world.bind_totp(dana)
    return world.signed_in(dana, bound)


# --- adding ---


def test_a_product_that_keeps_its_users(world):
    made = add(
        world, name="  Acme   Notes ", origins=["https://App.acme.example:443/", "http://localhost:8100"]
    )
    app = made.app
    assert (app.handle, app.name, app.keeps_people, app.workspace) == ("acme-notes", "Acme Notes", True, None)
    assert app.origins == ("http://localhost:8100", ORIGIN)
    assert app.return_url == f"{ORIGIN}/nightlatch/callback", "of the first that was named"
    assert (app.roles, app.role_map, app.colour) == (None, {}, None)
    text = made.secret.text
    assert text.startswith("nla_")
    assert len(text) == 4 + 43
    assert knows(world, text)
    assert text not in repr(made)
    assert text not in repr(everything(world)), "only its hash is kept"
    added, secret = app_events(world)
    assert (added.event, added.subject, added.workspace_id) == (
        Event.APP_ADDED,
        ("app", app.id, "Acme Notes"),
        None,
    )
    assert added.detail["origins"] == [ORIGIN, "http://localhost:8100"]
    assert secret.event is Event.APP_SECRET_MADE
    assert text not in repr(events(world))


def test_a_product_behind_a_proxy_belongs_to_a_workspace(world, acme):
    made = add(world, workspace_id=acme, keeps_people=False, roles=["admin", "owner"])
    assert (made.app.keeps_people, made.app.workspace) == (False, "acme")
    assert made.app.roles == (Role.OWNER, Role.ADMIN)
    row = world.read(lambda tx: stored.by_handle(tx, "acme-notes"))
    assert (row.workspace_id, row.managed_by, row.roles) == (acme, acme, "owner admin")
    assert {each.workspace_id for each in app_events(world)} == {acme}


def test_what_does_not_fit_its_kind(world, acme):
    before = everything(world)
    for more in (
        {"roles": ["owner"]},
        {"keeps_people": False},
        {"workspace_id": acme, "keeps_people": False, "role_map": {"boss": "owner"}},
        {"workspace_id": acme, "keeps_people": False, "return_url": f"{ORIGIN}/in"},
        {"name": " "},
        {"origins": ["http://app.acme.example"]},
        {"origins": [HOME.origin]},
        {"handle": "Acme"},
        {"role_map": {"boss": "root"}},
        {"colour": "red"},
        {"return_url": "https://evil.example/in"},
    ):
        with refused(Code.INVALID):
            add(world, **more)
    with refused(Code.NOT_FOUND):
        add(world, workspace_id=4711, keeps_people=False)
    assert everything(world) == before


def test_a_products_workspace_has_no_products_of_its_own(world):
    app_id = add(world).app.id
    theirs = world.write(
        lambda tx: workspaces.create(tx, slug="acme-w1", name="W1", app_id=app_id, app_key="w1")
    )
    with refused(Code.NOT_PERMITTED):
        add(world, origins=["https://other.example"], workspace_id=theirs, keeps_people=False)


def test_each_origin_is_one_products(world, acme):
    add(world, origins=[ORIGIN, "https://www.acme.example"])
    with pytest.raises(Refused) as told:
        add(world, name="Evil", origins=["https://evil.example", "https://APP.acme.example"])
    assert told.value.code is Code.CONFLICT
    assert ORIGIN in told.value.detail
    assert "Acme" not in told.value.detail, "whose it is, is nobody's business"
    other = add(world, name="Other", origins=["https://other.example"]).app
    with refused(Code.CONFLICT):
        change(world, other, origins=["https://other.example", ORIGIN])
    assert change(world, other, origins=["https://other.example"]) == other


def test_handles_are_one_products(world):
    assert add(world, handle="acme").app.handle == "acme"
    with refused(Code.CONFLICT):
        add(world, handle="acme", origins=["https://b.example"])
    assert add(world, name="Acme", origins=["https://b.example"]).app.handle == "acme-2"
    assert add(world, name="Acme", origins=["https://c.example"]).app.handle == "acme-3"


def test_two_at_once_never_share_an_origin(world):
    first, second = overtaken(
        world,
        lambda tx: apps.add(tx, by=OLGA, home=HOME, name="One", origins=[ORIGIN]),
        lambda tx: apps.add(tx, by=OLGA, home=HOME, name="One", origins=["https://b.example", ORIGIN]),
    )
    assert isinstance(first, Made)
    assert isinstance(second, Refused)
    assert second.code is Code.CONFLICT


def test_two_at_once_of_one_name_have_two_handles(world):
    made = overtaken(
        world,
        lambda tx: apps.add(tx, by=OLGA, home=HOME, name="One", origins=[ORIGIN]),
        lambda tx: apps.add(tx, by=OLGA, home=HOME, name="One", origins=["https://b.example"]),
    )
    assert [each.app.handle for each in made if isinstance(each, Made)] == ["one", "one-2"]


# --- by owners ---


def test_owners_register_with_fresh_proof(world, dana, acme):
    by = owner(world, dana)
    made = add(world, by, workspace_id=acme, keeps_people=False)
    assert made.app.workspace == "acme"
    assert app_events(world)[0].actor == ("account", dana.id, "Dana")
    assert world.read(lambda tx: apps.managed(tx, acme)) == [made.app]


def test_others_do_not(world, dana, acme):
    ana, eve = world.person("Ana"), world.person("Eve")
    other = world.workspace("other", owner=eve, member=ana)
    app = add(world, workspace_id=acme, keeps_people=False).app
    eve_by, ana_by, stale = owner(world, eve), owner(world, ana), owner(world, dana)
    before = everything(world)

    def tries(by: By, workspace_id: int | None) -> Any:
        yield lambda: add(world, by, origins=["https://x.example"], workspace_id=workspace_id)
        yield lambda: change(world, app, by, name="X", workspace_id=workspace_id)
        for act in (apps.remove, apps.rotate):
            yield lambda act=act: world.write(
                lambda tx: act(tx, by=by, app_id=app.id, workspace_id=workspace_id)
            )
        yield lambda: world.write(
            lambda tx: apps.set_logo(
                tx, by=by, app_id=app.id, logo=picture("png", 64, 64), workspace_id=workspace_id
            )
        )
        yield lambda: world.write(
            lambda tx: apps.end_secret(
                tx, by=by, app_id=app.id, secret_id=app.secrets[0].id, workspace_id=workspace_id
            )
        )

    for attempt in tries(eve_by, acme):  # an owner elsewhere
        with pytest.raises(Refused) as told:
            attempt()
        assert told.value.code is Code.NOT_FOUND
    for attempt in [*tries(eve_by, other)][1:]:  # in their own workspace, another's product
        with refused(Code.NOT_FOUND):
            attempt()
    for attempt in tries(eve_by, None):
        with refused(Code.NOT_FOUND):
            attempt()
    for attempt in tries(ana_by, other):  # a member
        with pytest.raises(Refused) as told:
            attempt()
        assert isinstance(told.value.decision, Deny)
    world.wait(60 * 60 * 1_000_000)
    for attempt in tries(stale, acme):  # the proof is an hour old
        with pytest.raises(Refused) as told:
            attempt()
        assert told.value.code is Code.STEP_UP_REQUIRED
        assert isinstance(told.value.decision, Challenge)
    assert everything(world) == before


def test_where_anybody_can_sign_up_only_the_operator_claims_addresses(world, dana, acme):
    open_house = Home(HOME.origin, "", sign_up_open=True)
    by = owner(world, dana)
    with refused(Code.NOT_PERMITTED):
        add(world, by, home=open_house, workspace_id=acme)
    app = add(world, home=open_house, workspace_id=acme).app
    with refused(Code.NOT_PERMITTED):
        change(world, app, by, home=open_house, origins=["https://x.example"], workspace_id=acme)
    changed = change(world, app, by, home=open_house, name="Notes", origins=[ORIGIN], workspace_id=acme)
    assert changed.name == "Notes", "what claims nothing is theirs to change"


# --- changing ---


def test_what_is_given_is_changed_and_the_rest_stays(world):
    app = add(world, role_map={"boss": "owner"}, colour="#2f6f4f").app
    changed = change(world, app, name="Notes")
    assert changed == change(world, app)
    assert (changed.name, changed.role_map, changed.colour) == ("Notes", {"boss": Role.OWNER}, "#2f6f4f")
    changed = change(world, app, role_map={}, colour="", return_url=f"{ORIGIN}/back")
    assert (changed.role_map, changed.colour, changed.return_url) == ({}, None, f"{ORIGIN}/back")
    assert [each.detail for each in app_events(world) if each.event is Event.APP_CHANGED] == [
        {"name": "Notes"},
        {"role_map": {}, "colour": None, "return_url": f"{ORIGIN}/back"},
    ]


def test_the_return_address_stays_at_an_origin(world):
    app = add(world).app
    moved = change(world, app, origins=["https://new.example"])
    assert moved.return_url == "https://new.example/nightlatch/callback", "the default one follows"
    own = change(world, app, return_url="https://new.example/in")
    with refused(Code.INVALID):
        change(world, app, origins=["https://third.example"])
    assert world.read(lambda tx: apps.read(tx, app.id)) == own
    assert change(world, app, origins=["https://third.example"], return_url="").return_url == (
        "https://third.example/nightlatch/callback"
    )


def test_roles_of_a_product_behind_a_proxy(world, acme):
    app = add(world, workspace_id=acme, keeps_people=False, roles=["owner"]).app
    assert change(world, app, roles=["owner", "admin"]).roles == (Role.OWNER, Role.ADMIN)
    assert change(world, app, roles=list(Role)).roles is None
    assert change(world, app, origins=["https://b.example"]).return_url == (
        "https://b.example/.nightlatch/callback"
    )
    with refused(Code.INVALID):
        change(world, app, roles=[])
    opened = change(world, app, roles=["owner"])
    for role, number in ((Role.OWNER, 1), (Role.ADMIN, 0)):
        shown = world.read(lambda tx, role=role: apps.open_to(tx, acme, role))
        assert shown == [(opened.name, opened.origins)][:number]


def test_logos(world):
    app = add(world).app
    png = picture("png", 64, 64)
    shown = world.write(lambda tx: apps.set_logo(tx, by=OLGA, app_id=app.id, logo=png))
    assert shown.logo_type == "image/png"
    assert bytes(world.read(lambda tx: stored.by_id(tx, app.id)).logo) == png
    with refused(Code.INVALID):
        world.write(lambda tx: apps.set_logo(tx, by=OLGA, app_id=app.id, logo=b"<svg/>"))
    gone = world.write(lambda tx: apps.set_logo(tx, by=OLGA, app_id=app.id, logo=None))
    assert gone.logo_type is None


# --- secrets ---


def test_a_secret_is_changed_without_a_gap(world):
    first = add(world)
    second = world.write(lambda tx: apps.rotate(tx, by=OLGA, app_id=first.app.id))
    assert knows(world, first.secret.text)
    assert knows(world, second.secret.text)
    with refused(Code.CONFLICT):
        world.write(lambda tx: apps.rotate(tx, by=OLGA, app_id=first.app.id))
    older = second.app.secrets[0]
    assert older.id == first.secret_id, "the oldest first"
    world.write(lambda tx: apps.end_secret(tx, by=OLGA, app_id=first.app.id, secret_id=older.id))
    assert not knows(world, first.secret.text)
    assert knows(world, second.secret.text)
    with refused(Code.CONFLICT):  # the last one ends only with the product
        world.write(lambda tx: apps.end_secret(tx, by=OLGA, app_id=first.app.id, secret_id=second.secret_id))
    with refused(Code.NOT_FOUND):
        world.write(lambda tx: apps.end_secret(tx, by=OLGA, app_id=first.app.id, secret_id=older.id))
    assert [each.event for each in app_events(world)][2:] == [Event.APP_SECRET_MADE, Event.APP_SECRET_ENDED]


def test_the_older_one_may_be_ended_in_one_go(world):
    first = add(world)
    second = world.write(lambda tx: apps.rotate(tx, by=OLGA, app_id=first.app.id, end_older=True))
    assert knows(world, first.secret.text), "with one alone nothing is ended"
    world.wait(1_000_000)
    third = world.write(lambda tx: apps.rotate(tx, by=OLGA, app_id=first.app.id, end_older=True))
    assert [knows(world, each.secret.text) for each in (first, second, third)] == [False, True, True]


def test_there_are_never_three(world):
    app = add(world).app
    first, second = overtaken(
        world,
        lambda tx: apps.rotate(tx, by=OLGA, app_id=app.id),
        lambda tx: apps.rotate(tx, by=OLGA, app_id=app.id),
    )
    assert isinstance(first, Made)
    assert isinstance(second, Refused)
    assert secrets_of(world, app) == 2


def test_ending_both_at_once_leaves_one(world):
    app = add(world).app
    older, newer = world.write(lambda tx: apps.rotate(tx, by=OLGA, app_id=app.id)).app.secrets
    first, second = overtaken(
        world,
        lambda tx: apps.end_secret(tx, by=OLGA, app_id=app.id, secret_id=older.id),
        lambda tx: apps.end_secret(tx, by=OLGA, app_id=app.id, secret_id=newer.id),
    )
    assert isinstance(first, Registration)
    assert isinstance(second, Refused)
    assert secrets_of(world, app) == 1


# --- removing ---


def test_a_removed_product_is_known_no_more(world, acme, dana):
    made = add(world, workspace_id=acme, keeps_people=False)
    gone = world.write(lambda tx: apps.remove(tx, by=OLGA, app_id=made.app.id, reason="Nobody uses it"))
    assert gone.id == made.app.id
    assert not knows(world, made.secret.text)
    assert world.read(lambda tx: stored.by_origin(tx, ORIGIN)) is None
    assert world.read(apps.every) == []
    with refused(Code.NOT_FOUND):
        world.read(lambda tx: apps.read(tx, made.app.id))
    told = app_events(world)[-1]
    assert (told.event, told.workspace_id, told.detail["reason"]) == (
        Event.APP_REMOVED,
        acme,
        "Nobody uses it",
    )
    mail = letter(world, "break_glass", to=dana.email)
    assert "Acme Notes" in mail.values["what"]
    again = add(world)
    assert (again.app.handle, again.app.id == made.app.id) == ("acme-notes", False)


def test_the_sessions_of_its_people_end_with_it(world, dana, acme):
    app = add(world).app
    by = owner(world, dana)

    def body(tx: Transaction) -> int:
        address = parse("ana@people.example")
        return accounts.create_person(tx, app_id=app.id, person="ana", name="Ana", address=address)

    ana = world.session(Person(world.write(body), "ana@people.example", "Ana"), Method.PROVIDER)
    assert world.known(ana).session is not None
    world.write(lambda tx: apps.remove(tx, by=OLGA, app_id=app.id, reason="Over"))
    assert world.known(ana).session is None
    assert world.known(by).session is not None


def test_the_operator_says_why(world):
    app = add(world).app
    with refused(Code.INVALID):
        world.write(lambda tx: apps.remove(tx, by=OLGA, app_id=app.id))


def test_an_owner_removes_without_a_reason(world, dana, acme):
    by = owner(world, dana)
    app = add(world, by, workspace_id=acme).app
    world.write(lambda tx: apps.remove(tx, by=by, app_id=app.id, workspace_id=acme))
    assert world.read(lambda tx: apps.managed(tx, acme)) == []


def test_nothing_is_registered_without_its_event(world):
    before = everything(world)
    with broken(world, "audit_events"), pytest.raises(Exception, match="broken on purpose"):
        add(world)
    assert everything(world) == before


def test_who_stops_being_owner_meanwhile_registers_nothing(world, dana, acme):
    by, olaf = owner(world, dana), world.person("Olaf")
    mine = world.write(lambda tx: stored_teammates.by_account(tx, dana.id, acme)).id
    world.write(lambda tx: stored_teammates.join(tx, workspace_id=acme, account_id=olaf.id, role=Role.OWNER))
    _, second = overtaken(
        world,
        lambda tx: teammates.change_role(
            tx, by=OLGA, workspace_id=acme, teammate_id=mine, role=Role.MEMBER, reason="Moves on"
        ),
        lambda tx: apps.add(
            tx, by=by, home=HOME, name="Late", origins=[ORIGIN], workspace_id=acme, keeps_people=False
        ),
    )
    assert isinstance(second, Refused)
    assert isinstance(second.decision, Deny)
