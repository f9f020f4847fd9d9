"""The configuration: read once from the environment, checked whole, and handed on as values.

Every problem is collected before anything is raised, and each names the setting and what to do. A setting
that may hold a secret can also come from a file, by the same name with `_FILE`.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from nightlatch import config_checks as checks
from nightlatch.config_checks import MailTarget as MailTarget
from nightlatch.config_checks import NameServer, Network, SignUp

PREFIX = "NIGHTLATCH_"

SETTINGS = (
    *("DATABASE_URL", "DATA", "ORIGIN", "PATH", "NAME", "KEYS", "MAIL", "MAIL_FROM", "TRUSTED_PROXIES"),
    *("HOST", "PORT", "WORKERS", "SIGN_UP", "PROVIDER_NETWORKS", "NAME_SERVERS", "TEST_CLOCK"),
)

SECRETS = ("DATABASE_URL", "KEYS", "MAIL")
"""The settings that may hold a secret: each has a variant with `_FILE`."""

_LONGEST_SECRET = 1 << 16

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class ConfigProblem:
    """What is wrong with one setting and what to do. Never holds the value of a secret."""

    setting: str
    message: str

    def __str__(self) -> str:
        return f"{self.setting}: {self.message}"


class ConfigError(Exception):
    """The configuration cannot be used; `problems` are all that were found."""

    def __init__(self, problems: tuple[ConfigProblem, ...]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Config:
    """Every setting, checked."""

    database_url: str = field(repr=False)
    """`sqlite:///` and an absolute path, or `postgresql://` as libpq takes it."""
    data: Path
    origin: str
    """Scheme, host and port as browsers write them: lower case, no default port, no slash at the end."""
    path: str
    """Empty, or a prefix such as `/2fa`."""
    name: str
    keys: str | None = field(repr=False)
    """The key ring's text, which `KeyRing.parse` takes; None means the file `key_file`."""
    mail: MailTarget
    mail_from: str
    trusted_proxies: tuple[Network, ...]
    host: str
    port: int
    workers: int
    sign_up: SignUp
    provider_networks: tuple[Network, ...]
    """Inside the operator's own network: where identity providers may be asked all the same."""
    name_servers: tuple[NameServer, ...]
    """Those asked for the records that prove domains; none: the system's."""
    test_clock: Path | None
    warnings: tuple[ConfigProblem, ...] = ()
    """What works but should be looked at; `nightlatch doctor` shows it."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> "Config":
        """The configuration in `environment`, by default the process's. Raises ConfigError with every
        problem.
        """
        return _Reader(os.environ if environment is None else environment).read()

    @property
    def base_url(self) -> str:
        """Origin and path: what every link begins with."""
        return self.origin + self.path

    @property
    def origin_host(self) -> str:
        """Host and port of the origin, as a browser's Host header says them."""
        return urlsplit(self.origin).netloc

    @property
    def passkey_host(self) -> str | None:
        """Whom passkeys are made for (RP id): the host of the origin. None for a bare address, which has none."""
        host = urlsplit(self.origin).hostname or ""
        return host if host and not checks.is_address(host) else None

    @property
    def secure(self) -> bool:
        """Whether the origin is https."""
        return self.origin.startswith("https:")

    @property
    def local(self) -> bool:
        """Whether the origin is on localhost: only then are http, demo mail and the test clock allowed."""
        return checks.is_local(self.origin)

    @property
    def sqlite_path(self) -> Path | None:
        """The SQLite file, or None on PostgreSQL."""
        scheme, _, rest = self.database_url.partition(":///")
        return Path(rest) if scheme == "sqlite" else None

    @property
    def key_file(self) -> Path:
        """Where the generated key ring lies when NIGHTLATCH_KEYS is not set."""
        return self.data / "keys"

    def redacted(self) -> dict[str, str]:
        """Every setting by its name, as text without secrets."""
        values = {setting: _shown(getattr(self, setting.lower())) for setting in SETTINGS}
        values["DATABASE_URL"] = checks.redacted_database_url(self.database_url)
        values["KEYS"] = f"in {self.key_file}" if self.keys is None else "set"
        return {PREFIX + setting: value for setting, value in values.items()}


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)


