"""A workspace that lets browsers be remembered, and a teammate with an authenticator app who ticks the box."""

from nightlatch.actions import enrolment, remembering, second_step, sign_in
from nightlatch.actions.by import By
from nightlatch.actions.proving import Proved
from nightlatch.actions.remembering import Remembered
from nightlatch.actions.tokens import hash_token, new_token
from nightlatch.addresses import parse
from nightlatch.decision import Allow
from nightlatch.instants import SECOND
from nightlatch.store import remembered
from nightlatch.vocabulary import Credential, Method
from tests.support.switch import Acme
from tests.support.tables import rows
from tests.support.world import Person, World, carried_on


class Remembering(Acme):
    """Ana's browser may be remembered for 14 days."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.anas_app, self.seed = world.bind_totp(self.ana)
        self.change(remember_days=14)

    def password(
        self, person: Person | None = None, browser: str = "anas", kind: Credential = Credential.COOKIE
    ) -> By:
        """A right password in a browser; the session that it began."""
        person, token = person or self.ana, new_token()
        by = By("visitor", None, "", "192.0.2.9", "test", browser=hash_token(browser))
        candidate = self.world.read(lambda tx: sign_in.look(tx, by=by, address=parse(person.email)))
        proved = self.world.write(
            lambda tx: sign_in.sign_in(tx, by=by, candidate=candidate, right=True, kind=kind, token=token)
        )
        assert isinstance(proved, Proved)
        return By(
            "account",
            person.id,
            person.name,
            by.ip,
            by.user_agent,
            proved.token.hash,
            kind,
            hash_token(browser),
        )

    def code(self, by: By, *, remembers: bool = False, seed: bytes | None = None) -> By:
        """A code that was not used before; the session after it."""
        self.world.wait(30 * SECOND)
        text, token = self.world.code(seed or self.seed), new_token()
        proved = self.world.write(
            lambda tx: second_step.present_totp(tx, by=by, code=text, token=token, remembers=remembers)
        )
        assert isinstance(proved, Proved)
        return carried_on(by, proved.token)

    def confirm(self, by: By, id: int, seed: bytes) -> object:
        """The first code of an app that is being set up."""
        code, token = self.world.code(seed), new_token()
        return self.world.write(
            lambda tx: enrolment.confirm(tx, by=by, enrolment_id=id, code=code, codes=[], token=token)
        )

    def remember(self) -> By:
        """Ana signs in and ticks the box; her session."""
        return self.code(self.password(), remembers=True)

    def open(self, by: By, workspace_id: int | None = None) -> bool:
        """Whether the workspace is open to a session now."""
        return isinstance(self.world.opens(by, workspace_id or self.id), Allow)

    def spared(self, person: Person | None = None, browser: str = "anas") -> bool:
        """Whether a password alone opens the workspace in a browser now."""
        return self.open(self.password(person, browser))

    def listed(self, by: By) -> list[Remembered]:
        """What the person's settings list."""
        return self.world.read(lambda tx: remembering.own(tx, by=by))

    def kept(self, person: Person | None = None) -> int:
        """How many rows count for somebody."""
        id = (person or self.ana).id
        return len(self.world.read(lambda tx: remembered.of_account(tx, id)))

    def left(self) -> tuple[int, int]:
        """How many rows there are at all, and how many marks in sessions."""
        marks = [row for row in rows(self.world, "proofs") if row.method == Method.REMEMBERED]
        return len(rows(self.world, "remembered_browsers")), len(marks)
