"""`Nightlatch-Assertion`: who stands behind a request, signed for one product (RFC 7515, 7519; ES256).

The keys are in the database, sealed, and made at the first use. A key is shown at /.well-known/jwks.json before it
signs and for a while after, so that rotating needs no pause. Where the key is missing, or is not what it was, nothing
is signed: the check answers 503 and lets nobody through (law 11).
"""

import json
import secrets
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from nightlatch.actions.by import By
from nightlatch.audit.events import record
from nightlatch.ids import new_id, to_text
from nightlatch.instants import SECOND, Duration, Instant
from nightlatch.instants import to_text as instant_text
from nightlatch.keyring import KeyRing, SealError
from nightlatch.refusals import Code, Refused
from nightlatch.store import meta, signing_keys
from nightlatch.store.engine import Transaction
from nightlatch.store.locks import lock
from nightlatch.store.query import Row
from nightlatch.vocabulary import Event

LIFE: Duration = 60 * SECOND
REUSED_FOR: Duration = 30 * SECOND
"""A signature over equal claims may serve again, so it is good for at least 30 seconds more."""
_MOST_KEPT = 4096
_TABLE = "signing_keys"
_LOCK = "signing keys"


class NoSigningKey(Exception):
    """No key to sign with: it is gone, does not open, or is not the one that is shown."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What an assertion says, without its times: equal claims may share a signature."""

    issuer: str
    audience: str
    """The origin of the product that it is for; it means nothing elsewhere."""
    subject: str
    email: str
    name: str
    workspace: str
    workspace_slug: str
    role: str
    acr: str
    amr: tuple[str, ...]
    auth_time: int
    """Seconds since the epoch."""

    def payload(self, now: Instant) -> dict[str, Any]:
        """The claims of a token that is made now (RFC 7519 section 4)."""
        seconds = now // SECOND
        return {
            "iss": self.issuer,
            "aud": self.audience,
            "sub": self.subject,
            "email": self.email,
            "name": self.name,
            "workspace": self.workspace,
            "workspace_slug": self.workspace_slug,
            "role": self.role,
            "acr": self.acr,
            "amr": list(self.amr),
            "auth_time": self.auth_time,
            "iat": seconds,
            "exp": seconds + LIFE // SECOND,
            "jti": secrets.token_urlsafe(16),
        }


class Signer:
    """One process's: the key that was opened last, and the signatures of the last half minute."""

    def __init__(self) -> None:
        self._opened: tuple[tuple[int, bytes, str], ECKey] | None = None
        self._made: OrderedDict[tuple[int, Claims], tuple[Instant, str]] = OrderedDict()

    def assertion(self, row: Row, keys: KeyRing, claims: Claims, now: Instant) -> str:
        """The assertion, signed with the key of a row that was read for this very request. Raises NoSigningKey."""
        key = self._key(row, keys)
        made = self._made.get((row.id, claims))
        if made is not None and 0 <= now - made[0] < REUSED_FOR:
            return made[1]
        header = {"alg": "ES256", "typ": "JWT", "kid": to_text(row.id)}
        token = jwt.encode(header, claims.payload(now), key, algorithms=["ES256"])
        self._made[row.id, claims] = now, token
        self._made.move_to_end((row.id, claims))
        while len(self._made) > _MOST_KEPT:
            self._made.popitem(last=False)
        return token

    def _key(self, row: Row, keys: KeyRing) -> ECKey:
        """The opened key; opened anew as soon as anything of its row is another."""
        told = (row.id, bytes(row.sealed), row.public)
        if self._opened is None or self._opened[0] != told:
            self._opened = None
            self._opened = told, opened(row, keys)
        return self._opened[1]


def opened(row: Row, keys: KeyRing) -> ECKey:
    """The private key of a row, seen to belong to what is shown of it. Raises NoSigningKey."""
    try:
        key = ECKey.import_key(json.loads(keys.open(_TABLE, to_text(row.id), bytes(row.sealed))))
    except (SealError, JoseError, ValueError) as error:
        raise NoSigningKey(f"signing key {to_text(row.id)} cannot be opened") from error
    if json.loads(row.public) != _public(key, row.id):
        raise NoSigningKey(f"what is shown of signing key {to_text(row.id)} does not belong to it")
    return key


