"""`nightlatch account`, `nightlatch why` and `nightlatch audit`."""

import re

from nightlatch.actions import resets
from nightlatch.actions.by import operator
from nightlatch.budget import Counter
from nightlatch.decision import Challenge
from nightlatch.facts import EVERYWHERE, reach_of
from nightlatch.instants import to_text
from nightlatch.store import authenticators, guesses, standing, teammates
from nightlatch.vocabulary import Event, Method
from tests.cli.conftest import Cli, Done
from tests.support.events import events
from tests.support.letters import letter
from tests.support.world import World

GLASS = ("--reason", "She is locked out", "--operator", "Sam")


def test_unlocking(cli: Cli, world: World) -> None:
    dana, ana = world.person("Dana"), world.person("Ana")
    acme = world.workspace("acme", owner=dana, member=ana)
    bound, _ = world.bind_totp(ana)

    def lock_out(tx):
        authenticators.suspend(tx, bound, EVERYWHERE)
        guesses.keep(tx, Method.TOTP, str(ana.id), Counter(100, tx.now))
        guesses.keep(tx, "password", ana.email, Counter(100, tx.now))
        standing.refresh(tx, ana.id)

    world.write(lock_out)
    shown = cli.ok("account", "show", ana.email, "--json").json
    assert shown["wrong_in_a_row"] == {"password": 100, "totp": 100, "recovery_code": 0}
    assert [each["suspended"] for each in shown["authenticators"]] == [True]
    cli.ok("account", "unlock", ana.email, *GLASS)
    shown = cli.ok("account", "show", ana.email, "--json").json
    assert shown["wrong_in_a_row"] == {"password": 0, "totp": 0, "recovery_code": 0}
    assert [each["suspended"] for each in shown["authenticators"]] == [False]
    assert letter(world, "break_glass", to=dana.email).values["operator"] == "Sam"
    assert Event.ACCOUNT_UNLOCKED in [each.event for each in events(world, subject=ana.id)]
    assert isinstance(world.opens(world.session(ana), acme), Challenge)


def test_showing_an_account(cli: Cli, world: World) -> None:
    ana = world.person("Ana")
    world.workspace("acme", member=ana, owner=world.person("Dana"))
    world.session(ana, ip="198.51.100.7")
    text = cli.ok("account", "show", ana.email).out
    for part in (ana.email, "acme: member", "198.51.100.7", "Second step: none"):
        assert part in text
    shown = cli.ok("account", "show", ana.email, "--json").json
    assert cli.ok("account", "show", shown["id"], "--json").json == shown
    assert (
        "unusable" not in cli.ok("account", "show", ana.email, "--json").out
    )  # nothing of the password's hash
    assert cli("account", "show", "nobody@acme.example").code == 1
    assert cli("account", "show", "nonsense").code == 1


# --- why ---


def would(done: Done) -> dict[str, str]:
    """What sessions get, by what they show."""
    return {each["with"]: each["decision"] for each in done.json["would"]}


def test_why_before_and_after_set_up(cli: Cli, world: World) -> None:
    dana, ana = world.person("Dana"), world.person("Ana")
    acme = world.workspace("acme", owner=dana, member=ana)
    ask = ("why", ana.email, "acme", "use", "--json")
    assert would(cli.ok(*ask)) == {
        "no session": "challenge",
        "the password": "allow",
        "the password and the mailed link": "allow",
    }
    world.require(acme)
    done = cli.ok(*ask)
    assert would(done)["the password"] == "enrol"
    assert done.json["would"][1]["needs"] == "mail"
    assert done.json["would"][2]["needs"] is None
    world.bind_totp(ana)
    done = cli.ok(*ask)
    assert would(done) == {
        "no session": "challenge",
        "the password": "challenge",
        "the password and a code from the authenticator app": "allow",
    }
    assert [each["method"] for each in done.json["relies_on"]] == ["totp"]


def test_why_in_sentences(cli: Cli, world: World) -> None:
    dana, ana = world.person("Dana"), world.person("Ana")
    acme = world.workspace("acme", owner=dana, member=ana)
    bound, _ = world.bind_totp(ana)
    world.session(ana, ip="198.51.100.7")
    text = cli.ok("why", ana.email, "acme", "use").out
    assert "They are a member in acme." in text
    assert "Acme relies on Phone (totp)." in text
    assert "with the password: asked for the second step: a code from the authenticator app" in text
    assert "cookie from 198.51.100.7: asked for the second step" in text
    world.write(lambda tx: authenticators.suspend(tx, bound, EVERYWHERE))
    text = cli.ok("why", ana.email, "acme", "use").out
    assert "which is suspended" in text
    assert "account unlock" in text
    assert isinstance(world.opens(world.session(ana), acme), Challenge)


