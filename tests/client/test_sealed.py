"""Sealed cookies open under their own name alone; of ways three are kept, of forms the newest, of grants what fits."""

import string

from hypothesis import assume, given
from hypothesis import strategies as st

from nightlatch_client.cookies import Names
from nightlatch_client.forms import open_form
from nightlatch_client.grants import Kept, open_grants, seal_grants
from nightlatch_client.sealed import Box
from nightlatch_client.ways import Way, Ways, open_ways, seal_ways
from tests.client.core import connect

BOX = Box("acme", ["secret"])


@given(st.binary(max_size=200), st.text(max_size=20))
def test_what_is_sealed_opens_under_its_name_alone(plain: bytes, name: str):
    sealed = BOX.seal(name, plain)
    assert set(sealed) <= set(string.ascii_letters + string.digits + "-_")
    assert BOX.open(name, sealed) == plain
    assert BOX.open(name + "x", sealed) is None
    assert Box("other", ["secret"]).open(name, sealed) is None
    assert Box("acme", ["another"]).open(name, sealed) is None
    assert Box("acme", ["new", "secret"]).open(name, sealed) == plain


@given(st.text(max_size=80))
def test_what_is_not_ours_opens_nothing(text: str):
    names = Names(connect().settings)
    assert BOX.open("x", text) is None
    assert open_grants(BOX, "x", text) is None
    assert open_ways(BOX, "x", text, 0) == Ways()
    assert open_form(BOX, names, {names.form[0]: text, names.form[1]: text}, 0) is None


@given(st.integers(min_value=0), st.integers(min_value=0, max_value=255))
def test_a_changed_seal_opens_nothing(place: int, byte: int):
    sealed = BOX.seal("x", b"something to read")
    place %= len(sealed)
    changed = sealed[:place] + chr(byte) + sealed[place + 1 :]
    assume(changed != sealed)
    opened = BOX.open("x", changed)
    assert opened is None or opened == b"something to read"  # the spare bits of the last letter


def test_ways_are_three_at_most_and_grow_old():
    ways = Ways()
    for number in range(5):
        ways = ways.with_way(Way(f"state-{number}", "ada", f"/{number}", 1000 + number))
    sealed = seal_ways(BOX, "w", ways.waiting("ticket", 1000))
    opened = open_ways(BOX, "w", sealed, 1002 + 900)
    assert [way.path for way in opened.ways] == ["/2", "/3", "/4"]
    assert opened.open is None
    assert open_ways(BOX, "w", sealed, 1000).open == "ticket"
    assert not open_ways(BOX, "w", sealed, 2000)
    way, left = opened.take("state-3")
    assert way is not None
    assert [way.path for way in left.ways] == ["/2", "/4"]
    assert opened.take("")[0] is None
    assert opened.take("état")[0] is None


def test_only_the_newest_form_is_kept():
    ways = (
        Ways()
        .with_way(Way("a" * 22, "ada", "/form", 1, "kept"))
        .with_way(Way("b" * 22, "ada", "/form", 2, "kept"))
    )
    assert [way.form for way in ways.ways] == ["lost", "kept"]


def test_grants_fit_into_a_cookie():
    kept = Kept("ada")
    for number in range(20):
        kept = kept.with_grant(f"workspace-{number}", "g" * 400)
    opened = open_grants(BOX, "g", sealed := seal_grants(BOX, "g", kept))
    assert opened is not None
    assert len(sealed) <= 3800
    assert list(opened.grants)[-1] == "workspace-19"
    assert opened.best("workspace-19") == "g" * 400
    assert "gggg" not in repr(opened)
