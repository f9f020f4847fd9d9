"""A stand-in for Nightlatch, in memory: enough of its rules for a product's own tests. It guards nothing.

It knows who has 2FA, which workspaces require it and who has proved it; it gives start links, codes and grants, so
that whole journeys can be played without a browser (`prove`).
"""

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from nightlatch_client import calls, clock
from nightlatch_client.replies import Raw
from nightlatch_client.settings import Settings

_CODE_LIFE = timedelta(seconds=60)
_GRANT_LIFE = timedelta(hours=24)


@dataclass(slots=True)
class _Start:
    app: str
    person: str
    workspace: str
    state: str
    open: str | None


@dataclass(slots=True)
class _Grant:
    person: str
    workspace: str
    made_at: datetime
    proved_at: datetime


class StandIn:
    """Nightlatch as a product's tests see it. Everything that is not said is: nothing required, nobody has 2FA."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str, Any]] = []
        """Method, path and body of every call, oldest first."""
        self.teammates: dict[str, list[dict[str, Any]]] = {}
        """The list that was last given for each workspace."""
        self._down = False
        self._required: set[str] = set()
        self._enrolled: set[str] = set()
        self._denied: set[str] = set()
        self._known: set[tuple[str, str]] = set()
        self._proved: dict[str, datetime] = {}
        self._starts: dict[str, _Start] = {}
        self._codes: dict[str, tuple[_Start, datetime, str | None]] = {}
        self._grants: dict[str, _Grant] = {}
        self._prefix = "/nightlatch"

    # --- what a test says ---

    def requires(self, workspace: str, *, required: bool = True) -> None:
        """The workspace requires 2FA (or not any more)."""
        (self._required.add if required else self._required.discard)(workspace)

    def enrolled(self, person: str) -> None:
        """The person has 2FA, so that it is asked for."""
        self._enrolled.add(person)

    def proved(self, person: str, *, minutes_ago: float = 0) -> None:
        """The person has 2FA and showed it that long ago, in whichever browser."""
        self._enrolled.add(person)
        self._proved[person] = _now() - timedelta(minutes=minutes_ago)

    def denied(self, person: str) -> None:
        """The person may not come in, whatever is proved."""
        self._denied.add(person)

    def forget(self, person: str) -> None:
        """The person has no 2FA and has proved nothing."""
        self._enrolled.discard(person)
        self._denied.discard(person)
        self._proved.pop(person, None)
        self._grants = {name: grant for name, grant in self._grants.items() if grant.person != person}

    def down(self, *, down: bool = True) -> None:
        """Nightlatch does not answer (or does so again)."""
        self._down = down

    def prove(self, start: str) -> str:
        """Follow a start link as a person would, with the second step; the path where the browser comes back to."""
        token = urlsplit(start).path.rpartition("/")[2]
        found = self._starts.pop(token)
        self._enrolled.add(found.person)
        code = secrets.token_urlsafe(24)
        self._codes[code] = (found, _now(), None)
        return f"{self._prefix}/callback?{urlencode({'code': code, 'state': found.state})}"

    def opened(self, start: str) -> str | None:
        """The page of Nightlatch that a start link leads to."""
        return self._starts[urlsplit(start).path.rpartition("/")[2]].open

    # --- what the client asks ---

    def answer(self, settings: Settings, method: str, path: str, body: Any) -> Raw:
        """The answer to one call of the interface."""
        self.calls.append((method, path, body))
        self._prefix = settings.prefix
        if self._down:
            return _problem(503, "unavailable")
        parts = urlsplit(path)
        match (method, parts.path):
            case ("POST", "/app/check"):
                return _json(200, self._check(settings, body))
            case ("POST", "/app/grants"):
                return self._redeem(settings.app, body["code"], body["state"])
            case ("POST", "/app/grants/end"):
                self._grants.pop(body["grant"], None)
                return Raw(204, {}, b"")
            case ("PUT", "/app/teammates"):
                return self._teammates(body)
        if parts.path.startswith("/app/people/"):
            person = unquote(parts.path.removeprefix("/app/people/"))
            if method == "DELETE":
                self.forget(person)
                self._known = {pair for pair in self._known if pair[0] != person}
                return Raw(204, {}, b"")
            return self._standing(person, parse_qs(parts.query)["workspace"][0])
        return _problem(404, "not_found")

    def _check(self, settings: Settings, body: dict[str, Any]) -> dict[str, Any]:
        person = body["person"]
        who, where = person["id"], person["workspace"]
        self._known.add((who, where))
        at = self._proof_at(who, where, body.get("grant"), person.get("signed_in_at"))
        decision, reason = self._decide(who, where, at, person.get("signed_in_at"), body.get("max_age"))
        start = state = None
        if decision in ("challenge", "enrol") or ("open" in body and decision != "deny"):
            state = body.get("state") or secrets.token_urlsafe(24)
            token = secrets.token_urlsafe(24)
            self._starts[token] = _Start(settings.app, who, where, state, body.get("open"))
            start = f"{settings.url}/app/start/{token}"
        aal = 2 if at is not None else 1
        proof = {
            "aal": aal,
            "amr": ["pwd", "otp", "mfa"] if aal == 2 else ["pwd"],
            "at": clock.text_of(at) if at is not None else person.get("signed_in_at"),
        }
        return {
            "app": settings.app,
            "decision": decision,
            "reason": reason,
            "start": start,
            "state": state,
            "due": None,
            "proof": proof,
        }

    def _decide(
        self, who: str, where: str, at: datetime | None, signed_in: str | None, max_age: int | None
    ) -> tuple[str, str]:
        if who in self._denied:
            return "deny", "not_a_teammate"
        if who not in self._enrolled:
            if where in self._required:
                return "enrol", "mandate"
            at = clock.instant(signed_in) if signed_in is not None else None
        elif at is None:
            return "challenge", "second_factor"
        if max_age is not None and (at is None or _now() - at > timedelta(seconds=max_age)):
            return "challenge", "freshness"
        return "allow", "allowed"

    def _proof_at(self, who: str, where: str, grant: str | None, signed_in: str | None) -> datetime | None:
        found = self._grants.get(grant or "")
        times = [self._proved[who]] if who in self._proved else []
        counts = found is not None and (found.person, found.workspace) == (who, where)
        if found is not None and counts and (signed_in is None or clock.instant(signed_in) <= found.made_at):
            times.append(found.proved_at)
        return max(times, default=None)

    def _redeem(self, app: str, code: str, state: str) -> Raw:
        found, made_at, spent = self._codes.get(code, (None, _now(), None))
        if found is None or found.app != app or not secrets.compare_digest(found.state, state):
            return _problem(404, "not_found")
        if spent is not None:
            self._grants.pop(spent, None)
            return _problem(409, "already_used")
        if _now() - made_at > _CODE_LIFE:
            return _problem(410, "expired")
        grant = secrets.token_urlsafe(32)
        self._codes[code] = (found, made_at, grant)
        self._grants[grant] = _Grant(found.person, found.workspace, _now(), made_at)
        expires = clock.text_of(_now() + _GRANT_LIFE)
        answer = {"grant": grant, "expires_at": expires, "person": found.person, "workspace": found.workspace}
        return _json(200, answer)

    def _teammates(self, body: dict[str, Any]) -> Raw:
        old = {each["id"]: each for each in self.teammates.get(body["workspace"], [])}
        new = {each["id"]: each for each in body["people"]}
        removed = old.keys() - new.keys()
        if len(removed) * 5 > len(old) and not body["confirm"] and not body["dry_run"]:
            return _problem(409, "confirm_required", f"{len(removed)} of {len(old)} would be removed.")
        if not body["dry_run"]:
            self.teammates[body["workspace"]] = body["people"]
        same = [name for name in new.keys() & old.keys() if new[name] == old[name]]
        counts = {
            "added": len(new.keys() - old.keys()),
            "changed": len(new.keys() & old.keys()) - len(same),
            "removed": len(removed),
            "unchanged": len(same),
        }
        return _json(200, {**counts, "dry_run": body["dry_run"]})

    def _standing(self, person: str, workspace: str) -> Raw:
        two_factor = person in self._enrolled
        decision, reason = "allow", "allowed"
        if (person, workspace) not in self._known or person in self._denied:
            decision, reason = "deny", "not_a_teammate"
        elif workspace in self._required and not two_factor:
            decision, reason = "enrol", "mandate"
        answer = {"id": person, "workspace": workspace, "decision": decision, "reason": reason}
        return _json(200, {**answer, "two_factor": two_factor, "due": None})


@contextmanager
def standing_in() -> Iterator[StandIn]:
    """Meanwhile every `Nightlatch` of this process is answered by a stand-in in memory."""
    before, calls.stand_in = calls.stand_in, StandIn()
    try:
        yield calls.stand_in
    finally:
        calls.stand_in = before


def _now() -> datetime:
    return datetime.fromtimestamp(clock.now(), UTC)


def _json(status: int, body: dict[str, Any], kind: str = "application/json") -> Raw:
    return Raw(status, {"content-type": kind}, json.dumps(body).encode())


def _problem(status: int, code: str, detail: str = "") -> Raw:
    body = {"type": f"urn:nightlatch:problem:{code}", "status": status, "code": code, "detail": detail}
    return _json(status, body, "application/problem+json")
