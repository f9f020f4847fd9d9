"""The gate before a Django project: an app, one middleware (last), `@fresh`, `request.proof`, `open_page`."""

from nightlatch_client.django.middleware import NightlatchMiddleware
from nightlatch_client.django.views import aopen_page, fresh, open_page

__all__ = ["NightlatchMiddleware", "aopen_page", "fresh", "open_page"]
