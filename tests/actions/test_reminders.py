"""Reminders: once a day for a person and workspace, whoever asks how often; only where there is something to do."""

from typing import Any

import pytest

from nightlatch.actions import reminders
from nightlatch.actions.by import By
from nightlatch.actions.reminders import Reminded
from nightlatch.instants import DAY, HOUR
from nightlatch.refusals import Code, Refused
from nightlatch.store import exceptions
from nightlatch.vocabulary import Event
from tests.actions.test_notices import due, send
from tests.support.events import events
from tests.support.letters import letters
from tests.support.races import at_once
from tests.support.switch import Acme
from tests.support.tables import everything, rows
from tests.support.world import Person, World


@pytest.fixture
def acme(world: World) -> Acme:
    """2FA is required in a fortnight; Olga and Ana are left, and have read what was announced."""
    acme = Acme(world)
    acme.on(since=world.clock.now() + 14 * DAY)
    send(world)
    return acme


def id_of(acme: Acme, person: Person) -> int:
    found = [each.id for each in rows(acme.world, "teammates") if each.account_id == person.id]
    return int(found[0])


def remind(acme: Acme, *people: Person, by: By | None = None) -> Reminded:
    ids = [id_of(acme, each) for each in people] or None
    someone = by or acme.world.signed_in(acme.dana, acme.app)
    return acme.world.write(
        lambda tx: reminders.remind(tx, by=someone, workspace_id=acme.id, teammate_ids=ids)
    )


def refused(acme: Acme, code: Code, *people: Person, by: By | None = None) -> Refused:
    by = by or acme.world.signed_in(acme.dana, acme.app)
    before = everything(acme.world)
    with pytest.raises(Refused) as caught:
        remind(acme, *people, by=by)
    assert caught.value.code is code
    assert everything(acme.world) == before
    return caught.value


def reminded(world: World) -> list[str]:
    return sorted(each.to for each in letters(world, "mandate_reminder"))


def test_one_is_reminded_once_a_day(acme: Acme) -> None:
    world = acme.world
    assert remind(acme, acme.ana, by=acme.admin) == Reminded(1, 0)
    assert reminded(world) == [acme.ana.email]
    (mail,) = letters(world, "mandate_reminder")
    assert mail.values["by"] == "Adam"
    assert mail.values["link"].startswith("/tickets/")
    last = events(world)[-1]
    assert (last.event, last.subject[2], last.workspace_id) == (Event.TEAMMATE_REMINDED, "Ana", acme.id)
    again = refused(acme, Code.TOO_MANY_ATTEMPTS, acme.ana)
    (row,) = [each for each in rows(world, "teammates") if each.account_id == acme.ana.id]
    assert again.retry_at == row.reminded_at + DAY
    world.wait(DAY - HOUR)
    refused(acme, Code.TOO_MANY_ATTEMPTS, acme.ana)
    world.wait(2 * HOUR)
    assert remind(acme, acme.ana) == Reminded(1, 0)


def test_several_at_once_leave_out_who_is_ready_or_was_reminded(acme: Acme) -> None:
    remind(acme, acme.ana)
    assert remind(acme, acme.ana, acme.olga, acme.dana, acme.olga) == Reminded(1, 2)
    assert reminded(acme.world) == sorted([acme.ana.email, acme.olga.email])


def test_all_who_are_left_in_batches(acme: Acme) -> None:
    world = acme.world
    remind(acme, acme.ana)
    assert remind(acme) == Reminded(1, 0)
    refused(acme, Code.TOO_MANY_ATTEMPTS)
    due(world, most=1)
    assert reminded(world) == sorted([acme.ana.email, acme.olga.email])
    refused(acme, Code.TOO_MANY_ATTEMPTS)
    assert [each.detail for each in events(world) if each.event == Event.TEAMMATE_REMINDED][-1] == {
        "number": 1
    }
    world.wait(DAY + HOUR)
    assert remind(acme) == Reminded(2, 0)


def test_many_presses_at_once_mail_once(acme: Acme) -> None:
    results = at_once(*[lambda: remind(acme, acme.ana)] * 4)
    assert sorted(isinstance(each, Refused) for each in results) == [False, True, True, True]
    assert reminded(acme.world) == [acme.ana.email]


def test_refused_where_there_is_nothing_to_do(acme: Acme) -> None:
    refused(acme, Code.CONFLICT, acme.adam)
    refused(acme, Code.NOT_PERMITTED, acme.olga, by=acme.world.session(acme.ana))
    stranger = acme.world.person("Stranger")
    acme.world.workspace("beta", member=stranger)
    refused(acme, Code.NOT_FOUND, stranger)
    for person in (acme.ana, acme.olga):
        acme.world.bind_totp(person)
    refused(acme, Code.CONFLICT)
    acme.off()
    refused(acme, Code.CONFLICT, acme.ana)
    refused(acme, Code.CONFLICT)


def test_too_many_at_once_or_none(acme: Acme) -> None:
    for ids in ([], list(range(reminders.MOST + 1))):
        with pytest.raises(Refused) as caught:
            acme.world.write(
                lambda tx, ids=ids: reminders.remind(  # type: ignore[misc]
                    tx, by=acme.owner, workspace_id=acme.id, teammate_ids=ids
                )
            )
        assert caught.value.code is Code.INVALID


def test_all_leaves_out_who_has_more_time_but_one_may_be_reminded(acme: Acme) -> None:
    until = acme.world.clock.now() + 20 * DAY
    acme.world.write(lambda tx: exceptions.exempt(tx, acme.id, acme.ana.id, until))
    assert remind(acme) == Reminded(1, 0)
    due(acme.world)
    assert reminded(acme.world) == [acme.olga.email]
    assert remind(acme, acme.ana) == Reminded(1, 0)
    mails: list[Any] = [each for each in letters(acme.world, "mandate_reminder") if each.to == acme.ana.email]
    assert mails[0].values["from_instant"] == until
    assert "A reminder: set up 2FA for Acme" in send(acme.world)


def test_who_sets_up_meanwhile_is_not_reminded(acme: Acme) -> None:
    remind(acme, acme.ana)
    acme.world.bind_totp(acme.ana)
    assert not [each for each in send(acme.world) if "reminder" in each]
