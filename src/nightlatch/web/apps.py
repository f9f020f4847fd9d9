"""What pages and API about registered products have in common."""

from nightlatch.actions.apps import of_a_product
from nightlatch.products import Home
from nightlatch.web.context import Context
from nightlatch.web.sign_up import is_open


def home_of(context: Context) -> Home:
    """Where Nightlatch itself is reached."""
    config = context.front.config
    return Home(config.origin, config.path, is_open(config))


def of_nightlatch(context: Context) -> None:
    """Raises Refused in a workspace that a product brought: no other product belongs to it."""
    if context.place is not None and context.place.app_id is not None:
        raise of_a_product()
