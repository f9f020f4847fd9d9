"""`nightlatch sessions`: end them all."""

from typing import TYPE_CHECKING

import click

from nightlatch.cli import options
from nightlatch.cli.output import as_json as print_json
from nightlatch.cli.running import mails_queued, opened, workspace_by_slug

if TYPE_CHECKING:
    from nightlatch.store.engine import Transaction


@click.group()
def sessions() -> None:
    """End every session."""


@sessions.command()
@click.option("--all", "every", is_flag=True, help="Every one; needed, so that nobody does it by chance.")
@click.option("--workspace", "slug", metavar="SLUG", help="Only what they hold for this workspace.")
@options.break_glass
@options.send_option
@options.json_option
def end(every: bool, slug: str | None, name: str, reason: str, send: bool, as_json: bool) -> None:
    """End every session, API token and grant, of the installation or of one workspace. Owners are mailed first.

    Everybody signs in anew, with both steps. Of one workspace: what sessions have proved counts there no longer, and
    whatever they hold for other workspaces goes on.
    """
    if not every:
        raise click.UsageError("This ends every session: say --all.")
    from nightlatch.actions.by import operator
    from nightlatch.actions.sessions_end import end_sessions

    def body(tx: "Transaction") -> dict[str, int]:
        workspace_id = workspace_by_slug(tx, slug).id if slug is not None else None
        return end_sessions(tx, by=operator(name), workspace_id=workspace_id, reason=reason)

    with opened() as house:
        ended = house.store.write_now(body)
        if as_json:
            print_json({"workspace": slug, **ended})
        elif slug is not None:
            click.echo(
                f"Nothing that was proved before counts in {slug} now: its {ended['sessions']} teammates sign in anew. "
                f"{ended['tokens']} API tokens and {ended['grants']} grants ended."
            )
        else:
            click.echo(
                f"{ended['sessions']} sessions, {ended['tokens']} API tokens and {ended['grants']} grants ended: "
                "everybody signs in anew."
            )
        mails_queued(house, send=send)
