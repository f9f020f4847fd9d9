"""Mail as it leaves: by a real SMTP conversation, into a folder, onto the console."""

import email.policy
import errno
import os
import re
import socket
import ssl
import stat
import subprocess
import threading
from dataclasses import replace
from typing import Any, Literal

import pytest

from nightlatch import config_checks, instants
from nightlatch.config import MailTarget
from nightlatch.mail.folder import file_name
from nightlatch.mail.messages import render
from nightlatch.mail.mime import pack
from nightlatch.mail.senders import (
    ConsoleSender,
    FolderInbox,
    FolderSender,
    OutgoingMail,
    Sender,
    SmtpSender,
    Undeliverable,
    build_sender,
)
from tests.support.programs import free_port
from tests.support.smtp import MailServer

ORIGIN = "https://2fa.acme.example"
LINK = f"{ORIGIN}/tickets/7Jx1b6o2hQv0Yt9Wc4Zr8KfL3mNpSdUe5aGiBwXyTzA"
AT = instants.from_text("2026-11-24T09:14:00Z")
MESSAGE = render(
    "reset",
    {
        "workspace": "Acmé.example 東京",
        "by": "Dana Ruiz",
        "reason": "lost phone",
        "link": LINK,
        "when": AT,
        "where": "",
        "agent": "",
    },
    product="Nightlatch",
    origin=ORIGIN,
)
MAIL = OutgoingMail(
    message_id="<0fq8d3n6vw5xk.1@2fa.acme.example>",
    to="ana@example.com",
    subject=MESSAGE.subject,
    text=MESSAGE.text,
    html=MESSAGE.html,
    sender='"Nightlatch" <no-reply@acme.example>',
    at=AT,
)


def lines(content: str) -> str:
    """A part's text with the line ends of everywhere but mail."""
    return content.replace("\r\n", "\n")


def to(address: str, number: int = 1) -> OutgoingMail:
    return replace(MAIL, to=address, message_id=f"<mail.{number}@2fa.acme.example>")


def sender_to(url: str, timeout: float = 15.0) -> SmtpSender:
    return SmtpSender(config_checks.mail(url), timeout=timeout)


def failure(sender: Sender, mail: OutgoingMail = MAIL) -> Undeliverable:
    with pytest.raises(Undeliverable) as failed:
        sender.send(mail)
    for secret in (LINK, "7Jx1b6o2hQ", "ana@", "s3cret"):
        assert secret not in f"{failed.value} {failed.value.reason} {failed.value.args}"
    assert failed.value.__cause__ is None
    assert failed.value.__suppress_context__ or failed.value.__context__ is None
    return failed.value


# What is sent


def test_the_octets_of_a_mail():
    packed = pack(MAIL)
    assert packed.data == pack(MAIL).data  # the same each time
    assert packed.data.isascii()
    assert all(len(line) <= 998 and not line.endswith(b"\r") for line in packed.data.split(b"\r\n"))
    assert all(len(line) <= 78 for line in packed.data.split(b"\r\n"))
    assert b"\n" not in packed.data.replace(b"\r\n", b"")
    message = email.message_from_bytes(packed.data, policy=email.policy.default)
    assert message.defects == []
    assert message["Message-ID"] == MAIL.message_id
    assert message["Date"].datetime.isoformat() == "2026-11-24T09:14:00+00:00"
    assert message["From"] == "Nightlatch <no-reply@acme.example>"
    assert message["To"] == "ana@example.com"
    assert message["Subject"] == MESSAGE.subject
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["MIME-Version"] == "1.0"
    assert message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    assert [lines(part.get_content()) for part in message.iter_parts()] == [MESSAGE.text, MESSAGE.html]


def test_long_lines_and_dots_survive(mail_server):
    text = ".\n..\n" + "é" * 3000 + "\nFrom here\n" + "x" * 3000 + "\n"
    sender_to(mail_server.url).send(replace(MAIL, text=text))
    (received,) = mail_server.wait()
    assert lines(received.text) == text
    assert max(map(len, received.raw.splitlines())) <= 998


