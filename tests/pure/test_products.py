"""A product's people: their first factor is the product's sign-in, in its own workspaces, and never a password."""

from dataclasses import replace

import pytest

from nightlatch.access import decide
from nightlatch.decision import Action, Allow, Challenge, Decision, Deny, Purpose
from nightlatch.facts import Facts, Proof, reach_of
from nightlatch.vocabulary import Method, Reason
from tests.pure import cases
from tests.pure.cases import (
    CHANGE,
    ENROL,
    FORCE,
    JOIN,
    NOW,
    RENAME,
    TICKET,
    UNBIND_A,
    USE_A,
    A,
    B,
    mate,
    provider,
    session,
    shown,
    totp,
)

KEPT = Deny(Reason.KEPT_BY_APP)


def kept(*proofs: Proof, **more: object) -> Facts:
    """A session of somebody whom a product keeps."""
    return replace(session(*proofs, **more), first=Method.PROVIDER)  # type: ignore[arg-type]


APP_A = totp(104, reach_of(A))


@pytest.mark.parametrize(
    "what, facts, action, decision",
    [
        ("nothing required, nothing bound", kept(provider(A)), USE_A, Allow()),
        (
            "the product's word is for its own workspaces",
            kept(provider(B)),
            USE_A,
            Challenge(Reason.FIRST_FACTOR, (Method.PROVIDER,), workspace=A),
        ),
        (
            "who is enrolled shows the second step",
            kept(provider(A), has=[APP_A]),
            USE_A,
            Challenge(Reason.SECOND_FACTOR, (Method.TOTP,), workspace=A),
        ),
        ("and is in with it", kept(provider(A), shown(APP_A), has=[APP_A]), USE_A, Allow()),
        ("a name is the product's", kept(provider(A)), RENAME, KEPT),
        ("so are e-mail and password", kept(provider(A)), CHANGE, KEPT),
        ("it vouches for nobody's invitation", kept(provider(A)), JOIN, KEPT),
        ("not even of somebody without a workspace", kept(provider(A), mates=()), JOIN, KEPT),
        (
            "their own authenticator is theirs to remove",
            kept(provider(A), shown(APP_A), has=[APP_A]),
            UNBIND_A,
            Allow(),
        ),
        (
            "a first binding takes the mailbox too",
            kept(provider(A), mates=(mate(A, FORCE),)),
            ENROL,
            Deny(Reason.MAIL_PROOF),
        ),
        ("with it they may bind", kept(provider(A), TICKET, mates=(mate(A, FORCE),)), ENROL, Allow()),
    ],
)
def test_what_a_products_people_may_do(what: str, facts: Facts, action: Action, decision: Decision) -> None:
    assert decide(facts, action) == decision, what


def test_a_products_secret_stands_for_nobody() -> None:
    asks = Action(Purpose.APP)
    assert decide(Facts(NOW), asks) == Challenge(Reason.NO_SESSION)
    assert decide(Facts(NOW, app=5), asks) == Allow()
    for action in cases.ACTIONS:
        assert decide(Facts(NOW, app=5), action) == Challenge(Reason.NO_SESSION), action
    # Nor does a session, however much it has proved, ask as a product.
    assert isinstance(decide(session(provider(A)), asks), Challenge)


def test_the_same_rules_hold_for_everybody_else_of_a_product() -> None:
    """In every combination the way on is the product's sign-in, and what reaches beyond it the product's to change."""
    seen = set()
    for ground in cases.one_workspace():
        for _, facts in ground.cases():
            if any(proof.method is Method.PASSWORD for proof in facts.proofs):
                continue
            theirs = replace(facts, first=Method.PROVIDER)
            for action in cases.IN_ONE:
                decision, other = decide(theirs, action), decide(facts, action)
                assert decision in _expected(action, other), (theirs, action)
                seen.add(type(decision))
    assert len(seen) == 4


def _expected(action: Action, other: Decision) -> list[Decision]:
    if action.purpose is Purpose.JOIN:
        return [KEPT]
    if not isinstance(other, Challenge) or other.methods != (Method.PASSWORD,):
        return [other]
    same = replace(other, methods=(Method.PROVIDER,))
    wide = other.reason is Reason.FIRST_FACTOR and other.workspace is None
    return [same, KEPT] if wide else [same]
