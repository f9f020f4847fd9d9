"""Every property held over every case of a ground: what the enumerations of decisions have in common."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from nightlatch.access import decide
from nightlatch.decision import Action, Allow
from nightlatch.facts import Facts
from nightlatch.vocabulary import Reason
from tests.pure import journeys, properties
from tests.pure.cases import Ground

PROPERTIES: dict[str, Callable[[Facts, properties.Answers], None]] = {
    "allow is never below what is required": properties.allows_what_is_required,
    "refusals come in their order": properties.refuses_in_order,
    "every refusal leads on": journeys.leads_on,
    "suspended is never nothing bound": properties.keeps_suspended_apart_from_unbound,
    "nothing that A did changes B": properties.keeps_b_from_a,
    "binding reaches only where both things were shown": properties.binds_where_it_may,
    "after a reset only its ticket binds": properties.binds_after_a_reset_by_its_ticket,
    "an enrolment binds nowhere unasked": properties.binds_nowhere_unasked,
}
MORE = "more proof never hurts"


@dataclass
class Seen:
    """What an enumeration came upon."""

    decisions: int = 0
    outcomes: set[tuple[str, Reason]] = field(default_factory=set)
    broken: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def note(self, name: str, facts: Facts, why: object) -> None:
        """Keep the first few failures of a property."""
        if len(self.broken[name]) < 3:
            self.broken[name].append(f"{why}\n  {facts}")


def look_through(grounds: Iterator[Ground], actions: Sequence[Action]) -> Seen:
    """Hold every property over all cases of these grounds."""
    seen = Seen()
    for ground in grounds:
        allowed = {chosen: _hold(seen, facts, actions) for chosen, facts in ground.cases()}
        for chosen, before in allowed.items():
            for more in ground.more(chosen):
                if before & ~allowed[more]:
                    seen.note(MORE, ground.facts, f"{chosen} -> {more}: {before & ~allowed[more]:b}")
    return seen


def _hold(seen: Seen, facts: Facts, actions: Sequence[Action]) -> int:
    """The properties of one case; returns which actions are allowed, as bits."""
    answers = [(action, decide(facts, action)) for action in actions]
    seen.decisions += len(answers)
    seen.outcomes.update((type(decision).__name__, decision.reason) for _, decision in answers)
    for name, holds in PROPERTIES.items():
        try:
            holds(facts, answers)
        except AssertionError as why:
            seen.note(name, facts, why)
    return sum(isinstance(decision, Allow) << number for number, (_, decision) in enumerate(answers))