@pytest.mark.parametrize(
    "change",
    [
        {"subject": "Hello\r\nBcc: eva@example.com"},
        {"subject": "Hello\nBcc: eva@example.com"},
        {"subject": "Hello\x85Bcc: eva@example.com"},
        {"subject": "Hello\0"},
        {"to": "ana@example.com\r\nBcc: eva@example.com"},
        {"to": "ana@example.com, eva@example.com"},
        {"to": "Ana <ana@example.com>"},
        {"to": ""},
        {"message_id": "<a@b>\r\nBcc: eva@example.com"},
        {"message_id": "a@b"},
        {"message_id": "<a b@c>"},
    ],
)
def test_nothing_adds_a_header_or_a_recipient(mail_server, change):
    assert failure(sender_to(mail_server.url), replace(MAIL, **change)).permanent
    assert mail_server.messages == []


@pytest.mark.parametrize("sender", ["", "nobody", "A <a@b>\r\nBcc: eva@example.com"])
def test_a_wrong_sender_is_the_operators_to_mend(mail_server, sender):
    failed = failure(sender_to(mail_server.url), replace(MAIL, sender=sender))
    assert (failed.permanent, failed.everybody) == (False, True)
    assert "NIGHTLATCH_MAIL_FROM" in failed.reason


def test_lone_surrogates_do_not_stop_a_mail(mail_server):
    sender_to(mail_server.url).send(
        replace(MAIL, subject="a\ud800b", text="a\ud800b\n", html="<p>a\ud800b</p>")
    )
    (received,) = mail_server.wait()
    assert received.subject == "a?b"
    assert lines(received.text) == "a?b\n"


# SMTP


def test_a_mail_goes_over_smtp(mail_server):
    sender_to(mail_server.url).send(MAIL)
    (received,) = mail_server.wait()
    assert received.sender == "no-reply@acme.example"
    assert received.recipients == ("ana@example.com",)
    assert received.subject == MESSAGE.subject
    assert lines(received.text) == MESSAGE.text
    assert lines(received.html) == MESSAGE.html
    assert LINK in received.text


def test_a_login_is_used():
    server = MailServer(login=("robot@acme.example", "s3cret:/?@"))
    server.start()
    try:
        sender_to(server.url).send(MAIL)
        assert len(server.wait()) == 1
        failed = failure(sender_to(server.url.replace("s3cret", "wrong-s3cret")))
        assert (failed.permanent, failed.everybody) == (False, True)
        assert failed.reason == "the mail server refused our login (535 5.7.8)"
        failed = failure(sender_to(f"smtp://127.0.0.1:{server.port}"))  # 530: our setting lacks the login
        assert (failed.permanent, failed.everybody) == (False, True)
        failed = failure(SmtpSender(MailTarget("smtp", "127.0.0.1", server.port, "rübe", "s3cret")))
        assert failed.reason == "a mail login has ASCII letters only"
    finally:
        server.stop()
    assert "s3cret" not in repr(config_checks.mail(server.url))


def test_a_server_without_logins_gets_no_password(mail_server):
    failed = failure(sender_to(f"smtp://robot:s3cret@127.0.0.1:{mail_server.port}"))
    assert (failed.permanent, failed.everybody) == (False, True)


@pytest.mark.parametrize(
    "reply, permanent, reason",
    [
        ("451 4.3.0 try later, " + LINK, False, "the mail server refused the message (451 4.3.0)"),
        ("550 5.7.1 spam: " + LINK, True, "the mail server refused the message (550 5.7.1)"),
        ("554 " + LINK, True, "the mail server refused the message (554)"),
    ],
)
def test_a_refused_message(mail_server, reply, permanent, reason):
    mail_server.refuse(1, reply)
    failed = failure(sender_to(mail_server.url))
    assert (failed.permanent, failed.reason, failed.everybody) == (permanent, reason, False)
    sender_to(mail_server.url).send(MAIL)
    assert len(mail_server.wait()) == 1


