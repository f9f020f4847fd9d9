"""Personal API tokens: made at AAL2 with fresh proof, reading where their maker could come in, and what ends them."""

from dataclasses import replace
from typing import Any

import pytest

from nightlatch.access import decide
from nightlatch.actions import api_tokens, contesting, kinds, passwords, resets, restored, teammates
from nightlatch.actions.api_tokens import Made
from nightlatch.actions.by import By, operator
from nightlatch.actions.not_me import not_me_link
from nightlatch.actions.tokens import API_TOKEN, hash_token, new_token
from nightlatch.addresses import parse
from nightlatch.decision import Action, Allow, Decision, Deny, Enrol
from nightlatch.facts import EVERYWHERE, reach_of
from nightlatch.instants import DAY, HOUR, MINUTE
from nightlatch.refusals import Code, Refused
from nightlatch.store import accounts, authenticators, housekeeping, sessions
from nightlatch.store import api_tokens as stored
from nightlatch.store import teammates as memberships
from nightlatch.store.known import Known
from nightlatch.store.session_facts import read_known
from nightlatch.vocabulary import Credential, Event, Method, Reason, Role, Scope
from tests.support.events import Told, events
from tests.support.letters import letters
from tests.support.mails import link_in
from tests.support.tables import rows
from tests.support.world import Person, World

ALL = [each.value for each in Scope]


class Two:
    """Ana is in Acme, which requires 2FA, and in Beta, which does not; her app reaches both."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.dana, self.ana = world.person("Dana"), world.person("Ana")
        self.acme = world.workspace("acme", owner=self.dana, member=self.ana)
        self.beta = world.workspace("beta", owner=self.dana, admin=self.ana)
        self.danas, _ = world.bind_totp(self.dana)
        self.anas, _ = world.bind_totp(self.ana)
        world.require(self.acme)

    def by(self, person: Person | None = None) -> By:
        who = person or self.ana
        return self.world.signed_in(who, self.danas if who is self.dana else self.anas)

    def make(self, by: By | None = None, **more: Any) -> Made:
        who, given = by or self.by(), {"name": "report", "scopes": ALL, **more}
        return self.world.write(lambda tx: api_tokens.make(tx, by=who, **given))

    def end(self, made: Made, by: By | None = None) -> None:
        who = by or self.by()
        self.world.write(lambda tx: api_tokens.end(tx, by=who, token_id=made.shown.id))

    def own(self) -> list[api_tokens.ApiToken]:
        by = self.by()
        return self.world.read(lambda tx: api_tokens.own(tx, by=by))

    def use(self, made: Made, at: int) -> None:
        self.world.write(lambda tx: stored.used(tx, [(made.shown.id, at)]))

    def told(self, event: Event) -> list[Told]:
        return [each for each in events(self.world) if each.event is event]

    def known(self, made: Made) -> Known:
        return self.world.read(lambda tx: read_known(tx, hash_token(made.token.text), Credential.TOKEN))

    def decides(self, made: Made, action: Action) -> Decision:
        return decide(self.known(made).facts, action)

    def opens(self, made: Made, workspace_id: int) -> Decision:
        return self.decides(made, kinds.SEE_TEAM.at(workspace_id))

    def teammate(self, person: Person, workspace_id: int) -> int:
        row = self.world.read(lambda tx: memberships.by_account(tx, person.id, workspace_id))
        assert row is not None
        return int(row.id)

    def disable(self, workspace_id: int) -> None:
        by, teammate_id = self.by(self.dana), self.teammate(self.ana, workspace_id)
        self.world.write(
            lambda tx: resets.disable_two_factor(
                tx,
                by=by,
                workspace_id=workspace_id,
                teammate_id=teammate_id,
                reason="lost phone",
                recognised_by="a call",
            )
        )


@pytest.fixture
def two(world: World) -> Two:
    return Two(world)


def refused(code: Code):
    return pytest.raises(Refused, match=f"^{code}:")


# --- making one ---


def test_a_token_is_scoped_runs_out_and_is_never_kept(two: Two):
    """Law 10: 256 random bits behind a mark; the row has its hash, the answer has it once, the record never."""
    made = two.make(scopes=["policy:read", "teammates:read", "policy:read"])
    text = made.token.text
    assert text.startswith(API_TOKEN)
    assert len(text) == len(API_TOKEN) + 43
    (row,) = rows(two.world, "tokens")
    assert row.token_hash == hash_token(text)
    assert row.scopes == "teammates:read policy:read"
    assert row.expires_at == row.created_at + 90 * DAY
    assert {each.workspace_id for each in rows(two.world, "token_workspaces")} == {two.acme, two.beta}
    assert text not in repr(made)
    for table in ("audit_events", "outbox"):
        assert all(text[4:] not in str(tuple(each)) for each in rows(two.world, table))
    (listed,) = two.own()
    assert (listed.name, listed.workspace, listed.last_used_at, listed.expired) == (
        "report",
        None,
        None,
        False,
    )


def test_its_owner_is_mailed_and_each_workspace_reads_of_it(two: Two):
    """Law 13; and law 7: the event of one workspace says nothing of another."""
    made = two.make()
    (mail,) = letters(two.world, "token_made")
    assert mail.to == two.ana.email
    told = two.told(Event.TOKEN_MADE)
    assert {each.workspace_id for each in told} == {None, two.acme, two.beta}
    two.end(made)
    assert {each.workspace_id for each in two.told(Event.TOKEN_ENDED)} == {None, two.acme, two.beta}


def test_without_the_second_step_there_is_no_token(two: Two):
    """AAL2 in a session: a password alone, or an old code, makes none."""
    with refused(Code.SECOND_FACTOR_REQUIRED):
        two.make(two.world.session(two.ana))
    by = two.by()
    two.world.wait(31 * MINUTE)
    with refused(Code.STEP_UP_REQUIRED):
        two.make(by)
    assert not rows(two.world, "tokens")


def test_a_recovery_code_makes_none(two: Two):
    """It would outlive the 24 hours for which a recovery code changes nothing weighty."""
    codes = two.world.write(
        lambda tx: authenticators.bind(
            tx, account_id=two.ana.id, method=Method.RECOVERY_CODE, name="Codes", reach=EVERYWHERE
        )
    )
    by = two.world.session(two.ana, Method.PASSWORD, Method.RECOVERY_CODE, authenticator=codes)
    with refused(Code.NOT_PERMITTED):
        two.make(by)


def test_who_has_no_two_factor_makes_none(two: Two, world: World):
    """Also where nobody requires it: a token would be a password that runs for a year."""
    ben = world.person("Ben")
    world.workspace("gamma", owner=ben)
    with refused(Code.NOT_ENROLLED):
        two.make(world.session(ben))


def test_in_each_of_its_workspaces_the_second_factor_counts(two: Two, world: World):
    """Law 7: an app of Acme's alone makes a token for Acme alone."""
    eve = world.person("Eve")
    here = world.workspace("gamma", owner=two.dana, member=eve)
    world.workspace("delta", owner=two.dana, member=eve)
    app, _ = world.bind_totp(eve, reach_of(here))
    by = world.signed_in(eve, app)
    with refused(Code.NOT_ENROLLED):
        two.make(by)
    made = two.make(by, workspace_id=here)
    assert {each.workspace for each in two.known(made).facts.teammates} == {here}


