"""What the demo's people do, each by the real action: invite, join, set up 2FA, sign in. Their mail is really sent.

The stage's clock is set by the script, so that the world has a past; nothing here reads the time.
"""

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from hashlib import sha256

from nightlatch import addresses
from nightlatch.actions import (
    app_flows,
    enrolment,
    invitations,
    joining,
    second_step,
    sign_in,
    tickets,
    workspaces,
)
from nightlatch.actions.by import By, operator
from nightlatch.actions.enrolment import Confirmed, HashedCode
from nightlatch.actions.proving import Proved
from nightlatch.actions.tokens import Token, hash_token, new_token
from nightlatch.authenticators import recovery_code, totp
from nightlatch.instants import SECOND, Duration, Instant
from nightlatch.mail.drain import Post, drain_once
from nightlatch.mail.outgoing import OutgoingMail, Sender
from nightlatch.store.engine import Store
from nightlatch.store.query import Row
from nightlatch.store.teammates import by_account
from nightlatch.store.workspaces import by_slug
from nightlatch.vocabulary import Credential, Role

_INVITATION = re.compile(r"/invitations/([A-Za-z0-9_-]+)")
_TICKET = re.compile(r"/tickets/([A-Za-z0-9_-]+)")
_AGENTS = (
    "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1 (KHTML, like Gecko) Version/26.0 Safari/605.1",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1 (KHTML, like Gecko) Safari/604",
)


class OutOfScript(Exception):
    """The actions did something else than the script says: the demo has to follow them."""


class StageClock:
    """The instant that the script is at."""

    def __init__(self) -> None:
        self.instant: Instant = 0

    def __call__(self) -> Instant:
        return self.instant


class Letterbox:
    """A way for mails to leave that also remembers the newest invitation and ticket to each address."""

    def __init__(self, inner: Sender) -> None:
        self._inner = inner
        self.invitations: dict[str, str] = {}
        self.tickets: dict[str, str] = {}

    def send(self, mail: OutgoingMail) -> None:
        """Hand one mail over."""
        self._inner.send(mail)
        for links, pattern in ((self.invitations, _INVITATION), (self.tickets, _TICKET)):
            found = pattern.search(mail.text)
            if found is not None:
                links[mail.to] = found[1]

    @contextmanager
    def batch(self) -> Iterator[Sender]:
        """Itself: it writes files."""
        yield self


@dataclass(slots=True)
class Actor:
    """Somebody with an account: their session, and their authenticator app's seed."""

    name: str
    email: str
    by: By
    seed: bytes | None = None


