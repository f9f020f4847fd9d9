"""The browser's way from a product to us and back: start links, the way back, one-time codes, grants.

A start link says who the product vouches for, and opens a session with that as its first factor. It is sealed and kept
nowhere; using it is. What is proved afterwards goes back only through the browser that proved it: a one-time code, with
the `state` that the product's own cookie in that browser must equal. So a start link that is mailed to somebody else
upgrades nobody: the code reaches the browser that opened the link, and the sender's has no such state.
"""

import base64
import json
import secrets
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

from nightlatch.access import decide
from nightlatch.actions import kinds
from nightlatch.actions.app_checks import KIND
from nightlatch.actions.beginning import note_sign_in, session_instead
from nightlatch.actions.by import By
from nightlatch.actions.guard import allowed, known, person_of, session_of
from nightlatch.actions.people import App, Place
from nightlatch.actions.proving import accept
from nightlatch.actions.tokens import Token, hash_token, new_token
from nightlatch.audit.events import account as account_subject
from nightlatch.audit.events import record
from nightlatch.decision import Action, Allow, Purpose
from nightlatch.facts import AppId
from nightlatch.ids import new_id, to_text
from nightlatch.instants import MINUTE, Duration, Instant
from nightlatch.keyring import KeyRing, SealError
from nightlatch.refusals import Code, Refused, WayOut, not_found, refusal_of
from nightlatch.store import accounts, apps, grants, sessions
from nightlatch.store.engine import Transaction
from nightlatch.store.known import Known
from nightlatch.store.locks import lock
from nightlatch.store.query import Row
from nightlatch.store.session_facts import read_known_by_session
from nightlatch.vocabulary import Event, Method

START_LIFE: Duration = 5 * MINUTE
WAY_LIFE: Duration = 14 * MINUTE
"""A product keeps the state of a way back for a quarter of an hour; later it would take it for somebody else's."""
OPENS = {
    "home": "/w/{slug}",
    "team": "/w/{slug}/settings/team",
    "team/authentication": "/w/{slug}/settings/team/authentication",
    "team/audit": "/w/{slug}/settings/team/audit",
    "user": "/settings/user",
    "set-up": "/set-up?workspace={slug}",
    "ticket": "/ticket",
    "lift": "/lift",
}
"""The pages that a product may open for its people, by the name it asks with."""


@dataclass(frozen=True, slots=True)
class Start:
    """What a start link says."""

    app_id: AppId
    account_id: int
    workspace_id: int
    session_id: int | None
    """The session it may continue, if that is this browser's."""
    state: str
    max_age: Duration | None
    opens: str | None
    signed_in_at: Instant | None
    expires_at: Instant
    nonce: str
    anew: bool
    """Going on with that session takes every proof anew: the person has signed in to the product since."""


def start_link(
    keys: KeyRing,
    *,
    app: App,
    place: Place,
    signed_in_at: Instant | None,
    session_id: int | None,
    state: str,
    max_age: Duration | None,
    opens: str | None,
    now: Instant,
    anew: bool = False,
) -> str:
    """The token of a start link. Nothing is written: it is sealed, and good for five minutes."""
    said = [
        app.id,
        place.account_id,
        place.workspace_id,
        session_id,
        state,
        max_age,
        opens,
        signed_in_at,
        now + START_LIFE,
        secrets.token_hex(16),
        anew,
    ]
    sealed = keys.seal("app_start", "-", json.dumps(said, separators=(",", ":")).encode())
    return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()


def _opened(keys: KeyRing, token: str, now: Instant) -> Start:
    try:
        sealed = base64.urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
        said: list[Any] = json.loads(keys.open("app_start", "-", sealed))
    except (ValueError, SealError):
        raise not_found() from None
    start = Start(*said)
    if start.expires_at <= now:
        raise Refused(Code.EXPIRED, "This link has run out. Go back to where you came from and try again.")
    return start


@dataclass(frozen=True, slots=True)
class Started:
    """A session of the product's person, in this browser; its new token; the page to go to."""

    known: Known
    token: Token
    path: str
    app_id: AppId


def start(tx: Transaction, *, by: By, link: str, token: Token) -> Started:
    """Use a start link: a session with the product's word as its first factor, and a way back.

    The session that a grant stands for goes on if it is this browser's own; otherwise a new one begins, so that a new
    sign-in at the product asks for the second step anew. Raises Refused: `not_found`, `expired`, `already_used`.
    """
    said = _opened(tx.keys, link, tx.now)
    lock(tx, accounts=[said.account_id])
    app, account = apps.by_id(tx, said.app_id), accounts.by_id(tx, said.account_id)
    if app is None or account is None or account.app_id != app.id:
        raise not_found()
    if not grants.spend_start(tx, bytes.fromhex(said.nonce), said.expires_at):
        raise Refused(Code.ALREADY_USED, "This link was used already. Go back to where you came from.")
    before = known(tx, by)
    me = By("account", account.id, account.name, by.ip, by.user_agent, browser=by.browser)
    session_id = _continued(tx, before, said) or session_instead(tx, me, before, account.id, token).id
    sessions.add_proof(tx, session_id, Method.PROVIDER, at=said.signed_in_at or 0)
    now = read_known_by_session(tx, session_id)
    now = replace(now, facts=replace(now.facts, idle=False))  # the first factor alone resumes an idle session
    accepted = accept(tx, me, now, token)
    after = accepted.known
    place = (after.places or {}).get(said.workspace_id)
    if place is None or place.app_id != app.id:
        raise not_found()
    note_sign_in(tx, me, after, Method.PROVIDER, app=app.handle)
    back = grants.hand_off(
        tx,
        session_id=session_id,
        app_id=app.id,
        workspace_id=place.id,
        state=said.state,
        return_to=app.return_url,
        max_age=said.max_age,
    )
    return Started(after, accepted.token, _path(said.opens, place.slug, back), app.id)


