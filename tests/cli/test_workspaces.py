"""`nightlatch workspace` and `nightlatch teammate`."""

import pytest

from nightlatch.actions import joining
from nightlatch.actions.tokens import hash_token
from nightlatch.decision import Allow, Challenge
from nightlatch.facts import reach_of
from nightlatch.instants import DAY, to_text
from nightlatch.store import teammates
from nightlatch.vocabulary import Event, Role
from tests.cli.conftest import Cli
from tests.support.events import events
from tests.support.letters import letter, letters
from tests.support.world import World

GLASS = ("--reason", "She is locked out", "--operator", "Sam")


def test_a_workspace_and_its_first_owner(cli: Cli, world: World) -> None:
    done = cli.ok("workspace", "create", "Acme", "--slug", "acme", "--owner", "dana@acme.example")
    link = next(line for line in done.out.splitlines() if "/invitations/" in line)
    assert link.startswith("http://localhost:8000/invitations/")
    token = link.rpartition("/")[2]
    found = world.read(lambda tx: joining.look(tx, hash_token(token)))
    assert (found.state, found.role, found.email) == (joining.State.OPEN, Role.OWNER, "dana@acme.example")
    assert letter(world, "invitation", to="dana@acme.example").token() == token
    assert [each.event for each in events(world)] == [Event.WORKSPACE_CREATED, Event.INVITATION_SENT]
    assert "outbox" in done.err


def test_a_workspace_for_somebody_who_has_an_account(cli: Cli, world: World) -> None:
    dana = world.person("Dana")
    done = cli.ok("workspace", "create", "Acme", "--slug", "acme", "--owner", dana.email, "--json")
    assert done.json["invitation"] is None
    assert done.json["mailed"] is True
    assert "/invitations/" not in done.out


def test_refusals(cli: Cli) -> None:
    make = ("workspace", "create", "Acme", "--slug")
    cli.ok(*make, "acme", "--owner", "dana@acme.example")
    assert cli(*make, "acme", "--owner", "ana@acme.example").code == 1
    assert cli(*make, "Not A Slug", "--owner", "ana@acme.example").code == 1
    assert cli(*make, "other", "--owner", "nobody").code == 2
    assert len(cli.ok("workspace", "list", "--json").items) == 1


def test_the_list(cli: Cli, world: World) -> None:
    dana, ana = world.person("Dana"), world.person("Ana")
    acme = world.workspace("acme", owner=dana, member=ana)
    world.bind_totp(dana)
    world.require(acme)
    cli.ok("teammate", "invite", "--workspace", "acme", "new@acme.example")
    [item] = cli.ok("workspace", "list", "--json").items
    assert (item["teammates"], item["with_two_factor"], item["invited"]) == (2, 1, 1)
    assert item["two_factor"]["in_force"] is True
    assert "required" in cli.ok("workspace", "list").out


def test_the_policy(cli: Cli, world: World) -> None:
    dana = world.person("Dana")
    acme = world.workspace("acme", owner=dana)
    assert cli.ok("workspace", "policy", "acme", "--json").json["two_factor"]["required"] is False
    change = ("workspace", "policy", "acme", "--require", "on")
    assert cli(*change).code == 2  # whoever changes it gives a name
    refused = cli(*change, "--operator", "Sam")
    assert (refused.code, "owner" in refused.err) == (1, True)  # somebody must be able to open
    world.bind_totp(dana)
    later = to_text(world.clock.now() + 3 * DAY)
    assert (
        cli.ok(*change, "--from", later, "--operator", "Sam", "--json").json["two_factor"]["in_force"]
        is False
    )
    assert cli.ok(*change, "--operator", "Sam", "--json").json["two_factor"]["in_force"] is True
    assert cli(*change, "--from", later, "--operator", "Sam").code == 1  # in force: not to be postponed
    assert isinstance(world.opens(world.session(dana), acme), Challenge)
    off = ("workspace", "policy", "acme", "--require", "off", "--operator", "Sam")
    assert cli(*off).code == 2  # break-glass: a reason
    cli.ok(*off, "--reason", "The phones are lost")
    assert letter(world, "break_glass", to=dana.email).values["reason"] == "The phones are lost"
    assert [each.event for each in events(world, workspace=acme)][-1] is Event.MANDATE_TURNED_OFF


