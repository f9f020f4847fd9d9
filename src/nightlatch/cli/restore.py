"""`nightlatch restore`."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nightlatch.actions.by import By
from nightlatch.cli import options
from nightlatch.cli.running import explained, fail, read_config
from nightlatch.config import Config

if TYPE_CHECKING:
    from nightlatch.store.engine import Transaction


@click.command()
@click.option(
    "--path", required=True, type=click.Path(path_type=Path), help="What `nightlatch backup` wrote."
)
@click.option("--yes", is_flag=True, help="Overwrite the database that is there.")
@options.name_option
def restore(path: Path, yes: bool, name: str) -> None:
    """Put a backup in place of the database.

    What was handed out ends: sessions, tickets, invitations, API tokens, mailed links, mails that wait; codes up to now
    are refused. The keys must be those of the backup.
    """
    config = read_config()
    with explained():
        from nightlatch.actions.by import operator
        from nightlatch.store import copies, migrate

        if migrate.current(config.database_url) is not None and not yes:
            fail("There is a database already, and restoring would overwrite it. Say so with --yes.")
        if config.keys is None and not config.key_file.exists():
            fail(f"The backup's keys are missing. Put them into {config.key_file} first.", 2)
        try:
            put = _restore_sqlite if config.sqlite_path is not None else _restore_postgres
            ended = put(config, path, operator(name))
        except copies.NoCopy as error:
            fail(str(error))
    click.echo("The backup is in place.")
    click.echo(
        f"Ended: every session, {ended['tickets']} tickets, {ended['invitations']} invitations, "
        f"{ended['links']} mailed links, {ended['tokens']} API tokens; withdrawn: {ended['mails']} mails. "
        "Codes up to now are refused."
    )
    click.echo(
        "What happened since the backup is gone: new people, removed authenticators, policies, audit events. "
        "Recovery codes that were used since then work again; ask people to renew them. The secrets of products are "
        "those of the backup: rotate them (nightlatch app rotate)."
    )


def _restore_sqlite(config: Config, path: Path, by: By) -> dict[str, int]:
    """Everything is made ready beside the database; then it takes its place at once, even under a running server."""
    from nightlatch import wiring
    from nightlatch.actions.restored import after_restore
    from nightlatch.store import copies, migrate

    live = config.sqlite_path
    if live is None:
        raise AssertionError
    live.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    ready = live.with_name(f".{live.name}.restoring")
    for end in ("", "-wal", "-shm", ".lock", ".turn"):
        Path(f"{ready}{end}").unlink(missing_ok=True)  # of one that was interrupted
    try:
        copies.take_sqlite(path, ready)
        beside = replace(config, database_url=f"sqlite:///{ready}")
        migrate.upgrade(beside.database_url)
        house = wiring.build(beside)
        try:
            ended = house.store.write_now(lambda tx: after_restore(tx, by=by))
        finally:
            house.close()
        copies.put_sqlite(ready, live)
    finally:
        for end in ("", "-wal", "-shm", ".lock", ".turn"):
            Path(f"{ready}{end}").unlink(missing_ok=True)
    return ended


def _restore_postgres(config: Config, path: Path, by: By) -> dict[str, int]:
    """Behind a fence: a server that comes up before what was handed out has ended would let people in."""
    from nightlatch import wiring
    from nightlatch.store import copies, fence, migrate

    revision, check = copies.look_into_dump(path)
    if revision is None:
        fail(f"{path} is no backup of a Nightlatch database.")
    migrate.see(revision)
    wiring.see_keys(wiring.load_keys(config), check)
    url = config.database_url
    was_open = fence.raise_fence(url)  # first: who connects from now on is refused, who has connected is seen
    try:
        if copies.others_connected(url):
            fail("Nightlatch is connected to this database. Stop every `nightlatch serve` on it first.")
        copies.restore_postgres(url, path)
    except BaseException:
        if was_open:
            fence.lower_fence(url)
        raise
    migrate.upgrade(url)
    house = wiring.build(config, restoring=True)
    try:
        return house.store.write_now(lambda tx: _open_again(tx, by))
    finally:
        house.close()


def _open_again(tx: "Transaction", by: By) -> dict[str, int]:
    """Everything that was handed out ends, and the fence falls: both or neither."""
    from nightlatch.actions.restored import after_restore
    from nightlatch.store import fence

    ended = after_restore(tx, by=by)
    fence.fall(tx)
    return ended
