"""Reading form fields: values out, messages at their fields."""

from collections.abc import Iterator
from contextlib import contextmanager

from nightlatch import addresses
from nightlatch.addresses import Address
from nightlatch.refusals import Refused, invalid


@contextmanager
def form_errors() -> Iterator[dict[str, str]]:
    """Gathers the messages of a refusal that is about fields, so that the page can be shown again with them."""
    errors: dict[str, str] = {}
    try:
        yield errors
    except Refused as refused:
        if not refused.errors:
            raise
        errors.update({each.field: each.message for each in refused.errors})


def address_field(text: str, name: str = "email") -> Address:
    """An e-mail address. Raises Refused (422) with the message for its field."""
    if not text.strip():
        raise invalid(name, "Enter an e-mail address.")
    try:
        return addresses.parse(text)
    except addresses.BadAddress as bad:
        raise invalid(name, str(bad)) from None