def test_for_how_long_browsers_are_remembered(cli: Cli, world: World) -> None:
    dana = world.person("Dana")
    acme = world.workspace("acme", owner=dana)
    assert cli.ok("workspace", "policy", "acme", "--json").json["remember_browsers"] is None
    change = ("workspace", "policy", "acme", "--remember-browsers")
    assert cli(*change, "14").code == 2  # whoever changes it gives a name
    assert cli(*change, "31", "--operator", "Sam").code == 1
    cli.ok(*change, "14", "--operator", "Sam")
    assert "Browsers may be remembered for 14 days." in cli.ok("workspace", "policy", "acme").out
    world.bind_totp(dana)
    cli.ok("workspace", "policy", "acme", "--require", "on", "--operator", "Sam")
    assert cli(*change, "14", "--operator", "Sam").code == 1  # never where 2FA is required
    assert cli.ok(*change, "0", "--operator", "Sam", "--json").json["remember_browsers"] is None
    assert isinstance(world.opens(world.session(dana), acme), Challenge)


@pytest.mark.parametrize("more", [["--from", "2026-12-01T00:00Z"], ["--require", "on", "--from", "tomorrow"]])
def test_wrong_instants_are_usage(cli: Cli, more: list[str]) -> None:
    assert cli("workspace", "policy", "acme", *more, "--operator", "Sam").code == 2


def test_inviting(cli: Cli, world: World) -> None:
    dana, ben = world.person("Dana"), world.person("Ben")
    world.workspace("acme", owner=dana)
    invite = ("teammate", "invite", "--workspace", "acme", "--role", "admin", "--json")
    done = cli.ok(*invite, "new@acme.example", dana.email, ben.email)
    by_email = {each["email"]: each for each in done.items}
    assert by_email["new@acme.example"]["outcome"] == "sent"
    assert "/invitations/" in by_email["new@acme.example"]["link"]
    assert by_email[dana.email] == {"email": dana.email, "outcome": "already_teammate", "link": None}
    assert by_email[ben.email] == {"email": ben.email, "outcome": "sent", "link": None}
    assert cli(*invite, "new@acme.example", "not an address").code == 2
    assert cli("teammate", "invite", "--workspace", "nowhere", "x@acme.example").code == 1


def test_send_hands_the_mail_over_at_once(cli: Cli, world: World, data: object) -> None:
    world.workspace("acme", owner=world.person("Dana"))
    done = cli.ok("teammate", "invite", "--workspace", "acme", "new@acme.example", "--send")
    assert done.err == ""
    assert letters(world) == []


def test_the_teammates(cli: Cli, world: World) -> None:
    dana, ana = world.person("Dana"), world.person("Ana")
    world.workspace("acme", owner=dana, member=[ana, *(world.person(f"P{number}") for number in range(3))])
    world.bind_totp(dana)
    items = cli.ok("teammate", "list", "--workspace", "acme", "--json").items
    assert len(items) == 5
    assert items[0]["name"] == "Ana"
    assert items[0]["two_factor"]["state"] == "off"
    [owner] = cli.ok("teammate", "list", "--workspace", "acme", "--role", "owner", "--json").items
    assert owner["two_factor"]["methods"] == ["totp"]
    [found] = cli.ok("teammate", "list", "--workspace", "acme", "--search", "dana", "--json").items
    assert found["id"] == owner["id"]
    assert "Dana" in cli.ok("teammate", "list", "--workspace", "acme").out


def test_break_glass_takes_a_reason_and_a_name(cli: Cli, world: World) -> None:
    dana, ana = world.person("Dana"), world.person("Ana")
    world.workspace("acme", owner=dana, member=ana)
    world.bind_totp(ana)
    commands = (
        ("teammate", "role", "--workspace", "acme", ana.email, "admin"),
        ("teammate", "remove", "--workspace", "acme", ana.email),
        ("teammate", "disable-two-factor", "--workspace", "acme", ana.email),
        ("account", "unlock", ana.email),
    )
    for command in commands:
        assert cli(*command).code == 2
        assert cli(*command, "--operator", "Sam").code == 2
        assert cli(*command, "--reason", "because").code == 2
        assert cli(*command, "--reason", "  ", "--operator", "Sam").code == 1
    assert letters(world) == []
    assert events(world) == []


