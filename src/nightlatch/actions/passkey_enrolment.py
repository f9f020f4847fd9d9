"""Enrolling a passkey: what the browser made is checked and bound (WebAuthn section 7.1).

What follows is the same as with an authenticator app: actions/binding.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from nightlatch.actions import kinds
from nightlatch.actions.binding import Bound, Confirmed, HashedCode, complete, prepare, wanted_codes
from nightlatch.actions.by import By
from nightlatch.actions.guard import allowed, session_of
from nightlatch.actions.passkey_asking import Purpose, wanted
from nightlatch.actions.passkeys import expired
from nightlatch.actions.tokens import Token
from nightlatch.authenticators import passkey, passkey_answers
from nightlatch.authenticators.passkey_asking import Site
from nightlatch.ids import new_id
from nightlatch.mail.agents import readable_agent
from nightlatch.names import clean_name
from nightlatch.refusals import not_found
from nightlatch.store import authenticators, passkeys
from nightlatch.store.engine import Transaction
from nightlatch.store.locks import lock
from nightlatch.vocabulary import Method


@dataclass(frozen=True, slots=True)
class NotMade:
    """It was not bound; the challenge is spent. `known`: this very passkey is bound already, to whomever."""

    why: str

    @property
    def known(self) -> bool:
        """Whether somebody has it."""
        return self.why == "known"


def takes_codes(tx: Transaction, *, by: By, answer: passkey_answers.Made) -> bool:
    """Whether binding it would want new recovery codes (they are hashed outside the transaction). Reads only."""
    known = allowed(tx, by, kinds.SEE_SESSION)
    row = passkeys.look(
        tx,
        passkey_answers.challenge_of(answer),
        purpose=Purpose.ENROL,
        session_id=session_of(known).id,
        browser=None,
    )
    return row is not None and wanted_codes(known, wanted(row).replaces)


def bind(
    tx: Transaction,
    *,
    by: By,
    site: Site,
    answer: passkey_answers.Made,
    codes: Sequence[HashedCode],
    token: Token,
) -> Confirmed | NotMade:
    """Check and bind it. Raises Refused: the gate's, `expired` where the challenge is over or is not this session's."""
    lock(tx, accounts=[by.id] if by.id is not None else [])
    known, challenge = allowed(tx, by, kinds.SEE_SESSION), passkey_answers.challenge_of(answer)
    row = passkeys.spend(tx, challenge, purpose=Purpose.ENROL, session_id=session_of(known).id, browser=None)
    if row is None:
        raise expired()
    asked = wanted(row)
    binding = prepare(tx, by, asked.replaces, asked.workspace_id)
    if binding is None:
        raise not_found()
    try:
        made = passkey.check_made(answer, site, challenge)
    except passkey.Wrong as wrong:
        return NotMade(wrong.why)
    if passkeys.by_credential(tx, made.credential_id) is not None:
        return NotMade("known")
    id, name = new_id(), asked.name or _name(by)
    authenticators.bind(
        tx,
        id=id,
        account_id=binding.account.id,
        method=Method.PASSKEY,
        name=name,
        reach=binding.reach,
        limited_until=binding.limited_until,
        used=True,
    )
    passkeys.bind(tx, authenticator_id=id, account_id=binding.account.id, made=made)
    return complete(tx, by, binding, Bound(id, Method.PASSKEY, name, made.verified), codes, token)


def _name(by: By) -> str:
    """Where it was made, which is what its owner remembers of it."""
    agent = readable_agent(by.user_agent)
    return clean_name(f"Passkey, {agent}") if agent else "Passkey"
