"""The tools that other tests rely on: they read what was written, and tell what is wrong."""

import io
import smtplib
from email.message import EmailMessage

import psycopg
import pytest
import segno

from tests.support import oath, programs, qr
from tests.support.clockfile import ClockFile
from tests.support.postgres import Cluster
from tests.support.smtp import MailServer

RFC_SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"


@pytest.mark.parametrize("at, code", [(59, "94287082"), (1111111109, "07081804"), (20000000000, "65353130")])
def test_oathtool_says_what_rfc_6238_says(at, code):
    assert oath.totp(RFC_SECRET, at=at, digits=8) == code


def test_oathtool_refuses_a_broken_secret():
    with pytest.raises(ValueError, match="oathtool refused"):
        oath.totp("1", at=59)


def test_the_reader_reads_a_qr_code_dark_on_light_and_knows_when_there_is_none():
    uri = f"otpauth://totp/Acme:ada@example.com?secret={RFC_SECRET}&issuer=Acme"
    picture, empty = io.BytesIO(), io.BytesIO()
    segno.make(uri).save(picture, kind="png", scale=4)
    segno.make("x").save(empty, kind="png", scale=4, dark="white")
    assert qr.read(picture.getvalue()) == uri
    assert qr.read_all(empty.getvalue()) == []


def test_a_missing_program_says_what_to_do():
    with pytest.raises(programs.Missing, match="scripts/system-packages"):
        programs.find("no-such-program-anywhere")


def test_databases_of_the_cluster_are_copies_that_do_not_touch_each_other(cluster: Cluster):
    template = cluster.create()
    with psycopg.connect(cluster.url(template)) as connection:
        connection.execute("CREATE TABLE word (word text PRIMARY KEY)")
    first, second = cluster.create(template=template), cluster.create(template=template)
    with psycopg.connect(cluster.url(first)) as connection:
        connection.execute("INSERT INTO word VALUES ('B'), ('a')")
        # The cluster's own order is a linguistic one, unlike SQLite's: statements have to name theirs.
        assert connection.execute("SELECT word FROM word ORDER BY word").fetchall() == [("a",), ("B",)]
    with psycopg.connect(cluster.url(second)) as connection:
        assert connection.execute("SELECT count(*) FROM word").fetchone() == (0,)
    for name in (first, second, template):
        cluster.drop(name)


def _message(to: str = "ada@example.com", subject: str = "Hello") -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "lock@example.com", to, subject
    message.set_content("Plain as day: é\n")
    message.add_alternative("<p>Bold as brass</p>", subtype="html")
    return message


def _send(server: MailServer, message: EmailMessage) -> None:
    with smtplib.SMTP("127.0.0.1", server.port, timeout=60) as client:
        client.send_message(message)


def test_the_mail_server_keeps_what_it_takes(mail_server: MailServer):
    _send(mail_server, _message())
    taken = mail_server.wait_for("ada@example.com", "Hello")
    assert (taken.sender, taken.recipients) == ("lock@example.com", ("ada@example.com",))
    assert "é" in taken.text
    assert "brass" in taken.html


def test_the_mail_server_refuses_and_dies_on_demand(mail_server: MailServer):
    mail_server.refuse(1)
    with pytest.raises(smtplib.SMTPDataError, match="451"):
        _send(mail_server, _message())
    mail_server.refuse_recipient("gone@example.com")
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        _send(mail_server, _message("gone@example.com"))
    mail_server.stop()
    with pytest.raises(OSError, match="refused"):
        _send(mail_server, _message())
    mail_server.start()
    _send(mail_server, _message(subject="Back"))
    assert [one.subject for one in mail_server.wait()] == ["Back"]


def test_the_mail_server_can_ask_for_a_login():
    server = MailServer(login=("lock", "key"))
    server.start()
    try:
        with pytest.raises(smtplib.SMTPSenderRefused, match="530"):
            _send(server, _message())
        with smtplib.SMTP("127.0.0.1", server.port, timeout=60) as client:
            client.login("lock", "key")
            client.send_message(_message())
        assert len(server.wait()) == 1
    finally:
        server.stop()


def test_the_clock_file_says_how_far_ahead(clock_file: ClockFile):
    before = clock_file.now()
    clock_file.advance(30)
    clock_file.advance(30.5)
    assert float(clock_file.path.read_text()) == 60.5
    assert 60.5 <= clock_file.now() - before < 70
