"""The command line. Each noun has its own file, imported when it is asked for: `nightlatch version` is instant."""

from importlib import import_module

import click

_COMMANDS = {
    "serve": ("serve:serve", "Serve on NIGHTLATCH_HOST and NIGHTLATCH_PORT."),
    "demo": ("demo:demo", "Make the demo world and serve it on localhost."),
    "migrate": ("migrate:migrate", "Bring the database to the newest schema."),
    "doctor": ("doctor:doctor", "Look at everything that serving needs, and say what is wrong."),
    "why": ("why:why", "Explain what a person may do in a workspace, and what it would take."),
    "workspace": ("workspace:workspace", "Make and list workspaces, and change their policy."),
    "teammate": ("teammate:teammate", "Invite, list and remove teammates; change roles; disable 2FA."),
    "app": ("app:app", "Register products, change them, and give them new secrets."),
    "connection": (
        "connection:connection",
        "Show which workspace has people come by which identity provider.",
    ),
    "domain": ("domain:domain", "Show which workspace claims which domain, and take one away."),
    "sessions": ("sessions:sessions", "End every session, API token and grant."),
    "account": ("account:account", "Show an account, and lift its locks."),
    "audit": ("audit:audit", "Read the audit events."),
    "keys": ("keys:keys", "Check and rotate the keys that seal secrets."),
    "backup": ("backup:backup", "Write a consistent copy of the database while it is in use."),
    "restore": (
        "restore:restore",
        "Put a backup in place; ends sessions, tickets, invitations, links, API tokens.",
    ),
    "simulate": ("simulate:simulate", "Play a rollout of 2FA through, with people who read mail late."),
    "openapi": ("openapi:openapi", "Print the description of the JSON API (OpenAPI 3.1)."),
    "version": ("version:version", "Print the version."),
}


class _Commands(click.Group):
    """A group whose commands are imported when they are used; their list needs none of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        found = _COMMANDS.get(cmd_name)
        if found is None:
            return None
        module, _, name = found[0].partition(":")
        command: click.Command = getattr(import_module(f"nightlatch.cli.{module}"), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in _COMMANDS.items()])


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Mandatory two-factor authentication for every workspace.

    Settings come from the environment (NIGHTLATCH_...). `nightlatch doctor` checks them.
    """
