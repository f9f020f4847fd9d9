"""Before the switch: whom it meets, as a page, a file and through the API; and afterwards how far the team has come."""

import csv
import io
import re
from datetime import UTC, datetime
from typing import Any

import pytest

from nightlatch.actions import progress, reminders
from nightlatch.actions.by import operator
from nightlatch.ids import to_text as id_text
from nightlatch.instants import DAY, HOUR, from_text, to_datetime, to_text
from nightlatch.policy import Acceptance, SsoRule
from nightlatch.store import api_tokens, outbox, service_accounts, standing, teammates
from nightlatch.store import authenticators as bound
from nightlatch.store.preview import MOST_NAMES
from nightlatch.store.preview_sso import PARTS
from nightlatch.web.rendering import spoken
from tests.support.crowd import Mate, add
from tests.support.product import Product
from tests.support.signing_on import a_connection, come, connected, rule, who
from tests.support.switch import exempt
from tests.support.tables import rows as rows_of
from tests.support.visitor import Page
from tests.support.world import Person
from tests.web.team import Team

TEAM = "/w/acme/settings/team"
SWITCH = f"{TEAM}/authentication"
API = "/api/v1/workspaces/acme/policy"


@pytest.fixture
def dana(team: Team) -> Person:
    """The owner of acme, with 2FA."""
    return team.person("Dana", two_factor=True)


def table(page: Page) -> list[dict[str, str]]:
    """The rows of a file."""
    assert page.status == 200, page.text
    assert page.got.header("content-type") == "text/csv; charset=utf-8; header=present"
    assert page.got.header("content-disposition").startswith('attachment; filename="')
    return list(csv.DictReader(io.StringIO(page.got.text, newline="")))


def crowd(team: Team, dana: Person) -> int:
    """Acme with somebody in each group."""
    ada, ben, eva = team.person("Ada"), team.person("Ben"), team.person("Eva")
    acme = team.world.workspace("acme", owner=dana, admin=ada, member=[ben, eva])
    exempt(team.world, acme, eva, until=team.world.clock.now() + 5 * DAY)
    add(team.world, acme, [Mate("", "new@example.com", status="invited")])
    return acme


def test_the_page_tells_of_every_group_by_name(team: Team, dana: Person) -> None:
    crowd(team, dana)
    visitor = team.visitor(dana)
    page = visitor.open(f"{SWITCH}/on")
    for told in (
        "1 already set up: nothing changes",
        "2 will be asked at their next click",
        "1 with an exception: asked when it ends",
        "1 invited, not joined: they set it up while joining",
        "Owners and admins without 2FA",
        "No recovery codes left",
    ):
        assert told in page.text, told
    for name in ("Dana", "Ada", "Ben", "Eva", "new@example.com"):
        assert name in page.text
    hrefs = re.findall(r'href="([^"]*)">See all in the table', page.got.text)
    assert hrefs == [
        f"{TEAM}?{query}"
        for query in ("two_factor=on", "two_factor=off", "two_factor=exempt", "status=invited")
    ]
    for href in hrefs:
        assert visitor.open(href).status == 200


def test_the_first_suggestion_is_in_fourteen_days(team: Team, dana: Person) -> None:
    team.world.workspace("acme", owner=dana)
    page = team.visitor(dana).open(f"{SWITCH}/on")
    fields = page.form(f"{SWITCH}/on").fields
    assert fields["when"] == "from"
    suggested = datetime.strptime(fields["from_at"], "%Y-%m-%dT%H:%M").replace(tzinfo=UTC)
    assert (suggested.date() - to_datetime(team.world.clock.now()).date()).days == 14
    assert suggested.hour == 9


def test_the_text_for_the_chat_has_the_date_and_the_way(team: Team, dana: Person) -> None:
    team.world.workspace("acme", owner=dana)
    visitor = team.visitor(dana)
    page = visitor.open(f"{SWITCH}/on")
    text = page.got.text
    assert re.search(r'<textarea class="input" id="chat" rows="7" readonly', text)
    assert "Acme will ask everyone for a second step (2FA) from" in page.text
    assert "http://localhost:8000/set-up?workspace=acme" in page.text
    assert "Ask Dana." in page.text
    visitor.submit(f"{SWITCH}/on", when="from")
    page = visitor.open(f"{SWITCH}/progress")
    assert "Acme will ask everyone for a second step (2FA) from" in page.text
    visitor.open(f"{SWITCH}/on")
    visitor.submit(f"{SWITCH}/on", when="now")
    assert "Acme asks everyone for a second step (2FA) now." in visitor.open(f"{SWITCH}/progress").text


