"""Personal API tokens: made at AAL2 with fresh proof, scoped, running out, shown once, ended by their owner.

A token is no session and no proof (design section 7): it reads what its scopes name in the workspaces that it was made
for, as long as its maker could come in there (`access.decide`). Why it is so: docs/decisions/0019-tokens.md.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Any

from nightlatch.actions import kinds
from nightlatch.actions.by import By
from nightlatch.actions.guard import allowed, person_of
from nightlatch.actions.kept import refuse_person
from nightlatch.actions.mailing import mail_account
from nightlatch.actions.tokens import Token, new_api_token
from nightlatch.assurance import counting, has_second, relied_on, usable_methods
from nightlatch.audit.events import Subject, record
from nightlatch.audit.events import account as account_subject
from nightlatch.decision import Challenge
from nightlatch.facts import Reach, WorkspaceId
from nightlatch.ids import to_text
from nightlatch.instants import DAY, Duration, Instant
from nightlatch.instants import to_text as instant_text
from nightlatch.names import clean_name
from nightlatch.refusals import Code, Refused, WayOut, invalid, not_found, refusal_of
from nightlatch.store import accounts, api_tokens
from nightlatch.store.engine import Transaction
from nightlatch.store.known import Known
from nightlatch.store.locks import lock
from nightlatch.store.query import Row
from nightlatch.vocabulary import Event, Reason, Scope

DEFAULT_LIFE: Duration = 90 * DAY
LONGEST_LIFE: Duration = 365 * DAY
MOST_TOKENS = 50
"""Of one person, or of one service account, at a time."""


@dataclass(frozen=True, slots=True)
class ApiToken:
    """One token, as its owner sees it: never what it is."""

    id: int
    name: str
    scopes: tuple[Scope, ...]
    workspace: tuple[str, str] | None
    """Slug and name of the one workspace that it was limited to."""
    created_at: Instant
    expires_at: Instant
    last_used_at: Instant | None
    expired: bool


@dataclass(frozen=True, slots=True)
class Made:
    """A new token; its text is in the answer and nowhere else."""

    shown: ApiToken
    token: Token


def own(tx: Transaction, *, by: By) -> list[ApiToken]:
    """A person's tokens, the newest first; those that ran out stay for 30 days. Reads only. Raises Refused."""
    person = person_of(allowed(tx, by, kinds.READ_ACCOUNT))
    return [shown(tx, row) for row in api_tokens.of_account(tx, person.id)]


def make(
    tx: Transaction,
    *,
    by: By,
    name: str,
    scopes: Iterable[str],
    expires_at: Instant | None = None,
    workspace_id: WorkspaceId | None = None,
) -> Made:
    """Make a token that is good in one workspace, or in all that the person is in now.

    In each of them the session's second factor must count, and be fresh. `expires_at`: None is in 90 days; a year at
    most. Raises Refused: what the gate raises, `not_enrolled` where there is no 2FA, `invalid`, `conflict`.
    """
    name, wanted = clean_name(name), clean_scopes(scopes)
    ends = clean_expiry(tx, expires_at)
    lock(tx, accounts=[by.id] if by.id is not None else [])
    now = allowed(tx, by, kinds.READ_ACCOUNT)
    refuse_person(person_of(now))
    places = _places(now, workspace_id)
    known = allowed(tx, by, replace(kinds.MAKE_TOKEN, reach=Reach(workspaces=frozenset(places))))
    for place in places:
        _second_counts(known, place)
    account = accounts.by_id(tx, person_of(known).id)
    if account is None:
        raise not_found()
    room(api_tokens.count(tx, account_id=account.id))
    token = new_api_token()
    id = api_tokens.create(
        tx,
        token_hash=token.hash,
        name=name,
        scopes=wanted,
        expires_at=ends,
        account_id=account.id,
        workspace_id=workspace_id,
        good_in=places,
    )
    _record(tx, Event.TOKEN_MADE, by, account, places, _told(id, name, wanted, ends))
    mail_account(tx, "token_made", account, by=by, name=name, expires=ends)
    made = next(row for row in api_tokens.of_account(tx, account.id) if row.id == id)
    return Made(shown(tx, made), token)


def end(tx: Transaction, *, by: By, token_id: int) -> None:
    """End one of one's own tokens: dead with the next request. Raises Refused: what the gate raises, `not_found`."""
    lock(tx, accounts=[by.id] if by.id is not None else [])
    account = accounts.by_id(tx, person_of(allowed(tx, by, kinds.END_TOKEN)).id)
    row = api_tokens.end_own(tx, token_id, account.id) if account is not None else None
    if account is None or row is None:
        raise not_found()
    _record_end(tx, by, account, row, "ended by its owner")


