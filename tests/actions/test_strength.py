"""A mandate that takes passkeys alone: who may say so, from when, and what it does to whom (issue 5)."""

import pytest

from nightlatch.access import decide_workspace
from nightlatch.actions import authenticators, campaigns, enrolment, notices_recheck, teammates
from nightlatch.actions.by import By, operator
from nightlatch.actions.evidence import read_evidence
from nightlatch.actions.tokens import new_token
from nightlatch.decision import ALLOW, Challenge, Decision, Enrol
from nightlatch.instants import DAY, HOUR
from nightlatch.policy import ProofStrength
from nightlatch.refusals import Code, Refused
from nightlatch.store import events, listing
from nightlatch.store import teammates as memberships
from nightlatch.store.engine import Transaction
from nightlatch.vocabulary import Event, Method, Reason, Role
from tests.support.events import events as events_of
from tests.support.letters import letter, letters
from tests.support.passkey_acts import ask_new, bind
from tests.support.passkeys import SoftPasskey
from tests.support.switch import Acme, exempt
from tests.support.tables import rows as rows_of
from tests.support.world import World, carried_on

ANY, KEYS = ProofStrength.ANY, ProofStrength.PHISHING_RESISTANT


class Keyed(Acme):
    """Acme, whose owner Dana has a passkey beside her app."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.key = world.bind_passkey(self.dana)
        self.owner = world.by_passkey(self.dana, self.key)

    def later(self, duration: int) -> None:
        """Time passes, and the owner signs in anew."""
        self.world.wait(duration)
        self.owner = self.world.by_passkey(self.dana, self.key)


@pytest.fixture
def acme(world: World) -> Keyed:
    return Keyed(world)


def decision(acme: Keyed, by: By) -> Decision:
    """What the workspace says to a session now."""
    return decide_workspace(acme.world.known(by).facts, acme.id)


def due(world: World) -> None:
    """Everything that is due is queued."""
    while world.write(lambda tx: campaigns.expand_campaign(tx)):
        pass


def told(acme: Keyed, kind: str) -> dict[str, list[str]]:
    """Who was sent a mail of a kind, with its stages."""
    names = {each.email: each.name for each in (acme.dana, acme.olga, acme.adam, acme.ana)}
    found: dict[str, list[str]] = {}
    for each in letters(acme.world, kind):
        found.setdefault(names[each.to], []).append(str(each.values.get("stage", "")))
    return found


def test_it_comes_with_the_mandate_or_by_itself_later(acme: Keyed):
    """Both at one date; or the strength on a mandate that is in force, which stays what it is meanwhile."""
    soon = acme.world.clock.now() + 10 * DAY
    policy = acme.on(since=soon, strength=KEYS)
    assert (policy.required_from, policy.resistant_from, policy.strength) == (soon, soon, KEYS)
    assert not policy.resistant
    policy = acme.on()
    assert policy.in_force
    assert policy.resistant_from == soon
    later = soon + DAY
    policy = acme.on(strength=KEYS, strength_from=later)
    assert (policy.in_force, policy.resistant, policy.resistant_from) == (True, False, later)
    assert acme.on(strength=KEYS).resistant


def test_who_has_an_app_alone_is_led_to_a_passkey_at_the_very_next_request(acme: Keyed):
    """The admin came in by an app; the owner, by a passkey, notices nothing."""
    acme.on()
    assert decision(acme, acme.admin) == ALLOW
    acme.on(strength=KEYS)
    assert decision(acme, acme.admin) == Enrol(Reason.STRENGTH, None, acme.id)
    assert decision(acme, acme.owner) == ALLOW
    app = acme.world.signed_in(acme.dana, acme.app)
    assert decision(acme, app) == Challenge(Reason.STRENGTH, (Method.PASSKEY,), workspace=acme.id)


def test_until_its_date_nothing_changes(acme: Keyed):
    """The instant alone decides."""
    acme.on()
    acme.on(strength=KEYS, strength_from=acme.world.clock.now() + HOUR)
    assert decision(acme, acme.admin) == ALLOW
    acme.world.wait(HOUR)
    assert decision(acme, acme.admin) == Enrol(Reason.STRENGTH, None, acme.id)


def test_who_joins_after_the_announcement_has_no_grace(acme: Keyed):
    """As with the mandate itself."""
    acme.on()
    acme.on(strength=KEYS, strength_from=acme.world.clock.now() + 10 * DAY)
    acme.world.wait(DAY)
    new = acme.world.person("Nora")
    app, _ = acme.world.bind_totp(new)
    acme.world.write(
        lambda tx: memberships.join(tx, workspace_id=acme.id, account_id=new.id, role=Role.MEMBER)
    )
    assert decision(acme, acme.world.signed_in(new, app)) == Enrol(Reason.STRENGTH, None, acme.id)


def test_only_who_has_a_passkey_requires_them(acme: Keyed):
    """The admin has an app: they would lock themself out. They are shown the way to one."""
    refused = acme.refused(Code.NOT_ENROLLED, "on", by=acme.admin, strength=KEYS)
    assert refused.way_out is not None
    assert refused.way_out.path == "/set-up?workspace=acme&another=1"


def test_never_without_an_owner_who_has_one(acme: Keyed):
    """Law 8, for the operator too: a passkey of an admin's is not enough."""
    acme.world.write(lambda tx: memberships.set_role(tx, _id(acme, acme.dana.id), Role.OWNER, Role.MEMBER))
    key = acme.world.bind_passkey(acme.adam)
    acme.world.bind_totp(acme.olga)
    acme.refused(Code.NOT_ENROLLED, "on", by=acme.world.by_passkey(acme.adam, key), strength=KEYS)
    acme.refused(Code.NOT_ENROLLED, "on", by=operator("Op"), strength=KEYS)
    acme.on(by=operator("Op"))


