"""How the answers of Nightlatch are read, strictly: what it does not say to this app opens nothing."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nightlatch_client import clock
from nightlatch_client.errors import FieldError, Refused, SecretRefused, Unavailable, WrongAnswer
from nightlatch_client.values import DECISIONS, Grant, Proof

STATE = re.compile(r"[A-Za-z0-9_-]{22,128}")
_LONGEST_WAIT = 300


@dataclass(frozen=True, slots=True)
class Raw:
    """An HTTP answer; the names of its headers are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Reading:
    """Turns whatever a malformed answer makes Python raise into WrongAnswer."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, KeyError):
            raise WrongAnswer(f"the answer lacks {error.args[0]!r}") from None
        if isinstance(error, ValueError | TypeError | AttributeError):
            raise WrongAnswer(f"the answer cannot be: {error}") from None


def expect(raw: Raw, status: int) -> dict[str, Any]:
    """The body of the one answer that counts; everything else raises."""
    if raw.status == status:
        return object_of(raw)
    if raw.status == 401:
        raise SecretRefused("Nightlatch does not accept this app's secret")
    if raw.status in (400, 404, 409, 410, 413, 422):
        raise refused_of(raw)
    raise Unavailable(f"Nightlatch answered {raw.status}{_why(raw)}", retry_after=_retry_after(raw))


def _why(raw: Raw) -> str:
    """What a problem document says, for the log."""
    if "problem+json" not in raw.headers.get("content-type", ""):
        return ""
    try:
        refused = refused_of(raw)
    except WrongAnswer:
        return ""
    return f", {refused}"


def object_of(raw: Raw) -> dict[str, Any]:
    try:
        found = json.loads(raw.body)
    except (ValueError, RecursionError):
        raise WrongAnswer(f"the answer ({raw.status}) is not JSON") from None
    if not isinstance(found, dict):
        raise WrongAnswer(f"the answer ({raw.status}) is no JSON object")
    return found


def refused_of(raw: Raw) -> Refused:
    found = object_of(raw)
    with Reading():
        code, detail = text(found["code"]), text(found.get("detail", ""))
        errors = tuple(
            FieldError(text(each["field"]), text(each["message"])) for each in found.get("errors", ())
        )
        return Refused(raw.status, code, detail, errors)


def grant_of(raw: Raw) -> Grant:
    found = expect(raw, 200)
    with Reading():
        expires = clock.instant(found["expires_at"])
        grant, person, workspace = (text(found[name]) for name in ("grant", "person", "workspace"))
        if not grant or len(grant) > 512:
            raise ValueError("the grant is empty or long")
        return Grant(grant, expires, person, workspace)


def nothing(raw: Raw) -> None:
    if raw.status != 204:
        expect(raw, 204)


def decision_of(found: dict[str, Any]) -> Any:
    decision = found["decision"]
    if decision not in DECISIONS:
        raise ValueError("the decision is unknown")
    return decision


def proof_of(found: Any, workspace: str) -> Proof:
    aal = found["aal"]
    if type(aal) is not int or not 0 <= aal <= 2:
        raise ValueError("aal is not 0, 1 or 2")
    return Proof(aal, tuple(text(each) for each in found["amr"]), moment(found["at"]), workspace)


def state_of(found: object) -> str | None:
    if found is not None and not (isinstance(found, str) and STATE.fullmatch(found)):
        raise ValueError("the state has another form")
    return found


def moment(found: object) -> Any:
    return None if found is None else clock.instant(found)


def text(found: object) -> str:
    if not isinstance(found, str):
        raise ValueError("a text is none")
    return found


def count(found: object) -> int:
    if type(found) is not int or found < 0:
        raise ValueError("a count is none")
    return found


def flag(found: object) -> bool:
    if type(found) is not bool:
        raise ValueError("a yes or no is neither")
    return found


def _retry_after(raw: Raw) -> int:
    said = raw.headers.get("retry-after", "")
    return (
        min(_LONGEST_WAIT, max(1, int(said))) if said.isascii() and said.isdecimal() and len(said) < 9 else 5
    )
