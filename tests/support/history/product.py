"""A product keeps a workspace and its people, and says what becomes of them."""

from nightlatch import addresses
from nightlatch.actions import people
from nightlatch.store import workspaces as store_workspaces
from nightlatch.store.query import Row
from nightlatch.vocabulary import Method, Role
from tests.support.history.second_factors import SecondFactors


class Product(SecondFactors):
    """Acme Notes."""

    def product_says(self, person: str, role: Role, **more: str) -> None:
        row = self.notes_row()
        said = people.Person(
            person,
            addresses.parse(more.get("email", f"{person}@people.example")),
            more.get("name", person.title()),
            "w1",
            more.get("workspace", row.name if row is not None else "Notes"),
            role,
        )
        self.world.write(lambda tx: people.note_person(tx, app=self.app, person=said))
        if person not in self.kept:
            self.kept.append(person)

    def notes_row(self) -> Row | None:
        return self.world.read(lambda tx: store_workspaces.by_app(tx, self.app.id, "w1"))

    def product_brings_somebody(self) -> None:
        """New, or one who was there before."""
        person = self.chance.choice([*self.kept, f"kept{len(self.kept)}"])
        self.product_says(person, self.chance.choice(list(Role)))

    def product_says_more(self) -> None:
        person = self.chance.choice(self.kept)
        name, email = self.chance.choice(["One", "Two"]), self.chance.choice(["a", "b"])
        self.product_says(
            person, self.chance.choice(list(Role)), name=name, email=f"{person}.{email}@people.example"
        )

    def product_drops_somebody(self) -> None:
        person = self.chance.choice(self.kept)
        self.world.write(
            lambda tx: people.remove_some(tx, app=self.app, workspace="w1", gone=[person, "nobody"])
        )

    def product_forgets_somebody(self) -> None:
        person = self.chance.choice(self.kept)
        self.world.write(lambda tx: people.forget(tx, app=self.app, person=person))

    def product_renames_the_workspace(self) -> None:
        self.product_says(self.kept[0], Role.OWNER, workspace=f"Notes {self.named()}")

    def products_person_sets_up(self) -> None:
        target = self.one(self.notes, state="off")
        self.set_up(target.account_id, (Method.TICKET, self.notes, None))
