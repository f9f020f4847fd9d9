"""Mails to a product's people speak for the product, with links of ours."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from nightlatch.ids import to_text as id_text
from nightlatch.mail.drain import Post, drain_once
from nightlatch.mail.messages import common
from nightlatch.mail.outgoing import OutgoingMail, Sender
from nightlatch.web.app import App
from tests.support.asgi import app_of
from tests.support.mails import link_in
from tests.support.product import RETURN_URL, Product
from tests.support.visitor import seed_shown
from tests.support.world import World
from tests.web.product_people import arrive, bound, place_of, with_a_face


@pytest.fixture
def app(world: World) -> App:
    return app_of(world)


@pytest.fixture
def acme(world: World, app: App) -> Product:
    return with_a_face(world, app)


@dataclass
class Pigeon:
    """A sender that keeps what it is given."""

    sent: list[OutgoingMail] = field(default_factory=list)

    def send(self, mail: OutgoingMail) -> None:
        self.sent.append(mail)

    @contextmanager
    def batch(self) -> Iterator[Sender]:
        yield self


def test_mails_speak_for_the_product_with_links_of_ours(world: World, acme: Product) -> None:
    acme.check(acme.person())
    world.require(place_of(world, acme)[0])
    visitor = arrive(acme, acme.person(), "home")
    visitor.submit("/set-up/mail")
    visitor.open(link_in(world, "ticket"))
    visitor.submit("/ticket")
    assert visitor.page is not None
    visitor.submit("/set-up", code=world.code(seed_shown(visitor.page)))
    pigeon = Pigeon()
    drain_once(
        Post(world.store, pigeon, "Nightlatch", "no-reply@example.com", "http://localhost:8000", world.clock)
    )
    ticket, bound = pigeon.sent
    for mail in (ticket, bound):
        assert mail.to == "ana@people.example"
        assert "Acme Notes uses Nightlatch for 2FA, which sent this." in " ".join(mail.text.split())
        assert '<p class="product">Acme Notes</p>' in mail.html
        assert "Forgot" not in mail.text
    assert "http://localhost:8000/tickets/" in ticket.text
    not_me = re.search(r"http://localhost:8000(/not-me/\S+)", bound.text)
    assert not_me is not None
    assert "This was not me" in acme.browser().open(not_me[1]).text
    look = common.by_way_of(
        id_text(acme.id), common.SETTINGS
    )  # as mails that only tell lead to a page of ours
    page = acme.browser().open(look)
    assert page.read.links["Continue at Acme Notes"] == f"{RETURN_URL}?open=user"
    assert visitor.open(look).path == "/settings/user"


def test_a_mail_about_a_workspace_speaks_for_its_product(world: World, acme: Product) -> None:
    acme.check(acme.person("olga", role="owner"))
    acme.check(acme.person("ben", role="owner"))
    bound(world, acme, "olga")
    world.require(place_of(world, acme)[0])
    acme.check(acme.person("olga", role="member"))
    pigeon = Pigeon()
    drain_once(
        Post(world.store, pigeon, "Nightlatch", "no-reply@example.com", "http://localhost:8000", world.clock)
    )
    ownerless = next(mail for mail in pigeon.sent if "No owner of Team w1" in mail.subject)
    assert "Acme Notes uses Nightlatch for 2FA" in " ".join(ownerless.text.split())