def test_a_products_people_are_sent_by_way_of_the_product(team: Team) -> None:
    product = Product.of(team.world, team.app)
    boss = product.person("boss", role="owner")
    product.check(boss)
    (account,) = [each for each in rows_of(team.world, "accounts") if each.name == "Boss"]
    team.world.bind_totp(Person(account.id, account.email, account.name))
    visitor = product.browser()
    start = str(product.check(boss, open="user")["start"])
    page = visitor.open(start.removeprefix("http://localhost:8000"))
    seed = team.world.seeds(Person(account.id, account.email, account.name))[0]
    visitor.submit("/sign-in/second-step", code=team.world.code(seed))
    (row,) = rows_of(team.world, "workspaces")
    page = visitor.open(f"/w/{row.slug}/settings/team/authentication/on")
    assert "All of them sign in at Acme Notes" in page.text
    assert "invited, not joined" not in page.text
    assert "http://localhost:8000/sign-in?at=" in page.text


def test_the_file_has_everybody_and_no_formula(team: Team, dana: Person) -> None:
    acme = crowd(team, dana)
    add(
        team.world,
        acme,
        [
            Mate('=HYPERLINK("http://evil.example")', "evil@example.com"),
            Mate("Ömer, “O'Neil”", "omer@example.com", state="on", recovery_left=0),
        ],
    )
    rows = table(team.visitor(dana).open(f"{SWITCH}/preview.csv"))
    found = {row["name"] or row["email"]: row for row in rows}
    assert {name: (row["group"], row["at_risk"]) for name, row in found.items()} == {
        "Dana": ("set_up", "no_recovery_codes"),
        "Ada": ("will_be_asked", "not_set_up"),
        "Ben": ("will_be_asked", ""),
        "Eva": ("exempt", ""),
        "new@example.com": ("invited", ""),
        '\'=HYPERLINK("http://evil.example")': ("will_be_asked", ""),
        "Ömer, “O'Neil”": ("set_up", ""),
    }
    assert found["Eva"]["exempt_until"] > to_text(team.world.clock.now())
    assert (found["Dana"]["methods"], found["Ada"]["two_factor"]) == ("totp", "off")


def test_a_large_file_comes_in_batches_and_whole(team: Team, dana: Person) -> None:
    acme = team.world.workspace("acme", owner=dana)
    add(team.world, acme, [Mate(f"P{number}", f"p{number:05}@example.com") for number in range(2_500)])
    rows = table(team.visitor(dana).open(f"{SWITCH}/preview.csv"))
    assert len(rows) == 2_501
    assert len({row["email"] for row in rows}) == 2_501
    page = team.visitor(dana).open(f"{SWITCH}/on")
    assert f"and {2_500 - MOST_NAMES} more" in page.text


def test_the_files_and_pages_are_for_those_who_manage_it(team: Team, dana: Person) -> None:
    ben = team.person("Ben")
    acme = team.world.workspace("acme", owner=dana, member=ben)
    team.world.require(acme, since=team.world.clock.now() + DAY)
    visitor, client = team.visitor(ben), team.client(ben)
    for path in ("on", "progress", "preview.csv", "progress.csv"):
        assert visitor.open(f"{SWITCH}/{path}").status == 403, path
    for path in ("preview", "progress"):
        assert client.get(f"{API}/{path}").code == "not_permitted"


def test_the_api_tells_the_same(team: Team, dana: Person) -> None:
    crowd(team, dana)
    told = team.client(dana).get(f"{API}/preview").json
    assert told["set_up"] == {"count": 1, "names": ["Dana"]}
    assert told["will_be_asked"] == {"count": 2, "names": ["Ada", "Ben"]}
    assert told["exempt"] == {"count": 1, "names": ["Eva"]}
    assert told["invited"] == {"count": 1, "names": ["new@example.com"]}
    assert told["managers_not_set_up"] == {"count": 1, "names": ["Ada"]}
    assert told["managers_without_codes"] == {"count": 1, "names": ["Dana"]}
    assert told["kept_by"] is None
    assert from_text(told["suggested_from"]) > team.world.clock.now() + 13 * DAY
    assert "http://localhost:8000/set-up?workspace=acme" in told["chat_text"]


