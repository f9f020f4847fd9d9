"""The outbox's drain: leased in one transaction, sent outside of any, marked in another (law 6).

A mail is sent at least once: whoever dies between sending and marking leaves a lease that runs out, and the next one
sends the same mail under the same Message-ID.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from nightlatch.clock import Clock
from nightlatch.ids import to_text
from nightlatch.instants import DAY, HOUR, MINUTE, Duration, Instant
from nightlatch.keyring import SealError, Tampered
from nightlatch.mail.layout import Message
from nightlatch.mail.messages import is_link, render
from nightlatch.mail.messages.common import Keeper
from nightlatch.mail.outgoing import OutgoingMail, Sender, Undeliverable
from nightlatch.store import keepers, outbox, withdrawing
from nightlatch.store.engine import Store, Transaction, Unavailable

BATCH = 20
"""Mails leased at once: few enough that a slow server takes them within the lease."""
TRIED_FOR: Duration = 3 * DAY
"""After so long a mail that does not leave is given up."""
_LONGEST_WAIT: Duration = HOUR
_LONGEST_WAIT_FOR_SERVER: Duration = 5 * MINUTE
"""Where nothing leaves at all it is the server's trouble: mails go soon after it is mended."""


@dataclass(frozen=True, slots=True)
class Post:
    """What sending takes."""

    store: Store
    sender: Sender
    product: str
    mail_from: str
    base_url: str
    """Configured origin and path: what every link in a mail begins with, whatever a Host header said (F44)."""
    clock: Clock
    why_untrue: Callable[[Transaction, Any, Mapping[str, Any]], str | None] = lambda tx, mail, values: None
    """What makes a mail untrue by the time it is sent, if anything: by its row and its values, reading only."""


@dataclass(frozen=True, slots=True)
class Drained:
    """What became of one batch."""

    sent: int = 0
    retried: int = 0
    failed: int = 0
    """Given up for good."""
    withdrawn: int = 0
    """Not true any more: not sent."""
    stuck: bool = False
    """The way out is blocked: the next batch would fare no better now."""

    @property
    def handled(self) -> int:
        """Mails that are not due any more."""
        return self.sent + self.retried + self.failed + self.withdrawn


@dataclass(frozen=True, slots=True)
class _Leased:
    id: int
    kind: str
    to: str
    message_id: str
    created_at: Instant
    attempts: int
    values: Mapping[str, Any] | None
    problem: Undeliverable | None = None
    keeper: Keeper | None = None
    row: Any = None
    """As it was leased."""

    def __repr__(self) -> str:
        return f"_Leased({self.id}, {self.kind})"


def drain_once(post: Post, *, most: int = BATCH, stopping: Callable[[], bool] = lambda: False) -> Drained:
    """Send one batch of due mails, blocking. Raises Unavailable where the database cannot answer.

    Where `stopping` says so, or half of the lease is over, what was not tried yet is let go of.
    """
    due = post.store.read_now(outbox.next_due)
    started = post.clock.now()
    if due is None or due > started:
        return Drained()
    leased = post.store.write_now(partial(_lease, most=most))
    sent = retried = failed = withdrawn = 0
    stuck = False
    with post.sender.batch() as sender:
        for mail in leased:
            if stuck or stopping() or post.clock.now() - started > outbox.LEASE // 2:
                post.store.write_now(partial(outbox.release, mail_id=mail.id))
                continue
            untrue = _why_untrue(post, mail)
            if isinstance(untrue, str):
                post.store.write_now(partial(withdrawing.one, mail_id=mail.id, why=untrue))
                withdrawn += 1
                continue
            trouble = mail.problem or untrue or _send(post, sender, mail)
            if trouble is None:
                post.store.write_now(partial(outbox.sent, mail_id=mail.id))
                sent += 1
            elif _keep_trying(post, mail, trouble):
                retried += 1
            else:
                failed += 1
            stuck = trouble is not None and trouble.everybody
    return Drained(sent, retried, failed, withdrawn, stuck)


# --- inside ---


def _lease(tx: Transaction, most: int) -> list[_Leased]:
    return [_opened(tx, row) for row in outbox.lease(tx, most)]


def _opened(tx: Transaction, row: Any) -> _Leased:
    """The mail with its values; one that cannot be opened stands in nobody else's way."""
    values, problem = None, None
    try:
        values = outbox.values_of(tx, row)
    except SealError as error:
        permanent = isinstance(error, Tampered)
        problem = Undeliverable(permanent, f"its contents cannot be opened: {error}")
    keeper = keepers.of_reader(tx, row.account_id, row.workspace_id)
    return _Leased(
        row.id,
        row.kind,
        row.address,
        row.message_id,
        row.created_at,
        row.attempts,
        values,
        problem,
        Keeper(to_text(keeper.id), keeper.name) if keeper is not None else None,
        row,
    )


def _why_untrue(post: Post, mail: _Leased) -> str | Undeliverable | None:
    """Look once more, in the moment of sending, whether what it says is so. What cannot be known waits."""
    values = mail.values
    if values is None:
        return None
    try:
        return post.store.read_now(lambda tx: post.why_untrue(tx, mail.row, values))
    except Unavailable:
        raise
    except Exception as error:
        return Undeliverable(
            permanent=False, reason=f"whether it is still true is not known: {type(error).__name__}"
        )


def _send(post: Post, sender: Sender, mail: _Leased) -> Undeliverable | None:
    """Hand one mail over; what was in the way, if anything. No exception text but our own is kept: it might quote."""
    try:
        message = _rendered(post, mail)
    except (KeyError, TypeError, ValueError) as error:
        return Undeliverable(permanent=True, reason=f"the mail cannot be written: {type(error).__name__}")
    try:
        sender.send(
            OutgoingMail(
                message_id=f"<{mail.message_id}>",
                to=mail.to,
                subject=message.subject,
                text=message.text,
                html=message.html,
                sender=post.mail_from,
                at=mail.created_at,
                unsubscribe=message.unsubscribe,
            )
        )
    except Undeliverable as trouble:
        return trouble
    except Exception as error:
        return Undeliverable(
            permanent=False, reason=f"the mail could not be handed over: {type(error).__name__}"
        )
    return None


def _rendered(post: Post, mail: _Leased) -> Message:
    base = post.base_url.rstrip("/")
    values = {
        name: base + value if is_link(name) and value is not None else value
        for name, value in (mail.values or {}).items()
    }
    return render(mail.kind, values, product=post.product, origin=base, keeper=mail.keeper)


def _keep_trying(post: Post, mail: _Leased, trouble: Undeliverable) -> bool:
    """Another try after a minute, then twice that, up to an hour, for three days; whether there will be one."""
    longest = _LONGEST_WAIT_FOR_SERVER if trouble.everybody else _LONGEST_WAIT
    again_at = post.clock.now() + min(MINUTE << min(mail.attempts, 10), longest)
    if trouble.permanent or again_at > mail.created_at + TRIED_FOR:
        post.store.write_now(partial(outbox.give_up, mail_id=mail.id, reason=trouble.reason))
        return False
    post.store.write_now(partial(outbox.retry, mail_id=mail.id, again_at=again_at, reason=trouble.reason))
    return True
