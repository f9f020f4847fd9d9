"""docs/cli.md against click's own tree, and the runbook against what `doctor` looks at."""

import inspect
import re
from collections.abc import Iterator

import click
import pytest

from nightlatch.cli import checks, checks_inside, checks_saml, main, reasons
from tests.docs import reading


def _tree(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    if name != "nightlatch":
        yield name, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for each in command.list_commands(context):
            found = command.get_command(context, each)
            assert found is not None
            yield from _tree(found, f"{name} {each}")


COMMANDS = dict(_tree(main, "nightlatch"))
every_command = pytest.mark.parametrize("name", COMMANDS)


def _section(name: str) -> str:
    return reading.section(reading.text_of("cli.md"), f"`{name}`")


def test_every_command_is_told_and_no_other():
    told = [each.strip("`") for each in reading.headings(reading.text_of("cli.md")) if each.startswith("`")]
    assert sorted(told) == sorted(COMMANDS)


@every_command
def test_its_options_are_told_and_no_others(name):
    told = {each.split()[0] for each in reading.first_codes(_section(name))}
    options = [each for each in COMMANDS[name].params if isinstance(each, click.Option)]
    assert told == {option for each in options for option in each.opts}


@every_command
def test_its_arguments_are_told(name):
    for each in COMMANDS[name].params:
        if isinstance(each, click.Argument):
            shown = (each.metavar or (each.name or "").upper()).removesuffix("...")
            assert re.search(rf"\b{shown}\b", _section(name)), shown


@every_command
def test_choices_are_told(name):
    for each in COMMANDS[name].params:
        if isinstance(each.type, click.Choice):
            for choice in each.type.choices:
                assert re.search(rf"\b{re.escape(choice)}\b", _section(name)), f"{each.name}: {choice}"


def test_what_why_can_be_asked():
    assert set(reasons.ACTIONS) <= set(reading.code(_section("nightlatch why")))


def _source(*modules):
    return "".join(map(inspect.getsource, modules))


def test_every_check_of_doctor_is_in_the_runbook():
    made = set(
        re.findall(r"\b(?:ok|warning|problem)\(\s*\"(\w+)\"", _source(checks, checks_inside, checks_saml))
    )
    told = reading.first_codes(reading.section(reading.text_of("runbook.md"), "What doctor says"))
    assert made, "the checks are made in another way now: adapt this test"
    assert sorted(told) == sorted(made)
