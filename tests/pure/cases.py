"""What decisions are made about in these tests: small facts by name, complete enumerations of them, and chance.

Two workspaces, A and B; C is one that the account has left. Proofs are *new* (a minute ago, after everything that
happened) or *old* (a quarter of an hour ago, before whatever raised `valid_after`).
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from hypothesis import strategies as st

from nightlatch.decision import Action, Purpose
from nightlatch.facts import (
    EVERYWHERE,
    NOWHERE,
    Authenticator,
    Facts,
    Proof,
    Reach,
    RecentAct,
    Teammate,
    reach_of,
)
from nightlatch.instants import DAY, HOUR, MINUTE
from nightlatch.policy import ManagedBy, Mandate
from nightlatch.vocabulary import Evidence, Method, Permission, Role

T = TypeVar("T")

A, B, C = 1, 2, 3
NOW = 20_000 * DAY
OLD, RAISED, NEW = 5, 10, 20
"""Sequences: an old proof's, a raised `valid_after`, a new proof's."""
RESET, OTHER_RESET = 71, 72

FORCE = Mandate(NOW - DAY)
SCHEDULED = Mandate(NOW + DAY)
OFF = Mandate()

# Proofs


def password(*, old: bool = False) -> Proof:
    """The password, which reaches everywhere."""
    return _aged(Proof(Method.PASSWORD, NEW, NOW - MINUTE), old)


def provider(workspace: int, *, old: bool = False) -> Proof:
    """A sign-in at a workspace's own provider."""
    return _aged(Proof(Method.PROVIDER, NEW, NOW - MINUTE, source=reach_of(workspace)), old)


def shown(authenticator: Authenticator, *, old: bool = False) -> Proof:
    """A proof given with an authenticator."""
    return _aged(Proof(authenticator.method, NEW, NOW - MINUTE, authenticator.id), old)


def _aged(proof: Proof, old: bool) -> Proof:
    return replace(proof, sequence=OLD, at=NOW - 15 * MINUTE) if old else proof


TICKET = Proof(Method.TICKET, NEW, NOW - MINUTE)
"""One that names no workspace."""
TICKET_A = replace(TICKET, source=reach_of(A))
TICKET_B = replace(TICKET, source=reach_of(B))
RESET_TICKET = replace(TICKET_A, reset=RESET)
OTHER_RESET_TICKET = replace(TICKET_A, reset=OTHER_RESET)
INVITATION = replace(TICKET, method=Method.INVITATION)
PAST_TICKET = replace(TICKET_A, at=NOW - HOUR)
EARLY_TICKET = replace(TICKET_A, sequence=OLD)

# Authenticators


def totp(id: int = 101, reach: Reach = EVERYWHERE) -> Authenticator:
    """An authenticator app."""
    return Authenticator(id, Method.TOTP, reach)


def passkey(id: int = 102, reach: Reach = EVERYWHERE) -> Authenticator:
    """A passkey, which is both factors."""
    return Authenticator(id, Method.PASSKEY, reach)


def codes(id: int = 103, reach: Reach = EVERYWHERE) -> Authenticator:
    """A set of recovery codes."""
    return Authenticator(id, Method.RECOVERY_CODE, reach)


def void(authenticator: Authenticator, workspace: int) -> Authenticator:
    """The same, after a reset in a workspace."""
    return replace(authenticator, void=authenticator.void | {workspace})


def accepted(authenticator: Authenticator, workspace: int) -> Authenticator:
    """The same, accepted by a workspace that it does not reach."""
    return replace(authenticator, accepted=authenticator.accepted | {workspace})


def suspended(authenticator: Authenticator, where: Reach) -> Authenticator:
    """The same, not to be used there."""
    return replace(authenticator, suspended=where)


def limited(authenticator: Authenticator) -> Authenticator:
    """The same, bound with a recovery code an hour ago."""
    return replace(authenticator, limited_until=NOW + 23 * HOUR)


# Sessions


def session(
    *proofs: Proof,
    has: Sequence[Authenticator] = (),
    mates: Sequence[Teammate] = (Teammate(A, Role.MEMBER),),
    idle: bool = False,
) -> Facts:
    """A live session that has shown these proofs."""
    return Facts(
        now=NOW, account=9, idle=idle, proofs=proofs, authenticators=tuple(has), teammates=tuple(mates)
    )


