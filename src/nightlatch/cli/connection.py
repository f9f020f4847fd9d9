"""`nightlatch connection`: which workspace trusts which identity provider, and for what."""

from typing import TYPE_CHECKING, Any

import click

from nightlatch.cli import options
from nightlatch.cli.output import items_as_json, table
from nightlatch.cli.running import opened

if TYPE_CHECKING:
    from nightlatch.store.query import Row


@click.group()
def connection() -> None:
    """Show which workspace has people come by which identity provider."""


@connection.command("list")
@options.json_option
def list_them(as_json: bool) -> None:
    """List every connection: provider, rule, and whether it is ready and required."""
    from nightlatch.store import connections

    with opened() as house:
        found = house.store.read_now(connections.every)
    if as_json:
        items_as_json(map(_as_json, found))
        return
    table(
        ("WORKSPACE", "NAME", "KIND", "ISSUER", "RULE", "READY", "REQUIRED"),
        (
            (
                each.slug,
                each.name,
                each.kind,
                each.issuer,
                each.rule,
                "yes" if connections.is_ready(each) else "no",
                "yes" if each.sso_required_at is not None else "no",
            )
            for each in found
        ),
        "None.",
    )


def _as_json(row: "Row") -> dict[str, Any]:
    from nightlatch.ids import to_text
    from nightlatch.store import connections

    return {
        "id": to_text(row.id),
        "workspace": row.slug,
        "name": row.name,
        "kind": row.kind,
        "issuer": row.issuer,
        "rule": row.rule,
        "ready": connections.is_ready(row),
        "required": row.sso_required_at is not None,
    }