# --- what ends tokens beside their owner ---


def end_of_account(tx: Transaction, account: Row, *, by: By, how: str, since: Instant = 0) -> int:
    """End a person's tokens, with an event for each: all, or those made at `since` or later. How many.

    For what means that somebody else may have had the account: a forgotten password, an undone e-mail change, a
    contested authenticator (since it was bound). Call it under the account's lock. `how`: a few words for the record.
    """
    ended = api_tokens.end_all_of_account(tx, account.id, since)
    for row in ended:
        _record_end(tx, by, account, row, how)
    return len(ended)


def end_all(tx: Transaction) -> int:
    """End everybody's tokens, service accounts' included; how many. Whoever calls it records it, and why."""
    return api_tokens.end_all(tx)


# --- shared with service accounts ---


def shown(tx: Transaction, row: Row) -> ApiToken:
    """A token's row, for its list."""
    slug = getattr(row, "slug", None)
    return ApiToken(
        row.id,
        row.name,
        tuple(Scope(each) for each in row.scopes.split()),
        (slug, row.workspace_name) if slug is not None else None,
        row.created_at,
        row.expires_at,
        row.last_used_at,
        row.expires_at <= tx.now,
    )


def clean_scopes(scopes: Iterable[str]) -> tuple[Scope, ...]:
    """The scopes, each once, in their own order. Raises Refused (`invalid`) for none, or one that there is not."""
    wanted = set(scopes)
    if not wanted:
        raise invalid("scopes", "Choose what the token may read.")
    if not wanted <= set(Scope):
        raise invalid("scopes", f"Each is one of: {', '.join(Scope)}.")
    return tuple(each for each in Scope if each in wanted)


def clean_expiry(tx: Transaction, expires_at: Instant | None) -> Instant:
    """When a new token runs out: in 90 days unless said otherwise, a year at most. Raises Refused (`invalid`)."""
    if expires_at is None:
        return tx.now + DEFAULT_LIFE
    if not tx.now < expires_at <= tx.now + LONGEST_LIFE:
        raise invalid("expires_at", "A token runs out within a year (365 days), and not before now.")
    return expires_at


def room(have: int) -> None:
    """Raises Refused (`conflict`) for one token too many."""
    if have >= MOST_TOKENS:
        raise Refused(
            Code.CONFLICT,
            f"There are {MOST_TOKENS} tokens already, and no more are good at a time.",
            WayOut("End one first.", "/settings/user/tokens"),
        )


# --- inside ---


def _places(known: Known, workspace_id: WorkspaceId | None) -> list[WorkspaceId]:
    """The workspaces that a token is to be good in."""
    here = [each.workspace for each in known.facts.teammates]
    if workspace_id is None and not here:
        raise Refused(
            Code.CONFLICT,
            "You are in no workspace, so there is nothing that a token could read.",
            WayOut("Go to your workspaces.", "/workspaces"),
        )
    if workspace_id is not None and workspace_id not in here:
        raise not_found()
    return [workspace_id] if workspace_id is not None else here


def _second_counts(known: Known, workspace_id: WorkspaceId) -> None:
    """AAL2 there. Raises Refused."""
    facts = known.facts
    if has_second(counting(facts, workspace_id)):
        return
    if relied_on(facts, workspace_id):
        methods = usable_methods(facts, workspace_id)
        raise refusal_of(Challenge(Reason.SECOND_FACTOR, methods, workspace=workspace_id))
    place = (known.places or {})[workspace_id]
    raise Refused(
        Code.NOT_ENROLLED,
        f"You have no 2FA in {place.name}. An API token is for those who have it.",
        WayOut("Set up 2FA, or make a token for another workspace alone.", f"/set-up?workspace={place.slug}"),
    )


def _told(id: int, name: str, scopes: Iterable[Scope], ends: Instant) -> dict[str, Any]:
    return {
        "token": to_text(id),
        "name": name,
        "scopes": [each.value for each in scopes],
        "expires_at": instant_text(ends),
    }


def _record(
    tx: Transaction,
    event: Event,
    by: By,
    account: Row,
    places: Collection[WorkspaceId],
    told: dict[str, Any],
) -> None:
    """The account's own event, and one in each workspace, which says nothing of the others (law 7)."""
    subject: Subject = account_subject(account.id, account.name)
    record(tx, event, by=by, subject=subject, **told)
    for place in places:
        record(tx, event, by=by, subject=subject, workspace_id=place, **told)


def _record_end(tx: Transaction, by: By, account: Row, row: Row, how: str) -> None:
    told: dict[str, Any] = {"token": to_text(row.id), "name": row.name, "how": how}
    _record(tx, Event.TOKEN_ENDED, by, account, api_tokens.good_in(tx, row.id), told)
