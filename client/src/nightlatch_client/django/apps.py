"""The Django app."""

from django.apps import AppConfig


class NightlatchClient(AppConfig):
    """Checks the settings when the project starts."""

    name = "nightlatch_client.django"
    label = "nightlatch_client"
    verbose_name = "Nightlatch"

    def ready(self) -> None:
        """Register the checks."""
        from nightlatch_client.django import checks  # noqa: F401
