"""`nightlatch openapi`."""

import click

from nightlatch.cli.output import as_json


@click.command()
def openapi() -> None:
    """Print the description of the JSON API (OpenAPI 3.1), as GET /api/v1/openapi.json answers it."""
    from nightlatch.web.api.openapi import document
    from nightlatch.web.table import ROUTES

    as_json(document(tuple(ROUTES)))
