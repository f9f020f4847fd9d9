"""Evidence from audit events, by hand: what older events leave out, the order of things, and what a file may hold."""

import csv
import io
import json
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightlatch.audit.evidence import Evidence, Gone, Required, State, Who
from nightlatch.audit.evidence_files import COLUMNS, as_json, csv_chunks
from nightlatch.audit.rebuilding import rebuild
from nightlatch.instants import DAY, HOUR, from_text, to_text
from nightlatch.policy import ManagedBy
from nightlatch.vocabulary import Event
from nightlatch.web.api import evidence_models

NOON = from_text("2026-11-24T12:00:00Z")
DANA, ANA = 1, 2
NAMES = {DANA: "Dana", ANA: "Ana"}


@dataclass(frozen=True)
class Told:
    """One event."""

    at: int
    event: str
    actor_kind: str
    actor_id: int | None
    actor_name: str
    subject_id: int | None
    subject_name: str
    detail: str


def told(event: Event, at: int = NOON, whom: int = ANA, who: int = DANA, **detail: Any) -> Told:
    return Told(
        at,
        event,
        "account",
        who,
        NAMES[who],
        whom,
        detail.pop("name", NAMES.get(whom, "Acme")),
        json.dumps(detail),
    )


def policy(event: Event, at: int, required_from: int | None, **more: Any) -> Told:
    text = to_text(required_from) if required_from is not None else None
    return told(event, at, 77, required_from=text, **{"managed_by": "admins", "name": "Acme", **more})


def only(*events: Told, at: int = NOON + DAY) -> Any:
    (teammate,) = rebuild(events, at).teammates
    return teammate


JOINED = told(Event.TEAMMATE_JOINED, role="member", email="ana@example.com")
SECURED = told(Event.TEAMMATE_SECURED, NOON + HOUR, methods=["totp"])
RESET = told(Event.TEAMMATE_RESET, NOON + 2 * HOUR, reason="Lost phone", recognised_by="phone")


# --- what is said ---


def test_a_life() -> None:
    off = only(JOINED)
    assert (off.state, off.methods, off.since, off.email) == (State.OFF, (), NOON, "ana@example.com")
    on = only(JOINED, SECURED)
    assert (on.state, on.methods, on.since, on.joined_at) == (State.ON, ("totp",), NOON + HOUR, NOON)
    reset = only(JOINED, SECURED, RESET, told(Event.TEAMMATE_UNSECURED, NOON + 2 * HOUR))
    assert (reset.state, reset.methods, reset.since) == (State.RESET, (), NOON + 2 * HOUR)


def test_what_comes_after_the_instant_is_left_out_and_the_instant_itself_is_in() -> None:
    assert only(JOINED, SECURED, at=NOON + HOUR).state is State.ON
    assert only(JOINED, SECURED, at=NOON + HOUR - 1).state is State.OFF


def test_the_order_is_that_of_the_events_not_of_their_instants() -> None:
    """Two workers may disagree by a moment about the time (law 12)."""
    later = told(Event.TEAMMATE_ROLE_CHANGED, NOON - 1, role="admin")
    assert only(JOINED, later).role == "admin"


def test_a_reset_outlives_leaving_and_is_over_only_by_setting_up() -> None:
    left = told(Event.TEAMMATE_LEFT, NOON + 3 * HOUR, role="member")
    back = told(Event.TEAMMATE_JOINED, NOON + 4 * HOUR, role="admin", email="ana@example.org")
    life = [JOINED, SECURED, RESET, left]
    gone = rebuild(life, NOON + DAY)
    assert (gone.teammates, [each.left for each in gone.gone]) == ((), [True])
    returned = rebuild([*life, back], NOON + DAY)
    assert returned.gone == ()
    (ana,) = returned.teammates
    assert (ana.state, ana.since, ana.role, ana.email) == (
        State.RESET,
        NOON + 4 * HOUR,
        "admin",
        "ana@example.org",
    )
    done = told(Event.RESET_COMPLETED, NOON + 5 * HOUR, who=ANA)
    (over,) = rebuild([*life, back, done], NOON + DAY).resets
    assert (over.reason, over.recognised_by, over.by, over.completed_at) == (
        "Lost phone",
        "phone",
        Who("account", DANA, "Dana"),
        NOON + 5 * HOUR,
    )


def test_a_second_reset_replaces_the_first() -> None:
    again = told(Event.TEAMMATE_RESET, NOON + 6 * HOUR, reason="Again", number_waived=True)
    second, first = rebuild([JOINED, SECURED, RESET, again], NOON + DAY).resets
    assert (first.replaced_at, first.completed_at) == (NOON + 6 * HOUR, None)
    assert (second.reason, second.number_waived, second.recognised_by) == ("Again", True, None)


def test_who_asked_and_who_agreed() -> None:
    asked = told(Event.TEAMMATE_RESET_REQUESTED, NOON + HOUR, reset="r1", reason="Lost phone")
    agreed = replace(
        told(Event.TEAMMATE_RESET_APPROVED, NOON + 2 * HOUR, reset="r1"), actor_id=77, actor_name="Otto"
    )
    done = replace(
        told(Event.TEAMMATE_RESET, NOON + 2 * HOUR, reset="r1", reason="Lost phone"),
        actor_id=77,
        actor_name="Otto",
    )
    assert rebuild([JOINED, SECURED, asked], NOON + DAY).resets == ()
    (reset,) = rebuild([JOINED, SECURED, asked, agreed, done], NOON + DAY).resets
    assert (reset.by.name, reset.asked_at, reset.at) == ("Dana", NOON + HOUR, NOON + 2 * HOUR)
    assert reset.approved_by == Who("account", 77, "Otto")
    by_time = replace(done, actor_kind="system", actor_id=None, actor_name="Nightlatch")
    (reset,) = rebuild([JOINED, SECURED, asked, by_time], NOON + DAY).resets
    assert (reset.by.name, reset.approved_by) == ("Dana", None)


