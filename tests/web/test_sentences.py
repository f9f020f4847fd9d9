"""Every audit event can be told to a person."""

import pytest

from nightlatch.vocabulary import Event
from nightlatch.web import sentences
from nightlatch.web.detail_words import details
from nightlatch.web.sentences import Told

DETAIL = {
    "ended_by": "withdrawn",
    "connection": "Okta",
    "ends_at": "2026-12-08T09:00:00Z",
    "enough": "yes",
    "former_name": "Anna",
    "invited_by": "Dana",
    "managed_by": "owners",
    "method": "totp",
    "required_from": "2026-12-08T09:00:00Z",
    "strength_from": "2026-12-08T09:00:00Z",
    "role": "admin",
    "rule": "accept",
    "why": "ended",
}


def told(event: str, *, kind: str = "account", who: str = "Dana", itself: bool = False) -> str:
    return sentences.sentence(Told(event, kind, who, "Ana", itself, DETAIL))


@pytest.mark.parametrize("event", Event)
def test_every_event_has_a_sentence_and_a_name(event: Event) -> None:
    text = told(event)
    assert text.endswith(".")
    assert text[0].isupper()
    assert "{" not in text
    assert "something" not in text
    assert "." not in sentences.label(event)
    assert len(sentences.label(event)) <= 30


@pytest.mark.parametrize("event", Event)
def test_a_bare_event_has_one_too(event: Event) -> None:
    assert sentences.sentence(Told(event, "system", "", "", itself=False, detail={})).endswith(".")


def test_what_workspaces_read_is_told_with_names() -> None:
    assert told(Event.MANDATE_TURNED_ON) == "Dana required 2FA of everyone."
    assert told(Event.MANDATE_SCHEDULED) == "Dana required 2FA of everyone from 8 Dec 2026, 09:00 UTC."
    assert told(Event.TEAMMATE_ROLE_CHANGED) == "Dana made Ana an admin."
    assert told(Event.TEAMMATE_ROLE_CHANGED, who="Ana", itself=True) == "Ana became an admin."
    assert (
        told(Event.TEAMMATE_RESET, kind="operator", who="Kim") == "The operator (Kim) disabled 2FA for Ana."
    )
    assert told(Event.POLICY_CHANGED) == "Dana lets only owners manage authentication."


def test_a_product_is_told_of_in_words() -> None:
    assert told(Event.APP_ADDED) == "Dana registered the product Ana."
    assert told(Event.MANDATE_OWNERLESS, kind="app", who="Acme Notes").startswith("Acme Notes took away")
    assert told(Event.TEAMMATE_REMOVED, kind="app", who="") == "The product removed Ana."
    assert details(
        {"origins": ["https://a.example", "https://b.example"], "role_map": {"boss": "owner"}, "secret": "x"}
    ) == [
        ("Where it is reached", "https://a.example, https://b.example"),
        ("Its words for roles", "boss = owner"),
    ]


def test_an_event_of_a_later_version_is_told_by_its_name() -> None:
    assert told("device.trusted") == "device.trusted"
    assert sentences.label("device.trusted") == "device.trusted"


def test_details_are_in_words_and_ids_stay_out() -> None:
    found = dict(
        details(
            {
                "reset": "0000000000001",
                "reason": "Lost phone",
                "recognised_by": "phone",
                "number_waived": False,
                "required_from": "2026-12-08T09:00:00Z",
                "before": None,
                "later_thing": "7",
            }
        )
    )
    assert found == {
        "Reason": "Lost phone",
        "Recognised by": "Called on a number that was known",
        "Required from": "8 Dec 2026, 09:00 UTC",
        "Later thing": "7",
    }