def test_who_comes_by_single_sign_on_is_told_by_connection_and_rule(team: Team, dana: Person) -> None:
    ana, ben = team.person("Ana"), team.person("Ben")
    acme = team.world.workspace("acme", owner=dana, member=[ana, ben])
    assert "By single sign-on" not in team.visitor(dana).open(f"{SWITCH}/on").text
    okta, entra = a_connection(team.world, acme), a_connection(team.world, acme, name="Entra")
    end = team.world.clock.now() + 30 * DAY
    rule(team.world, entra, Acceptance(SsoRule.EXEMPT, exempt_until=end))
    for person, connection in [(dana, okta), (ana, okta), (ana, entra), (ben, entra)]:
        connected(team.world, person, connection)
    come(team.world, entra, who("Ben"))

    page = team.visitor(dana).open(f"{SWITCH}/on")
    assert "2 by Okta, asked for a second step here: 1 set up, 1 will be asked" in page.text
    assert f"2 by Entra, without a second step until {spoken(end, 'date')}" in page.text
    assert ": 1 came that way, 1 will be asked unless they come that way" in page.text
    assert f'href="{SWITCH}/sso/{id_text(okta)}">See its rule' in page.got.text

    told = team.client(dana).get(f"{API}/preview").json["connections"]
    assert [(each["name"], each["rule"], each["exempt_until"]) for each in told] == [
        ("Entra", "exempt", to_text(end)),
        ("Okta", "ask", None),
    ]
    assert told[0]["people"] == {"count": 2, "names": ["Ana", "Ben"]}
    parts = {name: told[0][name]["names"] for name in PARTS}
    assert parts == {"set_up": [], "by_sso": ["Ben"], "otherwise": [], "exempt": [], "will_be_asked": ["Ana"]}

    rows = table(team.visitor(dana).open(f"{SWITCH}/preview.csv"))
    found = {row["name"]: (row["connections"], row["connection_rules"]) for row in rows}
    assert found == {
        "Dana": ("Okta", "ask"),
        "Ana": ("Entra; Okta", f"exempt until {to_text(end)}; ask"),
        "Ben": ("Entra", f"exempt until {to_text(end)}"),
    }

    team.world.wait(31 * DAY)
    page = team.visitor(dana).open(f"{SWITCH}/on")
    assert "2 by Entra, asked for a second step here: 2 will be asked" in page.text
    told = team.client(dana).get(f"{API}/preview").json["connections"]
    assert [(each["rule"], each["exempt_until"]) for each in told] == [("ask", None), ("ask", None)]
    rows = table(team.visitor(dana).open(f"{SWITCH}/preview.csv"))
    assert {row["connection_rules"] for row in rows} == {"ask", "ask; ask"}


def test_tokens_and_machines(team: Team, dana: Person) -> None:
    """Of people who are not set up their tokens are refused; those of service accounts keep working."""
    ben = team.person("Ben", two_factor=True)
    acme = team.world.workspace("acme", owner=dana, member=ben)
    beta = team.world.workspace("beta", owner=dana, member=ben)

    def make(tx: Any) -> None:
        for name, where in (("Laptop", acme), ("Elsewhere", beta)):
            api_tokens.create(
                tx,
                token_hash=name.encode(),
                name=name,
                scopes=[],
                expires_at=tx.now + DAY,
                account_id=ben.id,
                good_in=[where],
            )
        service_accounts.create(tx, workspace_id=acme, name="CI", sponsor_id=dana.id, by_name="Dana")

    team.world.write(make)
    client = team.client(dana)
    told = client.get(f"{API}/preview").json
    assert told["refused_tokens"] == {"count": 0, "names": []}, "he is set up"

    def unsecure(tx: Any) -> None:
        for row in bound.of_account(tx, ben.id):
            bound.unbind(tx, row.id, ben.id)
        standing.refresh(tx, ben.id)

    team.world.write(unsecure)
    told = client.get(f"{API}/preview").json
    assert told["refused_tokens"] == {"count": 1, "names": ["Ben: Laptop"]}
    assert told["service_accounts"] == {"count": 1, "names": ["CI"]}
    page = team.visitor(dana).open(f"{SWITCH}/on")
    assert "refused from then, until they are" in page.text
    assert "its tokens keep working" in page.text
    rows = table(team.visitor(dana).open(f"{SWITCH}/preview.csv"))
    assert ("token_refused", "Ben: Laptop") in {(row["group"], row["name"]) for row in rows}
    assert ("service_account", "CI") in {(row["group"], row["name"]) for row in rows}