def _id(acme: Keyed, account_id: int) -> int:
    row = acme.world.read(lambda tx: memberships.by_account(tx, account_id, acme.id))
    assert row is not None
    return int(row.id)


def test_it_goes_with_the_mandate_alone(acme: Keyed):
    """Passkeys where nothing is required would be a promise that nobody keeps."""
    acme.refused(Code.INVALID, "off", strength=KEYS)
    acme.refused(Code.INVALID, "on", strength=ANY, strength_from=acme.world.clock.now() + DAY)
    acme.on(strength=KEYS)
    policy = acme.off()
    assert (policy.resistant_from, policy.strength) == (None, ANY)


def test_in_force_it_is_not_postponed(acme: Keyed):
    """It can only be given up, which takes a reason and is told."""
    acme.on(strength=KEYS)
    acme.refused(Code.MANDATE_IN_FORCE, "on", strength=KEYS, strength_from=acme.world.clock.now() + DAY)
    assert acme.on(strength=KEYS).revision == acme.policy().revision  # the same again changes nothing
    acme.refused(Code.INVALID, "on", strength=ANY)
    policy = acme.on(strength=ANY, reason="Lost laptops")
    assert policy.in_force
    assert policy.resistant_from is None
    assert decision(acme, acme.admin) == ALLOW
    assert _events(acme)[-1] == Event.MANDATE_WEAKENED


def test_given_up_it_is_required_again_at_once_or_for_a_month_not_at_all(acme: Keyed):
    """Else it would be postponed by being off for a moment: by itself, or with the whole mandate."""
    acme.on(strength=KEYS)
    acme.change(strength=ANY, reason="Enough")
    until = acme.policy().passkeys_at_once_until
    assert until is not None
    later = acme.world.clock.now() + 3 * DAY
    acme.refused(Code.GRACE_USED, "change", strength=KEYS, strength_from=later)
    assert acme.change(strength=KEYS).resistant
    acme.off()
    acme.refused(Code.GRACE_USED, "on", strength=KEYS, strength_from=later)
    acme.on()
    acme.later(30 * DAY)
    assert acme.policy().passkeys_at_once_until is None
    later = acme.world.clock.now() + 3 * DAY
    assert acme.change(strength=KEYS, strength_from=later).resistant_from == later