def test_why_after_a_reset(cli: Cli, world: World) -> None:
    ana = world.person("Ana")
    acme = world.workspace("acme", owner=world.person("Dana"), member=ana)
    world.bind_totp(ana)
    world.require(acme)
    teammate = world.read(lambda tx: teammates.by_account(tx, ana.id, acme))
    assert teammate is not None
    world.write(
        lambda tx: resets.disable_two_factor(
            tx,
            by=operator("Sam"),
            workspace_id=acme,
            teammate_id=teammate.id,
            reason="lost",
            recognised_by="",
        )
    )
    done = cli.ok("why", ana.email, "acme", "use", "--json")
    assert any("void there" in each for each in done.json["because"])
    assert done.json["would"][1]["reason"] == "reset"
    assert [each["needs"] for each in done.json["would"][1:]] == ["mail", None]


def test_why_somebody_may_not(cli: Cli, world: World) -> None:
    ana, ben = world.person("Ana"), world.person("Ben")
    world.workspace("acme", owner=world.person("Dana"), member=ana)
    other = world.workspace("other", owner=ben)
    world.bind_totp(ben, reach_of(other))
    assert would(cli.ok("why", ana.email, "acme", "change-policy", "--json"))["the password"] == "deny"
    assert would(cli.ok("why", ben.email, "acme", "use", "--json"))["the password"] == "deny"
    assert "no teammate" in cli.ok("why", ben.email, "acme", "use").out
    assert cli("why", "nobody@acme.example", "acme", "use").code == 1
    assert cli("why", ana.email, "nowhere", "use").code == 1
    done = cli("why", ana.email, "acme", "fly")
    assert (done.code, "disable-two-factor" in done.err) == (2, True)


def test_why_asks_the_decision_for_every_action(cli: Cli, world: World) -> None:
    from nightlatch.cli.reasons import ACTIONS

    dana = world.person("Dana")
    world.workspace("acme", owner=dana)
    world.bind_totp(dana)
    for name in ACTIONS:
        done = cli.ok("why", dana.email, "acme", name, "--json")
        assert all(each["text"] for each in done.json["would"])
    assert would(cli.ok("why", dana.email, "acme", "use", "--json"))["the password"] == "challenge"


# --- audit ---


def test_the_audit_events(cli: Cli, world: World) -> None:
    dana, ana = world.person("Dana"), world.person("Ana")
    world.workspace("acme", owner=dana, member=ana)
    world.workspace("other", owner=dana)
    cli.ok("teammate", "role", "--workspace", "acme", ana.email, "admin", *GLASS)
    between = to_text(world.clock.now())
    world.wait(60_000_000)
    cli.ok("teammate", "invite", "--workspace", "other", "x@acme.example")
    cli.ok("account", "unlock", ana.email, *GLASS)
    everything = cli.ok("audit", "list", "--json").items
    assert [each["event"] for each in everything][::-1] == [
        "teammate.role_changed",
        "invitation.sent",
        "account.unlocked",
    ]
    first = everything[-1]
    assert first["actor"] == {"kind": "operator", "id": None, "name": "Sam"}
    assert (first["workspace"], first["detail"]["reason"]) == ("acme", "She is locked out")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[0-9:.]+Z", first["at"])
    assert cli.ok("audit", "list", "--workspace", "acme", "--json").items == [first]
    assert cli.ok("audit", "list", "--event", "account.unlocked", "--json").items == [everything[0]]
    assert cli.ok("audit", "list", "--actor", "SAM", "--limit", "1", "--json").items == [everything[0]]
    assert cli.ok("audit", "list", "--to", between, "--json").items == [first]
    assert len(cli.ok("audit", "list", "--from", between, "--json").items) == 2
    assert "teammate.role_changed" in cli.ok("audit", "list").out
    assert cli("audit", "list", "--from", "yesterday").code == 2
    assert cli("audit", "list", "--workspace", "nowhere").code == 1


def test_what_somebody_sent_cannot_speak_to_the_terminal(cli: Cli, world: World) -> None:
    from nightlatch.actions.by import By
    from nightlatch.audit.events import record

    by = By("account", 1, "Eve \x1b[2J\r\nroot", "192.0.2.1", "\x1b]0;owned\x07")
    world.write(
        lambda tx: record(tx, Event.SIGN_IN_FAILED, by=by, subject=("address", None, "\x9b31m"), note="\x1b")
    )
    out = cli.ok("audit", "list").out
    assert "\x1b" not in out
    assert "\x9b" not in out
    assert len(out.splitlines()) == 2
