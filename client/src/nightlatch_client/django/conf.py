"""The setting NIGHTLATCH of a Django project."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.conf import settings
from django.core.signals import setting_changed
from django.utils.module_loading import import_string

from nightlatch_client.errors import Misconfigured
from nightlatch_client.gate import Gate
from nightlatch_client.nl import Nightlatch

_OPTIONAL = {
    "SECRET": "secret",
    "SECRET_FILE": "secret_file",
    "PREFIX": "prefix",
    "NAME": "name",
    "SIGN_IN": "sign_in",
    "DOWN_MESSAGE": "down_message",
    "TIMEOUT": "timeout",
    "TRANSPORT": "transport",
}
_OWN = ("URL", "APP", "ORIGIN", "PERSON", "EVERYONE", "OPEN")


@dataclass(frozen=True, slots=True)
class Configured:
    """What the project's setting says."""

    nl: Nightlatch
    gate: Gate
    person: Callable[..., Any]


@cache
def configured() -> Configured:
    """The project's connection and gate. Raises Misconfigured for what is missing or wrong."""
    given: Any = getattr(settings, "NIGHTLATCH", None)
    if not isinstance(given, dict):
        raise Misconfigured(
            "The setting NIGHTLATCH is missing: a dict with URL, APP, SECRET_FILE, ORIGIN and PERSON."
        )
    unknown = sorted(given.keys() - _OPTIONAL.keys() - set(_OWN))
    if unknown:
        raise Misconfigured(f"NIGHTLATCH has no {', '.join(map(str, unknown))}.")
    for name in ("URL", "APP", "ORIGIN", "PERSON"):
        if not given.get(name):
            raise Misconfigured(f"NIGHTLATCH lacks {name}.")
    more = {ours: given[theirs] for theirs, ours in _OPTIONAL.items() if theirs in given}
    login = str(settings.LOGIN_URL)
    if login.startswith("/"):
        more.setdefault("sign_in", login)
    nl = Nightlatch(given["URL"], app=given["APP"], origin=given["ORIGIN"], **more)
    if given.get("EVERYONE"):
        nl.everyone(_function("EVERYONE", given["EVERYONE"]))
    return Configured(nl, Gate(nl.desk, open=given.get("OPEN", ())), _function("PERSON", given["PERSON"]))


def _function(name: str, path: Any) -> Callable[..., Any]:
    try:
        found: Callable[..., Any] = import_string(path)
    except (ImportError, AttributeError, TypeError) as error:
        raise Misconfigured(f"NIGHTLATCH {name}={path!r} cannot be imported: {error}") from error
    return found


def _changed(*, setting: str, **_: Any) -> None:
    if setting in ("NIGHTLATCH", "LOGIN_URL"):
        configured.cache_clear()


setting_changed.connect(_changed)