def test_somebody_who_comes_back_brings_only_what_an_event_says() -> None:
    left = told(Event.TEAMMATE_REMOVED, NOON + 3 * HOUR, role="member", reason="Gone")
    back = told(Event.TEAMMATE_JOINED, NOON + 4 * HOUR, role="member")
    assert only(JOINED, SECURED, left, back).state is State.OFF
    assert only(JOINED, SECURED, left, back, told(Event.TEAMMATE_SECURED, NOON + 5 * HOUR)).state is State.ON


def test_the_policy_says_from_when_and_who_said_so() -> None:
    made = told(Event.WORKSPACE_CREATED, NOON, 77, name="Acme", slug="acme")
    later, now = NOON + 2 * DAY, NOON + DAY
    scheduled = policy(Event.MANDATE_SCHEDULED, NOON + HOUR, later, who=ANA, reason="An audit")
    evidence = rebuild([made, scheduled], now)
    assert (evidence.name, evidence.created_at) == ("Acme", NOON)
    assert evidence.policy.state(now) is Required.SCHEDULED
    assert evidence.policy.state(later) is Required.REQUIRED
    assert evidence.policy.by == Who("account", ANA, "Ana")
    assert (evidence.policy.at, evidence.policy.reason) == (NOON + HOUR, "An audit")
    managers = policy(Event.POLICY_CHANGED, NOON + 2 * HOUR, later, managed_by="owners")
    owners = rebuild([made, scheduled, managers], now).policy
    assert (owners.managed_by, owners.managed_by_at, owners.at) == (
        ManagedBy.OWNERS,
        NOON + 2 * HOUR,
        NOON + HOUR,
    )
    off = policy(Event.MANDATE_TURNED_OFF, NOON + 3 * HOUR, None, managed_by="owners")
    assert rebuild([made, scheduled, managers, off], now).policy.state(later) is Required.OFF


# --- what is not known ---


def test_events_of_an_older_version_leave_an_address_and_methods_open() -> None:
    ana = only(told(Event.TEAMMATE_JOINED, role="member"), told(Event.TEAMMATE_SECURED))
    assert (ana.email, ana.state, ana.methods) == (None, State.ON, None)
    assert only(told(Event.TEAMMATE_JOINED), told(Event.TEAMMATE_SECURED, method="totp")).methods == ("totp",)


def test_of_somebody_whose_coming_is_in_no_event_the_rest_is_not_known() -> None:
    ana = only(told(Event.TEAMMATE_ROLE_CHANGED, role="admin"))
    assert (ana.role, ana.joined_at, ana.state, ana.methods, ana.since) == ("admin", None, None, None, None)
    text = "".join(csv_chunks(rebuild([told(Event.TEAMMATE_ROLE_CHANGED, role="admin")], NOON)))
    assert "teammate,0000000000002,Ana,not known,admin,not known,not known,not known,not known" in text


def test_nothing_at_all_is_no_error() -> None:
    nothing = rebuild([], NOON)
    assert (nothing.name, nothing.teammates, nothing.policy.by) == (None, (), None)
    evidence_models.Evidence.model_validate(as_json(nothing, "acme"))


@pytest.mark.parametrize("event", Event)
def test_every_event_is_taken_or_passed_over(event: Event) -> None:
    """Also with nothing in it: a bare event never stops the evidence of everything else."""
    evidence = rebuild([JOINED, told(event)], NOON)
    assert evidence.teammates or evidence.gone
    evidence_models.Evidence.model_validate(as_json(evidence, "acme"))


# --- the file ---


def rows(evidence: Evidence) -> list[dict[str, str]]:
    """As a program reads it (RFC 4180)."""
    return list(csv.DictReader(io.StringIO("".join(csv_chunks(evidence)), newline=""), strict=True))


def test_the_file_has_one_header_row_and_ends_its_lines_as_rfc_4180_says() -> None:
    text = "".join(csv_chunks(rebuild([JOINED, SECURED, RESET], NOON + DAY)))
    assert text.startswith(",".join(COLUMNS) + "\r\n")
    assert text.endswith("\r\n")
    assert text.count("\n") == text.count("\r\n") == 6
    assert [row["record"] for row in rows(rebuild([JOINED, RESET], NOON + DAY))] == [
        "workspace",
        "policy",
        "managed_by",
        "teammate",
        "reset",
    ]


def test_more_than_a_chunk_is_all_there() -> None:
    events = [told(Event.TEAMMATE_JOINED, whom=number, name=f"P{number}") for number in range(2500)]
    evidence = rebuild(events, NOON)
    assert len(list(csv_chunks(evidence))) == 3
    assert [row["record"] for row in rows(evidence)].count("teammate") == 2500


_NASTY = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)


@given(_NASTY | st.sampled_from("=+-@\t\r\n＝").flatmap(lambda first: _NASTY.map(lambda rest: first + rest)))
def test_no_text_becomes_a_formula_and_every_text_comes_back(text: str) -> None:
    gone = Gone(ANA, text, text, "member", NOON, NOON, Who("operator", None, text), left=False, reason=text)
    base = rebuild([], NOON)
    evidence = Evidence(NOON, text, None, base.policy, (), (gone,), (), ())
    (row,) = [each for each in rows(evidence) if each["record"] == "removed"]
    for column in ("name", "by", "reason"):
        assert row[column].removeprefix("'") == text.removeprefix("'") or row[column] == text
        assert not row[column].startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝"))