def test_called_off_before_it_began_it_may_have_a_date_again(acme: Keyed):
    acme.on()
    soon = acme.world.clock.now() + 3 * DAY
    acme.change(strength=KEYS, strength_from=soon)
    acme.change(strength=ANY, reason="Later")
    assert acme.policy().passkeys_at_once_until is None
    assert acme.change(strength=KEYS, strength_from=soon).resistant_from == soon


def test_leaving_the_strength_out_keeps_it(acme: Keyed):
    """Who changes something else, and does not know of it, weakens nothing."""
    acme.on(strength=KEYS)
    assert acme.on().strength is KEYS


def test_every_change_is_in_the_audit_log(acme: Keyed):
    """By its name, with both dates."""
    at = acme.world.clock.now() + DAY
    acme.on()
    acme.on(strength=KEYS, strength_from=at)
    acme.on(strength=KEYS)
    assert _events(acme) == [
        Event.MANDATE_TURNED_ON,
        Event.MANDATE_STRENGTH_SCHEDULED,
        Event.MANDATE_STRENGTHENED,
    ]


def _events(acme: Keyed) -> list[str]:
    found = acme.world.read(lambda tx: events.forward(tx, acme.id, after=0, most=50))
    return [row.event for row in found if row.event.startswith("mandate.")]


# Law 8, afterwards


@pytest.mark.parametrize("date", [None, 10 * DAY], ids=["in force", "announced"])
def test_the_last_owner_with_a_passkey_stays(acme: Keyed, date: int | None):
    """Olga has an app alone: Dana can neither take the passkey away, nor leave, nor be demoted."""
    acme.world.bind_totp(acme.olga)
    acme.on()
    acme.on(strength=KEYS, strength_from=acme.world.clock.now() + date if date else None)
    dana = _id(acme, acme.dana.id)

    def removing(tx: Transaction) -> None:
        authenticators.unbind(tx, by=acme.owner, authenticator_id=acme.key)

    def leaving(tx: Transaction) -> None:
        teammates.leave(tx, by=acme.owner, workspace_id=acme.id)

    def demoting(tx: Transaction) -> None:
        teammates.change_role(tx, by=acme.owner, workspace_id=acme.id, teammate_id=dana, role=Role.ADMIN)

    for body, code in (
        (removing, Code.MANDATED if date is None else Code.LAST_OWNER),
        (leaving, Code.LAST_OWNER),
        (demoting, Code.LAST_OWNER),
    ):
        with pytest.raises(Refused) as refusal:
            acme.world.write(body)
        assert refusal.value.code is code
    acme.world.bind_passkey(acme.olga)
    acme.world.write(demoting)


def test_the_last_passkey_is_not_taken_off_where_they_are_required(acme: Keyed):
    """Another app is no way out there; another passkey is."""
    acme.world.bind_passkey(acme.olga)
    acme.on(strength=KEYS)
    assert authenticators.mandated_by(acme.world.known(acme.owner).facts, acme.key) == [acme.id]
    assert authenticators.mandated_by(acme.world.known(acme.owner).facts, acme.app) == []
    other = acme.world.bind_passkey(acme.dana)
    assert authenticators.mandated_by(acme.world.known(acme.owner).facts, other) == []


