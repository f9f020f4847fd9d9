"""API tokens and service accounts before the one decision: a table to read, every combination, then chance.

The law behind it: a token never gets more than a session of the same person could, and never anything that weighs, asks
for fresh proof, or has no scope.
"""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nightlatch.access import decide, decide_account
from nightlatch.actions import kinds
from nightlatch.decision import ALLOW, Action, Allow, Decision, Deny, Enrol, Purpose
from nightlatch.facts import EVERYWHERE, ApiToken, Facts, Proof, reach_of
from nightlatch.instants import MINUTE
from nightlatch.vocabulary import Method, Permission, Reason, Role, Scope
from tests.pure import cases
from tests.pure.cases import (
    FORCE,
    NEW,
    NOW,
    OLD,
    RAISED,
    RESET,
    A,
    B,
    accepted,
    codes,
    mate,
    passkey,
    password,
    session,
    suspended,
    totp,
    void,
)

ALL = frozenset(Scope)
TEAM = kinds.SEE_TEAM.at(A)
TEAM_B = kinds.SEE_TEAM.at(B)
AUDIT = kinds.READ_AUDIT.at(A)
ME = kinds.READ_PROFILE
ITSELF = kinds.READ_TOKEN
EVERY_KIND = {name: each for name, each in vars(kinds).items() if isinstance(each, Action)}
SCOPED = {name: each for name, each in EVERY_KIND.items() if each.scope is not None}
APP, CODES = totp(), codes()
SAYS_SCOPE, DEAD = Deny(Reason.SCOPE), Deny(Reason.OLDER_TOKEN)


def by_token(facts: Facts, *scopes: Scope, sequence: int = NEW) -> Facts:
    """The same person, by a token of theirs (with every scope, unless some are named)."""
    return replace(
        facts, proofs=(), idle=False, recent=None, token=ApiToken(frozenset(scopes) or ALL, sequence)
    )


def machine(*scopes: Scope, sponsored: bool = True) -> Facts:
    """A service account of A."""
    token = ApiToken(frozenset(scopes) or ALL, NEW, service=5, sponsored=sponsored)
    return Facts(NOW, teammates=(mate(A, FORCE),), token=token)


in_force = (mate(A, FORCE),)
has_app = session(has=[APP])
overdue = session(mates=in_force)
was_reset = session(has=[void(APP, A)], mates=[mate(A, FORCE, reset=RESET, raised=True)])
again = session(has=[void(APP, A), totp(104)], mates=[mate(A, FORCE, raised=True)])
both = session(has=[APP], mates=[mate(A, FORCE), mate(B)])
all_suspended = session(has=[suspended(APP, EVERYWHERE)])
reset_in_a = replace(both, teammates=(mate(A, FORCE, raised=True), mate(B)))
only_in_b = session(has=[totp(104, reach_of(B))], mates=[mate(A, FORCE), mate(B, FORCE)])
owner = session(has=[APP], mates=[mate(A, FORCE, role=Role.OWNER)])