@pytest.mark.parametrize("code, permanent", [("550 5.1.1", True), ("450 4.2.1", False)])
def test_one_refused_recipient_stops_nobody_else(mail_server, code, permanent):
    mail_server.refuse_recipient("ana@example.com", f"{code} no ana@example.com here")
    with sender_to(mail_server.url).batch() as batch:
        batch.send(to("eva@example.com"))
        failed = failure(batch)
        batch.send(to("ida@example.com", 2))
    assert failed.reason == f"the mail server refused the recipient's address ({code})"
    assert (failed.permanent, failed.everybody) == (permanent, False)
    assert [received.recipients for received in mail_server.wait(2)] == [
        ("eva@example.com",),
        ("ida@example.com",),
    ]


def test_a_batch_uses_one_connection(mail_server, monkeypatch):
    opened = []
    real = socket.create_connection

    def counted(*given: Any, **named: Any) -> socket.socket:
        opened.append(given)
        return real(*given, **named)

    monkeypatch.setattr(socket, "create_connection", counted)
    with sender_to(mail_server.url).batch() as batch:
        for number in range(20):
            batch.send(to(f"person{number}@example.com", number))
    assert len(mail_server.wait(20)) == 20
    assert len(opened) == 1


def test_a_batch_survives_a_server_that_hung_up_in_between(mail_server):
    with sender_to(mail_server.url).batch() as batch:
        batch.send(to("ana@example.com"))
        mail_server.stop()
        mail_server.start()
        batch.send(to("eva@example.com", 2))
    assert len(mail_server.wait(2)) == 2


def test_a_server_that_ends_the_connection_says_nothing_about_the_mail(mail_server):
    with sender_to(mail_server.url).batch() as batch:
        batch.send(to("ana@example.com"))
        mail_server.refuse(1, "421 4.7.0 enough for one connection")
        batch.send(to("eva@example.com", 2))
        mail_server.refuse(2, "421 4.7.0 go away")
        failed = failure(batch, to("ida@example.com", 3))
        assert (failed.permanent, failed.everybody) == (False, True)
    assert len(mail_server.wait(2)) == 2


def test_a_dead_server_is_met_once_in_a_batch():
    with sender_to(f"smtp://127.0.0.1:{free_port()}").batch() as batch:
        failed = failure(batch)
        assert (failed.permanent, failed.everybody) == (False, True)
        assert failed.reason == "the mail server cannot be reached"
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(socket, "create_connection", None)
            assert failure(batch, to("eva@example.com", 2)).everybody


def test_an_unknown_host_is_temporary():
    failed = failure(sender_to("smtp://no-such-host.invalid"))
    assert (failed.permanent, failed.everybody) == (False, True)


def test_a_server_that_hangs_is_left(mail_server):
    mail_server.hang()
    failed = failure(sender_to(mail_server.url, timeout=0.3))
    assert (failed.permanent, failed.everybody) == (False, True)
    assert failed.reason == "the mail server did not answer in time"
    mail_server.resume()


class Script:
    """A server that says what a script says, line by line, whatever it is told."""

    def __init__(self, *replies: bytes) -> None:
        self._replies = replies
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(60)
        self.url = f"smtp://127.0.0.1:{self._listener.getsockname()[1]}"
        self.told: list[bytes] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> "Script":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._listener.close()
        self._thread.join(60)

    def _serve(self) -> None:
        connection, _ = self._listener.accept()
        connection.settimeout(60)
        with connection, connection.makefile("rb") as heard:
            for reply in self._replies:
                connection.sendall(reply + b"\r\n")
                self.told.append(heard.readline())


@pytest.mark.parametrize(
    "replies, reason",
    [
        ((b"554 5.3.2 no service here",), "the mail server turned us away (554 5.3.2)"),
        ((b"not smtp at all",), "the mail server turned us away (-1)"),
        ((b"220 hello", b"502 what", b"502 what"), "the mail server turned us away (502)"),
        (
            (b"220 hello", b"250 hello", b"553 5.1.8 not from you"),
            "the mail server refused the sender's address (553 5.1.8)",
        ),
        ((b"220 hello", b"250 hello"), "the mail server closed the connection"),
    ],
)
def test_strange_servers_lose_no_mail(replies, reason):
    with Script(*replies) as script:
        failed = failure(sender_to(script.url, timeout=30))
    assert failed.reason == reason
    assert (failed.permanent, failed.everybody) == (False, True)