class Stage:
    """Where it happens."""

    def __init__(
        self, store: Store, clock: StageClock, post: Post, letterbox: Letterbox, password_hash: str
    ) -> None:
        self.store = store
        self._clock = clock
        self._post = post
        self._letterbox = letterbox
        self._password_hash = password_hash
        self.actors: dict[str, Actor] = {}

    def at(self, instant: Instant) -> None:
        """The script goes on at this instant; never back."""
        self._clock.instant = max(self._clock.instant, instant)

    def wait(self, duration: Duration) -> None:
        """A moment passes."""
        self._clock.instant += duration

    def workspace_id(self, slug: str) -> int:
        """The id of a workspace."""
        row = self.store.read_now(lambda tx: by_slug(tx, slug))
        return int(_given(row).id)

    def teammate_id(self, email: str, slug: str) -> int:
        """The id of somebody's membership."""
        workspace_id, account_id = self.workspace_id(slug), self.actors[email].by.id or 0
        row = self.store.read_now(lambda tx: by_account(tx, account_id, workspace_id))
        return int(_given(row).id)

    def deliver(self) -> None:
        """Send what waits."""
        while drain_once(self._post).handled:
            pass

    # --- what people do ---

    def found(self, name: str, slug: str, owner: str) -> None:
        """The operator makes a workspace and invites its owner."""
        address = addresses.parse(owner)
        self.store.write_now(
            lambda tx: workspaces.create(
                tx, by=operator("Nightlatch demo"), name=name, slug=slug, owner=address
            )
        )
        self.deliver()

    def invite(self, inviter: str, slug: str, role: Role, *emails: str) -> None:
        """Somebody who is signed in invites others."""
        by, workspace_id = self.actors[inviter].by, self.workspace_id(slug)
        pasted = [addresses.parse(email) for email in emails]
        self.store.write_now(
            lambda tx: invitations.invite(tx, by=by, workspace_id=workspace_id, pasted=pasted, role=role)
        )
        self.deliver()

    def join(self, name: str, email: str) -> None:
        """Somebody opens the invitation in their mailbox, and makes an account."""
        invited, token, visitor = self._letterbox.invitations.pop(email), new_token(), self._visitor(email)
        accepted = self.store.write_now(
            lambda tx: joining.accept_new(
                tx,
                by=visitor,
                token_hash=hash_token(invited),
                name=name,
                password_hash=self._password_hash,
                session_token=token,
                kind=Credential.COOKIE,
            )
        )
        self.actors[email] = Actor(
            name, email, self._signed_in(visitor, accepted.account_id, name, accepted.token)
        )

    def join_too(self, email: str) -> None:
        """Somebody who has an account, and is signed in, opens an invitation."""
        invited, by = self._letterbox.invitations.pop(email), self.actors[email].by
        self.store.write_now(lambda tx: joining.accept_existing(tx, by=by, token_hash=hash_token(invited)))

    def come_from(self, name: str, email: str, link: str) -> None:
        """Somebody comes from the product that keeps them, by its start link."""
        visitor, token = self._visitor(email), new_token()
        started = self.store.write_now(lambda tx: app_flows.start(tx, by=visitor, link=link, token=token))
        account_id = started.known.facts.account or 0
        self.actors[email] = Actor(name, email, self._signed_in(visitor, account_id, name, started.token))

    def show_mailbox(self, email: str) -> None:
        """Somebody has a link mailed, and opens it: now they may bind for the first time."""
        by = self.actors[email].by
        self.store.write_now(lambda tx: tickets.send(tx, by=by, workspace_id=None))
        self.deliver()
        token_hash = hash_token(self._letterbox.tickets.pop(email))
        self.store.write_now(lambda tx: tickets.redeem(tx, by=by, token_hash=token_hash, number=None))

    def enrol(self, email: str, slug: str | None, *, codes: bool) -> bytes:
        """Somebody sets up an authenticator app; with ten recovery codes, or without."""
        actor, token = self.actors[email], new_token()
        workspace_id = self.workspace_id(slug) if slug is not None else None
        pending = self.store.write_now(
            lambda tx: enrolment.begin(
                tx, by=actor.by, name="Phone", replaces=None, workspace_id=workspace_id
            )
        )
        self.wait(40 * SECOND)
        code, hashed = self._code(pending.seed), _hashed_codes() if codes else []
        done = self.store.write_now(
            lambda tx: enrolment.confirm(
                tx, by=actor.by, enrolment_id=pending.id, code=code, codes=hashed, token=token
            )
        )
        if not isinstance(done, Confirmed):
            raise OutOfScript(f"{email} could not set up 2FA")
        actor.by, actor.seed = replace(actor.by, token_hash=done.token.hash), pending.seed
        self.deliver()
        return pending.seed

    def sign_in(self, email: str) -> None:
        """Somebody signs in, with everything that they have."""
        actor, address = self.actors[email], addresses.parse(email)
        visitor, token = self._visitor(email), new_token()
        candidate = self.store.read_now(lambda tx: sign_in.look(tx, by=visitor, address=address))
        result = self.store.write_now(
            lambda tx: sign_in.sign_in(
                tx, by=visitor, candidate=candidate, right=True, kind=Credential.COOKIE, token=token
            )
        )
        if not isinstance(result, Proved):
            raise OutOfScript(f"{email} could not sign in")
        by = self._signed_in(visitor, actor.by.id or 0, actor.name, result.token)
        if actor.seed is not None:
            self.wait(totp.STEP + 5 * SECOND)  # a later step than any code shown before
            code, next_token = self._code(actor.seed), new_token()
            second = self.store.write_now(
                lambda tx: second_step.present_totp(tx, by=by, code=code, token=next_token)
            )
            if not isinstance(second, Proved):
                raise OutOfScript(f"{email} could not show a code")
            by = replace(by, token_hash=second.token.hash)
        actor.by = by

    # --- inside ---

    def _code(self, seed: bytes) -> str:
        return totp.code_at(seed, totp.step_at(self._clock.instant))

    def _visitor(self, email: str) -> By:
        """Somebody's browser: the same each time, at an address of the networks kept for examples (RFC 5737)."""
        digest = sha256(email.encode()).digest()
        ip = f"{('192.0.2', '198.51.100', '203.0.113')[digest[0] % 3]}.{digest[1] % 250 + 2}"
        agent = _AGENTS[digest[2] % len(_AGENTS)]
        return By("visitor", None, "", ip, agent, browser=digest)

    def _signed_in(self, visitor: By, account_id: int, name: str, token: Token) -> By:
        return replace(
            visitor,
            kind="account",
            id=account_id,
            name=name,
            token_hash=token.hash,
            credential=Credential.COOKIE,
        )


def _given(row: Row | None) -> Row:
    if row is None:
        raise OutOfScript("somebody or something is not there yet")
    return row


@cache
def _hashed_codes() -> list[HashedCode]:
    """One set for everybody, since nobody of them has ever seen it: hashing ten for each would take a while."""
    fresh = recovery_code.generate(secrets.token_bytes)
    return [HashedCode(each.selector, recovery_code.hash_secret(each.secret)) for each in fresh]