def mate(
    workspace: int = A,
    mandate: Mandate = OFF,
    *,
    role: Role = Role.MEMBER,
    reset: int | None = None,
    raised: bool = False,
) -> Teammate:
    """A membership."""
    return Teammate(workspace, role, RAISED if raised else 0, mandate, reset)


# Actions

USE_A, USE_B = Action(Purpose.WORK, A), Action(Purpose.WORK, B)
FRESH_A = Action(Purpose.WORK, A, fresh="x")
WEIGHTY_A = Action(Purpose.WORK, A, fresh="x", weighty=True)
WEIGHTY_B = Action(Purpose.WORK, B, fresh="x", weighty=True)
ENROL = Action(Purpose.ENROL, fresh="authenticators")
ENROL_A, ENROL_B = ENROL.at(A), ENROL.at(B)
REPLACE = Action(Purpose.ENROL, fresh="authenticators", recovery=True)
ASK = Action(Purpose.TICKET)
ASK_A, ASK_B = ASK.at(A), ASK.at(B)
READ = Action(Purpose.READ)
JOIN = Action(Purpose.JOIN)
FIRST = Action(Purpose.PRESENT_FIRST)
SECOND = Action(Purpose.PRESENT_SECOND)
CHANGE = Action(Purpose.CHANGE, fresh="account", weighty=True)
RENAME = Action(Purpose.CHANGE)
END_SESSIONS = Action(Purpose.CHANGE, reach=NOWHERE)
UNBIND_A = Action(Purpose.CHANGE, fresh="authenticators", reach=reach_of(A))
UNBIND_B = Action(Purpose.CHANGE, fresh="authenticators", reach=reach_of(B))
UNBIND_C = Action(Purpose.CHANGE, fresh="authenticators", reach=reach_of(C))

IN_ONE = [
    *(USE_A, FRESH_A, WEIGHTY_A, ENROL, ENROL_A, REPLACE, ASK, ASK_A),
    *(READ, JOIN, SECOND, CHANGE, RENAME, END_SESSIONS, UNBIND_A, UNBIND_C),
]
IN_B = [USE_B, WEIGHTY_B, ENROL_B, ASK_B, UNBIND_B]
"""What is decided in B alone."""
IN_TWO = [USE_A, WEIGHTY_A, ENROL, ENROL_A, ASK, ASK_A, READ, JOIN, CHANGE, RENAME, UNBIND_A, *IN_B]
ACTIONS = list(dict.fromkeys([*IN_ONE, *IN_TWO]))
"""Every purpose and plane that a session can be refused, with and without the need for fresh proof."""

# Enumerations