def _public(key: ECKey, id: int) -> dict[str, Any]:
    """What is shown of a key (RFC 7517)."""
    return {**key.as_dict(private=False), "kid": to_text(id), "use": "sig", "alg": "ES256"}


def key_set(tx: Transaction) -> dict[str, Any] | None:
    """The JWK Set: what signs now, what will, and what has lately. None where there never was a key.

    Raises NoSigningKey: what is shown is derived from what is sealed, so nobody can slip a key in beside it.
    """
    rows = signing_keys.shown(tx)
    if not rows:
        _refuse_if_lost(tx)
        return None
    return {"keys": [_public(opened(row, tx.keys), row.id) for row in rows]}


def current(tx: Transaction) -> Row | None:
    """The row of the key that signs now. None where there never was one; raises NoSigningKey where it is lost."""
    row = signing_keys.current(tx)
    if row is None:
        _refuse_if_lost(tx)
    return row


def make_first(tx: Transaction) -> Row:
    """The very first key, made at the first use. Raises NoSigningKey where there was one and is no more."""
    lock(tx, names=[_LOCK])
    row = current(tx)
    if row is None:
        _add(tx, _at_once(tx))
        meta.write(tx, meta.SIGNING, "made")
        row = current(tx)
    return row


def _at_once(tx: Transaction) -> Instant:
    """From when on a key signs that is needed now: other workers' transactions, and clocks, may be a little behind."""
    return tx.now - signing_keys.SHOWN_AROUND


def _refuse_if_lost(tx: Transaction) -> None:
    if meta.read(tx, meta.SIGNING) is not None:
        raise NoSigningKey("the key that signs assertions is missing")


def _add(tx: Transaction, signs_from: Instant) -> int:
    id, key = new_id(), ECKey.generate_key("P-256", private=True)
    signing_keys.add(
        tx,
        id=id,
        sealed=tx.keys.seal(_TABLE, to_text(id), json.dumps(key.as_dict(private=True)).encode()),
        public=json.dumps(_public(key, id)),
        signs_from=signs_from,
    )
    return id


# --- rotating ---


@dataclass(frozen=True, slots=True)
class Shown:
    """A key as the operator sees it."""

    kid: str
    state: str
    """`signs`, `next` or `past`."""
    signs_from: Instant
    ended_at: Instant | None


def listed(tx: Transaction) -> list[Shown]:
    """The keys that are shown, the oldest first."""
    now = signing_keys.current(tx)
    return [
        Shown(
            to_text(row.id),
            "signs"
            if now is not None and row.id == now.id
            else "next"
            if row.signs_from > tx.now
            else "past",
            max(row.signs_from, row.created_at),
            row.ended_at,
        )
        for row in signing_keys.shown(tx)
    ]


def renew(tx: Transaction) -> None:
    """After a restore: a key that was forgotten since, because it had leaked, must not come back."""
    if meta.read(tx, meta.SIGNING) is not None:
        signing_keys.drop_others(tx, _add(tx, _at_once(tx)))


def rotate(tx: Transaction, *, by: By, at_once: bool = False) -> Shown:
    """A new key: shown from now on, it signs an hour later, and the old one is shown for an hour more.

    `at_once`: the old ones may have leaked, or are lost. The new one signs now, and they are forgotten: what they
    signed is refused by whoever looks at the key set again. Raises Refused (`conflict`) while an earlier new key
    waits for its turn.
    """
    lock(tx, names=[_LOCK])
    waiting = [each for each in listed(tx) if each.state == "next"]
    if waiting and not at_once:
        raise Refused(
            Code.CONFLICT,
            f"Key {waiting[0].kid} is shown already and signs from {instant_text(waiting[0].signs_from)}.",
        )
    at_once = at_once or signing_keys.current(tx) is None
    signs_from = _at_once(tx) if at_once else tx.now + signing_keys.SHOWN_AROUND
    id = _add(tx, signs_from)
    meta.write(tx, meta.SIGNING, "made")
    if at_once:
        signing_keys.drop_others(tx, id)
    else:
        signing_keys.end_others(tx, id, signs_from)
    signing_keys.prune(tx)
    record(
        tx,
        Event.KEYS_ROTATED,
        by=by,
        subject=("database", None, "the database"),
        signing=to_text(id),
        signs_from=instant_text(max(signs_from, tx.now)),
        at_once=at_once,
    )
    return next(each for each in listed(tx) if each.kid == to_text(id))
