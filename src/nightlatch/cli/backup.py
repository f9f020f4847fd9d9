"""`nightlatch backup`."""

from pathlib import Path

import click

from nightlatch.cli.running import explained, fail, read_config
from nightlatch.config import Config


@click.command()
@click.option(
    "--path", required=True, type=click.Path(path_type=Path), help="The file to write; it must not exist."
)
def backup(path: Path) -> None:
    """Write a consistent copy of the database while it is in use. Never with the keys that open its secrets."""
    config = read_config()
    path = path.absolute()
    with explained():
        from nightlatch.store import copies, migrate

        _apart(path, config)
        if migrate.current(config.database_url) is None:
            fail("There is no database to copy.")
        try:
            if config.sqlite_path is not None:
                copies.copy_sqlite(config.sqlite_path, path)
            else:
                copies.dump_postgres(config.database_url, path)
        except copies.NoCopy as error:
            fail(str(error))
    click.echo(f"The copy is in {path}, readable by you alone.")
    click.echo(_about_keys(config))


def _apart(path: Path, config: Config) -> None:
    """A copy beside the keys would be both locks of one door (law 10)."""
    if path.is_dir():
        raise click.BadParameter("that is a folder; name a file", param_hint="--path")
    if config.keys is None and path.parent.resolve() == config.key_file.parent.resolve():
        fail(f"{path.parent} holds the keys. A backup and its keys lie apart: choose another folder.")


def _about_keys(config: Config) -> str:
    where = f"They lie in {config.key_file}" if config.keys is None else "They are what NIGHTLATCH_KEYS says"
    return (
        f"The keys are not in it. {where}. Keep a copy of them too, elsewhere: without them nobody can sign in with "
        "what is restored, and with them beside it anybody who finds it can read its secrets."
    )