@pytest.mark.parametrize(
    "date, code", [(None, Code.MANDATED), (10 * DAY, Code.LAST_OWNER)], ids=["in force", "announced"]
)
def test_an_app_takes_the_place_of_no_passkey_that_is_needed(acme: Keyed, date: int | None, code: Code):
    """Replacing it is giving it up: refused before there is anything to scan, and again when that was begun before."""
    begun = begin_instead(acme)
    acme.world.bind_totp(acme.olga)
    acme.on(strength=KEYS, strength_from=acme.world.clock.now() + date if date else None)
    with pytest.raises(Refused) as refusal:
        confirm_instead(acme, begun)
    assert refusal.value.code is code
    with pytest.raises(Refused) as refusal:
        begin_instead(acme)
    assert refusal.value.code is code
    assert acme.world.read(lambda tx: memberships.owners_with_passkey(tx, acme.id)) == [acme.dana.id]
    other = bind(acme.world, acme.owner, SoftPasskey(), ask_new(acme.world, acme.owner, replaces=acme.key))
    assert other.replaced == "Laptop"


def test_an_app_takes_the_place_of_a_passkey_beside_another_one(acme: Keyed):
    """As where passkeys are not required at all."""
    other = acme.world.bind_passkey(acme.dana)
    acme.on(strength=KEYS)
    assert confirm_instead(acme, begin_instead(acme)).replaced == "Laptop"
    facts = acme.world.known(acme.owner).facts
    assert facts.authenticator(acme.key) is None
    assert facts.authenticator(other) is not None


def begin_instead(acme: Keyed) -> enrolment.Pending:
    """An app in place of Dana's passkey, which she has just shown."""
    return acme.world.write(
        lambda tx: enrolment.begin(tx, by=acme.owner, name="", replaces=acme.key, workspace_id=None)
    )


def confirm_instead(acme: Keyed, begun: enrolment.Pending) -> enrolment.Confirmed:
    """Its first code."""
    code, token = acme.world.code(begun.seed), new_token()
    confirmed = acme.world.write(
        lambda tx: enrolment.confirm(
            tx, by=acme.owner, enrolment_id=begun.id, code=code, codes=[], token=token
        )
    )
    assert isinstance(confirmed, enrolment.Confirmed)
    acme.owner = carried_on(acme.owner, confirmed.token)
    return confirmed


# What the workspace is told of it


def _noted(acme: Keyed, person: int) -> list[tuple[str, object]]:
    """What the workspace can rely on of a person, as its own events tell it."""
    told = {Event.TEAMMATE_SECURED, Event.TEAMMATE_UNSECURED}
    found = events_of(acme.world, subject=person, workspace=acme.id)
    return [(each.event, each.detail.get("methods")) for each in found if each.event in told]


def _methods(acme: Keyed, person: int) -> tuple[str, ...] | None:
    evidence = acme.world.read(lambda tx: read_evidence(tx, workspace_id=acme.id, on=""))
    (found,) = [each.methods for each in evidence.teammates if each.account == person]
    return found


def test_a_passkey_beside_an_app_ends_more_time_and_is_evidence(acme: Keyed):
    """The workspace is told once of each change of methods: the passkey, its like, the app that goes, and all."""
    acme.on()
    acme.on(strength=KEYS)
    exempt(acme.world, acme.id, acme.adam, until=acme.world.clock.now() + DAY)
    assert decision(acme, acme.admin) == ALLOW
    first = bind(acme.world, acme.admin, SoftPasskey())
    (ended,) = [each for each in events_of(acme.world) if each.event is Event.EXCEPTION_ENDED]
    assert (ended.subject[1], ended.detail["why"]) == (acme.adam.id, "set_up")
    teammate = acme.world.read(lambda tx: memberships.by_account(tx, acme.adam.id, acme.id))
    assert teammate is not None
    assert teammate.exempt_until is None
    assert _noted(acme, acme.adam.id) == [(Event.TEAMMATE_SECURED, ["passkey", "totp"])]
    assert _methods(acme, acme.adam.id) == ("passkey", "totp")
    second = bind(acme.world, carried_on(acme.admin, first.token), SoftPasskey())
    acme.on(strength=ANY, reason="Enough")
    by = acme.world.by_passkey(acme.adam, second.authenticator_id)
    noted = [["passkey", "totp"]]
    for gone, methods in ((first.authenticator_id, None), (acme.adams_app, ["passkey"])):
        acme.world.write(lambda tx: authenticators.unbind(tx, by=by, authenticator_id=gone))  # noqa: B023
        noted += [methods] if methods else []
        assert [each for _, each in _noted(acme, acme.adam.id)] == noted
    assert _methods(acme, acme.adam.id) == ("passkey",)


