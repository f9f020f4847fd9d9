"""What every command has in common: the configuration, the house, and how refusals are said.

Exit codes: 0 done; 1 refused, or it cannot be done now; 2 wrong usage or configuration.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

import click

from nightlatch.config import Config, ConfigError

if TYPE_CHECKING:
    from nightlatch.addresses import Address
    from nightlatch.store.engine import Transaction
    from nightlatch.store.query import Row
    from nightlatch.wiring import House


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
    """Say what goes wrong in a sentence, with the exit code that belongs to it."""
    from nightlatch.keyring import KeyRingError
    from nightlatch.refusals import Refused
    from nightlatch.server import NotServed
    from nightlatch.store.engine import Unavailable
    from nightlatch.store.migrate import NewerSchema
    from nightlatch.wiring import WrongKeys

    try:
        yield
    except Refused as refused:
        fail(refused.detail)
    except (KeyRingError, WrongKeys) as error:
        fail(str(error), 2)
    except (NotServed, NewerSchema, Unavailable) as error:
        fail(str(error))
    except OSError as error:
        fail(f"{error.filename or 'A file'}: {error.strerror or error}.")
    except Exception as error:
        if not type(error).__module__.startswith(("psycopg", "pysqlite3", "sqlalchemy")):
            raise
        fail(f"The database cannot be used: {str(error).strip().splitlines()[0]}")


@contextmanager
def opened() -> Iterator["House"]:
    """The house on a database that is there and migrated."""
    config = read_config()
    with explained():
        from nightlatch import wiring
        from nightlatch.store import migrate

        if migrate.current(config.database_url) is None:
            fail("There is no database yet. Make it with: nightlatch migrate")
        if migrate.pending(config.database_url):
            fail("The database is not at this version's schema. Run: nightlatch migrate")
        house = wiring.build(config)
        try:
            yield house
        finally:
            house.close()


def mails_queued(house: "House", *, send: bool) -> None:
    """The command has queued mail: send it, or say who will."""
    from nightlatch.store import outbox

    if send:
        send_all(house)
    waiting, _, _, error = house.store.read_now(outbox.health)
    if send and waiting:
        click.echo(
            f"{waiting} mails could not be sent now: {error or 'they are tried again later'}.", err=True
        )
    elif waiting:
        click.echo(
            "The mail waits in the outbox. A running server sends it in a moment; so does --send.", err=True
        )


def send_all(house: "House") -> None:
    """Send everything that is due, campaigns too."""
    from nightlatch.actions.chores import CHORES
    from nightlatch.mail.background import Rounds

    rounds = Rounds(house.post(), CHORES)
    while rounds.once():
        pass


def workspace_by_slug(tx: "Transaction", slug: str) -> "Row":
    """The workspace, or Refused in words that fit the command line."""
    from nightlatch.refusals import Code, Refused
    from nightlatch.store import workspaces

    row = workspaces.by_slug(tx, slug)
    if row is None:
        raise Refused(Code.NOT_FOUND, f"There is no workspace {slug!r}. See: nightlatch workspace list")
    return row


def app_by_handle(tx: "Transaction", handle: str) -> "Row":
    """A registered product, or Refused in words that fit the command line."""
    from nightlatch.refusals import Code, Refused
    from nightlatch.store import apps

    row = apps.by_handle(tx, handle)
    if row is None:
        raise Refused(Code.NOT_FOUND, f"There is no product {handle!r}. See: nightlatch app list")
    return row


def account_by(tx: "Transaction", who: str) -> "Row":
    """An account by its e-mail or id, or a product's person as HANDLE:ID, or Refused."""
    from nightlatch import addresses, ids
    from nightlatch.refusals import Code, Refused
    from nightlatch.store import accounts, apps

    handle, colon, person = who.partition(":")
    app = apps.by_handle(tx, handle) if colon else None
    if app is not None:
        found = accounts.by_person(tx, app.id, person)
        if found is None:
            raise Refused(Code.NOT_FOUND, f"{app.name} has told us of nobody called {person!r}.")
        return found

    account_id = ids.from_text(who)
    row = accounts.by_id(tx, account_id) if account_id is not None else None
    if row is None:
        try:
            row = accounts.by_email(tx, addresses.parse(who).key)
        except addresses.BadAddress:
            row = None
    if row is None:
        raise Refused(Code.NOT_FOUND, f"There is no account {who!r}.")
    return row


def _person_at(tx: "Transaction", workspace: "Row", email: str) -> "Row | None":
    """Of a product's people in its workspace, the one with this e-mail; a product may give one to several of them."""
    from nightlatch.refusals import Code, Refused
    from nightlatch.store import accounts, people

    if workspace.app_id is None or "@" not in email:
        return None
    here = people.of_workspace(tx, workspace.app_id, workspace.id)
    found = [each for each in here if each.email.casefold() == email.casefold()]
    if len(found) > 1:
        raise Refused(
            Code.CONFLICT,
            f"Several people in {workspace.slug} have the address {email}. Name one by the product's handle and "
            f"its own id, such as HANDLE:{found[0].person}",
        )
    return accounts.by_id(tx, found[0].account_id) if found else None


def teammate_by(tx: "Transaction", slug: str, who: str) -> "tuple[Row, Row]":
    """A workspace, and an account's live membership in it, or Refused."""
    from nightlatch.refusals import Code, Refused
    from nightlatch.store import teammates

    workspace = workspace_by_slug(tx, slug)
    account = _person_at(tx, workspace, who) or account_by(tx, who)
    row = teammates.by_account(tx, account.id, workspace.id)
    if row is None or row.removed_at is not None:
        raise Refused(
            Code.NOT_FOUND,
            f"{account.email} is no teammate of {slug}. See: nightlatch teammate list --workspace {slug}",
        )
    return workspace, row


def address(text: str) -> "Address":
    """A typed e-mail address, or a usage error."""
    from nightlatch import addresses

    try:
        return addresses.parse(text)
    except addresses.BadAddress as bad:
        raise click.BadParameter(f"{text!r}: {bad.reason}") from None
