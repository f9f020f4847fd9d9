"""The drain: at least once, whoever dies; with the configured origin; and everything that waits goes at last."""

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest
from sqlalchemy import update

from nightlatch import addresses, config_checks
from nightlatch.actions import passwords
from nightlatch.actions.by import By
from nightlatch.actions.mailing import mail_address
from nightlatch.instants import DAY, HOUR, MINUTE, SECOND
from nightlatch.keyring import KeyRing
from nightlatch.mail.drain import Drained, Post, drain_once
from nightlatch.mail.outgoing import OutgoingMail, Sender, Undeliverable
from nightlatch.mail.senders import SmtpSender
from nightlatch.store import outbox
from nightlatch.store import schema as tables
from nightlatch.store.housekeeping import tidy
from nightlatch.store.query import Query
from tests.support.letters import letters
from tests.support.races import at_once
from tests.support.smtp import MailServer
from tests.support.tables import rows
from tests.support.world import World

VISITOR = By("visitor", None, "", "198.51.100.7", "test")
BASE = "https://2fa.acme.example/lock"


@dataclass
class Pigeon:
    """A sender that keeps what it is given, and does what it is told to first."""

    sent: list[OutgoingMail] = field(default_factory=list)
    troubles: list[BaseException | None] = field(default_factory=list)

    def send(self, mail: OutgoingMail) -> None:
        trouble = self.troubles.pop(0) if self.troubles else None
        if trouble is not None:
            raise trouble
        self.sent.append(mail)

    @contextmanager
    def batch(self) -> Iterator[Sender]:
        yield self


def post(world: World, sender: Sender, base_url: str = BASE) -> Post:
    return Post(world.store, sender, "Acme", "Acme <no-reply@acme.example>", base_url, world.clock)


def smtp(server: MailServer) -> SmtpSender:
    return SmtpSender(config_checks.mail(server.url), timeout=30.0)


def queue(world: World, number: int = 1) -> list[str]:
    """Mails to as many people, each with a link; their addresses."""
    people = [world.person(f"P{index}") for index in range(number)]
    for person in people:
        address = addresses.parse(person.email)
        world.write(partial(passwords.request_reset, by=VISITOR, address=address))
    return [person.email for person in people]


def temporary(*, everybody: bool = False) -> Undeliverable:
    return Undeliverable(permanent=False, reason="come back later (451)", everybody=everybody)


def waiting(world: World) -> list[Any]:
    return [each for each in rows(world, "outbox") if each.next_at is not None]


def spoil(world: World, mail_id: int, **columns: Any) -> None:
    """What should never happen to a row."""
    query = Query(update(tables.outbox).values(columns).where(tables.outbox.c.id == mail_id))
    world.write(lambda tx: tx.run(query))


def test_it_goes_out_by_smtp_once_and_is_wiped(world: World, mail_server: MailServer) -> None:
    people = queue(world, 3)
    assert drain_once(post(world, smtp(mail_server))) == Drained(sent=3)
    assert drain_once(post(world, smtp(mail_server))) == Drained()
    assert sorted(each.recipients[0] for each in mail_server.messages) == sorted(people)
    for row in rows(world, "outbox"):
        assert (row.sealed, row.next_at, row.error, row.attempts) == (None, None, None, 1)
        assert row.sent_at is not None


def test_links_begin_with_the_configured_origin(world: World, mail_server: MailServer) -> None:
    """F44: whatever a Host header said when the mail was queued, and with the path prefix."""
    queue(world)
    path = letters(world)[0].values["link"]
    assert path.startswith("/password-reset/")
    drain_once(post(world, smtp(mail_server), BASE + "/"))
    (mail,) = mail_server.messages
    assert BASE + path in mail.text
    assert f'href="{BASE}{path}"' in mail.html
    assert mail.message["From"] == "Acme <no-reply@acme.example>"


def test_the_other_links_are_paths_too(world: World) -> None:
    pigeon = Pigeon()
    mails: tuple[tuple[str, dict[str, Any]], ...] = (
        ("email_changed", {"new": "new@example.org", "undo_link": "/undo/abc"}),
        ("second_factor_suspended", {"lift_link": "/lift/abc"}),
    )
    for kind, values in mails:
        world.write(partial(mail_address, kind=kind, email="ana@example.org", by=VISITOR, **values))
    assert drain_once(post(world, pigeon)).sent == 2
    text = "".join(each.text for each in pigeon.sent)
    assert f"{BASE}/undo/abc" in text
    assert f"{BASE}/lift/abc" in text


