"""Grounds of the ways in beside the password and the app: passkeys required, single sign-on, remembered browsers.

Each has its own enumeration, in one workspace and between two, so that no dimension multiplies all the others.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace

from nightlatch.facts import EVERYWHERE, Authenticator, Proof, Teammate, reach_of
from nightlatch.instants import DAY, MINUTE
from nightlatch.policy import Mandate
from nightlatch.vocabulary import Evidence, Method, Role
from tests.pure.cases import (
    FORCE,
    NEW,
    NOW,
    OFF,
    OLD,
    RESET,
    RESET_TICKET,
    SCHEDULED,
    TICKET,
    TICKET_A,
    A,
    B,
    Ground,
    codes,
    limited,
    mate,
    passkey,
    password,
    session,
    shown,
    suspended,
    totp,
    void,
)

KEYS = Mandate(NOW - DAY, resistant_from=NOW - DAY)
"""In force, and passkeys only."""
KEYS_LATER = Mandate(NOW - DAY, resistant_from=NOW + DAY)
BOTH_LATER = Mandate(NOW + DAY, resistant_from=NOW - DAY)
"""A strength without its mandate is nothing yet."""

Choices = tuple[tuple[Proof, ...], ...]


def touched(key: Authenticator, *, old: bool = False) -> Proof:
    """A passkey that was only touched."""
    return replace(shown(key, old=old), verified=False)


def sso(
    workspace: int = A,
    evidence: Evidence = Evidence.NONE,
    *,
    old: bool = False,
    minutes: int | None = None,
) -> Proof:
    """A sign-in at a workspace's own provider, and what its connection takes that for."""
    minutes = minutes if minutes is not None else 15 if old else 1
    return Proof(
        Method.PROVIDER,
        OLD if old else NEW,
        NOW - minutes * MINUTE,
        source=reach_of(workspace),
        connection=workspace,
        evidence=evidence,
    )


def known(workspace: int = A, *, old: bool = False) -> Proof:
    """This browser is remembered there."""
    return Proof(Method.REMEMBERED, OLD if old else NEW, NOW - MINUTE, source=reach_of(workspace))


def sso_only(workspace: int = A, mandate: Mandate = OFF, **more: object) -> Teammate:
    """A membership where single sign-on is required."""
    return replace(mate(workspace, mandate), sso_required=True, **more)  # type: ignore[arg-type]


def remembering(workspace: int = A, *, raised: bool = False) -> Teammate:
    """A membership where browsers may be remembered."""
    return replace(mate(workspace, raised=raised), remembers=True)


APP, KEY, CODES = totp(101), passkey(102), codes(103)
_FIRSTS: Choices = ((), (password(old=True),), (password(),))


def _shown(one: Authenticator) -> Choices:
    if one.method is Method.PASSKEY:
        return (), (shown(one, old=True),), (shown(one),), (touched(one),)
    return (), (shown(one, old=True),), (shown(one),)


def _states(one: Authenticator) -> list[Authenticator]:
    return [one, void(one, A), suspended(one, EVERYWHERE)]


def _bound() -> Iterator[tuple[Authenticator, ...]]:
    """Nothing; one of a kind, two, or all three, each bound, void or suspended."""
    yield ()
    for count in (1, 2):
        for some in itertools.combinations((APP, KEY, CODES), count):
            yield from itertools.product(*map(_states, some))
    yield APP, KEY, CODES
    yield APP, suspended(KEY, EVERYWHERE), CODES
    yield (limited(KEY),)
    yield KEY, passkey(104, reach_of(A))


def passkeys_required() -> Iterator[Ground]:
    """Passkeys only, now or later: whatever is bound, with all proofs; and what the provider says of its own."""
    for mates in (
        (mate(A, KEYS),),
        (mate(A, KEYS, reset=RESET, raised=True),),
        (mate(A, KEYS_LATER),),
        (mate(A, BOTH_LATER),),
    ):
        now = mates[0].mandate == KEYS
        for has in _bound():
            if len(has) > 1 and not now:
                continue
            seconds = [_shown(one) for one in has]
            firsts: Choices = _FIRSTS if len(has) < 3 else _FIRSTS[::2]
            mails: Choices = ((), (TICKET_A,), (RESET_TICKET,)) if len(has) < 2 else ((),)
            yield Ground(session(has=has, mates=mates), (firsts, *seconds, mails))
            if now and len(has) < 2:
                yield Ground(session(has=has, mates=mates), (_SOME_SSO, *seconds, mails))