class _Reader:
    """One reading of an environment: problems are noted, and a stand-in goes on to the next setting."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._problems: list[ConfigProblem] = []
        self._warnings: list[ConfigProblem] = []

    def read(self) -> Config:
        self._warn_of_strangers()
        data = Path(self._text("DATA") or "./data").expanduser().absolute()
        origin = self._checked("ORIGIN", checks.origin, "http://localhost:8000")
        local = checks.is_local(origin)
        name = self._checked("NAME", checks.name, "Nightlatch")
        mail = self._mail(data, local=local)
        config = Config(
            database_url=self._checked(
                "DATABASE_URL", checks.database_url, f"sqlite:///{data / 'nightlatch.db'}"
            ),
            data=data,
            origin=origin,
            path=self._checked("PATH", checks.path, ""),
            name=name,
            keys=self._checked("KEYS", checks.keys, None),
            mail=mail,
            mail_from=self._mail_from(mail, name, origin),
            trusted_proxies=self._checked("TRUSTED_PROXIES", checks.networks, ()),
            host=self._text("HOST") or "127.0.0.1",
            port=self._checked("PORT", lambda text: checks.number(text, 65_535), 8000),
            workers=self._checked("WORKERS", lambda text: checks.number(text, 64), 1),
            sign_up=self._checked("SIGN_UP", checks.sign_up, "closed"),
            provider_networks=self._checked("PROVIDER_NETWORKS", checks.networks, ()),
            name_servers=self._checked("NAME_SERVERS", checks.name_servers, ()),
            test_clock=self._test_clock(local=local),
            warnings=tuple(self._warnings),
        )
        if self._problems:
            raise ConfigError(tuple(self._problems))
        return config

    def _mail(self, data: Path, *, local: bool) -> MailTarget:
        demo = MailTarget("folder", folder=data / "mail")
        known = len(self._problems)
        mail = self._checked("MAIL", checks.mail, demo)
        if mail.kind in ("folder", "console") and not local and len(self._problems) == known:
            self._problem(
                "MAIL",
                "People need their mail: set smtp://user:password@host:587 (only localhost may do without).",
            )
        return demo if mail.kind == "folder" and mail.folder is None else mail

    def _mail_from(self, mail: MailTarget, name: str, origin: str) -> str:
        default = checks.sender(name, origin)
        if mail.kind in ("smtp", "smtps") and not self._text("MAIL_FROM"):
            self._warning(
                "MAIL_FROM", f"It is not set, so mail comes from {default}: may your mail server send that?"
            )
        return self._checked("MAIL_FROM", checks.mail_from, default)

    def _test_clock(self, *, local: bool) -> Path | None:
        text = self._text("TEST_CLOCK")
        if not text:
            return None
        if not local:
            self._problem(
                "TEST_CLOCK",
                "It is for tests on localhost only: whoever moves the clock passes every limit. Unset it.",
            )
        return Path(text).absolute()

    def _checked(self, setting: str, check: Callable[[str], _T], default: _T) -> _T:
        text = self._text(setting)
        if not text:
            return default
        try:
            return check(text)
        except checks.Invalid as invalid:
            self._problem(setting, str(invalid))
            return default

    def _text(self, setting: str) -> str:
        """The setting's text without white space around it; empty where it is not set."""
        text = self._environment.get(PREFIX + setting, "").strip()
        file = self._environment.get(f"{PREFIX}{setting}_FILE", "").strip() if setting in SECRETS else ""
        if text and file:
            self._problem(setting, f"It is set twice, here and by {PREFIX}{setting}_FILE. Keep one of them.")
        return text if text or not file else self._file(setting, Path(file))

    def _file(self, setting: str, path: Path) -> str:
        name = f"{setting}_FILE"
        try:
            with path.open(encoding="utf-8") as file:
                if os.fstat(file.fileno()).st_mode & 0o007:
                    self._warning(name, f"Everybody on this machine can read {path}: chmod o= {path}")
                text = file.read(_LONGEST_SECRET + 1).strip()
        except OSError as error:
            self._problem(name, f"{path} cannot be read: {error.strerror}.")
            return ""
        except UnicodeDecodeError:
            text = ""
        if not text or len(text) > _LONGEST_SECRET:
            self._problem(name, f"{path} is empty, too long or no text.")
            return ""
        return text

    def _problem(self, setting: str, message: str) -> None:
        problem = ConfigProblem(PREFIX + setting, message)
        if problem not in self._problems:
            self._problems.append(problem)

    def _warning(self, setting: str, message: str) -> None:
        warning = ConfigProblem(PREFIX + setting, message)
        if warning not in self._warnings:
            self._warnings.append(warning)

    def _warn_of_strangers(self) -> None:
        """A setting that is misspelt would silently not count."""
        known = {PREFIX + setting for setting in SETTINGS} | {
            f"{PREFIX}{setting}_FILE" for setting in SECRETS
        }
        for name in sorted(set(self._environment) - known):
            if name.startswith(PREFIX):
                close = get_close_matches(name, known, 1)
                hint = f" Did you mean {close[0]}?" if close else ""
                self._warning(name.removeprefix(PREFIX), f"There is no such setting.{hint}")
