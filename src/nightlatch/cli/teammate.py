"""`nightlatch teammate`: who is in a workspace, and the operator's break-glass."""

from typing import TYPE_CHECKING, Any

import click

from nightlatch.cli import options
from nightlatch.cli.output import as_json as print_json
from nightlatch.cli.output import items_as_json, said, table, when
from nightlatch.cli.running import address, mails_queued, opened, teammate_by, workspace_by_slug

if TYPE_CHECKING:
    from nightlatch.actions.invitations import Result
    from nightlatch.actions.resets import ResetDone
    from nightlatch.store.engine import Transaction
    from nightlatch.store.listing import Item

_ROLES = click.Choice(["owner", "admin", "member"])
_FLAGS = click.Choice(["recovery_codes_low", "reset_pending", "mail_bouncing"])
_STATES = click.Choice(["on", "due", "overdue", "off", "reset", "sso", "exempt"])


@click.group()
def teammate() -> None:
    """Invite, list and remove teammates; change roles; disable 2FA for whoever is locked out."""


@teammate.command("list")
@options.workspace_option
@click.option("--search", "q", default="", help="Words that must be in the name or e-mail.")
@click.option("--role", type=_ROLES, help="Only this role.")
@click.option("--two-factor", type=_STATES, help="Only this state of 2FA.")
@click.option("--flag", type=_FLAGS, help="Only those who have this.")
@click.option("--status", type=click.Choice(["active", "invited"]), help="Only these.")
@options.json_option
def list_them(
    slug: str,
    q: str,
    role: str | None,
    two_factor: str | None,
    flag: str | None,
    status: str | None,
    as_json: bool,
) -> None:
    """List the teammates of a workspace and those who are invited, by name."""
    from nightlatch.store import listing

    def body(tx: "Transaction") -> list["Item"]:
        workspace_id, found, after = workspace_by_slug(tx, slug).id, list["Item"](), None
        while True:
            page = listing.page(
                tx,
                workspace_id,
                q=q,
                role=role or "",
                two_factor=two_factor or "",
                flag=flag or "",
                status=status or "",
                after=after,
                limit=listing.MOST_A_PAGE,
            )
            found += page.items
            after = page.next_cursor
            if after is None:
                return found

    with opened() as house:
        items = house.store.read_now(body)
    if as_json:
        items_as_json(map(_item_json, items))
        return
    table(
        ("NAME", "E-MAIL", "ROLE", "STATUS", "2FA", "METHODS", "LAST SIGN-IN"),
        (
            (
                each.name or "-",
                each.email,
                each.role,
                each.status,
                each.state or "-",
                " ".join(each.methods) or "-",
                when(each.last_sign_in_at),
            )
            for each in items
        ),
        "Nobody.",
    )


def _item_json(item: "Item") -> dict[str, Any]:
    """As the API shows a teammate."""
    from nightlatch.ids import to_text as id_text
    from nightlatch.instants import to_text

    def text(instant: int | None) -> str | None:
        return to_text(instant) if instant is not None else None

    two_factor = None
    if item.state is not None:
        two_factor = {
            "state": item.state,
            "flags": list(item.flags),
            "methods": list(item.methods),
            "since": text(item.since),
            "due": text(item.due),
        }
    return {
        "id": id_text(item.id),
        "name": item.name,
        "email": item.email,
        "role": item.role,
        "status": item.status,
        "two_factor": two_factor,
        "last_sign_in_at": text(item.last_sign_in_at),
    }


@teammate.command()
@options.workspace_option
@click.option("--role", type=_ROLES, default="member", show_default=True, help="What they will be.")
@click.option("--operator", "name", default="The operator", metavar="NAME", help="Your name, for the mail.")
@click.argument("emails", nargs=-1, required=True, metavar="EMAIL...")
@options.send_option
@options.json_option
def invite(slug: str, role: str, name: str, emails: tuple[str, ...], send: bool, as_json: bool) -> None:
    """Invite people by e-mail. For addresses without an account the link is printed, too."""
    from nightlatch.actions import invitations
    from nightlatch.actions.by import operator
    from nightlatch.vocabulary import Role

    pasted, by = [address(each) for each in emails], operator(name)
    with opened() as house:
        invited = house.store.write_now(
            lambda tx: invitations.invite(
                tx, by=by, workspace_id=workspace_by_slug(tx, slug).id, pasted=pasted, role=Role(role)
            )
        )
        results = [_result(each, house.config.base_url) for each in invited.results]
        if as_json:
            items_as_json(results)
        else:
            for each in results:
                click.echo(said(f"{each['email']}: {_OUTCOMES[each['outcome']]}"))
                if each["link"] is not None:
                    click.echo(f"  {each['link']}")
        if invited.sent:
            mails_queued(house, send=send)


_OUTCOMES = {
    "sent": "invited; good once, for 7 days",
    "already_teammate": "is a teammate already",
    "already_invited": "is invited already",
    "limited": "not invited: that address, or the workspace, was sent all the mails of a day",
    "declined": "not invited: this address does not take invitations",
}


def _result(result: "Result", base: str) -> dict[str, Any]:
    link = f"{base}/invitations/{result.token.text}" if result.token is not None else None
    return {"email": result.address.display, "outcome": result.outcome.value, "link": link}