TABLE: list[tuple[str, Facts, Action, Decision]] = [
    ("a token reads what it includes", by_token(has_app), TEAM, ALLOW),
    ("and nothing else", by_token(has_app, Scope.POLICY), TEAM, SAYS_SCOPE),
    ("not even what everybody may", by_token(has_app), kinds.USE.at(A), SAYS_SCOPE),
    ("it sees what it is itself", by_token(has_app), ITSELF, ALLOW),
    ("but it is no session", by_token(has_app), kinds.SEE_SESSION, SAYS_SCOPE),
    ("and no first factor", by_token(has_app), kinds.PRESENT_FIRST, SAYS_SCOPE),
    ("it shows no second one", by_token(has_app), kinds.PRESENT_SECOND, SAYS_SCOPE),
    ("it asks for no link", by_token(overdue), kinds.ASK_TICKET.at(A), SAYS_SCOPE),
    ("it binds nothing", by_token(overdue), kinds.ENROL.at(A), SAYS_SCOPE),
    ("it makes no other token", by_token(has_app), kinds.MAKE_TOKEN, SAYS_SCOPE),
    ("a workspace of others is not there", by_token(has_app), TEAM_B, Deny(Reason.NOT_A_TEAMMATE)),
    ("nor before the scope is looked at", by_token(has_app, Scope.POLICY), TEAM_B, Deny(Reason.NOT_A_TEAMMATE)),
    # As its maker stands today
    ("who must set up is refused by their token, too", by_token(overdue), TEAM, Enrol(Reason.MANDATE, "mail", A)),
    ("and it reads nothing of the account either", by_token(overdue), ME, Enrol(Reason.MANDATE, "mail", A)),
    ("with another app it works again", by_token(session(has=[totp(104)], mates=in_force)), TEAM, ALLOW),
    ("before the mandate's instant, too", by_token(session(mates=[mate(A, cases.SCHEDULED)])), TEAM, ALLOW),
    ("without a mandate nothing lacks", by_token(session()), TEAM, ALLOW),
    ("where all is suspended it waits", by_token(all_suspended), TEAM, Deny(Reason.SUSPENDED)),
    ("what is left is enough", by_token(session(has=[suspended(APP, EVERYWHERE), CODES])), TEAM, ALLOW),
    ("a member's reads no audit log", by_token(has_app), AUDIT, Deny(Reason.PERMISSION)),
    ("an owner's does", by_token(owner), AUDIT, ALLOW),
    # After a reset, a removal, a return
    ("after a reset it is dead there", by_token(was_reset, sequence=OLD), TEAM, DEAD),
    ("also when 2FA is set up again", by_token(again, sequence=OLD), TEAM, DEAD),
    ("one made after that works", by_token(again), TEAM, ALLOW),
    ("elsewhere the old one goes on", by_token(reset_in_a, sequence=OLD), TEAM_B, ALLOW),
    ("in none of its workspaces any more it reads nothing", by_token(session(has=[APP], mates=())), ME, DEAD),
    # Two workspaces
    ("each decides for itself", by_token(only_in_b), TEAM_B, ALLOW),
    ("and the other refuses", by_token(only_in_b), TEAM, Enrol(Reason.MANDATE, "mail", A)),
    # Machines
    ("a service account reads in its workspace, whatever it requires", machine(), TEAM, ALLOW),
    ("what its scopes name, whoever else may not", machine(), AUDIT, ALLOW),
    ("and nothing else", machine(Scope.AUDIT), TEAM, SAYS_SCOPE),
    ("not elsewhere", machine(), TEAM_B, Deny(Reason.NOT_A_TEAMMATE)),
    ("it has no account to read", machine(), ME, SAYS_SCOPE),
    ("nor anything that changes", machine(), kinds.INVITE.at(A), SAYS_SCOPE),
    ("without a sponsor it is suspended", machine(sponsored=False), TEAM, Deny(Reason.SPONSOR)),
]  # fmt: skip


