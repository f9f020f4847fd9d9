"""What an audit event says to a person: one whole sentence for each, and its details in words.

Every event of the vocabulary has its sentence (tests/web/test_sentences.py). The names are those of the moment.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nightlatch.store.query import Row
from nightlatch.vocabulary import Event
from nightlatch.web.detail_words import details, in_words, sentence_case
from nightlatch.web.event_sentences import EVENTS


@dataclass(frozen=True, slots=True)
class Told:
    """One event, as far as sentences need it."""

    event: str
    actor_kind: str
    actor_name: str
    subject_name: str
    itself: bool
    """The actor is the subject."""
    detail: Mapping[str, Any]


def told(row: Row, detail: Mapping[str, Any]) -> Told:
    """An event's row and its opened detail."""
    itself = (
        row.actor_kind == row.subject_kind and row.actor_id is not None and row.actor_id == row.subject_id
    )
    return Told(row.event, row.actor_kind, row.actor_name, row.subject_name, itself, detail)


def label(event: str) -> str:
    """What a list of events calls it."""
    return EVENTS[Event(event)][0] if event in EVENTS else event


def sentence(told: Told) -> str:
    """The whole sentence. A name that is missing becomes a word."""
    return tell(told)[0]


def tell(told: Told) -> tuple[str, list[tuple[str, str]]]:
    """The whole sentence, and what it leaves out of the detail."""
    if told.event not in EVENTS:
        return told.event, details(told.detail)
    text = EVENTS[Event(told.event)][1]
    if told.event == Event.TEAMMATE_ROLE_CHANGED and told.itself:
        text = "{who} became {role}."
    if told.event == Event.POLICY_CHANGED and "remember_days" in told.detail:
        text = "{who} changed for how many days a browser may be remembered: {remember_days}."
    words = _Words(told)
    made = sentence_case(text.format_map(words))
    return made, details({key: value for key, value in told.detail.items() if key not in words.used})


def actor(kind: str, name: str) -> str:
    """Who acted."""
    if kind == "operator":
        return f"the operator ({name})" if name else "the operator"
    if kind == "app":
        return name or "the product"
    if kind == "visitor":
        return "somebody"
    return name or "somebody"


class _Words(dict[str, str]):
    """The words of a sentence: who, whom, and whatever the detail holds."""

    def __init__(self, told: Told) -> None:
        super().__init__(who=actor(told.actor_kind, told.actor_name), whom=told.subject_name or "somebody")
        self._detail = told.detail
        self.used: set[str] = set()

    def __missing__(self, key: str) -> str:
        article = key.startswith("a_")
        key = key.removeprefix("a_")
        self.used.add(key)
        text = in_words(key, self._detail.get(key), inside=True) or "something"
        return f"{'an' if text[0] in 'aeiou' else 'a'} {text}" if article else text
