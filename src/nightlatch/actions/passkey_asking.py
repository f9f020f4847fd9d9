"""Asking for a passkey: for a whole sign-in, a second step, to step up, or to make a new one. Each with its challenge.

A challenge is kept as its hash, for one answer within ten minutes, for one purpose, and by one session; for a sign-in,
which has none, by one browser, where that keeps our cookie.
"""

import json
import secrets
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from nightlatch.access import decide
from nightlatch.actions import kinds
from nightlatch.actions.binding import may_begin
from nightlatch.actions.by import By
from nightlatch.actions.guard import allowed, person_of, session_of
from nightlatch.actions.source_delay import source_wait
from nightlatch.addresses import Address
from nightlatch.assurance import counts_somewhere, usable
from nightlatch.authenticators.passkey_asking import (
    CHALLENGE_BYTES,
    HANDLE_BYTES,
    Descriptor,
    Site,
    creation_options,
    decoys,
    request_options,
)
from nightlatch.decision import Allow
from nightlatch.facts import Authenticator, Facts
from nightlatch.ids import from_text, new_id, to_text
from nightlatch.instants import Instant
from nightlatch.names import clean_name
from nightlatch.refusals import Code, Refused, WayOut, not_found
from nightlatch.store import accounts, meta, passkeys
from nightlatch.store.engine import Transaction
from nightlatch.store.facts import read_account_facts
from nightlatch.store.known import Known
from nightlatch.store.locks import lock
from nightlatch.store.query import Row
from nightlatch.vocabulary import Method


class Purpose(StrEnum):
    """What a challenge was given for."""

    SIGN_IN = "sign_in"
    SECOND_STEP = "second_step"
    STEP_UP = "step_up"
    ENROL = "enrol"


@dataclass(frozen=True, slots=True)
class Asked:
    """What the browser is handed, and until when its answer is taken."""

    options: dict[str, Any]
    expires_at: Instant


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a challenge was given for, read back with the answer."""

    account_id: int | None
    allow: tuple[int, ...] | None
    """The authenticators that were asked for; None: whichever the person has."""
    name: str = ""
    replaces: int | None = None
    workspace_id: int | None = None


def ask_sign_in(tx: Transaction, *, by: By, site: Site, address: Address | None) -> Asked:
    """For a whole sign-in. Without an address the browser offers what it has; with one, that account's, or decoys.

    Any address gets the same in the same time: both are worked out always (law 5). Raises Refused where the network has
    to wait.
    """
    wait = source_wait(tx, by)
    if wait is not None:
        raise Refused(
            Code.TOO_MANY_ATTEMPTS,
            "There were too many wrong tries from your network. Wait a moment.",
            WayOut("Try again then.", "/sign-in"),
            retry_at=wait.retry_at,
        )
    named: tuple[Descriptor, ...] = ()
    detail: dict[str, Any] = {}
    if address is not None:
        rows = _of_address(tx, address)
        invented = decoys(_secret(tx), address.key)
        named = tuple(map(_descriptor, rows)) or invented
        detail["allow"] = [to_text(row.authenticator_id) for row in rows]
    challenge = _give(tx, Purpose.SIGN_IN, by, None, None, detail)
    return _asked(tx, request_options(site, challenge, allow=named, need_verified=True, timeout_ms=_TIMEOUT))


def ask_in_session(tx: Transaction, *, by: By, site: Site, purpose: Purpose) -> Asked:
    """For the second step, or to step up: one of one's own that some workspace would take. Raises Refused."""
    known = may_show(tx, by)
    rows = usable_rows(tx, known.facts, person_of(known).id)
    if not rows:
        raise Refused(
            Code.CONFLICT,
            "You have no passkey that could be used here.",
            WayOut("See the other ways in.", "/recover"),
        )
    detail = {"allow": [to_text(row.authenticator_id) for row in rows]}
    challenge = _give(tx, purpose, by, session_of(known).id, person_of(known).id, detail)
    verified = _first_is_due(known.facts)
    allow = [_descriptor(row) for row in rows]
    return _asked(
        tx, request_options(site, challenge, allow=allow, need_verified=verified, timeout_ms=_TIMEOUT)
    )