def test_a_refused_mail_is_tried_again_later_and_later(world: World, mail_server: MailServer) -> None:
    (email,) = queue(world)
    mail_server.refuse(times=100)
    waits = []
    for _ in range(9):
        before = world.clock.now()
        assert drain_once(post(world, smtp(mail_server))) == Drained(retried=1)
        assert drain_once(post(world, smtp(mail_server))) == Drained()
        (row,) = waiting(world)
        waits.append(round((row.next_at - before) / MINUTE))
        assert "451" in row.error
        assert email not in row.error
        world.wait(row.next_at - before + SECOND)
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    mail_server.accept_all()
    assert drain_once(post(world, smtp(mail_server))) == Drained(sent=1)
    assert len({each.message["Message-ID"] for each in mail_server.messages}) == 1


def test_after_three_days_it_is_given_up_and_wiped(world: World) -> None:
    queue(world)
    pigeon = Pigeon(troubles=[temporary()])
    world.wait(3 * DAY)
    assert drain_once(post(world, pigeon)) == Drained(failed=1)
    (row,) = rows(world, "outbox")
    assert row.sealed is None
    assert row.failed_at is not None
    assert row.error == "come back later (451)"


def test_what_is_refused_for_good_is_given_up_at_once(world: World, mail_server: MailServer) -> None:
    first, second = queue(world, 2)
    mail_server.refuse_recipient(first)
    assert drain_once(post(world, smtp(mail_server))) == Drained(sent=1, failed=1)
    assert [each.recipients for each in mail_server.messages] == [(second,)]
    assert not waiting(world)