def test_a_token_for_one_workspace_knows_of_no_other(two: Two):
    """Beta is answered as if it did not exist."""
    made = two.make(workspace_id=two.acme)
    assert isinstance(two.opens(made, two.acme), Allow)
    assert two.opens(made, two.beta) == Deny(Reason.NOT_A_TEAMMATE)
    assert set(two.known(made).places or {}) == {two.acme}
    others = two.world.workspace("others", owner=two.dana)
    with refused(Code.NOT_FOUND):
        two.make(workspace_id=others)


def test_a_workspace_joined_later_is_none_of_its(two: Two):
    """Nobody was asked for a second factor there."""
    made = two.make()
    late = two.world.workspace("gamma", owner=two.dana, member=two.ana)
    assert two.opens(made, late) == Deny(Reason.NOT_A_TEAMMATE)
    assert isinstance(two.opens(two.make(), late), Allow)


@pytest.mark.parametrize(
    "field,value",
    [
        ("scopes", []),
        ("scopes", ["everything"]),
        ("scopes", ["account:read", "account:write"]),
        ("name", " "),
        ("expires_at", -1),
        ("expires_at", 365 * DAY + MINUTE),
    ],
)
def test_what_a_token_is_made_of(two: Two, field: str, value: Any):
    by = two.by()
    now = two.world.read(lambda tx: tx.now)
    with refused(Code.INVALID):
        two.make(by, **{field: now + value if field == "expires_at" else value})