def test_another_role(cli: Cli, world: World) -> None:
    dana, ana = world.person("Dana"), world.person("Ana")
    acme = world.workspace("acme", owner=dana, member=ana)
    cli.ok("teammate", "role", "--workspace", "acme", ana.email, "owner", *GLASS)
    assert world.read(lambda tx: [row.account_id for row in teammates.owners(tx, acme)]).count(ana.id) == 1
    assert letter(world, "break_glass", to=dana.email).values["operator"] == "Sam"
    told = events(world, workspace=acme)[-1]
    assert (told.event, told.actor) == (Event.TEAMMATE_ROLE_CHANGED, ("operator", None, "Sam"))
    assert "already" in cli.ok("teammate", "role", "--workspace", "acme", ana.email, "owner", *GLASS).out


def test_removing(cli: Cli, world: World) -> None:
    dana, ana = world.person("Dana"), world.person("Ana")
    acme = world.workspace("acme", owner=dana, member=ana)
    session = world.session(ana)
    cli.ok("teammate", "remove", "--workspace", "acme", ana.email, *GLASS)
    assert not isinstance(world.opens(session, acme), Allow)
    assert letter(world, "break_glass", to=dana.email).values["operator"] == "Sam"
    assert cli("teammate", "remove", "--workspace", "acme", dana.email, *GLASS).code == 1  # the last owner
    assert cli("teammate", "remove", "--workspace", "acme", "nobody@x.example", *GLASS).code == 1


def test_disabling_two_factor_of_an_owner(cli: Cli, world: World) -> None:
    dana, ana = world.person("Dana"), world.person("Ana")
    acme, other = world.workspace("acme", owner=[dana, ana]), world.workspace("other", owner=dana)
    bound, _ = world.bind_totp(dana)
    by = world.signed_in(dana, bound)
    command = ("teammate", "disable-two-factor", "--workspace", "acme", dana.email, *GLASS)
    done = cli.ok(*command)
    number = "".join(next(line for line in done.out.splitlines() if "number" in line)[-9:].split())
    assert len(number) == 8
    assert number.isdigit()
    ticket = letter(world, "reset", to=dana.email)
    assert ticket.token() not in done.out + done.err  # no link is printed for an existing account
    assert letter(world, "break_glass", to=ana.email).values["operator"] == "Sam"
    kinds = [each.kind for each in letters(world)]
    assert kinds.index("break_glass") < kinds.index("reset")
    assert not isinstance(world.opens(by, acme), Allow)
    assert isinstance(world.opens(by, other), Allow)  # law 7
    assert events(world, workspace=acme)[0].event is Event.TEAMMATE_RESET
    assert cli(*command).code == 1  # nothing left to turn off
    renewed = cli.ok(*command, "--renew", "--json").json
    assert len(renewed["reset"]["number"]) == 8
    assert letter(world, "reset", to=dana.email).token() != ticket.token()


def test_the_number_can_be_waived_for_a_member(cli: Cli, world: World) -> None:
    dana, ana = world.person("Dana"), world.person("Ana")
    world.workspace("acme", owner=dana, member=ana)
    world.bind_totp(dana)
    world.bind_totp(ana)
    command = ("teammate", "disable-two-factor", "--workspace", "acme")
    done = cli(*command, dana.email, *GLASS, "--waive-number")
    assert (done.code, "more than a member" in done.err) == (1, True)
    assert cli(*command, ana.email, *GLASS, "--waive-number", "--renew").code == 2
    done = cli.ok(*command, ana.email, *GLASS, "--waive-number")
    assert "works without a number" in done.out
    assert cli.ok(*command, ana.email, *GLASS, "--renew", "--json").json["reset"]["number"] is None


def test_two_factor_of_elsewhere_is_not_disabled(cli: Cli, world: World) -> None:
    dana = world.person("Dana")
    world.workspace("acme", owner=dana)
    other = world.workspace("other", owner=dana)
    world.bind_totp(dana, reach_of(other))
    done = cli("teammate", "disable-two-factor", "--workspace", "acme", dana.email, *GLASS)
    assert (done.code, "no 2FA" in done.err) == (1, True)
