"""`nightlatch why`: a live decision, explained."""

from typing import TYPE_CHECKING, Any

import click

from nightlatch.cli import options
from nightlatch.cli.output import as_json as print_json
from nightlatch.cli.output import said
from nightlatch.cli.running import account_by, opened, workspace_by_slug

if TYPE_CHECKING:
    from nightlatch.store.engine import Transaction


@click.command()
@click.argument("account")
@click.argument("workspace")
@click.argument("action")
@options.json_option
def why(account: str, workspace: str, action: str, as_json: bool) -> None:
    """Explain what ACCOUNT may do in WORKSPACE (slug), and what it would take.

    ACCOUNT is an e-mail, an id, or HANDLE:ID for a product's person.

    ACTION is the name of one, such as use, invite, change-policy, disable-two-factor or enrol; a wrong one lists them.
    Asked of the same decision that every request is asked of, for sessions as they could be and as they are.
    """
    from nightlatch.cli import reasons

    if reasons.named(action) is None:
        names = ", ".join(reasons.ACTIONS)
        raise click.BadParameter(f"{action!r} is none of: {names}", param_hint="ACTION")

    def body(tx: "Transaction") -> dict[str, Any]:
        return reasons.explain(tx, account_by(tx, account), workspace_by_slug(tx, workspace), action)

    with opened() as house:
        found = house.store.read_now(body)
    if as_json:
        print_json(found)
    else:
        _show(found)


def _show(found: dict[str, Any]) -> None:
    place, who = found["workspace"], found["account"]
    click.echo(said(f"{who['name']} <{who['email']}>, {found['action']} in {place['slug']}:"))
    for sentence in found["because"]:
        click.echo(said(f"  {sentence}"))
    click.echo("What a session gets:")
    for each in found["would"]:
        click.echo(said(f"  with {each['with']}: {each['text']}"))
    click.echo("Live sessions now:" if found["sessions"] else "Live sessions now: none")
    for each in found["sessions"]:
        click.echo(said(f"  {each['kind']} from {each['ip'] or 'somewhere'}: {each['text']}"))
    if found["tokens"]:
        click.echo("API tokens now:")
    for each in found["tokens"]:
        click.echo(said(f"  {each['name']} ({' '.join(each['scopes'])}): {each['text']}"))