def test_a_passkey_that_goes_and_leaves_an_app_is_evidence(acme: Keyed):
    """Then a false page would do again: the workspace knows."""
    result = bind(acme.world, acme.admin, SoftPasskey())
    by = carried_on(acme.admin, result.token)
    acme.world.write(lambda tx: authenticators.unbind(tx, by=by, authenticator_id=result.authenticator_id))
    methods = [each for _, each in _noted(acme, acme.adam.id)]
    assert methods == [["passkey", "totp"], ["totp"]]
    assert _methods(acme, acme.adam.id) == ("totp",)


def test_a_passkey_in_place_of_the_app_is_evidence(acme: Keyed):
    """Of the two, the one that is there."""
    asked = ask_new(acme.world, acme.admin, replaces=acme.adams_app)
    bind(acme.world, acme.admin, SoftPasskey(), asked)
    assert _noted(acme, acme.adam.id) == [(Event.TEAMMATE_SECURED, ["passkey"])]
    assert _methods(acme, acme.adam.id) == ("passkey",)


def test_another_app_where_a_passkey_is_asked_for_ends_no_more_time(acme: Keyed):
    """It is not what they were given time for."""
    acme.on()
    acme.on(strength=KEYS)
    exempt(acme.world, acme.id, acme.ana, until=acme.world.clock.now() + DAY)
    by = acme.world.session(acme.ana, Method.PASSWORD, Method.INVITATION)
    pending = acme.world.write(
        lambda tx: enrolment.begin(tx, by=by, name="", replaces=None, workspace_id=None)
    )
    code = acme.world.code(pending.seed)
    acme.world.write(
        lambda tx: enrolment.confirm(
            tx, by=by, enrolment_id=pending.id, code=code, codes=[], token=new_token()
        )
    )
    assert [each for each in events_of(acme.world) if each.event is Event.EXCEPTION_ENDED] == []
    assert _noted(acme, acme.ana.id) == [(Event.TEAMMATE_SECURED, ["totp"])]


# The table


def _table(acme: Keyed, two_factor: str = "") -> dict[str, tuple[str | None, int | None]]:
    page = acme.world.read(lambda tx: listing.page(tx, acme.id, sort="due", two_factor=two_factor))
    return {each.name: (each.state, each.due) for each in page.items}


def test_the_table_is_the_work_list_of_it(acme: Keyed):
    """Who has nothing is overdue by the mandate, who has an app is due by the date of the strength, then overdue."""
    acme.on()
    required, at = acme.policy().required_from, acme.world.clock.now() + DAY
    acme.on(strength=KEYS, strength_from=at)
    assert _table(acme) == {
        "Ana": ("overdue", required),
        "Olga": ("overdue", required),
        "Adam": ("due", at),
        "Dana": ("on", None),
    }
    assert list(_table(acme, two_factor="due")) == ["Adam"]
    assert list(_table(acme, two_factor="overdue")) == ["Ana", "Olga"]
    acme.later(DAY)
    assert _table(acme)["Adam"] == ("overdue", at)
    assert sorted(_table(acme, two_factor="overdue")) == ["Adam", "Ana", "Olga"]
    page = acme.world.read(lambda tx: listing.page(tx, acme.id))
    assert dict(page.counts.by_state) == {"overdue": 3, "on": 1}
    acme.world.bind_passkey(acme.adam)
    assert _table(acme)["Adam"] == ("on", None)
    acme.on(strength=ANY, reason="Enough")
    assert _table(acme)["Adam"] == ("on", None)


