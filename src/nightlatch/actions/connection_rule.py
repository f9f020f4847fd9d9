"""What a sign-in by a connection counts for beside the first factor: ask, accept listed values, or an exemption."""

from collections.abc import Iterable

from nightlatch.actions import kinds
from nightlatch.actions.by import SYSTEM, By
from nightlatch.actions.connections import (
    Connection,
    came_by_no_more,
    locked,
    note,
    path_of,
    shown,
    tell_owners,
    there,
)
from nightlatch.facts import ConnectionId, WorkspaceId
from nightlatch.ids import to_text as id_text
from nightlatch.instants import DAY, MINUTE, SECOND, Duration, Instant, to_text
from nightlatch.mail import words
from nightlatch.policy import Acceptance, SsoRule
from nightlatch.refusals import Code, Refused, WayOut, invalid
from nightlatch.store import connections
from nightlatch.store.connection_rules import acceptance_of
from nightlatch.store.engine import Transaction
from nightlatch.store.locks import lock
from nightlatch.vocabulary import Event, Role

LONGEST_EXEMPTION: Duration = 90 * DAY
SHORTEST_AGE: Duration = MINUTE
LONGEST_AGE: Duration = 30 * DAY
MOST_VALUES = 20
LONGEST_VALUE = 200
_SAID = {
    SsoRule.ASK: "asks everybody who comes by {name} for a second step here",
    SsoRule.ACCEPT: "lets Nightlatch take the second step that {name} vouches for",
    SsoRule.EXEMPT: "lets those who come by {name} do without a second step until {until}",
}


def set_rule(
    tx: Transaction,
    *,
    by: By,
    workspace_id: WorkspaceId,
    connection_id: ConnectionId,
    rule: SsoRule,
    second: Iterable[str] = (),
    resistant: Iterable[str] = (),
    max_age: Duration | None = None,
    exempt_until: Instant | None = None,
) -> Connection:
    """Set the rule of a connection; it bites with the next request of everybody who came by it.

    `second`, `resistant`: the values of `acr` or `amr` that stand for a second factor, and for a phishing-resistant
    one. Raises Refused: what the gate raises, `not_found`, `invalid`, `not_permitted` for an exemption that is given,
    or ended later, by somebody who is no owner.
    """
    wanted = _wanted(tx.now, rule, second, resistant, max_age, exempt_until)
    workspace, known = locked(tx, by, workspace_id, kinds.MANAGE_CONNECTIONS)
    old = there(tx, workspace_id, connection_id)
    before = acceptance_of(old)
    me = known.facts.teammate(workspace_id)
    if rule is SsoRule.EXEMPT and (me is None or me.role is not Role.OWNER):
        raise Refused(
            Code.NOT_PERMITTED,
            "Only an owner can let people do without a second step.",
            WayOut("Ask an owner, or choose another rule.", path_of(workspace.slug)),
        )
    if before == wanted:
        return shown(old)
    exempt_by = by.name if rule is SsoRule.EXEMPT else None
    connections.set_rule(tx, connection_id, wanted, exempt_by=exempt_by)
    came_by_no_more(tx, old)
    row = there(tx, workspace_id, connection_id)
    note(
        tx,
        Event.CONNECTION_RULE_CHANGED,
        by,
        row,
        connection=id_text(row.id),
        before=before.rule,
        **_detail(wanted),
    )
    until = words.day(wanted.exempt_until) if wanted.exempt_until is not None else ""
    tell_owners(tx, by, workspace, _SAID[rule].format(name=row.name, until=until))
    return shown(row)


def exemption_waits(tx: Transaction) -> bool:
    """Whether an exemption is over that the Teammates table still shows. Takes no lock."""
    return connections.over(tx) is not None


def end_exemption(tx: Transaction) -> bool:
    """Take it out of the table: the decision itself looks at the clock. Whether there may be more."""
    row = connections.over(tx)
    if row is None:
        return False
    lock(tx, workspaces=[row.workspace_id])
    came_by_no_more(tx, row)
    note(tx, Event.CONNECTION_EXEMPTION_ENDED, SYSTEM, row)
    return True


def _wanted(
    now: Instant,
    rule: SsoRule,
    second: Iterable[str],
    resistant: Iterable[str],
    max_age: Duration | None,
    exempt_until: Instant | None,
) -> Acceptance:
    if rule is SsoRule.ASK:
        return Acceptance()
    if rule is SsoRule.EXEMPT:
        return Acceptance(rule, exempt_until=_checked_end(now, exempt_until))
    strong = _values(resistant, "resistant")
    listed = _values(second, "second")
    if not (strong or listed):
        raise invalid("second", "List at least one value of acr or amr that stands for a second step.")
    if max_age is not None and not SHORTEST_AGE <= max_age <= LONGEST_AGE:
        raise invalid("max_age", "Between one minute and 30 days.")
    return Acceptance(rule, listed, strong, max_age)


def _checked_end(now: Instant, end: Instant | None) -> Instant:
    if end is None or end <= now:
        raise invalid("exempt_until", "An exemption needs an end. Choose a day to come.")
    if end > now + LONGEST_EXEMPTION:
        raise invalid("exempt_until", f"At most {LONGEST_EXEMPTION // DAY} days from now.")
    return end


def _values(values: Iterable[str], field: str) -> frozenset[str]:
    cleaned = frozenset(value.strip() for value in values if value.strip())
    if len(cleaned) > MOST_VALUES or any(
        len(each) > LONGEST_VALUE or not each.isprintable() or " " in each for each in cleaned
    ):
        raise invalid(
            field, f"At most {MOST_VALUES} values, each one word of at most {LONGEST_VALUE} characters."
        )
    return cleaned


def _detail(wanted: Acceptance) -> dict[str, object]:
    return {
        "rule": wanted.rule,
        "second": sorted(wanted.second) or None,
        "resistant": sorted(wanted.resistant) or None,
        "max_age_seconds": wanted.max_age // SECOND if wanted.max_age is not None else None,
        "exempt_until": to_text(wanted.exempt_until) if wanted.exempt_until is not None else None,
    }