def test_a_year_is_the_most_and_fifty_at_a_time(two: Two, monkeypatch: pytest.MonkeyPatch):
    by = two.by()
    now = two.world.read(lambda tx: tx.now)
    two.make(by, expires_at=now + 365 * DAY)
    monkeypatch.setattr(api_tokens, "MOST_TOKENS", 2)
    made = two.make(by)
    with refused(Code.CONFLICT):
        two.make(by)
    two.end(made, by)
    two.make(by)


# --- where it works ---


def test_who_must_enrol_is_refused_and_let_in_again_afterwards(two: Two):
    """The issue's own sentence. It is not bound to the app that was shown when it was made."""
    made = two.make()
    two.world.write(lambda tx: authenticators.unbind(tx, two.anas, two.ana.id))
    assert two.opens(made, two.acme) == Enrol(Reason.MANDATE, "mail", two.acme)
    assert isinstance(two.opens(made, two.beta), Allow)
    assert isinstance(two.decides(made, kinds.READ_PROFILE), Allow), "Beta is open"
    two.world.bind_totp(two.ana)
    assert isinstance(two.opens(made, two.acme), Allow)


def test_a_reset_leaves_it_dead_there_for_good(two: Two):
    """Whatever is set up afterwards. In Beta it goes on (law 7)."""
    made = two.make()
    two.disable(two.acme)
    assert two.opens(made, two.acme) == Deny(Reason.OLDER_TOKEN)
    assert isinstance(two.opens(made, two.beta), Allow)
    two.world.bind_totp(two.ana)
    assert two.opens(made, two.acme) == Deny(Reason.OLDER_TOKEN)
    assert isinstance(two.opens(made, two.beta), Allow)


def test_who_returns_makes_a_new_one(two: Two):
    """Removed: not there. Returned: dead there, as proofs from before a return are."""
    made, dana, ana = two.make(), two.by(two.dana), two.teammate(two.ana, two.acme)
    two.world.write(lambda tx: teammates.remove(tx, by=dana, workspace_id=two.acme, teammate_id=ana))
    assert two.opens(made, two.acme) == Deny(Reason.NOT_A_TEAMMATE)
    assert isinstance(two.opens(made, two.beta), Allow)
    two.world.write(
        lambda tx: memberships.join(tx, workspace_id=two.acme, account_id=two.ana.id, role=Role.MEMBER)
    )
    assert two.opens(made, two.acme) == Deny(Reason.OLDER_TOKEN)
    assert isinstance(two.opens(two.make(), two.acme), Allow)


def test_the_role_is_read_at_each_request(two: Two):
    """Law 2: an admin's token reads the audit log until they are an admin no more."""
    made, dana, ana = two.make(), two.by(two.dana), two.teammate(two.ana, two.beta)
    audit = kinds.READ_AUDIT.at(two.beta)
    assert isinstance(two.decides(made, audit), Allow)
    two.world.write(
        lambda tx: teammates.change_role(
            tx, by=dana, workspace_id=two.beta, teammate_id=ana, role=Role.MEMBER
        )
    )
    assert two.decides(made, audit) == Deny(Reason.PERMISSION)


# --- what ends it ---


def dead(two: Two, made: Made) -> bool:
    known = two.known(made)
    return known.token is None and known.person is None and known.facts.token is None


def test_it_runs_out(two: Two):
    made = two.make(expires_at=two.world.read(lambda tx: tx.now) + HOUR)
    two.world.wait(HOUR - MINUTE)
    assert not dead(two, made)
    two.world.wait(MINUTE)
    assert dead(two, made)
    (listed,) = two.own()
    assert listed.expired


def test_its_owner_ends_it_and_nobody_else(two: Two):
    """Without fresh proof: ending makes nothing weaker."""
    made, by = two.make(), two.by()
    two.world.wait(HOUR)
    with refused(Code.NOT_FOUND):
        two.end(made, two.by(two.dana))
    two.end(made, by)
    assert dead(two, made)
    with refused(Code.NOT_FOUND):
        two.end(made, by)


def test_a_new_password_by_mail_ends_all_of_them(two: Two):
    """What our mails tell people to do when somebody else may be in their account."""
    made = two.make()
    danas = two.make(two.by(two.dana))
    visitor = By("visitor", None, "", "192.0.2.1", "test")
    two.world.write(lambda tx: passwords.request_reset(tx, by=visitor, address=parse(two.ana.email)))
    link = link_in(two.world, "password_reset").rpartition("/")[2]
    two.world.write(
        lambda tx: passwords.finish_reset(
            tx, by=visitor, token_hash=hash_token(link), password_hash="unusable"
        )
    )
    assert dead(two, made)
    assert not dead(two, danas)
    assert {each.detail["how"] for each in two.told(Event.TOKEN_ENDED)} == {"a new password by mail"}