def test_both_at_one_date_make_one_work_list(acme: Keyed):
    """Announced: everybody without a passkey is due on that day."""
    at = acme.world.clock.now() + 10 * DAY
    acme.on(since=at, strength=KEYS)
    assert list(_table(acme, two_factor="due")) == ["Adam", "Ana", "Olga"]
    acme.on(since=at, strength=ANY, reason="Not yet")
    assert list(_table(acme, two_factor="due")) == ["Ana", "Olga"]
    assert _table(acme)["Adam"] == ("on", None)


@pytest.mark.parametrize("sort", ["state", "-state", "due", "-due"])
def test_every_page_of_it_is_complete(acme: Keyed, sort: str):
    """Page by page, each row once."""
    acme.on()
    acme.on(strength=KEYS, strength_from=acme.world.clock.now() + DAY)
    names, cursor = [], None
    for _ in range(6):
        page = acme.world.read(lambda tx: listing.page(tx, acme.id, sort=sort, limit=1, after=cursor))  # noqa: B023
        names += [each.name for each in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert sorted(names) == ["Adam", "Ana", "Dana", "Olga"]


# Mails


def test_everybody_is_told_and_again_as_the_date_comes(acme: Keyed):
    """Who has a passkey once; who has none, until they have."""
    acme.on()
    due(acme.world)
    acme.on(strength=KEYS, strength_from=acme.world.clock.now() + 10 * DAY)
    due(acme.world)
    assert told(acme, "strength_ready") == {"Dana": [""]}
    assert told(acme, "strength_notice") == {each: ["announce"] for each in ("Adam", "Ana", "Olga")}
    acme.world.wait(3 * DAY)
    due(acme.world)
    acme.world.bind_passkey(acme.adam)
    acme.world.wait(7 * DAY)
    due(acme.world)
    notices = told(acme, "strength_notice")
    assert notices["Adam"] == ["7_days"]  # what is newer takes the place of what waits
    assert notices["Ana"] == ["start"]
    assert told(acme, "strength_ready") == {"Dana": [""]}


def test_both_at_once_are_one_mail(acme: Keyed):
    """Nobody is told of a code from an app that would not open."""
    acme.on(since=acme.world.clock.now() + 10 * DAY, strength=KEYS)
    due(acme.world)
    assert told(acme, "strength_notice") == {each: ["announce"] for each in ("Adam", "Ana", "Olga")}
    assert told(acme, "strength_ready") == {"Dana": [""]}
    assert not letters(acme.world, "mandate_enrol") + letters(acme.world, "mandate_ready")


def test_given_up_its_notices_are_not_sent(acme: Keyed):
    """What waits for the date of a strength that is no more says nothing."""
    acme.on()
    due(acme.world)
    acme.on(strength=KEYS, strength_from=acme.world.clock.now() + 10 * DAY)
    acme.on(strength=ANY, reason="Not yet")
    acme.world.wait(11 * DAY)
    due(acme.world)
    assert not letters(acme.world, "strength_notice")


def test_what_is_queued_is_true_when_it_leaves(acme: Keyed):
    """Who set up a passkey since, and whoever is asked for one no more, gets none of it."""
    acme.on()
    due(acme.world)
    acme.on(strength=KEYS, strength_from=acme.world.clock.now() + 10 * DAY)
    due(acme.world)
    assert _untrue(acme, "Adam") is None
    acme.world.bind_passkey(acme.adam)
    assert _untrue(acme, "Adam") == "2FA is set up"
    acme.on(strength=ANY, reason="Not yet")
    assert _untrue(acme, "Ana") == "no passkey is required any more"


def _untrue(acme: Keyed, name: str) -> str | None:
    person = {"Adam": acme.adam, "Ana": acme.ana}[name]
    (mail,) = (
        row
        for row in rows_of(acme.world, "outbox")
        if (row.kind, row.account_id) == ("strength_notice", person.id)
    )
    values = letter(acme.world, "strength_notice").values
    return acme.world.read(lambda tx: notices_recheck.why_untrue(tx, mail, values))
