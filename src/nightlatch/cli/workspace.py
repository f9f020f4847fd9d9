"""`nightlatch workspace`: make, list, see and change the policy."""

from typing import TYPE_CHECKING, Any

import click

from nightlatch.cli import options
from nightlatch.cli.output import as_json as print_json
from nightlatch.cli.output import items_as_json, said, table, when
from nightlatch.cli.running import address, mails_queued, opened, workspace_by_slug

if TYPE_CHECKING:
    from nightlatch.actions.mandate import Policy
    from nightlatch.store.engine import Transaction


@click.group()
def workspace() -> None:
    """Make and list workspaces, and change their policy."""


@workspace.command()
@click.argument("name")
@click.option("--slug", required=True, help="Its address: /w/SLUG.")
@click.option("--owner", "owner_email", required=True, metavar="EMAIL", help="Who is invited to own it.")
@click.option("--operator", "operator_name", default="The operator", metavar="NAME", help="Your name.")
@options.send_option
@options.json_option
def create(name: str, slug: str, owner_email: str, operator_name: str, send: bool, as_json: bool) -> None:
    """Make a workspace and mail its owner an invitation; for a new account its link is printed, too."""
    from nightlatch.actions import workspaces
    from nightlatch.actions.by import operator

    owner, by = address(owner_email), operator(operator_name)
    with opened() as house:
        made = house.store.write_now(
            lambda tx: workspaces.create(tx, by=by, name=name, slug=slug, owner=owner)
        )
        base = house.config.base_url
        link = f"{base}/invitations/{made.invitation.text}" if made.invitation is not None else None
        if as_json:
            print_json(
                {
                    "slug": made.slug,
                    "name": made.name,
                    "url": f"{base}/w/{made.slug}",
                    "owner": owner.display,
                    "mailed": made.mailed,
                    "invitation": link,
                }
            )
        else:
            click.echo(f"{made.name} is made: {base}/w/{made.slug}")
            click.echo(_invited(owner.display, link, mailed=made.mailed))
        mails_queued(house, send=send)


def _invited(email: str, link: str | None, *, mailed: bool) -> str:
    if not mailed:
        return (
            f"{email} was not mailed: that address has been sent all the invitations that it gets in a day."
        )
    if link is None:
        return f"{email} has an account, so the invitation is in their mail alone."
    return f"{email} is invited to own it; good once, for 7 days:\n{link}"


@workspace.command("list")
@options.json_option
def list_them(as_json: bool) -> None:
    """List the workspaces: their teammates, how many have 2FA, and whether it is required."""
    with opened() as house:
        found = house.store.read_now(_overview)
    if as_json:
        items_as_json(found)
        return
    table(
        ("SLUG", "NAME", "TEAMMATES", "WITH 2FA", "INVITED", "2FA IS"),
        (
            (
                each["slug"],
                each["name"],
                str(each["teammates"]),
                str(each["with_two_factor"]),
                str(each["invited"]),
                _requirement(each["two_factor"]),
            )
            for each in found
        ),
        "There are no workspaces yet. Make one with: nightlatch workspace create NAME --slug SLUG --owner EMAIL",
    )


def _overview(tx: "Transaction") -> list[dict[str, Any]]:
    from nightlatch.instants import to_text
    from nightlatch.policy import Mandate
    from nightlatch.store import standing, workspaces

    found = []
    for row in workspaces.every(tx):
        counts = standing.counts(tx, row.id)
        active = [each for each in counts if each.status == "active"]
        found.append(
            {
                "slug": row.slug,
                "name": row.name,
                "created_at": to_text(row.created_at),
                "teammates": sum(each.number for each in active),
                "with_two_factor": sum(each.number for each in active if each.state == "on"),
                "invited": sum(each.number for each in counts if each.status == "invited"),
                "two_factor": {
                    "required": row.required_from is not None,
                    "required_from": to_text(row.required_from) if row.required_from is not None else None,
                    "in_force": Mandate(row.required_from).in_force(tx.now),
                    "strength": Mandate(row.required_from, resistant_from=row.resistant_from).strength,
                    "strength_from": to_text(row.resistant_from) if row.resistant_from is not None else None,
                    "managed_by": row.managed_by,
                },
            }
        )
    return found


def _requirement(two_factor: dict[str, Any]) -> str:
    if not two_factor["required"]:
        return "optional"
    return "required" if two_factor["in_force"] else f"required from {two_factor['required_from']}"


