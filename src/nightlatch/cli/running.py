"""What every command has in common: the configuration, the house, and how refusals are said.

Exit codes: 0 done; 1 refused, or it cannot be done now; 2 wrong usage or configuration.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import click

from nightlatch.config import Config, ConfigError


def fail(message: str, code: int = 1) -> NoReturn:
    """Say why on standard error and end."""
    click.echo(message, err=True)
    sys.exit(code)


def read_config() -> Config:
    """The configuration; every problem is printed where it cannot be used."""
    try:
        config = Config.from_environment()
    except ConfigError as error:
        say_problems(error)
    for warning in config.warnings:
        click.echo(f"warning: {warning}", err=True)
    return config


def say_problems(error: ConfigError) -> NoReturn:
    """Print every problem of the configuration and end."""
    fail("\n".join(["The configuration cannot be used.", *(f"  {each}" for each in error.problems)]), 2)


@contextmanager
def explained() -> Iterator[None]:
    """Say what goes wrong in one sentence, with the exit code that belongs to it."""
    from nightlatch.keyring import KeyRingError
    from nightlatch.refusals import Refused
    from nightlatch.server import NotServed
    from nightlatch.store.engine import Unavailable
    from nightlatch.store.migrate import NewerSchema
    from nightlatch.wiring import WrongKeys

    try:
        yield
    except Refused as refused:
        fail("\n".join([refused.detail, *(f"  {each.field}: {each.message}" for each in refused.errors[1:])]))
    except (KeyRingError, WrongKeys) as error:
        fail(str(error), 2)
    except (NotServed, NewerSchema, Unavailable) as error:
        fail(str(error))
    except OSError as error:
        fail(f"{error.filename or 'A file'}: {error.strerror or 'it cannot be used'}.")
