"""`nightlatch audit`: the audit events, and what they say of a day."""

import json
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from nightlatch.cli import options
from nightlatch.cli.output import as_json as print_json
from nightlatch.cli.output import items_as_json, said, table, when
from nightlatch.cli.running import opened, workspace_by_slug

if TYPE_CHECKING:
    from nightlatch.audit.evidence import Evidence
    from nightlatch.store.engine import Transaction
    from nightlatch.store.query import Row

_NOT_KNOWN = "not known"


@click.group()
def audit() -> None:
    """Read the audit events, and what they say of a day."""


def _instant(_: click.Context, parameter: click.Parameter, text: str | None) -> int | None:
    from nightlatch.instants import from_text

    if text is None:
        return None
    try:
        return from_text(text)
    except ValueError:
        raise click.BadParameter(f"{text!r} is no instant such as 2026-12-01T09:00Z.") from None


@audit.command("list")
@click.option(
    "--workspace", "slug", metavar="SLUG", help="What this workspace's admins may read; else everything."
)
@click.option("--event", metavar="NAME", help="Only this event, such as mandate.turned_on.")
@click.option("--actor", default="", help="Words that must be in the name of whoever acted.")
@click.option("--from", "since", metavar="INSTANT", callback=_instant, help="Not older than this.")
@click.option("--to", "until", metavar="INSTANT", callback=_instant, help="Older than this.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 100_000), help="How many.")
@options.json_option
def list_them(
    slug: str | None,
    event: str | None,
    actor: str,
    since: int | None,
    until: int | None,
    limit: int,
    as_json: bool,
) -> None:
    """List events, the newest first."""
    from nightlatch.store import events

    def body(tx: "Transaction") -> tuple[list["Row"], dict[int, str]]:
        from nightlatch.store import workspaces

        find: Callable[..., list[Row]] = partial(events.page, tx, anywhere=True)
        if slug is not None:
            find = partial(events.page, tx, workspace_id=workspace_by_slug(tx, slug).id)
        rows = find(event=event, actor_name=actor, since=since, until=until, most=limit)
        return rows, {row.id: row.slug for row in workspaces.every(tx)}

    with opened() as house:
        rows, slugs = house.store.read_now(body)
    if as_json:
        items_as_json(_event(row, slugs) for row in rows)
        return
    table(
        ("AT", "EVENT", "WHO", "WHOM", "WORKSPACE", "FROM", "DETAIL"),
        (
            (
                when(row.at),
                row.event,
                row.actor_name or row.actor_kind,
                row.subject_name,
                slugs.get(row.workspace_id or 0, "-"),
                row.ip or "-",
                _detail(row.detail),
            )
            for row in rows
        ),
        "No events.",
    )


def _event(row: "Row", slugs: dict[int, str]) -> dict[str, Any]:
    """As the API shows an event."""
    from nightlatch.ids import to_text as id_text
    from nightlatch.instants import to_text

    def someone(kind: str, id: int | None, name: str) -> dict[str, str | None]:
        return {"kind": kind, "id": id_text(id) if id is not None else None, "name": name}

    return {
        "id": id_text(row.id),
        "at": to_text(row.at),
        "event": row.event,
        "actor": someone(row.actor_kind, row.actor_id, row.actor_name),
        "subject": someone(row.subject_kind, row.subject_id, row.subject_name),
        "workspace": slugs.get(row.workspace_id) if row.workspace_id is not None else None,
        "ip": row.ip,
        "user_agent": row.user_agent,
        "detail": json.loads(row.detail),
    }


def _detail(text: str) -> str:
    return ", ".join(f"{name}={value}" for name, value in json.loads(text).items() if value is not None)


@audit.command("evidence")
@click.argument("slug")
@click.option("--on", metavar="DATE", default="", help="A day in UTC, such as 2026-11-24; today without it.")
@click.option("--csv", "as_csv", is_flag=True, help="Print the CSV file.")
@options.json_option
def evidence(slug: str, on: str, as_csv: bool, as_json: bool) -> None:
    """Show who had what in a workspace at the end of a day, rebuilt from its audit events alone."""
    from nightlatch.actions.evidence import read_evidence
    from nightlatch.audit import evidence_files

    if as_csv and as_json:
        raise click.UsageError("Choose --csv or --json.")
    with opened() as house:
        found = house.store.read_now(
            lambda tx: read_evidence(tx, workspace_id=workspace_by_slug(tx, slug).id, on=on)
        )
    if as_json:
        print_json(evidence_files.as_json(found, slug))
    elif as_csv:
        for chunk in evidence_files.csv_chunks(found):
            click.echo(chunk, nl=False)
    else:
        _print_evidence(found)


def _print_evidence(found: "Evidence") -> None:
    policy = found.policy
    from_when = f" from {when(policy.required_from)}" if policy.required_from is not None else ""
    by = f"{policy.by.name or policy.by.kind}, {when(policy.at)}" if policy.by is not None else _NOT_KNOWN
    click.echo(f"{said(found.name or _NOT_KNOWN)} at {when(found.at)}")
    click.echo(f"2FA: {policy.state(found.at)}{from_when}; decided by {said(by)}")
    if policy.resistant_from is not None:
        click.echo(f"Passkeys alone: from {when(policy.resistant_from)}")
    click.echo(f"May change it: {policy.managed_by}\n")
    table(
        ("NAME", "E-MAIL", "ROLE", "JOINED", "2FA", "WITH", "SINCE"),
        (
            (
                each.name,
                each.email or _NOT_KNOWN,
                each.role or _NOT_KNOWN,
                when(each.joined_at),
                each.state or _NOT_KNOWN,
                " ".join(each.methods) if each.methods is not None else _NOT_KNOWN,
                when(each.since),
            )
            for each in found.teammates
        ),
        "No teammates.",
    )
    click.echo()
    table(
        ("2FA DISABLED FOR", "AT", "BY", "AGREED", "REASON", "RECOGNISED BY", "SET UP AGAIN"),
        (
            (
                each.name,
                when(each.at),
                each.by.name or each.by.kind,
                each.approved_by.name if each.approved_by is not None else "-",
                each.reason or "-",
                each.recognised_by or "-",
                when(each.completed_at),
            )
            for each in found.resets
        ),
        "2FA was never disabled for anybody.",
    )
    click.echo()
    table(
        ("NO LONGER A TEAMMATE", "E-MAIL", "SINCE", "HOW"),
        (
            (
                each.name,
                each.email or _NOT_KNOWN,
                when(each.at),
                "left" if each.left else f"removed by {each.by.name or each.by.kind}",
            )
            for each in found.gone
        ),
        "Nobody left or was removed.",
    )
