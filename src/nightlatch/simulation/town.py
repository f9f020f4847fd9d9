"""The simulated company's Nightlatch: a database in a folder that goes, a clock that is turned, mails that are kept.

Everything below is what a browser would make the server do: the same actions, one transaction each. Left out are
argon2 (a password is said to be right) and the drawing of pages.
"""

import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from nightlatch.access import decide_workspace
from nightlatch.actions import enrolment, passwords, second_step, sign_in, tickets
from nightlatch.actions.by import By
from nightlatch.actions.chores import CHORES
from nightlatch.actions.enrolment import Confirmed, HashedCode
from nightlatch.actions.proving import Proved
from nightlatch.actions.tickets import Redeemed
from nightlatch.actions.tokens import hash_token, new_token
from nightlatch.addresses import Address, parse
from nightlatch.authenticators import recovery_code, totp
from nightlatch.clock import Clock
from nightlatch.decision import Allow, Challenge, Decision
from nightlatch.instants import Instant
from nightlatch.keyring import KeyRing
from nightlatch.mail.background import Rounds
from nightlatch.mail.drain import Post
from nightlatch.mail.outgoing import OutgoingMail, Undeliverable
from nightlatch.refusals import Refused
from nightlatch.store import migrate
from nightlatch.store.engine import Body, Store, Transaction
from nightlatch.store.session_facts import read_known
from nightlatch.vocabulary import Credential
from nightlatch.wiring import open_store