def _continued(tx: Transaction, before: Known, said: Start) -> int | None:
    """This browser's session, if it is the grant's; with a form that was caught in it, but not with older proofs
    where the person has signed in to the product since: the second step is asked for again."""
    session = before.session
    if session is None or session.id != said.session_id or before.facts.account != said.account_id:
        return None
    if said.anew:
        sessions.forget_proofs(tx, session.id)
    return session.id


def _path(opens: str | None, slug: str, back: int) -> str:
    if opens is not None:
        return OPENS[opens].format(slug=slug)
    return f"/w/{slug}/app/{to_text(back)}"


# --- back ---


@dataclass(frozen=True, slots=True)
class Back:
    """Where the browser goes, with a one-time code and the state that was asked with."""

    return_to: str
    code: str
    """Empty where it has been too long: the product's own browser cookie knows nothing of it any more."""
    state: str
    app_id: AppId


def go_back(tx: Transaction, *, by: By, workspace_id: int, handoff_id: int | None) -> Back | None:
    """A one-time code for the way back of this session: the named one, or its newest; None where it has none.

    Raises Refused: what the gate raises for the workspace, and for fresh proof where the app asked for it.
    """
    lock(tx, accounts=[by.id] if by.id is not None else [])
    now = allowed(tx, by, kinds.USE.at(workspace_id))
    session = session_of(now)
    if handoff_id is not None:
        row = grants.handoff(tx, handoff_id, session.id)
    else:
        row = grants.latest_handoff(tx, session.id, workspace_id)
    if row is None or row.workspace_id != workspace_id:
        return None
    if tx.now - row.created_at >= WAY_LIFE:
        return Back(row.return_to, "", "", row.app_id)
    if row.max_age is not None and handoff_id is not None:
        _fresh_enough(now, workspace_id, row.max_age)
    code = new_token()
    grants.add_code(
        tx,
        code_hash=code.hash,
        app_id=row.app_id,
        session_id=session.id,
        account_id=person_of(now).id,
        workspace_id=workspace_id,
        state_hash=_state_hash(row.state, row.browser),
    )
    return Back(row.return_to, code.text, row.state, row.app_id)


def _fresh_enough(now: Known, workspace_id: int, max_age: Duration) -> None:
    decision = decide(now.facts, Action(Purpose.WORK, workspace=workspace_id, fresh=KIND, max_age=max_age))
    if not isinstance(decision, Allow):
        raise refusal_of(decision)


def _state_hash(state: str, browser: bytes | None) -> bytes:
    return sha256(state.encode("utf-8", "surrogatepass") + b"\0" + (browser or b"")).digest()


# --- codes become grants ---


@dataclass(frozen=True, slots=True)
class Granted:
    """A grant: the product's, or a protected host's cookie."""

    token: Token
    account_id: int
    workspace_id: int
    expires_at: Instant


class Replayed:
    """The code had been used: what was made of it has ended, in case somebody else made it."""


def redeem(
    tx: Transaction,
    *,
    by: By,
    app_id: AppId,
    code: str,
    state: str,
    token: Token,
    kind: str = grants.APP,
    host: str | None = None,
    browser: bytes | None = None,
) -> Granted | Replayed:
    """Spend a one-time code, in its minute, by its own app and with its own state (law 4).

    Raises Refused: `not_found` for a code that is none, another app's or another browser's; `expired`.
    """
    code_hash, state_hash, grant_id = hash_token(code), _state_hash(state, browser), new_id()
    spent = grants.spend_code(
        tx, code_hash=code_hash, app_id=app_id, state_hash=state_hash, grant_id=grant_id
    )
    if spent is None:
        return _not_good(tx, by, grants.code(tx, code_hash), app_id, state_hash)
    now = read_known_by_session(tx, spent.session_id)
    if now.session is None or now.person is None or now.person.id != spent.account_id:
        raise Refused(Code.EXPIRED, "The sign-in behind this code is over.")
    grants.create(
        tx,
        id=grant_id,
        token_hash=token.hash,
        kind=kind,
        app_id=app_id,
        session_id=spent.session_id,
        account_id=spent.account_id,
        workspace_id=spent.workspace_id,
        expires_at=now.session.expires_at,
        host=host,
    )
    record(
        tx,
        Event.GRANT_MADE,
        by=by,
        subject=account_subject(now.person.id, now.person.name),
        workspace_id=spent.workspace_id,
        host=host,
    )
    return Granted(token, spent.account_id, spent.workspace_id, now.session.expires_at)


def _not_good(tx: Transaction, by: By, row: Row | None, app_id: AppId, state_hash: bytes) -> Replayed:
    if row is None or row.app_id != app_id or row.state_hash != state_hash:
        raise not_found()
    if row.spent_at is None:
        raise Refused(
            Code.EXPIRED, "This code has run out. Send the browser to start again.", WayOut("Ask again.", "/")
        )
    if row.grant_id is not None:
        grants.end(tx, row.grant_id)
    account = accounts.by_id(tx, row.account_id)
    record(
        tx,
        Event.GRANT_REPLAYED,
        by=by,
        subject=account_subject(row.account_id, account.name if account is not None else ""),
        workspace_id=row.workspace_id,
    )
    return Replayed()


def end_grant(tx: Transaction, *, app_id: AppId, grant_hash: bytes) -> None:
    """The product signed the person out: the grant ends. One that is over already is no error."""
    row = grants.by_token(tx, grant_hash, grants.APP)
    if row is not None and row.app_id == app_id:
        grants.end(tx, row.id)
