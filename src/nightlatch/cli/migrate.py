"""`nightlatch migrate`."""

import sys

import click

from nightlatch.cli.running import explained, read_config


@click.command()
@click.option("--check", is_flag=True, help="Change nothing; exit 1 where there is something to do.")
def migrate(check: bool) -> None:
    """Bring the database to the newest schema, making it where there is none. Safe to run again."""
    config = read_config()
    with explained():
        from nightlatch.store import migrate as migrations

        url = config.database_url
        if not migrations.pending(url):
            click.echo(f"The database is at the newest schema ({migrations.HEAD}).")
            return
        at = migrations.current(url) or "nothing"
        if check:
            click.echo(
                f"The database is at {at}; the newest schema is {migrations.HEAD}. Run: nightlatch migrate"
            )
            sys.exit(1)
        migrations.upgrade(url)
        click.echo(f"The database went from {at} to the newest schema ({migrations.HEAD}).")