def test_a_changed_password_and_ended_sessions_leave_it(two: Two):
    """Housekeeping behind a fresh second factor breaks no program."""
    made, by = two.make(), two.by()
    two.world.write(
        lambda tx: passwords.change(tx, by=by, password_hash="unusable", session_token=new_token())
    )
    two.world.write(lambda tx: sessions.end_others(tx, two.ana.id, keep=None))
    assert isinstance(two.opens(made, two.acme), Allow)


def test_those_made_since_an_instant_can_be_ended(two: Two):
    """For a contested authenticator: what was made since it was bound."""
    old = two.make()
    two.world.wait(DAY)
    since = two.world.read(lambda tx: tx.now)
    new = two.make()

    def body(tx: Any) -> int:
        account = accounts.by_id(tx, two.ana.id)
        assert account is not None
        return api_tokens.end_of_account(tx, account, by=operator("Olga"), how="contested", since=since)

    assert two.world.write(body) == 1
    assert dead(two, new)
    assert not dead(two, old)


def test_what_was_contested_takes_its_tokens_along(two: Two):
    """Whoever bound the app may have made them since; a mail about nothing bound ends all, as it ends all sessions."""
    old, by = two.make(), By("visitor", None, "", "192.0.2.1", "test")
    two.world.wait(DAY)
    theirs, _ = two.world.bind_totp(two.ana)
    new = two.make(two.world.signed_in(two.ana, theirs))

    def contest(about: int | None) -> None:
        path = two.world.write(lambda tx: not_me_link(tx, two.ana.id, about))
        link = hash_token(path.rpartition("/")[2])
        two.world.write(lambda tx: contesting.contest(tx, by=by, token_hash=link))

    contest(theirs)
    assert dead(two, new)
    assert isinstance(two.opens(old, two.acme), Allow), "the other app is usable"
    contest(None)
    assert dead(two, old)


def test_a_restored_database_and_the_operator_end_everybodys(two: Two):
    """Law 11."""
    made, danas = two.make(), two.make(two.by(two.dana))
    assert two.world.write(lambda tx: restored.after_restore(tx, by=operator("Olga")))["tokens"] == 2
    assert dead(two, made)
    assert dead(two, danas)
    again = two.make()
    assert two.world.write(api_tokens.end_all) == 1
    assert dead(two, again)


def test_what_is_over_goes_after_thirty_days(two: Two):
    made = two.make(expires_at=two.world.read(lambda tx: tx.now) + HOUR)
    kept = two.make(expires_at=two.world.read(lambda tx: tx.now) + 90 * DAY)
    two.world.wait(30 * DAY)
    two.world.write(housekeeping.tidy)
    assert {row.id for row in rows(two.world, "tokens")} == {made.shown.id, kept.shown.id}
    two.world.wait(2 * HOUR)
    two.world.write(housekeeping.tidy)
    assert {row.id for row in rows(two.world, "tokens")} == {kept.shown.id}
    assert {row.token_id for row in rows(two.world, "token_workspaces")} == {kept.shown.id}


# --- reading it ---


def test_its_kind_is_told_before_anything_is_read(two: Two):
    """A session's token as an API token, and the other way about, are nobody's."""
    made, by = two.make(), two.by()
    as_token = replace(by, credential=Credential.TOKEN)
    assert two.world.known(as_token).facts.account is None
    for kind in (Credential.COOKIE, Credential.BEARER, Credential.NONE, Credential.HOST):
        known = two.world.known(replace(by, token_hash=hash_token(made.token.text), credential=kind))
        assert known.facts.account is None
        assert known.token is None


def test_it_proves_nothing(two: Two):
    """No proof is ever among its facts, whoever is signed in elsewhere."""
    made = two.make()
    two.by()
    facts = two.known(made).facts
    assert facts.proofs == ()
    assert facts.recent is None
    assert facts.token is not None


def test_its_last_use_is_written(two: Two):
    """Batched by the server; an older instant never overwrites a newer."""
    made = two.make()
    at = two.world.read(lambda tx: tx.now)
    for instant in (at, at - MINUTE):
        two.use(made, instant)
    (listed,) = two.own()
    assert listed.last_used_at == at