@pytest.mark.parametrize("facts,action,decision", [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_the_table(facts: Facts, action: Action, decision: Decision):
    """Situation by situation."""
    assert decide(facts, action) == decision


def test_what_has_a_scope_reads_and_never_weighs():
    """The whitelist, whole: whoever adds to it changes this test, and says why."""
    assert {name: each.scope for name, each in SCOPED.items()} == {
        "READ_TOKEN": Scope.ACCOUNT,
        "READ_PROFILE": Scope.ACCOUNT,
        "READ_WORKSPACE": Scope.WORKSPACE,
        "SEE_TEAM": Scope.TEAMMATES,
        "READ_INVITATIONS": Scope.INVITATIONS,
        "SEE_POLICY": Scope.POLICY,
        "READ_AUDIT": Scope.AUDIT,
        "READ_EVIDENCE": Scope.EVIDENCE,
    }
    for each in SCOPED.values():
        assert each.purpose in (Purpose.SESSION, Purpose.READ, Purpose.WORK)
        assert each.fresh is None
        assert not each.weighty


def holders() -> Iterator[Facts]:
    """People in up to two workspaces, in every state of what is bound and asked there."""
    one = [ground.facts for ground in cases.one_workspace()]
    two = [ground.facts for ground in cases.two_workspaces()]
    yield from dict.fromkeys([*one, *two])


def best_session(facts: Facts, workspaces: frozenset[int]) -> Facts:
    """The same person, who has just shown the password and everything that could be shown."""
    usable = [
        each
        for each in facts.authenticators
        if not each.suspended.everywhere and not workspaces <= each.suspended.workspaces
    ]
    shown = [Proof(each.method, NEW, NOW - MINUTE, each.id) for each in usable]
    return replace(facts, token=None, proofs=(password(), *shown))


ACTIONS = [each.at(plane) for each in EVERY_KIND.values() for plane in (None, A, B)]


def test_a_token_never_gets_more_than_a_session_of_the_same_person():
    """Every state of a person, every kind of action, tokens from before and after what happened."""
    allowed = 0
    for facts in holders():
        for sequence in (OLD, NEW):
            token = by_token(facts, sequence=sequence)
            for action in ACTIONS:
                if action.purpose in (Purpose.OPEN, Purpose.APP) or not isinstance(
                    decide(token, action), Allow
                ):
                    continue
                allowed += 1
                planes = [frozenset({each.workspace}) for each in facts.teammates] or [frozenset()]
                assert any(
                    isinstance(decide(best_session(facts, plane), action), Allow) for plane in planes
                ), f"{action}\n{token}"
    assert allowed > 1000


def test_a_token_is_refused_where_its_maker_must_enrol():
    """`enrolment_required`, exactly where a session that showed the password is told to set up."""
    for facts in holders():
        for each in facts.teammates:
            told = decide(by_token(facts), kinds.SEE_TEAM.at(each.workspace))
            asked = decide(replace(facts, proofs=(password(),)), kinds.USE.at(each.workspace))
            assert isinstance(told, Enrol) == isinstance(asked, Enrol)
            if isinstance(told, Enrol):
                assert told.reason is asked.reason


def test_nothing_that_a_does_changes_a_token_in_b():
    """Resets, mandates, acceptances, removals of A: B decides the same."""
    for facts in holders():
        in_b = facts.teammate(B)
        if in_b is None:
            continue
        for changed in (
            replace(facts, teammates=(in_b,)),
            replace(facts, teammates=(replace(mate(A, FORCE), reset=RESET, valid_after=RAISED), in_b)),
            replace(facts, authenticators=tuple(void(each, A) for each in facts.authenticators)),
            replace(facts, authenticators=tuple(accepted(each, A) for each in facts.authenticators)),
        ):
            for sequence in (OLD, NEW):
                before, after = (by_token(each, sequence=sequence) for each in (facts, changed))
                assert decide(after, TEAM_B) == decide(before, TEAM_B)


any_scopes = st.sets(st.sampled_from(list(Scope))).map(frozenset)
any_action = st.builds(
    Action,
    purpose=st.sampled_from([each for each in Purpose if each not in (Purpose.OPEN, Purpose.APP)]),
    workspace=st.sampled_from([None, A, B, cases.C]),
    permission=st.sampled_from(list(Permission)),
    fresh=st.sampled_from([None, "x"]),
    weighty=st.booleans(),
    recovery=st.booleans(),
    scope=st.sampled_from([None, *Scope]),
)


@given(cases.any_facts, any_scopes, st.sampled_from([OLD, RAISED, NEW]), any_action, st.booleans())
@settings(max_examples=max(settings().max_examples, 300))
def test_by_chance(facts: Facts, scopes: frozenset[str], sequence: int, action: Action, is_machine: bool):
    """Whatever is bound, held or asked: never without the scope, never fresh or weighty, never elsewhere."""
    token = ApiToken(scopes, sequence, service=5 if is_machine else None)
    asked = replace(facts, token=token, proofs=() if is_machine else facts.proofs)
    decision = decide(asked, action)
    if isinstance(decision, Allow):
        assert action.scope in scopes
        assert action.fresh is None
        assert not action.weighty
        assert action.workspace is None or facts.teammate(action.workspace) is not None
        if action.workspace is not None and not is_machine and action.purpose is Purpose.WORK:
            assert sequence >= facts.teammate(action.workspace).valid_after  # type: ignore[union-attr]
    # Proofs that came along by some mistake would change nothing.
    assert decide(replace(asked, proofs=()), action) == decision
    assert decide(replace(asked, idle=False), action) == decision


def test_without_any_workspace_a_token_opens_nothing():
    """The account itself never speaks for a token."""
    facts = by_token(session(has=[passkey()], mates=()))
    assert decide_account(facts) == DEAD
    assert all(not isinstance(decide(facts, action), Allow) for action in [ME, TEAM, AUDIT])
    assert Method.PASSKEY in {each.method for each in facts.authenticators}