@workspace.command()
@click.argument("slug")
@click.option("--require", type=click.Choice(["on", "off"]), help="Turn the mandate on or off.")
@click.option(
    "--from", "since", metavar="INSTANT", help="With --require on: from then, such as 2026-12-01T09:00Z."
)
@click.option(
    "--strength",
    type=click.Choice(["any", "phishing_resistant"]),
    help="With --require on: any second step, or passkeys alone.",
)
@click.option("--strength-from", metavar="INSTANT", help="With --strength phishing_resistant: from then.")
@click.option(
    "--remember-browsers",
    "remember_days",
    type=click.IntRange(min=0),
    metavar="DAYS",
    help="While nothing is required: for so many days a browser may be remembered; 0: never.",
)
@click.option("--reason", help="Why; needed with --require off, and mailed to all owners first.")
@click.option("--operator", "name", metavar="NAME", help="Your name; needed for a change.")
@options.send_option
@options.json_option
def policy(
    slug: str,
    require: str | None,
    since: str | None,
    strength: str | None,
    strength_from: str | None,
    remember_days: int | None,
    reason: str | None,
    name: str | None,
    send: bool,
    as_json: bool,
) -> None:
    """Show whether a workspace requires 2FA and lets browsers be remembered, or change it."""
    from nightlatch.actions import mandate
    from nightlatch.actions.by import operator
    from nightlatch.policy import ProofStrength

    required_from = _instant(since, "--from") if since is not None else None
    passkeys_from = _instant(strength_from, "--strength-from") if strength_from is not None else None
    changes = require is not None or remember_days is not None
    _usable(require, since, reason, name, changes=changes)
    if strength is not None and require != "on":
        raise click.UsageError("--strength goes with --require on.")
    by = operator(name or "The operator")

    def body(tx: "Transaction") -> "Policy":
        workspace_id = workspace_by_slug(tx, slug).id
        now = mandate.read_policy(tx, by=by, workspace_id=workspace_id)
        if not changes:
            return now
        return mandate.change_policy(
            tx,
            by=by,
            workspace_id=workspace_id,
            required=now.required if require is None else require == "on",
            required_from=now.required_from if require is None else required_from,
            managed_by=now.managed_by,
            if_revision=now.revision,
            reason=reason,
            strength=ProofStrength(strength) if strength is not None else None,
            strength_from=passkeys_from,
            remember_days=remember_days,
        )

    with opened() as house:
        shown = house.store.write_now(body) if changes else house.store.read_now(body)
        if as_json:
            print_json(_policy_json(shown))
        else:
            click.echo(_policy_text(slug, shown))
        if changes:
            mails_queued(house, send=send)


def _usable(
    require: str | None, since: str | None, reason: str | None, name: str | None, *, changes: bool
) -> None:
    if since is not None and require != "on":
        raise click.UsageError("--from goes with --require on.")
    if changes and name is None:
        raise click.UsageError("A change needs --operator NAME.")
    if require == "off" and not (reason or "").strip():
        raise click.UsageError("--require off needs --reason: every owner is mailed why.")


def _instant(text: str, option: str) -> int:
    from nightlatch.instants import from_text

    try:
        return from_text(text)
    except ValueError:
        raise click.BadParameter(
            f"{text!r} is no instant such as 2026-12-01T09:00Z.", param_hint=option
        ) from None


def _policy_json(policy: "Policy") -> dict[str, Any]:
    from nightlatch.instants import DAY, to_text

    def text(instant: int | None) -> str | None:
        return to_text(instant) if instant is not None else None

    return {
        "two_factor": {
            "required": policy.required,
            "required_from": text(policy.required_from),
            "in_force": policy.in_force,
            "strength": policy.strength,
            "strength_from": text(policy.resistant_from),
            "managed_by": policy.managed_by,
        },
        "remember_browsers": policy.remember_for // DAY if policy.remember_for is not None else None,
        "revision": policy.revision,
        "changed_at": text(policy.changed_at),
        "changed_by": policy.changed_by,
    }


def _policy_text(slug: str, policy: "Policy") -> str:
    from nightlatch.instants import DAY

    if not policy.required:
        first = f"2FA is optional in {slug}."
    elif policy.in_force:
        first = f"2FA is required of everyone in {slug}, since {when(policy.required_from)}."
    else:
        first = f"2FA is required of everyone in {slug} from {when(policy.required_from)}."
    if policy.resistant_from is not None:
        first += (
            f" A passkey is required {'since' if policy.resistant else 'from'} {when(policy.resistant_from)}."
        )
    if policy.remember_for is not None:
        days = policy.remember_for // DAY
        first += f" Browsers may be remembered for {days} day{'' if days == 1 else 's'}."
    changed = (
        f" Last changed {when(policy.changed_at)} by {said(policy.changed_by or '')}."
        if policy.changed_at
        else ""
    )
    return f"{first} Managed by {policy.managed_by}.{changed}"