def test_a_dead_server_loses_nothing(world: World, mail_server: MailServer) -> None:
    """Issue point 10: the outbox survives a dead mail server, and a restart of ours."""
    people = queue(world, 5)
    mail_server.stop()
    answer = drain_once(post(world, smtp(mail_server)))
    assert answer == Drained(retried=1, stuck=True)  # nobody else is tried in vain
    assert len(waiting(world)) == 5
    world.wait(10 * DAY // 100)
    assert drain_once(post(world, smtp(mail_server))).stuck
    mail_server.start()
    world.wait(5 * MINUTE + SECOND)  # the longest that a dead server delays, however long it was dead
    assert drain_once(post(world, smtp(mail_server))) == Drained(sent=5)
    assert sorted(each.recipients[0] for each in mail_server.messages) == sorted(people)


def test_what_was_not_tried_is_let_go_of_at_once(world: World) -> None:
    queue(world, 3)
    pigeon = Pigeon(troubles=[temporary(everybody=True)])
    drain_once(post(world, pigeon))
    assert all(each.leased_until is None for each in waiting(world))
    assert drain_once(post(world, pigeon)) == Drained(sent=2)


def test_one_bad_mail_keeps_no_other_back(world: World) -> None:
    queue(world, 3)
    first, second, third = rows(world, "outbox")
    spoil(world, first.id, kind="no_such_kind")
    spoil(world, second.id, sealed=third.sealed)
    pigeon = Pigeon()
    assert drain_once(post(world, pigeon)) == Drained(sent=1, failed=2)
    errors = {each.id: each.error for each in rows(world, "outbox")}
    assert "KeyError" in errors[first.id]
    assert "cannot be opened" in errors[second.id]
    assert errors[third.id] is None


def test_a_key_that_is_missing_for_a_while_loses_no_mail(world: World) -> None:
    queue(world)
    ring = world.keys
    wrong = KeyRing.generate(os.urandom)
    world.store._keys = wrong  # type: ignore[attr-defined]
    assert drain_once(post(world, Pigeon())) == Drained(retried=1)
    world.store._keys = ring  # type: ignore[attr-defined]
    world.wait(MINUTE + SECOND)
    assert drain_once(post(world, Pigeon())) == Drained(sent=1)


def test_a_sender_with_a_fault_of_its_own_is_tried_again(world: World) -> None:
    queue(world)
    pigeon = Pigeon(troubles=[RuntimeError("secret")])
    assert drain_once(post(world, pigeon)) == Drained(retried=1)
    (row,) = waiting(world)
    assert row.error == "the mail could not be handed over: RuntimeError"


def test_several_workers_send_each_mail_once(world: World) -> None:
    people = queue(world, 30)
    pigeons = [Pigeon() for _ in range(4)]
    at_once(*[partial(drain_once, post(world, pigeon), most=10) for pigeon in pigeons])
    while drain_once(post(world, pigeons[0])).sent:
        pass
    sent = [each.to for pigeon in pigeons for each in pigeon.sent]
    assert sorted(sent) == sorted(people)


def test_a_sender_killed_before_it_could_mark_sends_the_same_mail_again(world: World) -> None:
    queue(world, 3)
    died = Pigeon(troubles=[None, KeyboardInterrupt()])
    with pytest.raises(KeyboardInterrupt):
        drain_once(post(world, died))
    after = Pigeon()
    assert drain_once(post(world, after)) == Drained()  # they are still leased to the dead one
    world.wait(outbox.LEASE + SECOND)
    assert drain_once(post(world, after)) == Drained(sent=2)
    assert len({each.message_id for each in died.sent + after.sent}) == 3


def test_a_late_answer_of_a_sender_that_lost_its_lease_changes_nothing(world: World) -> None:
    """Its mail was sent by somebody else meanwhile and is wiped: it must not be due again."""
    queue(world)
    (row,) = rows(world, "outbox")
    assert drain_once(post(world, Pigeon())).sent == 1
    world.write(lambda tx: outbox.retry(tx, row.id, tx.now, "late"))
    world.write(lambda tx: outbox.give_up(tx, row.id, "late"))
    world.write(lambda tx: outbox.release(tx, row.id))
    (after,) = rows(world, "outbox")
    assert (after.next_at, after.failed_at, after.error) == (None, None, None)


def test_a_slow_batch_ends_within_its_lease(world: World) -> None:
    queue(world, 3)

    class Slow(Pigeon):
        def send(self, mail: OutgoingMail) -> None:
            super().send(mail)
            world.wait(outbox.LEASE // 2 + SECOND)

    assert drain_once(post(world, Slow())) == Drained(sent=1)
    assert [each.leased_until for each in waiting(world)] == [None, None]


_KILLED = """
    import sys
    from pathlib import Path
    from nightlatch import config_checks
    from nightlatch.clock import Clock
    from nightlatch.keyring import KeyRing
    from nightlatch.mail.drain import Post, drain_once
    from nightlatch.mail.senders import SmtpSender
    from nightlatch.wiring import open_store

    url, mail, keys = sys.stdin.read().split("\\n", 2)
    clock = Clock()
    store = open_store(url, clock, KeyRing.parse(keys))
    sender = SmtpSender(config_checks.mail(mail), timeout=30.0)
    print("ready", flush=True)
    drain_once(Post(store, sender, "Acme", "no-reply@acme.example", "https://acme.example", clock))
"""


def test_kill_9_in_the_middle_of_a_batch_loses_nothing(world: World, mail_server: MailServer) -> None:
    people = queue(world, 4)
    mail_server.hang()
    command = [sys.executable, "-c", textwrap.dedent(_KILLED)]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write(f"{world.url}\n{mail_server.url}\n{world.keys.to_text()}")
    child.stdin.close()
    assert child.stdout.readline() == "ready\n"
    while not any(each.leased_until for each in waiting(world)):
        pass
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    mail_server.resume()
    assert len(waiting(world)) == 4
    world.wait(outbox.LEASE + SECOND)
    assert drain_once(post(world, smtp(mail_server))) == Drained(sent=4)
    assert {each.recipients[0] for each in mail_server.messages} == set(people)
    ids = {each.message["Message-ID"] for each in mail_server.messages}
    assert len(ids) == 4  # the one that was sent twice is one


def test_no_transaction_is_open_while_a_mail_is_sent(world: World) -> None:
    """A slow mail server holds nobody up."""
    queue(world)

    class Busy(Pigeon):
        def send(self, mail: OutgoingMail) -> None:
            world.person("Somebody")  # a write, which would wait for ours
            super().send(mail)

    assert drain_once(post(world, Busy())).sent == 1


def test_told_to_stop_it_finishes_the_mail_at_hand(world: World) -> None:
    queue(world, 3)
    pigeon = Pigeon()
    assert drain_once(post(world, pigeon), stopping=lambda: bool(pigeon.sent)) == Drained(sent=1)
    assert len(waiting(world)) == 2


def test_old_mails_are_tidied_away(world: World) -> None:
    queue(world, 2)
    drain_once(post(world, Pigeon(troubles=[None, temporary()])))
    world.wait(30 * DAY + HOUR)
    world.write(tidy)
    assert len(rows(world, "outbox")) == len(waiting(world)) == 1
