"""A product's client without a framework and a network, as the tests of the core connect it."""

from typing import Any

from nightlatch_client import Nightlatch, Person

ADA = Person("ada", "ada@acme.dev", "Ada", "7", "Acme", "owner")


def connect(**more: Any) -> Nightlatch:
    """A product at https://app.acme.dev; `more` are its other settings."""
    given = {"app": "acme", "secret": "s3cret", "origin": "https://app.acme.dev", "sign_in": "/login", **more}
    return Nightlatch("https://2fa.acme.dev", **given)
