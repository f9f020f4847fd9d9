"""The one table of routes."""

from nightlatch.web.api import account as api_account
from nightlatch.web.api import authenticators as api_authenticators
from nightlatch.web.api import openapi
from nightlatch.web.api import sign_in as api_sign_in
from nightlatch.web.pages import health
from nightlatch.web.pages import sign_in as page_sign_in
from nightlatch.web.routes import Route

ROUTES: list[Route] = [
    *health.ROUTES,
    *page_sign_in.ROUTES,
    *api_sign_in.ROUTES,
    *api_account.ROUTES,
    *api_authenticators.ROUTES,
    *openapi.ROUTES,
]


def all_routes(*, demo: bool) -> list[Route]:
    """Every route of this process. The demo's own exist in a demo alone."""
    if not demo:
        return ROUTES
    from nightlatch.web.pages import demo as demo_pages

    return [*ROUTES, *demo_pages.ROUTES]
