"""The app's secret: read once, read anew when Nightlatch no longer takes it, shown nowhere."""

import threading

from nightlatch_client.errors import Misconfigured
from nightlatch_client.sealed import Box
from nightlatch_client.settings import Settings


class Secret:
    """The secret in use, and the box made from it (see `Settings.secrets` for its older ones)."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._known: tuple[str, ...] = ()
        self._box: Box | None = None

    def __repr__(self) -> str:
        return "<Secret>"

    def current(self) -> str:
        """The secret that goes with calls. Raises Misconfigured where there is none."""
        return self._load()[0]

    def renew(self) -> bool:
        """Read it again; whether it is another one now."""
        try:
            found = self._settings.secrets()
        except Misconfigured:
            return False
        with self._lock:
            changed = found != self._known
            if changed:
                self._known, self._box = found, None
            return changed

    def box(self, instead: str | None = None) -> Box:
        """What seals cookies. `instead` stands in for a secret that is not there (tests without a server)."""
        if self._box is None:
            try:
                secrets = self._load()
            except Misconfigured:
                if instead is None:
                    raise
                return Box(self._settings.app, (instead,))
            self._box = Box(self._settings.app, secrets)
        return self._box

    def _load(self) -> tuple[str, ...]:
        if not self._known:
            with self._lock:
                self._known = self._known or self._settings.secrets()
        return self._known
