"""Never again: no workspace invites the address; what is pending dies; there is a way back. On both databases."""

import pytest

from nightlatch.actions import declining, invitations, joining
from nightlatch.actions.by import By, operator
from nightlatch.actions.invitations import Outcome
from nightlatch.actions.tokens import new_token
from nightlatch.addresses import parse
from nightlatch.refusals import Code, Refused
from nightlatch.vocabulary import Event, Role
from tests.support.events import events
from tests.support.letters import Letter, letter, letters
from tests.support.world import World

MIA = parse("Mia@example.org")
STRANGER = By("visitor", None, "", "192.0.2.9", "a mail program")


@pytest.fixture
def places(world: World) -> tuple[int, int]:
    dana = world.person("Dana")
    return world.workspace("acme", owner=dana), world.workspace("beta", owner=dana)


def invite(world: World, place: int) -> Outcome:
    done = world.write(
        lambda tx: invitations.invite(
            tx, by=operator("Olga"), workspace_id=place, pasted=[MIA], role=Role.MEMBER
        )
    )
    return done.results[0].outcome


def never(world: World, told: Letter) -> None:
    world.write(lambda tx: declining.decline(tx, by=STRANGER, token_hash=told.hash("never_link")))


def test_every_invitation_has_its_own_link_and_looking_changes_nothing(
    world: World, places: tuple[int, int]
) -> None:
    for place in places:
        assert invite(world, place) is Outcome.SENT
    links = {each.token("never_link") for each in letters(world, "invitation")}
    assert len(links) == 2
    for each in letters(world, "invitation"):
        for _ in range(3):
            found = world.read(lambda tx, each=each: declining.look(tx, each.hash("never_link")))  # type: ignore[misc]
            assert (found.email, found.declined) == ("Mia@example.org", False)


def test_never_again_ends_what_is_pending_everywhere_and_what_comes(
    world: World, places: tuple[int, int]
) -> None:
    for place in places:
        invite(world, place)
    first, second = letters(world, "invitation")
    never(world, first)
    never(world, second)  # once more changes nothing
    assert letters(world, "invitation") == [], "what was queued is taken back"
    for each in (first, second):
        assert world.read(lambda tx, each=each: joining.look(tx, each.hash())).state == "revoked"  # type: ignore[misc]
    for place in places:
        assert invite(world, place) is Outcome.DECLINED
        assert (
            len([each for each in events(world, workspace=place) if each.event == Event.INVITATION_REVOKED])
            == 1
        )
    assert letters(world, "invitation") == []


def test_the_same_link_takes_it_back(world: World, places: tuple[int, int]) -> None:
    invite(world, places[0])
    told = letter(world, "invitation")
    never(world, told)
    world.write(lambda tx: declining.accept_again(tx, by=STRANGER, token_hash=told.hash("never_link")))
    assert invite(world, places[0]) is Outcome.SENT
    assert world.read(lambda tx: joining.look(tx, told.hash())).state == "revoked"


def test_whoever_signs_up_takes_invitations_again(world: World, places: tuple[int, int]) -> None:
    from nightlatch.actions import newcomers

    invite(world, places[0])
    never(world, letter(world, "invitation"))
    world.write(
        lambda tx: newcomers.new_account(
            tx,
            by=STRANGER,
            address=MIA,
            name="Mia",
            password_hash="x",
            how="sign_up",
        )
    )
    assert invite(world, places[0]) is Outcome.SENT


def test_a_person_takes_it_back_in_the_settings(world: World, places: tuple[int, int]) -> None:
    ana = world.person("Ana")
    by = world.session(ana)
    address = parse(ana.email)
    token = world.write(lambda tx: declining.new_link(tx, address))
    world.write(lambda tx: declining.decline(tx, by=STRANGER, token_hash=token.hash))
    assert world.read(lambda tx: declining.own_declined(tx, by=by))
    world.write(lambda tx: declining.accept_again_own(tx, by=by))
    assert not world.read(lambda tx: declining.own_declined(tx, by=by))


def test_another_links_token_or_none_at_all_is_refused(world: World, places: tuple[int, int]) -> None:
    invite(world, places[0])
    told = letter(world, "invitation")
    for hash in (told.hash("link"), new_token().hash):
        with pytest.raises(Refused) as refused:
            world.write(lambda tx, hash=hash: declining.decline(tx, by=STRANGER, token_hash=hash))  # type: ignore[misc]
        assert refused.value.code is Code.EXPIRED
    assert world.read(lambda tx: joining.look(tx, told.hash())).state == "open"


def test_five_unasked_mails_leave_no_room_for_an_invitation(world: World, places: tuple[int, int]) -> None:
    from nightlatch.actions.by import SYSTEM
    from nightlatch.actions.mailing import UNASKED_A_DAY, mail_address

    for _ in range(UNASKED_A_DAY):
        world.write(
            lambda tx: mail_address(
                tx, "role_changed", MIA.display, by=SYSTEM, workspace="Acme", role="member", by_name=None
            )
        )
    assert invite(world, places[0]) is Outcome.LIMITED
