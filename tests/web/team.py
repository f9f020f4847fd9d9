"""People of a workspace who are really signed in, through the API or the pages."""

from dataclasses import dataclass, field

from nightlatch.ids import to_text
from nightlatch.instants import SECOND
from nightlatch.store import teammates
from nightlatch.web.app import App
from tests.support.asgi import Client, app_of
from tests.support.visitor import Visitor, resident
from tests.support.visitor import signed_in as visit
from tests.support.world import PASSWORD, Person, World


@dataclass
class Team:
    """A world and its application, and the authenticator apps that its people hold."""

    world: World
    app: App
    seeds: dict[int, bytes] = field(default_factory=dict)
    _used: dict[int, int] = field(default_factory=dict)

    @classmethod
    def of(cls, world: World) -> "Team":
        """Over a world."""
        return cls(world, app_of(world))

    def person(self, name: str, *, two_factor: bool = False) -> Person:
        """Somebody with a password, perhaps with 2FA."""
        person = resident(self.world, name)
        if two_factor:
            self.secure(person)
        return person

    def secure(self, person: Person) -> None:
        """They have 2FA from now on."""
        _, self.seeds[person.id] = self.world.bind_totp(person)

    def code(self, person: Person) -> str:
        """A code that was not used yet: where this one was, time passes until the next."""
        if self.world.clock.now() // (30 * SECOND) <= self._used.get(person.id, -1):
            self.world.wait(30 * SECOND)
        self._used[person.id] = self.world.clock.now() // (30 * SECOND)
        return self.world.code(self.seeds[person.id])

    def client(self, person: Person, *, second: bool = True) -> Client:
        """An API client, signed in by requests."""
        client = Client(self.app)
        got = client.post("/api/v1/sign-in/password", {"email": person.email, "password": PASSWORD})
        assert got.status == 201, got.text
        client.bearer = got.json["token"]
        if person.id in self.seeds and second:
            self.step_up(client, person, "/api/v1/sign-in/totp")
        return client

    def step_up(self, client: Client, person: Person, path: str = "/api/v1/step-up/totp") -> None:
        """Show a fresh code."""
        got = client.post(path, {"code": self.code(person)})
        assert got.status == 200, got.text
        client.bearer = got.json["token"]

    def visitor(self, person: Person) -> Visitor:
        """A browser, signed in by the pages."""
        return visit(self.app, person, code=self.code(person) if person.id in self.seeds else None)

    def id_of(self, person: Person, workspace_id: int) -> str:
        """The id of somebody's membership, as the API says it."""
        row = self.world.read(lambda tx: teammates.by_account(tx, person.id, workspace_id))
        assert row is not None
        return to_text(row.id)
