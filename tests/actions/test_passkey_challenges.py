"""What a browser is asked for, and that each challenge is for one answer, purpose, session or browser."""

from dataclasses import replace

import pytest

from nightlatch.actions import (
    passkeys,
)
from nightlatch.actions.passkey_asking import Asked, Purpose
from nightlatch.actions.proving import Proved, Wait, Wrong
from nightlatch.actions.tokens import hash_token, new_token
from nightlatch.authenticators import passkey_answers
from nightlatch.authenticators.passkey_asking import from_base64url, to_base64url
from nightlatch.instants import HOUR, MINUTE
from nightlatch.refusals import Code, Refused
from nightlatch.store import housekeeping, restored
from nightlatch.vocabulary import Credential
from tests.support.events import details
from tests.support.passkey_acts import (
    VISITOR,
    ask,
    ask_new,
    ask_sign_in,
    bound,
    enrolled,
    show,
    sign_in,
)
from tests.support.passkeys import SITE
from tests.support.races import at_once
from tests.support.tables import rows
from tests.support.world import World


def test_only_what_was_asked_for(world: World):
    ana = world.person("Ana")
    world.workspace("acme", owner=ana)
    _, by = enrolled(world, ana)
    asked = ask_sign_in(world, ana.email)
    later, _ = bound(world, ana, by)
    assert sign_in(world, later, asked) == Wrong()
    assert details(world, "sign_in.failed")[-1]["check"] == "not_asked_for"
    assert isinstance(sign_in(world, later, ask_sign_in(world, ana.email)), Proved)


def test_a_whole_sign_in_is_discovered_or_asked_by_address(world: World):
    ana = world.person("Ana")
    world.workspace("acme", owner=ana)
    soft, _ = enrolled(world, ana)
    asked = ask_sign_in(world, ana.email)
    assert [from_base64url(each["id"]) for each in asked.options["allowCredentials"]] == [soft.credential_id]
    assert asked.options["userVerification"] == "required"
    assert isinstance(sign_in(world, soft, asked, user_handle=None), Proved)
    assert ask_sign_in(world).options["allowCredentials"] == []
    assert sign_in(world, soft, user_handle=None) == Wrong(), "nobody said whose it is"
    assert isinstance(sign_in(world, soft), Proved)


def test_decoys(world: World):
    ana, ben = world.person("Ana"), world.person("Ben")
    world.workspace("acme", owner=[ana, ben])
    enrolled(world, ana)
    real = ask_sign_in(world, ana.email).options
    for email in (ben.email, "nobody@example.com"):
        one, two = ask_sign_in(world, email).options, ask_sign_in(world, email.upper()).options
        assert one["allowCredentials"] == two["allowCredentials"], "stable, whatever the spelling"
        assert 1 <= len(one["allowCredentials"]) <= 2
        assert one.keys() == real.keys()
        assert one["allowCredentials"][0].keys() == real["allowCredentials"][0].keys()
    first, second = (ask_sign_in(world, f"n{n}@example.com").options["allowCredentials"] for n in range(2))
    assert first != second
    world.wait(HOUR)
    assert (
        ask_sign_in(world, ben.email).options["allowCredentials"]
        == ask_sign_in(world, ben.email).options["allowCredentials"]
    )


def test_challenges_are_spent_bound_and_for_one_purpose(world: World):
    ana = world.person("Ana")
    world.workspace("acme", owner=ana)
    soft, by = enrolled(world, ana)
    half, other = world.session(ana), world.session(ana)
    for_half, for_sign_in, for_step_up = (
        ask(world, half),
        ask_sign_in(world),
        ask(world, half, Purpose.STEP_UP),
    )
    assert show(world, other, soft, for_half) == Wrong(), "another session's"
    assert show(world, half, soft, for_step_up) == Wrong(), "for another purpose"
    assert show(world, half, soft, for_sign_in) == Wrong()
    assert sign_in(world, soft, for_half) == Wrong()
    assert sign_in(world, soft, for_step_up) == Wrong()
    assert (
        show(
            world,
            half,
            soft,
            Asked({**for_half.options, "challenge": ask_new(world, by).options["challenge"]}, 0),
        )
        == Wrong()
    )
    stranger = replace(VISITOR, browser=hash_token("another browser"))
    assert sign_in(world, soft, for_sign_in, stranger) == Wrong(), "another browser's"
    assert sign_in(world, soft, for_sign_in, replace(VISITOR, browser=None)) == Wrong()
    assert {each["check"] for each in details(world, "sign_in.failed")} == {"challenge"}
    assert isinstance(sign_in(world, soft, for_sign_in), Proved)
    assert sign_in(world, soft, for_sign_in) == Wrong(), "spent"
    assert isinstance(show(world, half, soft, for_half), Proved)
    unknown = Asked(for_sign_in.options | {"challenge": to_base64url(b"x" * 32)}, 0)
    late = ask_sign_in(world)
    world.wait(10 * MINUTE)
    for each in (unknown, late):
        with pytest.raises(Refused) as refused:
            sign_in(world, soft, each)
        assert refused.value.code is Code.EXPIRED


@pytest.mark.race
def test_of_many_answers_at_once_one_is_taken(world: World):
    """Law 4: the challenge is spent by one guarded statement, however many bring the same right answer."""
    ana = world.person("Ana")
    world.workspace("acme", owner=ana)
    soft, _ = enrolled(world, ana)
    for _ in range(5):
        answer = passkey_answers.read_shown(soft.show(ask_sign_in(world).options))

        def come(answer: passkey_answers.Shown = answer) -> Proved | Wrong | Wait:
            return world.write(
                lambda tx: passkeys.sign_in(
                    tx, by=VISITOR, site=SITE, answer=answer, kind=Credential.COOKIE, token=new_token()
                )
            )

        results = at_once(*[come] * 10)
        assert sum(isinstance(each, Proved) for each in results) == 1, results
        assert all(isinstance(each, Proved | Wrong | Wait) for each in results), results
        world.wait(2 * HOUR)  # wrong ones slow their network down


def test_a_wrong_showing_spends_its_challenge(world: World):
    ana = world.person("Ana")
    world.workspace("acme", owner=ana)
    soft, _ = enrolled(world, ana)
    asked = ask_sign_in(world)
    assert sign_in(world, soft, asked, signature=b"x") == Wrong()
    assert sign_in(world, soft, asked) == Wrong()


def test_challenges_are_kept_as_hashes_and_go(world: World):
    asked = ask_sign_in(world)
    (row,) = rows(world, "passkey_challenges")
    raw = from_base64url(asked.options["challenge"])
    assert len(raw) >= 16
    assert raw not in (row.challenge_hash, row.detail.encode())
    assert asked.options["challenge"] not in str(row)
    world.wait(11 * MINUTE)
    world.write(housekeeping.tidy)
    assert rows(world, "passkey_challenges") == []


def test_it_does_not_outlive_a_restored_backup(world: World):
    ask_sign_in(world)
    world.write(lambda tx: restored.end_everything(tx, "restored"))
    assert rows(world, "passkey_challenges") == []
