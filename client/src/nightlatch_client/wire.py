"""The calls to Nightlatch as values: what is sent, and how the answer is read. No network here.

An answer that is not exactly what Nightlatch says to this app raises `WrongAnswer`: then nothing opens.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from urllib.parse import quote, urlsplit

from nightlatch_client.replies import (
    Raw,
    Reading,
    count,
    decision_of,
    expect,
    flag,
    grant_of,
    moment,
    nothing,
    proof_of,
    state_of,
    text,
)
from nightlatch_client.settings import Settings, safe_path
from nightlatch_client.values import Check, Grant, Person, Standing, Synced

T = TypeVar("T")
OPEN = re.compile(r"[a-z][a-z0-9-]*(?:/[a-z0-9-]+){0,3}")


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """One call. `name` is for logs and names nobody; `again` says that sending it twice does no harm."""

    name: str
    method: str
    path: str
    body: Mapping[str, Any] | None = field(repr=False)
    read: Callable[[Raw], T] = field(repr=False)
    again: bool = True
    seconds: float | None = None


class Wire:
    """The calls that one app makes."""

    def __init__(self, settings: Settings) -> None:
        self._app = settings.app
        self._server = settings.server_origin

    def check(
        self,
        person: Person,
        *,
        grant: str | None = None,
        max_age: int | None = None,
        open: str | None = None,  # noqa: A002  (the word of the interface)
        state: str | None = None,
    ) -> Call[Check]:
        """May this person be in that workspace now? `max_age` is in seconds, 60 to 86400."""
        body: dict[str, Any] = {"person": person.document()}
        optional = {"grant": grant, "max_age": max_age, "open": open, "state": state}
        body.update({name: value for name, value in optional.items() if value is not None})

        def read(raw: Raw) -> Check:
            return self._check(expect(raw, 200), person.workspace, state, opened=open is not None)

        return Call("check", "POST", "/app/check", body, read)

    def redeem(self, code: str, state: str) -> Call[Grant]:
        """Exchange the code that came back through the browser. Once: it is never sent twice."""
        return Call("redeem", "POST", "/app/grants", {"code": code, "state": state}, grant_of, again=False)

    def end(self, grant: str) -> Call[None]:
        """The person signed out of the product: the grant ends."""
        return Call("end", "POST", "/app/grants/end", {"grant": grant}, nothing)

    def teammates(
        self,
        workspace: str,
        workspace_name: str,
        people: Iterable[Person],
        *,
        dry_run: bool = False,
        confirm: bool = False,
    ) -> Call[Synced]:
        """The full list of one workspace."""
        body = {
            "workspace": workspace,
            "workspace_name": workspace_name,
            "people": [person.entry() for person in people],
            "dry_run": dry_run,
            "confirm": confirm,
        }

        def read(raw: Raw) -> Synced:
            found = expect(raw, 200)
            with Reading():
                added, changed, removed, unchanged = (
                    count(found[name]) for name in ("added", "changed", "removed", "unchanged")
                )
                return Synced(workspace, added, changed, removed, unchanged, flag(found["dry_run"]))

        return Call("teammates", "PUT", "/app/teammates", body, read, seconds=120)

    def standing(self, person: str, workspace: str) -> Call[Standing]:
        """May this person's API tokens work in that workspace? Whom nobody has told of there is denied."""

        def read(raw: Raw) -> Standing:
            found = expect(raw, 200)
            with Reading():
                if (found["id"], found["workspace"]) != (person, workspace):
                    raise ValueError("it is about somebody else")
                two_factor, due = flag(found["two_factor"]), moment(found.get("due"))
                return Standing(person, workspace, decision_of(found), text(found["reason"]), two_factor, due)

        path = f"/app/people/{quote(person, safe='')}?workspace={quote(workspace, safe='')}"
        return Call("standing", "GET", path, None, read)

    def gone(self, person: str) -> Call[None]:
        """The person has left the product: everything of theirs ends."""
        return Call("gone", "DELETE", f"/app/people/{quote(person, safe='')}", None, nothing)

    def _check(self, found: dict[str, Any], workspace: str, sent: str | None, *, opened: bool) -> Check:
        with Reading():
            if found["app"] != self._app:
                raise ValueError("it is for another app")
            decision = decision_of(found)
            start, state = self._start(found.get("start")), state_of(found.get("state"))
            needed = decision in ("challenge", "enrol") or (opened and decision == "allow")
            if (start is None or state is None) if needed else (start is not None and state is None):
                raise ValueError("it leads nowhere")
            if sent is not None and state not in (sent, None):
                raise ValueError("its state is another one")
            proof = proof_of(found["proof"], workspace)
            return Check(decision, text(found["reason"]), proof, start, state, moment(found.get("due")))

    def _start(self, start: object) -> str | None:
        """Where the browser is sent: a page of Nightlatch itself and nothing else."""
        if start is None:
            return None
        if not isinstance(start, str) or safe_path(f"/{start}") is None:
            raise ValueError("start is no address")
        parts = urlsplit(start)
        if f"{parts.scheme}://{parts.netloc}" != self._server:
            raise ValueError(f"start is not at {self._server}: is url= the NIGHTLATCH_ORIGIN of the server?")
        return start
