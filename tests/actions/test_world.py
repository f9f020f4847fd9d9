"""The world that the other tests act in is a real one."""

from nightlatch.decision import Allow, Challenge, Enrol
from tests.support.world import World


def test_what_a_session_has_proved_decides(world: World) -> None:
    dana, ana = world.person("Dana"), world.person("Ana")
    acme = world.workspace("acme", owner=dana, member=ana)
    app, _ = world.bind_totp(dana)
    assert isinstance(world.opens(world.session(dana), acme), Challenge)
    assert isinstance(world.opens(world.signed_in(dana, app), acme), Allow)
    anas = world.session(ana)
    assert isinstance(world.opens(anas, acme), Allow)
    world.require(acme)
    assert isinstance(world.opens(anas, acme), Enrol)
