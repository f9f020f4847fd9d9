"""The browser's way from a protected host to the origin, where people sign in, and back.

The host's page seals where the browser wants to go together with the hash of a cookie that this browser alone has at
that host. The sealed text is the `state` of the whole way: the origin hands it back with a one-time code, and the
host takes the code only from the browser that has that cookie. So a way that is begun in one browser ends in no
other, whoever is sent it.
"""

import base64
import json
from dataclasses import dataclass, replace
from hmac import compare_digest
from typing import Any

from nightlatch.access import decide
from nightlatch.actions import app_flows, kinds
from nightlatch.actions.app_flows import Replayed
from nightlatch.actions.by import By
from nightlatch.actions.guard import allowed, session_of
from nightlatch.actions.host_checks import app_at, opens_to, registered_roles
from nightlatch.actions.tokens import Token
from nightlatch.decision import Allow
from nightlatch.facts import AppId
from nightlatch.ids import to_text
from nightlatch.instants import HOUR, SECOND, Duration, Instant
from nightlatch.keyring import KeyRing, SealError
from nightlatch.products import PROXY_CALLBACK
from nightlatch.refusals import Code, Refused, not_found
from nightlatch.store import grants
from nightlatch.store.engine import Transaction
from nightlatch.store.known import Known, Place
from nightlatch.store.locks import lock
from nightlatch.store.query import Row

WAY_LIFE: Duration = 24 * HOUR
"""As long as a session lives at most: setting 2FA up on the way, a mailed link included, fits well into it."""
_PURPOSE = "host_way"


@dataclass(frozen=True, slots=True)
class Way:
    """Where a browser wants to go."""

    app_id: AppId
    origin: str
    path: str
    browser: bytes
    """The hash of the browser's own cookie at the host."""
    max_age: Duration | None
    expires_at: Instant
    denied: bool = False
    """It was denied there, and wants to know why, or to come as somebody else."""


def sealed(keys: KeyRing, way: Way) -> str:
    """The text of a way, for addresses."""
    said = [
        way.app_id,
        way.origin,
        way.path,
        base64.b64encode(way.browser).decode(),
        way.max_age,
        way.expires_at,
        way.denied,
    ]
    text = keys.seal(_PURPOSE, "-", json.dumps(said, separators=(",", ":")).encode())
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def opened(keys: KeyRing, text: str, now: Instant) -> Way:
    """The way of a text. Raises Refused: `not_found` for what we never sealed, `expired`."""
    try:
        raw = base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
        said: list[Any] = json.loads(keys.open(_PURPOSE, "-", raw))
        app_id, origin, path, browser, max_age, expires_at, denied = said
    except (ValueError, SealError):
        raise not_found() from None
    if expires_at <= now:
        raise Refused(Code.EXPIRED, "This sign-in was begun too long ago. Go back to where you came from.")
    return Way(app_id, origin, path, base64.b64decode(browser), max_age, expires_at, denied)


# --- at the origin ---


@dataclass(frozen=True, slots=True)
class Arrived:
    """Somebody with a session who comes from a protected host: where they go on, or why not."""

    known: Known
    app: Row
    place: Place | None
    """The workspace that the product belongs to; None for who is not a teammate there."""
    path: str | None
    """The page that leads on and back to the host; None: denied."""


def arrive(tx: Transaction, *, by: By, way: Way) -> Arrived:
    """Give this session its way back to the host. The workspace's own page, behind the gate, makes the code.

    Raises Refused: what the gate raises without a session, and `not_found` where the host's registration is another
    by now.
    """
    lock(tx, accounts=[by.id] if by.id is not None else [])
    now = allowed(tx, by, kinds.SEE_SESSION)
    app = app_at(tx, way.origin)
    if app is None or app.id != way.app_id:
        raise not_found()
    place = (now.places or {}).get(app.workspace_id)
    if place is None or way.denied or _role_lacks(now, app):
        return Arrived(now, app, place, None)
    back = grants.hand_off(
        tx,
        session_id=session_of(now).id,
        app_id=app.id,
        workspace_id=place.id,
        state=sealed(tx.keys, way),
        return_to=way.origin + PROXY_CALLBACK,
        max_age=way.max_age,
        browser=way.browser,
    )
    return Arrived(now, app, place, f"/w/{place.slug}/app/{to_text(back)}")


def _role_lacks(now: Known, app: Row) -> bool:
    """A role is told only to who may be in the workspace: for the others it is found out once they are."""
    open_to_them = isinstance(decide(now.facts, kinds.USE.at(app.workspace_id)), Allow)
    return open_to_them and not opens_to(now.facts, app.workspace_id, registered_roles(app))


# --- back at the host ---


@dataclass(frozen=True, slots=True)
class CameBack:
    """A host's cookie, how long it can last, and where the browser wanted to go."""

    token: Token
    seconds: int
    path: str


def come_back(
    tx: Transaction,
    *,
    by: By,
    origin: str,
    code: str,
    way: Way,
    state: str,
    browser: bytes | None,
    before: bytes | None,
    token: Token,
) -> CameBack | Replayed:
    """Make the host's cookie from a one-time code, in the browser that the way began in.

    `browser`: the hash of the browser's cookie at this host; `before`: of the host's cookie that it has so far, which
    ends. Raises Refused: `not_found` for another browser's, host's or product's, and what `app_flows.redeem` raises.
    """
    app = app_at(tx, origin)
    if app is None or app.id != way.app_id or way.origin != origin:
        raise not_found()
    if browser is None or not compare_digest(browser, way.browser):
        raise not_found()
    granted = app_flows.redeem(
        tx,
        by=by,
        app_id=app.id,
        code=code,
        state=state,
        token=token,
        kind=grants.HOST,
        host=origin,
        browser=browser,
    )
    if isinstance(granted, Replayed):
        return granted
    if before is not None:
        end(tx, origin=origin, token_hash=before)
    return CameBack(token, max(1, (granted.expires_at - tx.now) // SECOND), way.path)


def end(tx: Transaction, *, origin: str, token_hash: bytes) -> None:
    """Sign out of one host: its cookie is dead. One that is dead already is no error."""
    grant = grants.by_token(tx, token_hash, grants.HOST)
    if grant is not None and grant.host == origin:
        grants.end(tx, grant.id)


def as_another(way: Way) -> Way:
    """The same way for whoever signs in next."""
    return replace(way, denied=False)