# Letters beyond ASCII


def test_an_international_domain_is_sent_in_ascii():
    with Script(b"220 hello", b"250 hello", b"250 ok", b"550 no") as script:
        failure(sender_to(script.url), to("ana@bücher.example"))
    assert b"rcpt TO:<ana@xn--bcher-kva.example>\r\n" in script.told


def test_an_international_mailbox_needs_smtputf8(mail_server):
    with Script(b"220 hello", b"250-hello\r\n250 8BITMIME") as script:
        failed = failure(sender_to(script.url, timeout=30), to("büro@example.com"))
    assert (failed.permanent, failed.everybody) == (True, False)
    assert "SMTPUTF8" in failed.reason
    with sender_to(mail_server.url).batch() as batch:  # aiosmtpd offers it
        batch.send(to("büro@example.com"))
        batch.send(to("ana@example.com", 2))
    first, second = mail_server.wait(2)
    assert first.recipients == ("büro@example.com",)
    assert str(first.message["To"]) == "büro@example.com"
    assert second.recipients == ("ana@example.com",)
    assert second.raw.isascii()


# TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A self-signed certificate for mail.test, and its key."""
    folder = tmp_path_factory.mktemp("certificate")
    subprocess.run(
        [
            *(
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:prime256v1",
                "-nodes",
            ),
            *("-subj", "/CN=mail.test", "-addext", "subjectAltName=DNS:mail.test", "-days", "2"),
            *("-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")),
        ],
        check=True,
        capture_output=True,
    )
    return folder


@pytest.fixture
def trusting(certificate):
    return ssl.create_default_context(cafile=certificate / "cert.pem")


@pytest.fixture
def tls_server(certificate, request):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    server = MailServer(tls=context, **request.param)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def elsewhere(monkeypatch):
    """Makes mail.test a name of this machine that nobody takes for it."""
    real = socket.getaddrinfo

    def resolved(host: str, *given: Any, **named: Any) -> Any:
        return real("127.0.0.1" if host == "mail.test" else host, *given, **named)

    monkeypatch.setattr(socket, "getaddrinfo", resolved)


def target(
    server: MailServer, kind: Literal["smtp", "smtps"] = "smtp", host: str = "mail.test", login: bool = False
) -> MailTarget:
    user, password = ("robot", "s3cret") if login else ("", "")
    return MailTarget(kind, host, server.port, user, password)


@pytest.mark.parametrize("tls_server", [{}], indirect=True)
def test_smtps(tls_server, trusting, elsewhere):
    SmtpSender(target(tls_server, "smtps"), context=trusting).send(MAIL)
    assert len(tls_server.wait()) == 1
    failed = failure(SmtpSender(target(tls_server, "smtps")))
    assert failed.reason == "the mail server's certificate cannot be verified"
    assert (failed.permanent, failed.everybody) == (False, True)
    failed = failure(SmtpSender(target(tls_server, "smtps", host="127.0.0.1"), context=trusting))
    assert failed.reason == "the mail server's certificate cannot be verified"


@pytest.mark.parametrize("tls_server", [{"starttls": True, "login": ("robot", "s3cret")}], indirect=True)
def test_starttls_before_the_login(tls_server, trusting, elsewhere):
    SmtpSender(target(tls_server, login=True), context=trusting).send(MAIL)
    assert len(tls_server.wait()) == 1
    failed = failure(SmtpSender(target(tls_server, login=True)))
    assert failed.reason == "the mail server's certificate cannot be verified"


def test_a_login_never_travels_in_the_clear(elsewhere):
    with Script(b"220 hello", b"250-hello\r\n250 AUTH PLAIN LOGIN", b"235 fine") as script:
        port = int(script.url.rpartition(":")[2])
        failed = failure(SmtpSender(MailTarget("smtp", "mail.test", port, "robot", "s3cret"), timeout=30))
    assert failed.reason == "the mail server offers no STARTTLS, and a login is not sent in the clear"
    assert not any(told.startswith(b"AUTH") for told in script.told)


