"""A domain is one workspace's: claimed by who manages authentication, proved by its record, once."""

import pytest

from nightlatch.actions import domains
from nightlatch.actions.by import SYSTEM, By, operator
from nightlatch.actions.domains import Domain
from nightlatch.instants import DAY, HOUR
from nightlatch.refusals import Code, Refused
from nightlatch.store import domains as stored
from nightlatch.vocabulary import Event
from tests.support.events import events
from tests.support.letters import letter, letters
from tests.support.world import World


class Place:
    """A workspace and its owner, who has 2FA."""

    def __init__(self, world: World, slug: str) -> None:
        self.world = world
        self.owner, self.member = world.person("Dana"), world.person("Ana")
        self.id = world.workspace(slug, owner=self.owner, member=self.member)
        self.phone = world.bind_totp(self.owner)[0]

    @property
    def by(self) -> By:
        return self.world.signed_in(self.owner, self.phone)

    def claim(self, domain: str = "acme.example", by: By | None = None) -> Domain:
        who = by or self.by
        return self.world.write(lambda tx: domains.claim(tx, by=who, workspace_id=self.id, domain=domain))

    def prove(self, claimed: Domain, *found: str, by: By | None = None) -> Domain:
        who = by or self.by
        return self.world.write(
            lambda tx: domains.prove(tx, by=who, workspace_id=self.id, domain_id=claimed.id, found=found)
        )

    def remove(self, claimed: Domain, by: By | None = None, reason: str | None = None) -> None:
        who = by or self.by
        self.world.write(
            lambda tx: domains.remove(tx, by=who, workspace_id=self.id, domain_id=claimed.id, reason=reason)
        )

    def owns(self, domain: str = "acme.example") -> bool:
        row = self.world.read(lambda tx: stored.owner(tx, domain))
        return row is not None and bool(row.workspace_id == self.id)


@pytest.fixture
def acme(world: World) -> Place:
    return Place(world, "acme")


@pytest.fixture
def beta(world: World) -> Place:
    return Place(world, "beta")


def refused(code: Code):
    return pytest.raises(Refused, match=f"^{code}:")


def test_a_claim_counts_for_nothing_until_its_record_is_found(acme: Place):
    claimed = acme.claim(" Acme.Example ")
    assert (claimed.domain, claimed.record_name) == ("acme.example", "_nightlatch-challenge.acme.example")
    assert len(claimed.proof) > 32
    assert acme.prove(claimed).proved_at is None
    assert acme.prove(claimed, "nightlatch=", claimed.proof[:-1]).proved_at is None
    assert not acme.owns()
    proved = acme.prove(claimed, "v=spf1 -all", claimed.proof)
    assert proved.proved_at is not None
    assert acme.owns()
    assert acme.prove(claimed).proved_at == proved.proved_at, "a record that is gone takes nothing back"
    told = [each.event for each in events(acme.world) if each.event.startswith("domain.")]
    assert told == [Event.DOMAIN_ADDED, Event.DOMAIN_PROVED]


def test_claiming_again_is_the_same_claim(acme: Place):
    assert acme.claim() == acme.claim("ACME.example.")


def test_it_is_one_workspace_s_only(acme: Place, beta: Place):
    """Whoever proves first; a claim keeps nobody off, and each has a record of its own."""
    mine, theirs = acme.claim(), beta.claim()
    assert mine.proof != theirs.proof
    beta.prove(theirs, mine.proof, theirs.proof)
    with refused(Code.CONFLICT):
        acme.prove(mine, mine.proof, theirs.proof)
    assert beta.owns()
    beta.remove(theirs)
    assert not beta.owns()
    assert acme.prove(mine, mine.proof).proved_at is not None
    assert acme.owns()
    with refused(Code.NOT_FOUND):
        beta.prove(mine, mine.proof)


