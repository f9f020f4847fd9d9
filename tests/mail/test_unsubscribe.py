"""List-Unsubscribe on invitations over a real SMTP conversation, and what its link does (RFC 8058)."""

from email.message import EmailMessage
from urllib.parse import urlsplit

import pytest

from nightlatch import config_checks
from nightlatch.actions import invitations
from nightlatch.actions.by import SYSTEM, operator
from nightlatch.actions.mailing import mail_address
from nightlatch.addresses import parse
from nightlatch.mail.drain import Post, drain_once
from nightlatch.mail.senders import SmtpSender
from nightlatch.store import declined
from nightlatch.vocabulary import Role
from tests.support.asgi import ORIGIN, Client, app_of
from tests.support.smtp import MailServer
from tests.support.world import World

MIA = parse("mia@example.org")


@pytest.fixture
def sent(world: World, mail_server: MailServer) -> EmailMessage:
    """An invitation, as it arrived."""
    place = world.workspace("acme", owner=world.person("Dana"))
    world.write(
        lambda tx: invitations.invite(
            tx, by=operator("Olga"), workspace_id=place, pasted=[MIA], role=Role.MEMBER
        )
    )
    world.write(lambda tx: mail_address(tx, "password_changed", MIA.display, by=SYSTEM))
    sender = SmtpSender(config_checks.mail(mail_server.url), timeout=30.0)
    post = Post(world.store, sender, "Acme", "Acme <no-reply@acme.example>", ORIGIN, world.clock)
    assert drain_once(post).sent == 2
    invitation, other = mail_server.wait(2, to=MIA.display)
    assert other.message["List-Unsubscribe"] is None
    assert other.message["List-Unsubscribe-Post"] is None
    return invitation.message


def test_the_headers_name_the_same_link_as_the_mail_and_one_post_to_it_is_enough(
    world: World, sent: EmailMessage
) -> None:
    header = str(sent["List-Unsubscribe"])
    assert sent.get_all("List-Unsubscribe") == [header]
    assert sent["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert header.startswith(f"<{ORIGIN}/never-again/")
    assert header.endswith(">")
    link = header[1:-1]
    body = sent.get_body(preferencelist=("plain",))
    assert body is not None
    assert f"\n{link}\n" in str(body.get_content()).replace("\r\n", "\n")
    assert "Acme" not in str(sent["Subject"]).replace("on Acme", "", 1)
    client = Client(app_of(world))
    headers = {"content-type": "application/x-www-form-urlencoded"}
    got = client.ask("POST", urlsplit(link).path, raw=b"List-Unsubscribe=One-Click", headers=headers)
    assert got.status == 200
    assert world.read(lambda tx: declined.is_declined(tx, MIA.key))