@teammate.command()
@options.workspace_option
@click.argument("who", metavar="EMAIL")
@click.argument("role", type=_ROLES)
@options.break_glass
@options.send_option
def role(slug: str, who: str, role: str, name: str, reason: str, send: bool) -> None:
    """Give a teammate another role. All owners are mailed first."""
    from nightlatch.actions import teammates
    from nightlatch.actions.by import operator
    from nightlatch.vocabulary import Role

    def body(tx: "Transaction") -> bool:
        workspace, row = teammate_by(tx, slug, who)
        return teammates.change_role(
            tx,
            by=operator(name),
            workspace_id=workspace.id,
            teammate_id=row.id,
            role=Role(role),
            reason=reason,
        )

    with opened() as house:
        changed = house.store.write_now(body)
        click.echo(f"{said(who)} is {role} in {slug} now." if changed else f"{said(who)} is {role} already.")
        if changed:
            mails_queued(house, send=send)


@teammate.command()
@options.workspace_option
@click.argument("who", metavar="EMAIL")
@options.break_glass
@options.send_option
def remove(slug: str, who: str, name: str, reason: str, send: bool) -> None:
    """Remove a teammate; with their next request nothing there is open to them. All owners are mailed first."""
    from nightlatch.actions import teammates
    from nightlatch.actions.by import operator

    def body(tx: "Transaction") -> None:
        workspace, row = teammate_by(tx, slug, who)
        teammates.remove(tx, by=operator(name), workspace_id=workspace.id, teammate_id=row.id, reason=reason)

    with opened() as house:
        house.store.write_now(body)
        click.echo(f"{said(who)} is removed from {slug}.")
        mails_queued(house, send=send)


@teammate.command("approve-exception")
@options.workspace_option
@click.argument("who", metavar="EMAIL")
@options.break_glass
@options.send_option
def approve_exception(slug: str, who: str, name: str, reason: str, send: bool) -> None:
    """Agree to more time without 2FA that somebody of the workspace asked for a member. All owners are mailed first.

    For workspaces where nobody else could agree. It ends by itself.
    """
    from nightlatch.actions import exceptions, exceptions_rules
    from nightlatch.actions.by import operator
    from nightlatch.refusals import not_found
    from nightlatch.store import exceptions as stored

    def body(tx: "Transaction") -> int:
        workspace, row = teammate_by(tx, slug, who)
        asked = exceptions_rules.waiting(stored.of_person(tx, workspace.id, row.account_id), tx.now)
        if asked is None:
            raise not_found()
        exceptions.approve(
            tx, by=operator(name), workspace_id=workspace.id, exception_id=asked.id, reason=reason
        )
        return int(asked.ends_at)

    with opened() as house:
        until = house.store.write_now(body)
        click.echo(f"{said(who)} needs no 2FA in {slug} until {when(until)}.")
        mails_queued(house, send=send)


@teammate.command("disable-two-factor")
@options.workspace_option
@click.argument("who", metavar="EMAIL")
@options.break_glass
@click.option("--renew", is_flag=True, help="2FA is off already: only mail a new link, with a new number.")
@click.option("--waive-number", "waive", is_flag=True, help="Members only: the link works without a number.")
@options.send_option
@options.json_option
def disable_two_factor(
    slug: str, who: str, name: str, reason: str, renew: bool, waive: bool, send: bool, as_json: bool
) -> None:
    """Disable 2FA in one workspace for a teammate who is locked out. All owners are mailed first.

    The person is mailed a link to set 2FA up again. It works only with the number that is printed here: read it to them
    over a channel by which you know them. No link is printed.
    """
    if renew and waive:
        raise click.UsageError("--renew keeps to how it was begun: leave --waive-number out.")
    from nightlatch.actions import resets
    from nightlatch.actions.by import operator

    def body(tx: "Transaction") -> "ResetDone":
        workspace, row = teammate_by(tx, slug, who)
        by = operator(name)
        if renew:
            return resets.renew(tx, by=by, workspace_id=workspace.id, teammate_id=row.id)
        return resets.disable_two_factor(
            tx,
            by=by,
            workspace_id=workspace.id,
            teammate_id=row.id,
            reason=reason,
            recognised_by="",
            waive_number=waive,
        )

    with opened() as house:
        done = house.store.write_now(body)
        if as_json:
            from nightlatch.ids import to_text

            print_json(
                {
                    "reset": {"id": to_text(done.reset_id), "state": "done", "number": done.number},
                    "email": done.email,
                }
            )
        else:
            click.echo(_reset_text(slug, done))
        mails_queued(house, send=send)


def _reset_text(slug: str, done: "ResetDone") -> str:
    lines = [
        f"2FA of {said(done.name)} is off in {slug}, and what their sessions had proved there counts no longer.",
        f"A link to set it up again goes to {said(done.email)}.",
    ]
    if done.number is not None:
        lines.append(
            f"It works only with this number, which is shown just once: {done.number[:4]} {done.number[4:]}"
        )
        lines.append("Read it to the person over a channel by which you know them, never by mail.")
    else:
        lines.append("It works without a number, with their password.")
    return "\n".join(lines)
