"""`nightlatch serve`."""

import gc

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
        gc.disable()  # what is imported is no garbage: this is a tenth of the start
        try:
            from nightlatch import logs, server

            logs.configure()
            server.prepare(config)
        finally:
            gc.enable()
        server.run(config)
