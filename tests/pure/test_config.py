"""The configuration: every setting of the interface, every problem at once, no secret in a message."""

import base64
import dataclasses
from ipaddress import ip_network
from pathlib import Path

import pytest

from nightlatch.config import Config, ConfigError, MailTarget

KEY = "k1:" + base64.b64encode(b"S" * 32).decode()

PUBLIC = {
    "NIGHTLATCH_ORIGIN": "https://2fa.acme.example",
    "NIGHTLATCH_MAIL": "smtp://acme:s%40cret@mail.acme.example",
    "NIGHTLATCH_MAIL_FROM": "Acme <2fa@acme.example>",
}


def read(**settings: str) -> Config:
    return Config.from_environment({f"NIGHTLATCH_{name}": value for name, value in settings.items()})


def problems(environment: dict[str, str]) -> dict[str, str]:
    with pytest.raises(ConfigError) as refused:
        Config.from_environment(environment)
    for problem in refused.value.problems:
        assert problem.message.endswith((".", "://", ">", "path", "com"))
        assert str(problem) in str(refused.value)
    return {problem.setting: problem.message for problem in refused.value.problems}


def problem(setting: str, value: str, **others: str) -> str:
    found = problems({f"NIGHTLATCH_{name}": text for name, text in {**others, setting: value}.items()})
    assert list(found) == [f"NIGHTLATCH_{setting}"]
    return found[f"NIGHTLATCH_{setting}"]


# Without anything


def test_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """interface.md's table: an empty environment gives a working demo on localhost."""
    monkeypatch.chdir(tmp_path)
    config = Config.from_environment({})
    assert config == Config(
        database_url=f"sqlite:///{tmp_path}/data/nightlatch.db",
        data=tmp_path / "data",
        origin="http://localhost:8000",
        path="",
        name="Nightlatch",
        keys=None,
        mail=MailTarget("folder", folder=tmp_path / "data" / "mail"),
        mail_from='"Nightlatch" <nightlatch@localhost>',
        trusted_proxies=(),
        host="127.0.0.1",
        port=8000,
        workers=1,
        sign_up="closed",
        provider_networks=(),
        name_servers=(),
        test_clock=None,
    )
    assert config.sqlite_path == tmp_path / "data" / "nightlatch.db"
    assert config.key_file == tmp_path / "data" / "keys"
    assert config.local
    assert not config.secure