def test_who_may(acme: Place, beta: Place):
    claimed = acme.claim()
    with refused(Code.NOT_PERMITTED):
        acme.claim("other.example", by=acme.world.session(acme.member))
    with refused(Code.NOT_FOUND):
        acme.remove(claimed, by=beta.by)
    stale = acme.by
    acme.world.wait(HOUR)
    for work in (
        lambda: acme.claim("other.example", by=stale),
        lambda: acme.prove(claimed, claimed.proof, by=stale),
        lambda: acme.remove(claimed, by=stale),
    ):
        with refused(Code.STEP_UP_REQUIRED):
            work()


def test_what_may_not_be_claimed(acme: Place):
    for domain in ("gmail.com", "nonsense", "ana@acme.example"):
        with refused(Code.INVALID):
            acme.claim(domain)
    for number in range(domains.MOST_IN_A_WORKSPACE):
        acme.claim(f"d{number}.example")
    with refused(Code.CONFLICT):
        acme.claim("one-more.example")


def test_the_operator_takes_one_away_with_a_reason_and_tells_the_owners(acme: Place):
    claimed = acme.claim()
    acme.prove(claimed, claimed.proof)
    with refused(Code.INVALID):
        acme.remove(claimed, by=operator("Sam"))
    assert acme.owns()
    acme.remove(claimed, by=operator("Sam"), reason="Sold to Beta")
    assert not acme.owns()
    told = letter(acme.world, "break_glass", to=acme.owner.email).values
    assert (told["operator"], told["reason"]) == ("Sam", "Sold to Beta")
    assert "acme.example" in told["what"]


def look(place: Place, *found: str, answered: bool = True) -> int:
    """The daily look; how many were due."""
    due = place.world.read(domains.due)
    for each in due:
        place.world.write(
            lambda tx, each=each: domains.recheck(  # type: ignore[misc]
                tx, by=SYSTEM, again=each, found=found if answered else None
            )
        )
    return len(due)


def test_a_record_that_is_gone_is_told_and_after_a_week_the_domain_counts_no_longer(acme: Place):
    claimed = acme.claim()
    acme.prove(claimed, claimed.proof)
    assert look(acme) == 0, "it was looked for just now"
    acme.world.wait(DAY + 1)
    assert look(acme) == 1
    assert look(acme) == 0
    warned = letter(acme.world, "domain_missing", to=acme.owner.email).values
    assert (warned["domain"], warned["lapsed"]) == ("acme.example", False)
    for _ in range(6):
        acme.world.wait(DAY + 1)
        assert look(acme) == 1
        assert acme.owns()
    acme.world.wait(DAY + 1)
    look(acme)
    assert not acme.owns()
    assert [each.values["lapsed"] for each in letters(acme.world, "domain_missing")] == [False, True]
    assert [each.event for each in events(acme.world)][-1] == Event.DOMAIN_LAPSED
    acme.world.wait(DAY + 1)
    assert look(acme) == 0
    assert acme.prove(claimed, claimed.proof).proved_at is not None, "found again, it is proved again"


def test_a_record_that_comes_back_in_time(acme: Place):
    claimed = acme.claim()
    acme.prove(claimed, claimed.proof)
    for number in range(20):
        acme.world.wait(DAY + 1)
        look(acme, *([claimed.proof] if number % 5 == 4 else []))
    assert acme.owns()


def test_name_servers_that_give_no_answer_take_nothing_away(acme: Place):
    claimed = acme.claim()
    acme.prove(claimed, claimed.proof)
    for _ in range(30):
        acme.world.wait(DAY + 1)
        look(acme, answered=False)
    assert acme.owns()
    assert not letters(acme.world, "domain_missing")


def test_the_owners_are_told(acme: Place):
    claimed = acme.claim()
    assert not letters(acme.world, "connection_changed"), "a claim changes nothing"
    acme.prove(claimed, claimed.proof)
    acme.remove(claimed)
    acme.remove(acme.claim("other.example"))
    what = [each.values["what"] for each in letters(acme.world, "connection_changed")]
    assert what == [
        "showed that the domain acme.example belongs to the workspace",
        "removed the domain acme.example",
    ]