def test_off_lately_only_now_is_left_and_the_page_says_so_before(team: Team, dana: Person) -> None:
    acme = team.world.workspace("acme", owner=dana)
    team.world.require(acme)
    team.world.unrequire(acme)
    visitor = team.visitor(dana)
    assert "it can only be required again at once" in visitor.open(SWITCH).text
    page = visitor.open(f"{SWITCH}/on")
    assert "Only at once" in page.text
    assert page.form(f"{SWITCH}/on").fields.keys() == {"csrf", "revision", "when"}
    at = f"{to_datetime(team.world.clock.now() + DAY):%Y-%m-%dT%H:%M}"
    page = visitor.submit(f"{SWITCH}/on", when="from", from_at=at)
    assert page.status == 409
    assert "can be required again at once, but not from a later date" in page.text
    page = visitor.submit(f"{SWITCH}/on")
    assert page.path == f"{SWITCH}?said=mandate-on"
    assert "Within 30 days it can only be required again at once" in visitor.open(f"{SWITCH}/off").text


# --- progress ---


def test_progress_says_how_many_are_left_until_when(team: Team, dana: Person) -> None:
    ben, eva = team.person("Ben"), team.person("Eva")
    acme = team.world.workspace("acme", owner=dana, member=[ben, eva])
    visitor = team.visitor(dana)
    assert visitor.open(f"{SWITCH}/progress").path == SWITCH, "without a mandate there is none"
    at = team.world.clock.now() + 10 * DAY
    team.world.require(acme, since=at)
    page = visitor.open(
        visitor.open(SWITCH).read.links["Progress, reminders, and a text for your team’s chat"]
    )
    assert (page.path, page.heading) == (f"{SWITCH}/progress", "Progress")
    assert "1 of 3 set up" in page.text
    assert f"2 left, from {to_datetime(at).day} {to_datetime(at):%B} {to_datetime(at).year}" in page.text
    assert "The chart begins tomorrow" in page.text
    assert page.read.links["See who is left"] == f"{TEAM}?two_factor=due"
    assert f"{TEAM}/remind" in page.actions
    assert {row["name"] for row in table(visitor.open(f"{SWITCH}/progress.csv"))} == {"Ben", "Eva"}


def test_the_file_of_those_left_says_what_became_of_the_last_mail(team: Team, dana: Person) -> None:
    world, ben, eva = team.world, team.person("Ben"), team.person("Eva")
    acme = world.workspace("acme", owner=dana, member=[ben, eva])
    world.require(acme, since=world.clock.now() + 10 * DAY)
    visitor = team.visitor(dana)

    def mails() -> dict[str, str]:
        return {row["name"]: row["mail"] for row in table(visitor.open(f"{SWITCH}/progress.csv"))}

    row = world.read(lambda tx: teammates.by_account(tx, ben.id, acme))
    assert row is not None
    world.write(
        lambda tx: reminders.remind(tx, by=operator("Olga"), workspace_id=acme, teammate_ids=[row.id])
    )
    assert mails() == {"Ben": "waiting", "Eva": ""}
    sent_at = world.clock.now()
    (mail,) = [
        each for each in world.write(lambda tx: outbox.lease(tx, 10)) if each.kind == "mandate_reminder"
    ]
    world.write(lambda tx: outbox.sent(tx, mail.id))
    assert mails() == {"Ben": "sent", "Eva": ""}
    (told,) = [row["mail_at"] for row in table(visitor.open(f"{SWITCH}/progress.csv")) if row["mail_at"]]
    assert (from_text(told) or 0) >= sent_at


def test_the_chart_has_its_figures_beside_it(team: Team, dana: Person) -> None:
    ben = team.person("Ben")
    acme = team.world.workspace("acme", owner=dana, member=ben)
    team.world.require(acme, since=team.world.clock.now() + 3 * DAY)
    for _ in range(2):
        team.world.wait(DAY)
        team.world.write(progress.note_day)
    team.secure(ben)
    team.world.wait(HOUR)
    page = team.visitor(dana).open(f"{SWITCH}/progress")
    assert "Everybody is set up" in page.text
    assert 'role="img" aria-label="From 1 of 2 to 2 of 2 set up' in page.got.text
    assert "style=" not in page.got.text
    assert page.got.text.count("<polyline") == 2
    assert "chart-begins" in page.got.text
    told = team.client(dana).get(f"{API}/progress").json
    assert [(each["set_up"], each["teammates"]) for each in told["days"]] == [(1, 2), (1, 2), (2, 2)]
    assert [told[name] for name in ("set_up", "teammates", "left", "exempt", "in_force")] == [
        2,
        2,
        0,
        0,
        False,
    ]
    assert told["days"][0]["day"] < told["days"][1]["day"] < told["required_from"]