@dataclass(frozen=True, slots=True)
class Ground:
    """What is fixed while every combination of proofs is gone through: facts without proofs, and the choices."""

    facts: Facts
    choices: tuple[tuple[tuple[Proof, ...], ...], ...]
    """Of each group, one is shown: none of it, or these."""

    def cases(self) -> Iterator[tuple[tuple[int, ...], Facts]]:
        """Every combination, by the numbers of the choices."""
        numbers = [range(len(group)) for group in self.choices]
        for chosen in itertools.product(*numbers):
            proofs = tuple(
                proof for group, number in zip(self.choices, chosen, strict=True) for proof in group[number]
            )
            yield chosen, replace(self.facts, proofs=proofs)

    def more(self, chosen: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
        """The combinations with one group's proofs added to."""
        for place, (group, number) in enumerate(zip(self.choices, chosen, strict=True)):
            for other, proofs in enumerate(group):
                if other != number and set(group[number]) <= set(proofs):
                    yield (*chosen[:place], other, *chosen[place + 1 :])


_FIRSTS = ((), (password(old=True),), (provider(A),), (password(),), (password(old=True), provider(A)))
_MAILS_OF_ONE = (
    (),
    (RESET_TICKET,),
    (TICKET_A,),
    (TICKET,),
    (TICKET_B,),
    (INVITATION,),
    (OTHER_RESET_TICKET,),
    (PAST_TICKET,),
    (EARLY_TICKET,),
    (TICKET_A, RESET_TICKET),
)
_MAILS_OF_TWO = ((), (TICKET_A,), (TICKET,), (TICKET_B,), (TICKET_B, RESET_TICKET))


def _seconds(has: Sequence[Authenticator]) -> Iterator[tuple[tuple[Proof, ...], ...]]:
    for one in has:
        yield (), (shown(one, old=True),), (shown(one),)


def _in_one(method: Method, id: int) -> list[Authenticator]:
    """Every way in which workspace A can hold an authenticator."""
    wide, narrow = Authenticator(id, method), Authenticator(id, method, reach_of(B))
    return [
        wide,
        Authenticator(id, method, reach_of(A)),
        narrow,
        accepted(narrow, A),
        void(wide, A),
        void(accepted(narrow, A), A),
        suspended(wide, EVERYWHERE),
        suspended(wide, reach_of(A)),
        suspended(wide, reach_of(B)),
        suspended(void(wide, A), reach_of(A)),
        limited(wide),
    ]


def one_workspace() -> Iterator[Ground]:
    """An account in A alone, or in none: every state of the membership, up to two authenticators, all proofs."""
    methods = (Method.TOTP, Method.PASSKEY, Method.RECOVERY_CODE)
    ways = {method: _in_one(method, id) for id, method in enumerate(methods, 101)}
    few = {method: [found[0], found[4], found[7]] for method, found in ways.items()}  # bound, void, suspended
    pairs = [
        pair
        for one, other in itertools.combinations(methods, 2)
        for pair in itertools.product(few[one], few[other])
    ]
    pairs += [(first, totp(104, reach_of(A))) for first in (*few[Method.TOTP], limited(totp()))]
    memberships: list[tuple[Teammate, ...]] = [()]
    memberships += [
        (mate(A, mandate, reset=reset, raised=raised),)
        for mandate in (OFF, FORCE)
        for reset in (None, RESET)
        for raised in (False, True)
    ]
    for mates in memberships:
        yield Ground(session(mates=mates), (_FIRSTS, _MAILS_OF_ONE))
        for one in itertools.chain(*ways.values()):
            relied = A not in one.void and (A in one.reach or A in one.accepted)
            mails = _MAILS_OF_ONE[: 4 if relied else 10 if one.method is Method.TOTP else 2]
            yield Ground(session(has=(one,), mates=mates), (_FIRSTS, *_seconds((one,)), mails))
    for mates in ((), (mate(A),), (mate(A, FORCE, raised=True),), (mate(A, FORCE, reset=RESET),)):
        for has in pairs:
            yield Ground(session(has=has, mates=mates), (_FIRSTS[:4], *_seconds(has), _MAILS_OF_ONE[:2]))


def two_workspaces() -> Iterator[Ground]:
    """An account in A and B: what each may do, what reaches both or one of them, and all proofs."""
    in_a = [
        mate(A),
        mate(A, FORCE),
        mate(A, FORCE, reset=RESET, raised=True),
        mate(A, FORCE, raised=True),
    ]
    in_b = [mate(B), mate(B, FORCE)]
    wide = totp(101)
    shared: list[tuple[Authenticator, ...]] = [
        (),
        (wide,),
        (void(wide, A),),
        (suspended(wide, reach_of(A)),),
        (suspended(wide, EVERYWHERE),),
    ]
    own_a = totp(104, reach_of(A))
    of_a: list[tuple[Authenticator, ...]] = [
        (),
        (own_a,),
        (accepted(own_a, B),),
        (void(own_a, A),),
        (passkey(105, reach_of(A)),),
    ]
    own_b = totp(107, reach_of(B))
    of_b: list[tuple[Authenticator, ...]] = [(), (own_b,), (accepted(own_b, A),)]
    for mates in itertools.product(in_a, in_b):
        for parts in itertools.product(shared, of_a, of_b):
            has = tuple(one for part in parts for one in part)
            if len(has) > 2:
                continue
            seconds = [group[::2] for group in _seconds(has)]  # none, or a new one
            raised = any(each.valid_after for each in mates)
            firsts = _FIRSTS[:4] if raised else (*_FIRSTS[:1], *_FIRSTS[2:4])
            mails = _MAILS_OF_TWO if len(has) < 2 else _MAILS_OF_TWO[::2]
            yield Ground(session(has=has, mates=mates), (firsts, *seconds, mails))


# Chance: every part from a list of all its shapes, the plainest first, so that hypothesis draws and shrinks quickly


def _shapes(made: Callable[..., T], **fields: Sequence[object]) -> list[T]:
    return [made(**dict(zip(fields, values, strict=True))) for values in itertools.product(*fields.values())]


_SETS = [frozenset(some) for count in range(3) for some in itertools.combinations((A, B, C), count)]
_REACHES = [EVERYWHERE, *(Reach(workspaces=some) for some in _SETS[1:])]
_AGES = [NOW - minutes * MINUTE for minutes in (0, 9, 10, 11, 29, 30, 59, 60)]
_SEQUENCES = (NEW, RAISED, OLD)
_APPS = {101: Method.TOTP, 102: Method.TOTP, 103: Method.PASSKEY, 104: Method.RECOVERY_CODE}


def _all_authenticators(id: int) -> list[Authenticator]:
    return _shapes(
        Authenticator,
        id=[id],
        method=[_APPS[id]],
        limited_until=(0, NOW, NOW + 1),
        suspended=[NOWHERE, *_REACHES[:4]],
        accepted=_SETS[:4],
        void=_SETS[:5],
        reach=_REACHES,
    )


def _all_proofs() -> list[list[Proof]]:
    age: dict[str, Sequence[object]] = {"sequence": _SEQUENCES, "at": _AGES}
    named = [EVERYWHERE, reach_of(A), reach_of(B), reach_of(C)]
    return [
        _shapes(Proof, method=[Method.PASSWORD], **age),
        _shapes(Proof, method=[Method.PROVIDER], source=named[1:], **age),
        _shapes(
            Proof,
            method=[Method.PROVIDER],
            source=named[1:],
            connection=[7],
            evidence=list(Evidence),
            sequence=_SEQUENCES,
            at=[0, *_AGES[2:]],
        ),
        _shapes(Proof, method=[Method.PASSKEY], authenticator=[103], verified=[False], **age),
        _shapes(Proof, method=[Method.REMEMBERED], source=named[1:], **age),
        *(_shapes(Proof, method=[method], authenticator=[id], **age) for id, method in _APPS.items()),
        _shapes(Proof, method=[Method.TICKET, Method.INVITATION], source=named, **age),
        _shapes(Proof, method=[Method.TICKET], reset=[RESET, OTHER_RESET], source=named[1:], **age),
    ]


def _all_teammates(workspace: int) -> list[Teammate]:
    mandates = _shapes(
        Mandate,
        required_from=[None, NOW + 1, NOW, NOW - 1],
        managed_by=[ManagedBy.ADMINS, ManagedBy.OWNERS],
        resistant_from=[None, NOW + 1, NOW],
    )
    return _shapes(
        Teammate,
        workspace=[workspace],
        role=list(Role),
        valid_after=[0, RAISED, NEW],
        mandate=mandates,
        reset=[None, RESET, OTHER_RESET],
        sso_required=[False, True],
        remembers=[False, True],
    )


def _perhaps(found: Sequence[T]) -> st.SearchStrategy[T | None]:
    return st.one_of(st.none(), st.sampled_from(found))


def _given(some: Sequence[T | None]) -> tuple[T, ...]:
    return tuple(one for one in some if one is not None)


any_proofs = st.lists(st.one_of([st.sampled_from(found) for found in _all_proofs()]), max_size=5).map(tuple)
"""What a session may have shown: also with what was never bound, or is no longer."""
any_mate = {workspace: _perhaps(_all_teammates(workspace)) for workspace in (A, B)}
any_facts = st.builds(
    Facts,
    now=st.just(NOW),
    account=st.just(9),
    idle=st.sampled_from([False] * 9 + [True]),
    proofs=any_proofs,
    authenticators=st.tuples(*(_perhaps(_all_authenticators(id)) for id in _APPS)).map(_given),
    teammates=st.tuples(any_mate[A], any_mate[B]).map(_given),
    recent=_perhaps(_shapes(RecentAct, kind=["x", "account"], at=_AGES)),
)
"""Any session at all of an account in up to two workspaces."""
any_action = st.sampled_from(
    [
        *ACTIONS,
        *_shapes(
            Action,
            purpose=list(Purpose),
            workspace=[A, B],
            permission=list(Permission),
            fresh=[None, "x"],
            weighty=[False, True],
            max_age=[10 * MINUTE, 5 * MINUTE],
            recovery=[False, True],
        ),
        *_shapes(
            Action,
            purpose=[Purpose.CHANGE, Purpose.ENROL],
            reach=[NOWHERE, *_REACHES],
            fresh=[None, "x"],
            weighty=[False, True],
            max_age=[10 * MINUTE, 5 * MINUTE],
            recovery=[False, True],
        ),
    ]
)
"""Any action at all."""
