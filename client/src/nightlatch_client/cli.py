"""The command line: `nightlatch-client sync [--dry-run] [--confirm] [MODULE:NAME]`."""

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from nightlatch_client.errors import Misconfigured, NightlatchError
from nightlatch_client.everyone import Outcome, sync_everyone
from nightlatch_client.nl import Nightlatch

DONE, FAILED, USAGE = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; 0: done, 1: refused or unavailable, 2: used or configured wrongly."""
    said = _parser().parse_args(arguments)
    try:
        nl = find(said.nl)
        outcomes = asyncio.run(_give(nl, dry_run=said.dry_run, confirm=said.confirm))
    except Misconfigured as wrong:
        _tell(str(wrong), error=True)
        return USAGE
    except (NightlatchError, ValueError, TypeError) as error:
        _tell(f"Nothing more was given: {error}", error=True)
        return FAILED
    for each in outcomes:
        _tell(_line(each))
    if any(each.refused is not None and each.refused.code == "confirm_required" for each in outcomes):
        _tell("If those people have really left, say --confirm.", error=True)
    return FAILED if any(each.refused is not None for each in outcomes) else DONE


def find(target: str | None) -> Nightlatch:
    """The Nightlatch of a module, or of the Django project that DJANGO_SETTINGS_MODULE names."""
    sys.path.insert(0, os.getcwd())
    if target is not None:
        return _of_module(target)
    if not os.environ.get("DJANGO_SETTINGS_MODULE"):
        raise Misconfigured("Say where it is, as in shop.main:nl, or set DJANGO_SETTINGS_MODULE.")
    try:
        import django

        django.setup()
    except ImportError as error:
        raise Misconfigured(f"DJANGO_SETTINGS_MODULE is set, but: {error}") from error
    from nightlatch_client.django.conf import configured

    return configured().nl


def _of_module(target: str) -> Nightlatch:
    module, colon, name = target.partition(":")
    try:
        found = import_module(module)
        for part in (name if colon else "nl").split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError, ValueError) as error:
        raise Misconfigured(f"{target!r} cannot be imported: {error}") from error
    if not isinstance(found, Nightlatch):
        raise Misconfigured(f"{target!r} is no Nightlatch, but {type(found).__name__}.")
    return found


async def _give(nl: Nightlatch, *, dry_run: bool, confirm: bool) -> list[Outcome]:
    try:
        return await sync_everyone(nl, dry_run=dry_run, confirm=confirm)
    finally:
        await nl.aclose()


def _line(outcome: Outcome) -> str:
    shown = f"{outcome.name} ({outcome.workspace}), {outcome.people} people"
    if outcome.refused is not None:
        return f"{shown}: refused: {outcome.refused}"
    synced = outcome.synced
    if synced is None:
        return f"{shown}: nothing was done"
    would = "would be " if synced.dry_run else ""
    return (
        f"{shown}: {would}{synced.added} added, {synced.changed} changed, {synced.removed} removed, "
        f"{synced.unchanged} unchanged"
    )


def _tell(line: str, *, error: bool = False) -> None:
    (sys.stderr if error else sys.stdout).write(f"{line}\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="nightlatch-client", description="What a product tells Nightlatch.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    sync = commands.add_parser("sync", help="give the lists of all workspaces, from @nl.everyone")
    sync.add_argument(
        "nl", nargs="?", metavar="MODULE:NAME", help="where the Nightlatch is; without it: Django"
    )
    sync.add_argument("--dry-run", action="store_true", help="say what would change, and change nothing")
    sync.add_argument("--confirm", action="store_true", help="more than a fifth of a workspace may be lost")
    return parser


if __name__ == "__main__":
    sys.exit(main())