def test_the_process_environment_is_the_default(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("NIGHTLATCH_NAME", "Acme Sign-in")
    assert Config.from_environment().name == "Acme Sign-in"


def test_everything_set(tmp_path: Path):
    config = Config.from_environment(
        {
            **PUBLIC,
            "NIGHTLATCH_DATABASE_URL": "postgresql://u:p@one:5432,two:5433/acme?target_session_attrs=any",
            "NIGHTLATCH_DATA": str(tmp_path),
            "NIGHTLATCH_PATH": "/2fa",
            "NIGHTLATCH_NAME": "Acme: Größe",
            "NIGHTLATCH_KEYS": KEY,
            "NIGHTLATCH_TRUSTED_PROXIES": "10.0.0.5, 192.168.0.0/16 fd00::/8",
            "NIGHTLATCH_HOST": "0.0.0.0",  # noqa: S104 - a setting like any other
            "NIGHTLATCH_PORT": "9000",
            "NIGHTLATCH_WORKERS": "4",
            "NIGHTLATCH_SIGN_UP": "open",
        }
    )
    assert config.database_url == "postgresql://u:p@one:5432,two:5433/acme?target_session_attrs=any"
    assert config.sqlite_path is None
    assert config.base_url == "https://2fa.acme.example/2fa"
    assert config.origin_host == "2fa.acme.example"
    assert config.secure
    assert not config.local
    assert config.mail == MailTarget("smtp", "mail.acme.example", 587, "acme", "s@cret")
    assert config.mail_from == "Acme <2fa@acme.example>"
    assert config.trusted_proxies == tuple(map(ip_network, ("10.0.0.5/32", "192.168.0.0/16", "fd00::/8")))
    assert (config.host, config.port, config.workers, config.sign_up) == ("0.0.0.0", 9000, 4, "open")  # noqa: S104
    assert config.keys == KEY
    assert config.warnings == ()


def test_an_empty_setting_is_no_setting():
    """As compose files and unit files write what is left out."""
    assert read(ORIGIN="", PATH="  ", KEYS="", KEYS_FILE="") == Config.from_environment({})


def test_a_config_does_not_change():
    config = Config.from_environment({})
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.port = 1  # type: ignore[misc]


# Origin and path


@pytest.mark.parametrize(
    "text,origin",
    [
        ("https://2fa.acme.example", "https://2fa.acme.example"),
        ("https://2fa.acme.example/", "https://2fa.acme.example"),
        ("HTTPS://2FA.Acme.Example:443", "https://2fa.acme.example"),
        ("https://2fa.acme.example:8443", "https://2fa.acme.example:8443"),
        ("https://xn--gre-6ka8i.example", "https://xn--gre-6ka8i.example"),
        ("https://[2001:DB8::0:1]:8443", "https://[2001:db8::1]:8443"),
        ("https://192.0.2.7", "https://192.0.2.7"),
        ("http://localhost", "http://localhost"),
        ("http://localhost:80", "http://localhost"),
        ("http://LOCALHOST:8000/", "http://localhost:8000"),
        ("http://acme.localhost:8000", "http://acme.localhost:8000"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("https://localhost:8443", "https://localhost:8443"),
    ],
)
def test_origins_are_normalised(text: str, origin: str):
    """F44: links have one origin, written as browsers write it."""
    assert Config.from_environment({**PUBLIC, "NIGHTLATCH_ORIGIN": text}).origin == origin


@pytest.mark.parametrize(
    "text",
    [
        "2fa.acme.example",
        "ftp://2fa.acme.example",
        "https://",
        "https:///path",
        "https://2fa.acme.example/2fa",
        "https://2fa.acme.example?x=1",
        "https://2fa.acme.example?",
        "https://2fa.acme.example#x",
        "https://ana@2fa.acme.example",
        "https://ana:pass@2fa.acme.example",
        "https://2fa.acme.example:99999",
        "https://2fa.acme.example:port",
        "https://2fa acme.example",
        "https://2fa.acme\t.example",
        "https://-acme.example",
        "https://acme..example",
        "https://acme_.example",
        "https://999.0.0.1",
        "https://[::1",
        "https://*.acme.example",
        "https://größe.example",
    ],
)
def test_what_is_no_origin(text: str):
    assert "https://" in problem("ORIGIN", text)


@pytest.mark.parametrize(
    "text",
    ["http://2fa.acme.example", "http://localhost.acme.example", "http://10.0.0.5", "http://128.0.0.1"],
)
def test_only_localhost_may_be_plain_http(text: str):
    assert "Only localhost may be plain http" in problem("ORIGIN", text)


@pytest.mark.parametrize("text", ["/2fa", "/a/b", "/a-b_c.d~1"])
def test_paths(text: str):
    assert read(PATH=text).path == text


@pytest.mark.parametrize(
    "text",
    [
        "/",
        "2fa",
        "/2fa/",
        "//evil.example",
        "/a//b",
        "/..",
        "/a/../b",
        "/.a",
        "/a b",
        "/a?b",
        "/ä",
        "/%2e",
        "/\\a",
    ],
)
def test_what_is_no_path(text: str):
    assert "such as /2fa" in problem("PATH", text)


# Database, keys, files


@pytest.mark.parametrize(
    "text,path",
    [
        ("sqlite:////var/lib/nightlatch/acme.db", "/var/lib/nightlatch/acme.db"),
        ("sqlite:///acme.db", "{here}/acme.db"),
        ("sqlite:///./data/acme.db", "{here}/data/acme.db"),
    ],
)
def test_sqlite_files(text: str, path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    config = read(DATABASE_URL=text)
    monkeypatch.chdir("/")
    assert config.sqlite_path == Path(path.format(here=tmp_path))


def test_postgres_is_postgresql():
    assert read(DATABASE_URL="postgres://localhost/acme").database_url == "postgresql://localhost/acme"


@pytest.mark.parametrize(
    "text",
    [
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
        "sqlite:///a.db?mode=ro",
        "sqlite://a.db",
        "mysql://u:S3cret@h/d",
        "postgresql+psycopg://u:S3cret@h/d",
        "postgresql://",
        "postgresql://u:S3cret @h/d",
        "S3cret",
    ],
)
def test_what_is_no_database(text: str):
    message = problem("DATABASE_URL", text)
    assert "S3cret" not in message
    assert "sqlite:///" in message


@pytest.mark.parametrize("text", ["k1:short", "S3cret!", KEY + "," + KEY])
def test_what_is_no_key_ring(text: str):
    message = problem("KEYS", text)
    assert "id:base64" in message
    assert "S3cret" not in message
    assert KEY[3:] not in message


@pytest.mark.parametrize(
    "setting,text",
    [
        ("DATABASE_URL", "postgresql://u:S3cret@h/d"),
        ("KEYS", KEY),
        ("MAIL", "smtp://u:S3cret@mail.acme.example"),
    ],
)
def test_secrets_come_from_files(setting: str, text: str, tmp_path: Path):
    file = tmp_path / "secret"
    file.write_text(f"{text}\n")
    file.chmod(0o600)
    settings = {"MAIL_FROM": "2fa@acme.example"}
    assert read(**settings, **{f"{setting}_FILE": str(file)}) == read(**settings, **{setting: text})
    file.chmod(0o644)
    (warning,) = read(**settings, **{f"{setting}_FILE": str(file)}).warnings
    assert warning.setting == f"NIGHTLATCH_{setting}_FILE"
    assert "Everybody on this machine can read" in warning.message


def test_secret_files_that_do_not_do(tmp_path: Path):
    empty, binary, huge = tmp_path / "empty", tmp_path / "binary", tmp_path / "huge"
    empty.touch()
    binary.write_bytes(b"\xff\xfe")
    huge.write_text("x" * 100_000)
    for file in (empty, binary, huge):
        assert (
            "empty, too long or no text"
            in problems({"NIGHTLATCH_KEYS_FILE": str(file)})["NIGHTLATCH_KEYS_FILE"]
        )
    for path in (tmp_path, tmp_path / "missing"):
        assert "cannot be read" in problems({"NIGHTLATCH_KEYS_FILE": str(path)})["NIGHTLATCH_KEYS_FILE"]


def test_set_twice(tmp_path: Path):
    assert "set twice" in problem("KEYS", KEY, KEYS_FILE=str(tmp_path / "keys"))


# Mail


@pytest.mark.parametrize(
    "text,target",
    [
        ("smtp://mail.acme.example", MailTarget("smtp", "mail.acme.example", 587)),
        ("smtp://localhost:2525", MailTarget("smtp", "localhost", 2525)),
        (
            "smtps://ana%40acme.example:p%2Fw%3A@Mail.Acme.example",
            MailTarget("smtps", "mail.acme.example", 465, "ana@acme.example", "p/w:"),
        ),
        ("smtp://[::1]:25", MailTarget("smtp", "::1", 25)),
        ("folder:/var/mail/demo", MailTarget("folder", folder=Path("/var/mail/demo"))),
        ("console:", MailTarget("console")),
    ],
)
def test_mail_targets(text: str, target: MailTarget):
    assert read(MAIL=text, MAIL_FROM="2fa@acme.example").mail == target


@pytest.mark.parametrize(
    "text",
    [
        "mail.acme.example",
        "http://mail.acme.example",
        "smtp://",
        "smtp://u:S3cret@",
        "smtp://u:S3cr/et@mail.acme.example",
        "smtp://u:S3cr#et@mail.acme.example",
        "smtp://u:S3cret@mail.acme.example:99999",
        "smtp://u:S3cret@mail.acme.example/inbox",
        "console:now",
    ],
)
def test_what_is_no_mail_target(text: str):
    message = problem("MAIL", text, ORIGIN="http://localhost:8000", MAIL_FROM="2fa@acme.example")
    assert "S3cr" not in message
    assert "smtp://user:password@host:587" in message


@pytest.mark.parametrize("mail", ["", "folder:", "folder:/var/mail/demo", "console:"])
def test_a_public_origin_needs_real_mail(mail: str):
    """interface.md: folder: and console: only with a localhost origin."""
    found = problems({**PUBLIC, "NIGHTLATCH_MAIL": mail})
    assert list(found) == ["NIGHTLATCH_MAIL"]
    assert "People need their mail" in found["NIGHTLATCH_MAIL"]


@pytest.mark.parametrize("text", ["2fa@acme.example", "Acme <2fa@acme.example>", '"A, B" <2fa@acme.example>'])
def test_senders(text: str):
    assert read(MAIL_FROM=text).mail_from == text


@pytest.mark.parametrize(
    "text", ["Acme", "a@b@c", "a b@acme.example", "2fa@acme.example\r\nBcc: x@evil.example", "@"]
)
def test_what_is_no_sender(text: str):
    problem("MAIL_FROM", text)


def test_a_sender_that_was_not_chosen_is_told():
    environment = {**PUBLIC, "NIGHTLATCH_MAIL_FROM": "", "NIGHTLATCH_NAME": 'The "A" team'}
    config = Config.from_environment(environment)
    assert config.mail_from == r'"The \"A\" team" <nightlatch@2fa.acme.example>'
    assert [warning.setting for warning in config.warnings] == ["NIGHTLATCH_MAIL_FROM"]
    at_address = Config.from_environment({**environment, "NIGHTLATCH_ORIGIN": "https://192.0.2.7"})
    assert at_address.mail_from.endswith("<nightlatch@localhost>")


# The rest


@pytest.mark.parametrize("text", ["0.0.0.0/0", "::/0"])
def test_nobody_believes_everybody(text: str):
    """F18, F50: a network of all addresses is no list of proxies."""
    assert "would believe everybody" in problem("TRUSTED_PROXIES", text)


@pytest.mark.parametrize("text", ["proxy.acme.example", "10.0.0.5/8", "10.0.0", "10.0.0.0/33", "1"])
def test_what_is_no_network(text: str):
    assert "such as 10.0.0.5 or 10.0.0.0/8" in problem("TRUSTED_PROXIES", text)


@pytest.mark.parametrize("setting,most", [("PORT", 65535), ("WORKERS", 64)])
def test_numbers(setting: str, most: int):
    for text in ("0", "-1", str(most + 1), "1.5", "ten", "１", "0x10", "1_0", "9" * 5000):
        assert f"from 1 to {most}" in problem(setting, text)
    assert getattr(read(**{setting: str(most)}), setting.lower()) == most


@pytest.mark.parametrize("text", ["x" * 65, "Acme\nBcc: x", "Acme\x00", "a\u202eb"])
def test_what_is_no_name(text: str):
    assert "64 printable characters" in problem("NAME", text)


@pytest.mark.parametrize("text", ["Open", "yes", "true"])
def test_sign_up_is_open_or_closed(text: str):
    """Whatever is not exactly `open` opens nothing."""
    assert "closed" in problem("SIGN_UP", text)


def test_the_test_clock_is_for_localhost(tmp_path: Path):
    """interface.md: refused with any other origin."""
    file = str(tmp_path / "clock")
    assert read(TEST_CLOCK=file).test_clock == Path(file)
    found = problems({**PUBLIC, "NIGHTLATCH_TEST_CLOCK": file})
    assert "for tests on localhost only" in found["NIGHTLATCH_TEST_CLOCK"]


def test_all_problems_are_told_at_once():
    found = problems(
        {
            "NIGHTLATCH_ORIGIN": "http://2fa.acme.example",
            "NIGHTLATCH_PATH": "2fa/",
            "NIGHTLATCH_PORT": "http",
            "NIGHTLATCH_KEYS": "S3cret",
            "NIGHTLATCH_SIGN_UP": "maybe",
        }
    )
    assert list(found) == [f"NIGHTLATCH_{name}" for name in ("ORIGIN", "PATH", "KEYS", "PORT", "SIGN_UP")]


def test_a_misspelt_setting_is_told():
    """It would silently not count."""
    warnings = read(ORGIN="https://2fa.acme.example", NAME_FILE="/x").warnings
    assert [warning.setting for warning in warnings] == ["NIGHTLATCH_NAME_FILE", "NIGHTLATCH_ORGIN"]
    assert warnings[1].message == "There is no such setting. Did you mean NIGHTLATCH_ORIGIN?"


def test_name_servers():
    config = read(NAME_SERVERS="10.0.0.2, [fd00::2]:5353 fd00::3 127.0.0.1:53")
    assert list(map(str, config.name_servers)) == ["10.0.0.2", "[fd00::2]:5353", "[fd00::3]", "127.0.0.1"]
    for text in ("dns.example", "10.0.0.2:70000", "[fd00::2", "10.0.0.2/24"):
        assert "such as 10.0.0.2" in problem("NAME_SERVERS", text)


def test_redacted_and_repr_hold_no_secret():
    """F47, law 10: what doctor shows, and what a traceback shows."""
    for url in (
        "postgresql://user:S3cret@one,two/acme",
        "postgresql://user:S3c/S3cret?S3cret#@one/acme",
        "postgresql://one/acme?user=u&password=S3cret",
        "postgresql://user:a@S3cret@one/acme",
    ):
        config = read(
            DATABASE_URL=url,
            KEYS=KEY,
            MAIL="smtp://ana:S3cret@mail.acme.example",
            MAIL_FROM="2fa@acme.example",
        )
        shown = config.redacted()
        assert list(shown)[:3] == ["NIGHTLATCH_DATABASE_URL", "NIGHTLATCH_DATA", "NIGHTLATCH_ORIGIN"]
        assert len(shown) == 16
        for text in (repr(config), str(shown)):
            assert "S3cret" not in text
            assert KEY[3:] not in text
        assert "/acme" in shown["NIGHTLATCH_DATABASE_URL"]
        assert shown["NIGHTLATCH_MAIL"] == "smtp://ana:***@mail.acme.example:587"
        assert shown["NIGHTLATCH_KEYS"] == "set"
    assert read(DATA="/srv/acme").redacted()["NIGHTLATCH_KEYS"] == "in /srv/acme/keys"