_ALL_SSO: Choices = (
    (),
    *((sso(A, evidence),) for evidence in Evidence),
    *((sso(A, evidence, old=True),) for evidence in Evidence),
    *((sso(A, evidence, minutes=61),) for evidence in Evidence),
)
_SOME_SSO: Choices = (
    (),
    *((sso(A, evidence),) for evidence in Evidence),
    (sso(A, Evidence.SECOND, old=True),),
    (sso(A, minutes=61),),
)


def single_sign_on() -> Iterator[Ground]:
    """Whatever a provider says, single sign-on required or not, before and after a reset."""
    passwords: Choices = ((), (password(),))
    memberships = [
        *(mate(A, mandate) for mandate in (OFF, FORCE, SCHEDULED)),
        mate(A, FORCE, reset=RESET, raised=True),
        mate(A, OFF, raised=True),
        sso_only(A),
        sso_only(A, FORCE),
        sso_only(A, FORCE, reset=RESET, valid_after=10),
        sso_only(A, FORCE, role=Role.OWNER),
    ]
    for membership in memberships:
        for has in _few():
            seconds = [_shown(one) for one in has]
            mails: Choices = ((), (TICKET_A,), (RESET_TICKET,), (TICKET,)) if not has else ((),)
            signed_in = _SOME_SSO if has else _ALL_SSO
            yield Ground(session(has=has, mates=(membership,)), (signed_in, passwords, *seconds, mails))


def _few() -> list[tuple[Authenticator, ...]]:
    narrow = totp(104, reach_of(A))
    return [(), (APP,), (KEY,), (CODES,), (void(APP, A),), (suspended(narrow, reach_of(A)),), (APP, CODES)]


def browsers() -> Iterator[Ground]:
    """A remembered browser, where it may be and where it may not."""
    marks: Choices = ((), (known(old=True),), (known(),), (known(B),))
    required_all_the_same = replace(mate(A, FORCE), remembers=True)  # the store never says so
    for membership in (
        remembering(),
        remembering(raised=True),
        mate(A),
        required_all_the_same,
        replace(mate(A, SCHEDULED), remembers=True),
    ):
        for has in (
            (),
            (APP,),
            (CODES,),
            (limited(APP),),
            (suspended(APP, EVERYWHERE),),
            (APP, CODES),
            (KEY,),
        ):
            seconds = [_shown(one) for one in has]
            firsts: Choices = (*_FIRSTS, (sso(A),))
            yield Ground(session(has=has, mates=(membership,)), (firsts, marks, *seconds, ((), (TICKET_A,))))


def between_two() -> Iterator[Ground]:
    """A asks for passkeys, signs on by itself or remembers browsers; B does not, or does, too."""
    in_a = [mate(A, KEYS), sso_only(A), sso_only(A, KEYS), remembering()]
    in_b = [mate(B), mate(B, KEYS), sso_only(B, FORCE), remembering(B)]
    bound: Sequence[tuple[Authenticator, ...]] = [
        (),
        (APP,),
        (KEY,),
        (passkey(104, reach_of(A)),),
        (passkey(105, reach_of(B)),),
        (void(KEY, A),),
        (totp(106, reach_of(B)), passkey(104, reach_of(A))),
        (APP, CODES),
    ]
    signed_in: Choices = (
        (),
        (password(),),
        (sso(A, Evidence.RESISTANT),),
        (sso(B, Evidence.SECOND),),
        (sso(A, Evidence.EXEMPT), password()),
    )
    for mates in itertools.product(in_a, in_b):
        remembers = mates[0].remembers or mates[1].remembers
        marks: Choices = ((), (known(A),), (known(B),)) if remembers else ((),)
        for has in bound:
            seconds = [(_shown(one)[0], *_shown(one)[2:]) for one in has]
            yield Ground(session(has=has, mates=mates), (signed_in, marks, *seconds, ((), (TICKET_A,))))


def in_one_workspace() -> Iterator[Ground]:
    """All of it that is about one workspace."""
    return itertools.chain(passkeys_required(), single_sign_on(), browsers())
