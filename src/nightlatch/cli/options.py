"""Options that several commands have."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
send_option = click.option(
    "--send", is_flag=True, help="Send the mail now, from here; otherwise a running server sends it."
)
workspace_option = click.option("--workspace", "slug", required=True, metavar="SLUG", help="Which workspace.")
name_option = click.option(
    "--operator",
    "name",
    default="The operator",
    metavar="NAME",
    help="Your name, for the record and the mail.",
)
operator_option = click.option(
    "--operator",
    "operator_name",
    default="The operator",
    metavar="NAME",
    help="Your name, for the record.",
)


def break_glass(command: F) -> F:
    """Options of what goes past a workspace's own rules: who does it, and why. All owners are mailed first."""
    reason = click.option(
        "--reason", required=True, help="Why; kept with the record, and mailed to the owners."
    )
    name = click.option(
        "--operator", "name", required=True, metavar="NAME", help="Your name, for the record."
    )
    return reason(name(command))