def ask_new(
    tx: Transaction, *, by: By, site: Site, name: str, replaces: int | None, workspace_id: int | None
) -> Asked:
    """To make one: nothing is bound yet. What counts somewhere is not made twice on one device. Raises Refused."""
    lock(tx, accounts=[by.id] if by.id is not None else [])
    known = may_begin(tx, by, replaces, workspace_id)
    account = _with_handle(tx, person_of(known).id)
    detail = {
        "name": clean_name(name) if name.strip() else "",
        "replaces": to_text(replaces) if replaces is not None else None,
        "workspace": to_text(workspace_id) if workspace_id is not None else None,
    }
    challenge = _give(tx, Purpose.ENROL, by, session_of(known).id, account.id, detail)
    bound = {each.id for each in known.facts.authenticators if counts_somewhere(known.facts, each)}
    rows = [row for row in passkeys.of_account(tx, account.id) if row.authenticator_id in bound]
    options = creation_options(
        site,
        challenge,
        user_handle=account.user_handle,
        account=account.email,
        name=account.name,
        exclude=[_descriptor(row) for row in rows],
        timeout_ms=_TIMEOUT,
    )
    return _asked(tx, options)


# --- what the answers need ---


def may_show(tx: Transaction, by: By) -> Known:
    """Whether this session may show a passkey: as a second factor, or, verified, as the first that is due again."""
    return allowed(tx, by, kinds.PRESENT_FIRST)


def must_verify(facts: Facts) -> bool:
    """Whether only one that verifies its user will do: where the first factor is due (an idle session)."""
    return _first_is_due(facts)


def wanted(row: Row) -> Wanted:
    """What a spent challenge was given for."""
    detail = json.loads(row.detail)
    allow = detail.get("allow")
    return Wanted(
        row.account_id,
        tuple(from_text(each) or 0 for each in allow) if allow is not None else None,
        detail.get("name") or "",
        from_text(detail["replaces"]) if detail.get("replaces") else None,
        from_text(detail["workspace"]) if detail.get("workspace") else None,
    )


def usable_rows(tx: Transaction, facts: Facts, account_id: int) -> list[Row]:
    """The passkeys of an account that some plane of it would take now."""
    good = {
        each.id for each in facts.authenticators if each.method is Method.PASSKEY and _usable(facts, each)
    }
    return [row for row in passkeys.of_account(tx, account_id) if row.authenticator_id in good]


# --- inside ---

_TIMEOUT = passkeys.CHALLENGE_LIFE // 2 // 1000
"""How long the browser waits for its person, in milliseconds: well within the life of the challenge."""


def _usable(facts: Facts, each: Authenticator) -> bool:
    if not facts.teammates:
        return not each.void and not each.suspended
    return any(usable(each, teammate.workspace) for teammate in facts.teammates)


def _first_is_due(facts: Facts) -> bool:
    return not isinstance(decide(facts, kinds.PRESENT_SECOND), Allow)


def _of_address(tx: Transaction, address: Address) -> list[Row]:
    """Those of an address. Whom a product keeps is not known by one, and signs in there."""
    account = accounts.by_email(tx, address.key)
    account_id = account.id if account is not None else 0
    return usable_rows(tx, read_account_facts(tx, account_id), account_id)


def _secret(tx: Transaction) -> bytes:
    """What decoys are made of. It lies beside the accounts that it hides, so it is not sealed; and it outlives keys."""
    found = meta.read(tx, meta.DECOYS)
    if found is None:
        found = secrets.token_hex(32)
        meta.write(tx, meta.DECOYS, found)
    return bytes.fromhex(found)


def _with_handle(tx: Transaction, account_id: int) -> Row:
    account = accounts.by_id(tx, account_id)
    if account is not None and account.user_handle is None:
        passkeys.keep_handle(tx, account_id, secrets.token_bytes(HANDLE_BYTES))
        account = accounts.by_id(tx, account_id)
    if account is None:
        raise not_found()
    return account


def _descriptor(row: Row) -> Descriptor:
    return Descriptor(row.credential_id, tuple(row.transports.split()))


def _give(
    tx: Transaction,
    purpose: Purpose,
    by: By,
    session_id: int | None,
    account_id: int | None,
    detail: dict[str, Any],
) -> bytes:
    challenge = secrets.token_bytes(CHALLENGE_BYTES)
    passkeys.give(
        tx,
        id=new_id(),
        challenge=challenge,
        purpose=purpose,
        session_id=session_id,
        account_id=account_id,
        browser=by.browser if session_id is None else None,
        detail=json.dumps(detail),
    )
    return challenge


def _asked(tx: Transaction, options: dict[str, Any]) -> Asked:
    return Asked(options, tx.now + passkeys.CHALLENGE_LIFE)
