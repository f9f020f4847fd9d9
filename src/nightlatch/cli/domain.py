"""`nightlatch domain`: which workspace has proved which domain of e-mail addresses, and taking one away."""

from typing import TYPE_CHECKING, Any

import click

from nightlatch.cli import options
from nightlatch.cli.output import items_as_json, said, table, when
from nightlatch.cli.running import mails_queued, opened, workspace_by_slug

if TYPE_CHECKING:
    from nightlatch.store.engine import Transaction
    from nightlatch.store.query import Row


@click.group()
def domain() -> None:
    """Show which workspace claims which domain, and take one away."""


@domain.command("list")
@options.json_option
def list_them(as_json: bool) -> None:
    """List every domain that a workspace claims, proved or not."""
    from nightlatch.store import domains

    with opened() as house:
        found = house.store.read_now(domains.every)
    if as_json:
        items_as_json(map(_as_json, found))
        return
    table(
        ("DOMAIN", "WORKSPACE", "PROVED"),
        ((each.domain, each.slug, when(each.proved_at)) for each in found),
        "None.",
    )


@domain.command()
@click.argument("name", metavar="DOMAIN")
@options.workspace_option
@click.option("--reason", required=True, help="Why; kept with the record, and mailed to the owners.")
@click.option("--operator", "operator_name", required=True, metavar="NAME", help="Your name, for the record.")
@options.send_option
def remove(name: str, slug: str, reason: str, operator_name: str, send: bool) -> None:
    """Take a domain from a workspace, so that another one can prove it. All owners are mailed first."""
    from nightlatch.actions import domains
    from nightlatch.actions.by import operator
    from nightlatch.domains import BadDomain, parse_domain
    from nightlatch.refusals import Code, Refused

    try:
        wanted = parse_domain(name)
    except BadDomain as bad:
        raise click.BadParameter(bad.reason) from None

    def body(tx: "Transaction") -> None:
        workspace_id = workspace_by_slug(tx, slug).id
        claimed = [each.id for each in domains.every(tx, workspace_id) if each.domain == wanted]
        if not claimed:
            raise Refused(Code.NOT_FOUND, f"{slug} does not claim {wanted}. See: nightlatch domain list")
        domains.remove(
            tx, by=operator(operator_name), workspace_id=workspace_id, domain_id=claimed[0], reason=reason
        )

    with opened() as house:
        house.store.write_now(body)
        click.echo(f"{said(wanted)} is {said(slug)}'s no more.")
        mails_queued(house, send=send)


def _as_json(row: "Row") -> dict[str, Any]:
    from nightlatch.instants import to_text

    return {
        "domain": row.domain,
        "workspace": row.slug,
        "proved_at": to_text(row.proved_at) if row.proved_at is not None else None,
    }
