"""A workspace with a protected host, and browsers that are signed in there."""

from typing import Any

from tests.support.asgi import Got
from tests.support.visitor import resident
from tests.support.world import Person, World
from tests.web.hosts import (
    SCRIPT,
    WIKI,
    Surfer,
    register,
    trusting,
)


class Stage:
    """Acme has a wiki; Olga owns it, Mia is a member, Otto is somewhere else."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.olga, self.mia, self.otto = (resident(world, name) for name in ("Olga", "Mia", "Otto"))
        self.acme = world.workspace("acme", owner=self.olga, member=[self.mia])
        self.beta = world.workspace("beta", owner=[self.otto, self.olga])
        self.app = trusting(world)
        self.id = register(world, self.acme, WIKI)

    def surfer(self) -> Surfer:
        """A new browser."""
        return Surfer(self.app)

    def signed_in(self, person: Person, url: str = f"{WIKI}/x", code: str | None = None) -> Surfer:
        """A browser that is signed in at the host."""
        surfer = self.surfer()
        surfer.open(url)
        got = surfer.sign_in(person, code)
        assert isinstance(got, Got), surfer.trail
        assert got.status == 200
        return surfer


def status(surfer: Surfer, **more: Any) -> int:
    """Of a script's request to the wiki."""
    return surfer.check(f"{WIKI}/x", headers=SCRIPT, **more).status