@pytest.mark.parametrize("tls_server", [{"starttls": True}], indirect=True)
def test_starttls_is_used_wherever_it_is_offered(tls_server, trusting, elsewhere):
    SmtpSender(target(tls_server), context=trusting).send(MAIL)  # this server takes mail over TLS only
    assert len(tls_server.wait()) == 1
    failed = failure(SmtpSender(target(tls_server)))
    assert failed.reason == "the mail server's certificate cannot be verified"


def test_a_relay_on_this_machine_may_have_a_made_up_certificate(certificate):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    server = MailServer(tls=context, starttls=True)
    server.start()
    assert server._controller is not None
    server._controller.SMTP_kwargs["require_starttls"] = False
    try:
        sender_to(server.url).send(MAIL)
        assert len(server.wait()) == 1
    finally:
        server.stop()


# The folder


def test_a_folder_keeps_each_mail_and_the_inbox_reads_it(tmp_path):
    folder = tmp_path / "deep" / "mail"
    sender = build_sender(MailTarget("folder", folder=folder), show=print)
    with sender.batch() as batch:
        batch.send(MAIL)
        batch.send(replace(MAIL, to="eva@example.com", at=AT + instants.MINUTE))
    sender.send(MAIL)  # again: takes the place of the first
    inbox = FolderInbox(folder)
    newest, oldest = inbox.list()
    assert (newest.to, oldest.to) == ("eva@example.com", "ana@example.com")
    assert (oldest.subject, oldest.date) == (MESSAGE.subject, AT)
    opened = inbox.read(oldest.name)
    assert opened is not None
    assert (opened.text, opened.html, opened.links) == (MESSAGE.text, MESSAGE.html, (LINK,))
    assert (opened.subject, opened.to, opened.date) == (MESSAGE.subject, "ana@example.com", AT)
    assert inbox.list(most=1) == (newest,)
    assert sorted(os.listdir(folder)) == [oldest.name, newest.name]
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in folder.iterdir())
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    "name", ["", ".", "../secret.eml", "/etc/passwd", "x.eml", "20261124T091400.000000Z-0/../x"]
)
def test_the_inbox_opens_nothing_else(tmp_path, name):
    (tmp_path / "secret.eml").write_text("Subject: secret\n\n")
    (tmp_path / "mail").mkdir()
    (tmp_path / "mail" / "x.eml").write_text("Subject: stray\n\n")
    inbox = FolderInbox(tmp_path / "mail")
    assert inbox.read(name) is None
    assert inbox.list() == ()
    assert inbox.read(file_name(MAIL)) is None
    assert FolderInbox(tmp_path / "nowhere").list() == ()


def test_a_folder_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    failed = failure(FolderSender(tmp_path / "file"))
    assert (failed.permanent, failed.everybody) == (False, True)
    assert "folder" in failed.reason


def test_half_a_mail_is_never_there(tmp_path, monkeypatch):
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    failed = failure(FolderSender(tmp_path / "mail"))
    assert failed.reason == "the mail folder cannot be written: No space left on device"
    assert os.listdir(tmp_path / "mail") == []


# The console


def test_the_console_shows_the_text_and_obeys_nothing():
    shown: list[str] = []
    sender = build_sender(MailTarget("console"), show=shown.append)
    assert isinstance(sender, ConsoleSender)
    with sender.batch() as batch:
        batch.send(replace(MAIL, text=f"Hello \x1b[2J\n{LINK}\n"))
    assert f"To: ana@example.com\nSubject: {MESSAGE.subject}\n" in shown[0]
    assert LINK in shown[0]
    assert not re.search(r"[\x00-\x09\x0b-\x1f]", shown[0])
    assert failure(sender, replace(MAIL, to="nobody")).permanent


def test_the_target_chooses_the_sender(tmp_path):
    assert isinstance(build_sender(MailTarget("smtp", "localhost", 25), show=print), SmtpSender)
    assert isinstance(build_sender(MailTarget("smtps", "localhost", 465), show=print), SmtpSender)
    with pytest.raises(ValueError, match="folder"):
        build_sender(MailTarget("folder"), show=print)
