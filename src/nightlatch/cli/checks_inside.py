"""What `nightlatch doctor` looks at inside the database."""

import json

from nightlatch.actions import assertions
from nightlatch.actions.assertions import NoSigningKey
from nightlatch.cli.checks_saml import saml
from nightlatch.cli.findings import Finding, ok, problem, warning
from nightlatch.config import Config
from nightlatch.instants import DAY, HOUR, SECOND, Duration, Instant, to_text
from nightlatch.keyring import Tampered, key_id_of
from nightlatch.store import apps, durability, events, meta, outbox
from nightlatch.store.engine import Transaction
from nightlatch.vocabulary import Event

STUCK: Duration = HOUR
"""A mail that waits longer is a problem."""
JUMP_SHOWN: Duration = 7 * DAY
"""A jump of the clock is worth a warning for so long."""


def look(tx: Transaction, config: Config) -> list[Finding]:
    """All of them."""
    return [
        keys_match(tx),
        demo_mark(tx),
        durable(tx),
        clock_behind(tx),
        clock_jumped(tx),
        mail(tx, config),
        proxies(tx, config),
        signing_key(tx),
        saml(tx),
    ]


def keys_match(tx: Transaction) -> Finding:
    """Whether the ring is the one that this database was sealed with."""
    check = meta.read(tx, meta.KEY_CHECK)
    if check is None:
        return warning(
            "keys_match", "Nothing was sealed in this database yet: the first start notes its keys."
        )
    if not tx.keys.matches(bytes.fromhex(check)):
        return problem(
            "keys_match", f"The database was sealed with key {_id(check)}, which is not in the ring."
        )
    return ok("keys_match", f"The database was sealed with key {_id(check)}, which is in the ring.")


def _id(check: str) -> str:
    try:
        return key_id_of(bytes.fromhex(check))
    except (ValueError, Tampered):
        return "(unreadable)"


def demo_mark(tx: Transaction) -> Finding:
    """Whether this is a demo database, which `serve` refuses."""
    if meta.read(tx, meta.DEMO) is not None:
        return problem(
            "demo", "This is a demo database: everybody may read its mail and codes. serve refuses it."
        )
    return ok("demo", "This is no demo database.")


def clock_behind(tx: Transaction) -> Finding:
    """Whether the clock is behind what has been recorded: decisions then stand still until it has caught up."""
    last: Instant | None = events.last_at(tx)
    behind = (last or 0) - tx.now
    if behind > 2 * SECOND:
        return problem(
            "clock_behind",
            f"The clock is {behind // SECOND} s behind the newest audit event: it was set back, or that one was ahead. "
            "Until it has caught up, time stands still for decisions: limits do not run out, codes may be refused.",
        )
    return ok("clock_behind", "The clock is not behind what was recorded.")


def clock_jumped(tx: Transaction) -> Finding:
    """The latest jump of the clock that was recorded (law 12): a warning for a week, for people to see."""
    row = events.latest_of_none(tx, Event.CLOCK_JUMPED)
    if row is None:
        return ok("clock_jumped", "No jump of the clock was ever recorded.")
    seconds = int(json.loads(row.detail)["by_seconds"])
    way = "ahead" if seconds > 0 else "back"
    text = f"The clock was set {way} by {abs(seconds)} s, {_ago(tx.now - row.at)} ({to_text(row.at)})."
    if tx.now - row.at > JUMP_SHOWN:
        return ok("clock_jumped", text)
    return warning("clock_jumped", f"{text} See the runbook, and what sets it.")


def durable(tx: Transaction) -> Finding:
    """Whether what was acknowledged outlives a crash of the database's machine."""
    off = durability.switched_off(tx)
    lost = [name for name in off if name != durability.COMMIT]
    if lost:
        return problem(
            "durability",
            f"The database server has switched off {' and '.join(lost)}: a crash of its machine loses what was "
            "acknowledged, and may break the database. Set it to on.",
        )
    if off:
        return warning(
            "durability",
            "The database server, or the role, has synchronous_commit off. Nightlatch sets it to on for its own "
            "connections; other programs do not.",
        )
    return ok("durability", "A commit is on disk before it is answered.")


def mail(tx: Transaction, config: Config) -> Finding:
    """Whether mail leaves: the last delivery, and what waits."""
    waiting, oldest, delivered, error = outbox.health(tx)
    last = f"last delivery {_ago(tx.now - delivered)}" if delivered is not None else "nothing delivered yet"
    if not waiting or oldest is None:
        return ok("mail", f"{config.mail}: {last}, nothing waits.")
    since = tx.now - oldest
    text = f"{config.mail}: {last}; {waiting} waiting, the oldest since {_ago(since)}"
    text += f": {error}." if error else "."
    if since > STUCK:
        return problem("mail", text)
    return warning("mail", text) if error or since > STUCK // 12 else ok("mail", text)


def proxies(tx: Transaction, config: Config) -> Finding:
    """Whether there is a proxy to answer, where products stand behind one."""
    protected = [row.name for row in apps.every(tx) if row.workspace_id is not None]
    if protected and not config.trusted_proxies:
        return problem(
            "proxies",
            f"{', '.join(protected)} should stand behind a proxy, and no proxy is answered: "
            "set NIGHTLATCH_TRUSTED_PROXIES to the address it connects from.",
        )
    count = f"{len(protected)} products behind proxies" if len(protected) != 1 else "1 product behind a proxy"
    return ok("proxies", f"{count}; {len(config.trusted_proxies)} addresses or networks are trusted.")


def signing_key(tx: Transaction) -> Finding:
    """Whether what products behind a proxy are told can be signed: nobody passes without."""
    try:
        shown = assertions.key_set(tx)
        assertions.current(tx)
    except NoSigningKey as why:
        return problem(
            "signing_key", f"Nobody passes at a proxy: {why}. Run: nightlatch keys rotate-signing --at-once"
        )
    if shown is None:
        return ok(
            "signing_key", "No key signs assertions yet: the first request that is let through makes it."
        )
    return ok("signing_key", f"Assertions are signed; keys that are shown: {len(shown['keys'])}.")


def _ago(duration: Duration) -> str:
    minutes = max(0, duration) // (60 * SECOND)
    if minutes < 2:
        return "a moment ago"
    if minutes < 120:
        return f"{minutes} minutes ago"
    return f"{minutes // 60} hours ago" if minutes < 2 * 24 * 60 else f"{minutes // (24 * 60)} days ago"
