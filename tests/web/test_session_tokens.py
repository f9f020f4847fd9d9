"""A session's token: it names the session, and only its secret proves it (docs/decisions/0036)."""

from hashlib import sha256

import pytest

from nightlatch.actions.tokens import Token, hash_session_token, new_token
from nightlatch.ids import from_text, new_id, to_text
from nightlatch.store import sessions
from nightlatch.vocabulary import Credential
from tests.support.asgi import Client
from tests.support.world import Person, World, session_token
from tests.web.team import Team


@pytest.fixture
def dana(team: Team) -> Person:
    return team.person("Dana")


def _asked(team: Team, text: str) -> int:
    return Client(team.app, bearer=text).ask("GET", "/api/v1/session").status


def _began(team: Team, person: Person) -> Token:
    token = session_token()
    team.world.session(person, kind=Credential.BEARER, token=token)
    return token


def test_what_it_is_made_of_and_what_is_kept(team: Team, dana: Person) -> None:
    token = _began(team, dana)
    named, secret = token.text[:13], token.text[13:]
    assert len(secret) == 43
    id = from_text(named)
    assert id is not None
    assert (
        token.hash
        == id.to_bytes(8, "big") + sha256(secret.encode()).digest()
        == hash_session_token(token.text)
    )
    (row,) = [each for each in _rows(team.world, dana) if each.id == id]
    assert row.token_hash == token.hash
    assert _asked(team, token.text) == 200


def test_a_live_session_s_name_with_another_secret_is_nobody_s(team: Team, dana: Person) -> None:
    token, ana = _began(team, dana), team.person("Ana")
    anas = _began(team, ana)
    for text in (
        token.text[:13] + new_token().text,
        token.text[:13] + anas.text[13:],
        anas.text[:13] + token.text[13:],
        to_text(new_id()) + token.text[13:],
    ):
        assert _asked(team, text) == 401, text
    assert (_asked(team, token.text), _asked(team, anas.text)) == (200, 200)


@pytest.mark.parametrize(
    "spelled",
    [
        lambda text: text[13:],  # as tokens were before they named a session
        lambda text: text[:13],
        lambda text: text.upper(),
        lambda text: text[:13] + "." + text[13:],
        lambda text: text + "A",
        lambda text: text[:-1],
        lambda text: "0" * 13 + text[13:],
        lambda text: "z" * 13 + text[13:],
        lambda text: "é" + text[1:],
    ],
)
def test_other_spellings_are_nobody_s(team: Team, dana: Person, spelled) -> None:
    token = _began(team, dana)
    assert _asked(team, spelled(token.text)) == 401
    assert _asked(team, token.text) == 200


def test_a_new_token_names_the_same_session_and_the_old_one_is_dead(team: Team, dana: Person) -> None:
    _, seed = team.world.bind_totp(dana)
    old = _began(team, dana)
    answer = Client(team.app, bearer=old.text).ask(
        "POST", "/api/v1/sign-in/totp", json_body={"code": team.world.code(seed)}
    )
    fresh = answer.json["token"]
    assert fresh[:13] == old.text[:13]
    assert fresh[13:] != old.text[13:]
    assert (_asked(team, old.text), _asked(team, fresh)) == (401, 200)


def test_one_session_s_token_is_never_given_to_another(team: Team, dana: Person) -> None:
    mine, other = _began(team, dana), _began(team, dana)
    id = from_text(mine.text[:13])
    assert id is not None
    with pytest.raises(ValueError, match="names the session"):
        team.world.write(lambda tx: sessions.rotate(tx, id, other.hash, pending_until=None))
    assert _asked(team, mine.text) == 200


def _rows(world: World, person: Person) -> list:
    return world.read(lambda tx: sessions.of_account(tx, person.id))
