"""Reading form fields: values out, messages at their fields."""

from collections.abc import Iterator
from contextlib import contextmanager

from nightlatch import addresses
from nightlatch.addresses import Address
from nightlatch.refusals import Code, Refused, invalid


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


def at_fields(refused: Refused) -> dict[str, str]:
    """What a refusal says, for the page: at its fields, or above the form. What the gate says, or what is not there,
    goes to the gate."""
    if refused.decision is not None or refused.code is Code.NOT_FOUND:
        raise refused
    return {each.field: each.message for each in refused.errors} or {"form": refused.detail}
