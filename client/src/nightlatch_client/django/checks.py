"""What `manage.py check` says about the setting and the place of the middleware."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core import checks

from nightlatch_client.django.conf import configured
from nightlatch_client.errors import Misconfigured

NAMES = (
    "nightlatch_client.django.NightlatchMiddleware",
    "nightlatch_client.django.middleware.NightlatchMiddleware",
)


@checks.register()
def check_nightlatch(app_configs: Sequence[Any] | None, **more: Any) -> list[checks.CheckMessage]:
    """The setting can be used, the secret can be read, and the middleware is there, last."""
    try:
        found = configured()
        found.nl.settings.secrets()
    except Misconfigured as wrong:
        return [checks.Error(str(wrong), id="nightlatch.E001")]
    places = [place for place, name in enumerate(settings.MIDDLEWARE) if name in NAMES]
    if len(places) != 1:
        return [
            checks.Error(
                f"MIDDLEWARE has {NAMES[0]!r} {len(places)} times; it belongs there once.",
                id="nightlatch.E002",
            )
        ]
    if places[0] != len(settings.MIDDLEWARE) - 1:
        hint = "What comes after it is not behind the gate, and PERSON cannot use it."
        return [
            checks.Warning(
                "NightlatchMiddleware is not the last of MIDDLEWARE.", hint=hint, id="nightlatch.W001"
            )
        ]
    return []
