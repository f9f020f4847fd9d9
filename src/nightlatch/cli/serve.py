"""`nightlatch serve`."""

import click

from nightlatch.cli.running import explained, read_config


@click.command()
def serve() -> None:
    """Serve on NIGHTLATCH_HOST and NIGHTLATCH_PORT, with NIGHTLATCH_WORKERS workers.

    A SQLite database is brought to the newest schema first; for PostgreSQL run `nightlatch migrate`. SIGTERM ends it:
    requests in flight are finished.
    """
    config = read_config()
    with explained():
        from nightlatch import logs, server

        logs.configure()
        server.prepare(config)
        server.run(config)
