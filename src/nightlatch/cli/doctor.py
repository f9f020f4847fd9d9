"""`nightlatch doctor`."""

import os
import sys
from typing import TYPE_CHECKING

import click

from nightlatch.cli import options
from nightlatch.cli.output import as_json as print_json
from nightlatch.cli.output import said
from nightlatch.config import Config, ConfigError

if TYPE_CHECKING:
    from nightlatch.cli.findings import Finding

_MARKS = {"ok": "ok      ", "warning": "warning ", "problem": "PROBLEM "}


@click.command()
@options.json_option
def doctor(as_json: bool) -> None:
    """Look at everything that serving needs; change nothing. Exits 1 with a problem, 2 where the settings are wrong."""
    try:
        config = Config.from_environment(os.environ)
    except ConfigError as error:
        from nightlatch.cli.findings import problem

        _show([problem("configuration", str(each)) for each in error.problems], None, as_json)
        sys.exit(2)
    from nightlatch.cli.checks import examine

    found = examine(config)
    _show(found, config, as_json)
    if any(each.status == "problem" for each in found):
        sys.exit(1)


def _show(found: "list[Finding]", config: Config | None, as_json: bool) -> None:
    if as_json:
        from nightlatch import __version__

        print_json(
            {
                "version": __version__,
                "status": _worst(found),
                "checks": [
                    {"name": each.name, "status": each.status, "message": each.message} for each in found
                ],
                "settings": config.redacted() if config is not None else None,
            }
        )
        return
    for each in found:
        click.echo(said(f"{_MARKS[each.status]}{each.name}: {each.message}"))


def _worst(found: "list[Finding]") -> str:
    return max((each.status for each in found), key=list(_MARKS).index)