T = TypeVar("T")
_LINK = re.compile(r"https?://\S+?(/(?:tickets|password-reset)/[A-Za-z0-9_-]+)")


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail that arrived."""

    to: str
    subject: str
    link: str | None
    """The path of its ticket or password reset, if it has one."""


@dataclass
class Mailboxes:
    """A sender that keeps what it is given; some mailboxes take nothing for a time."""

    deaf: Callable[[str], bool]
    arrived: list[Mail] = field(default_factory=list)

    def send(self, mail: OutgoingMail) -> None:
        if self.deaf(mail.to):
            raise Undeliverable(permanent=True, reason="the mailbox takes nothing")
        found = _LINK.search(mail.text)
        self.arrived.append(Mail(mail.to, mail.subject, found.group(1) if found else None))

    @contextmanager
    def batch(self) -> Iterator["Mailboxes"]:
        yield self


class Town:
    """The parts, and what people do with them."""

    def __init__(self, folder: Path, now: Instant, deaf: Callable[[str], bool]) -> None:
        self.now = now
        url = f"sqlite:///{folder / 'simulation.sqlite'}"
        migrate.upgrade(url)
        clock = Clock(wall=lambda: self.now, steady=lambda: self.now)
        self.keys = KeyRing.generate(secrets.token_bytes)
        self.store: Store = open_store(url, clock, self.keys)
        self.mailboxes = Mailboxes(deaf)
        post = Post(
            self.store,
            self.mailboxes,
            "Nightlatch",
            "no-reply@simulation.example",
            "https://id.example",
            clock,
        )
        self._rounds = Rounds(post, CHORES)

    def close(self) -> None:
        """Let go of the database."""
        self.store.close()

    def mail_round(self) -> list[Mail]:
        """What comes due by itself, and the mails that leave by it."""
        while self._rounds.once():
            pass
        arrived, self.mailboxes.arrived = self.mailboxes.arrived, []
        return arrived

    def does(self, body: Body[T]) -> T | None:
        """An action; None where it is refused."""
        self.now += 1
        try:
            return self.store.write_now(body)
        except Refused:
            return None

    # --- what people do in a browser ---

    def visits(self, account: tuple[int, str, Address], *, ip: str = "192.0.2.7") -> By | None:
        """A sign-in with the right password."""
        id, name, address = account
        token = new_token()
        visitor = By("visitor", None, "", ip, "Firefox", None, Credential.NONE, hash_token(f"{id} {ip}"))
        candidate = self.store.read_now(lambda tx: sign_in.look(tx, by=visitor, address=address))
        done = self.does(
            lambda tx: sign_in.sign_in(
                tx, by=visitor, candidate=candidate, right=True, kind=Credential.COOKIE, token=token
            )
        )
        if not isinstance(done, Proved):
            return None
        return By("account", id, name, ip, "Firefox", done.token.hash, Credential.COOKIE, visitor.browser)

    def decides(self, by: By, workspace_id: int) -> Decision:
        """What the gate says at this very moment."""
        return self.store.read_now(
            lambda tx: decide_workspace(read_known(tx, by.token_hash, by.credential).facts, workspace_id)
        )

    def opens(self, by: By, workspace_id: int) -> bool:
        """Whether the workspace is open to this session."""
        return isinstance(self.decides(by, workspace_id), Allow)

    def asks_second(self, by: By, workspace_id: int) -> bool:
        """Whether it wants a code."""
        return isinstance(self.decides(by, workspace_id), Challenge)

    def shows_code(self, by: By, seed: bytes) -> By | None:
        """A code from the authenticator app."""
        token = new_token()
        code = totp.code_at(seed, totp.step_at(self.now))
        done = self.does(lambda tx: second_step.present_totp(tx, by=by, code=code, token=token))
        return _with(by, done.token.hash) if isinstance(done, Proved) else None

    def shows_recovery_code(self, by: By, number: int) -> By | None:
        """The `number`th recovery code; the hash is said to match."""
        token, parts = new_token(), recovery_code.CodeParts(_selector(number), "")
        candidate = self.store.read_now(lambda tx: second_step.look_code(tx, by=by, parts=parts))
        done = self.does(
            lambda tx: second_step.present_recovery_code(
                tx, by=by, parts=parts, candidate=candidate, right=True, token=token
            )
        )
        return _with(by, done.token.hash) if isinstance(done, Proved) else None

    def asks_link(self, by: By, workspace_id: int) -> bool:
        """The set-up page's "Mail me the link"."""
        return self.does(lambda tx: tickets.send(tx, by=by, workspace_id=workspace_id)) is not None

    def uses_link(self, by: By, link: str, number: str | None = None) -> bool:
        """The mailed link, by its button."""
        token_hash = hash_token(link.rpartition("/")[2])
        done = self.does(lambda tx: tickets.redeem(tx, by=by, token_hash=token_hash, number=number))
        return isinstance(done, Redeemed)

    def sets_up(self, by: By, workspace_id: int, replaces: int | None = None) -> tuple[By, bytes, int] | None:
        """Set-up: the session afterwards, the app's seed, and its id. None where it may not bind."""
        begun = self.does(
            lambda tx: enrolment.begin(tx, by=by, name="", replaces=replaces, workspace_id=workspace_id)
        )
        if begun is None:
            return None
        code, token = totp.code_at(begun.seed, totp.step_at(self.now)), new_token()
        codes = [HashedCode(_selector(number), "said to match") for number in range(10)]
        done = self.does(
            lambda tx: enrolment.confirm(
                tx, by=by, enrolment_id=begun.id, code=code, codes=codes, token=token
            )
        )
        if not isinstance(done, Confirmed):
            return None
        return _with(by, done.token.hash), begun.seed, done.authenticator_id

    def resets_password(self, email: str, take: Callable[[], list[Mail]]) -> bool:
        """ "I have forgotten my password", and the mailed link used, by whoever reads the mailbox."""
        visitor = By("visitor", None, "", "198.51.100.66", "Chrome", None, Credential.NONE, hash_token(email))
        self.does(lambda tx: passwords.request_reset(tx, by=visitor, address=parse(email)))
        links = [
            mail.link for mail in take() if mail.to == email and mail.link and "password-reset" in mail.link
        ]
        if not links:
            return False
        token_hash = hash_token(links[-1].rpartition("/")[2])

        def new_password(tx: Transaction) -> bool:
            passwords.finish_reset(tx, by=visitor, token_hash=token_hash, password_hash="said to match")
            return True

        return self.does(new_password) is not None


def _with(by: By, token_hash: bytes) -> By:
    return replace(by, token_hash=token_hash)


def _selector(number: int) -> str:
    return f"{number:04d}"
