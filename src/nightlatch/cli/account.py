"""`nightlatch account`: what is known of a person's account, and giving them new tries."""

from typing import TYPE_CHECKING, Any

import click

from nightlatch.cli import options
from nightlatch.cli.output import as_json as print_json
from nightlatch.cli.output import said
from nightlatch.cli.running import account_by, mails_queued, opened

if TYPE_CHECKING:
    from nightlatch.store.engine import Transaction
    from nightlatch.store.query import Row


@click.group()
def account() -> None:
    """Show an account, and lift its locks."""


@account.command()
@click.argument("who", metavar="EMAIL")
@click.option("--lost", is_flag=True, help="Also what was marked as lost, or contested, may be used again.")
@options.break_glass
@options.send_option
def unlock(who: str, name: str, reason: str, send: bool, lost: bool) -> None:
    """Lift suspensions by wrong codes and clear the counters of wrong passwords and codes.

    Password and second step are asked for as before. The owners of all their workspaces are mailed first.
    """
    from nightlatch.actions.by import operator
    from nightlatch.actions.unlock import account_unlock

    def body(tx: "Transaction") -> None:
        account_unlock(tx, by=operator(name), account_id=account_by(tx, who).id, reason=reason, lost=lost)

    with opened() as house:
        house.store.write_now(body)
        click.echo(f"{said(who)} has new tries. Password and second step are asked for as before.")
        mails_queued(house, send=send)


@account.command()
@click.argument("who", metavar="EMAIL")
@options.json_option
def show(who: str, as_json: bool) -> None:
    """Show an account: workspaces, what it signs in with, live sessions, and counters of wrong guesses."""
    with opened() as house:
        found = house.store.read_now(lambda tx: _account(tx, account_by(tx, who)))
    if as_json:
        print_json(found)
        return
    click.echo(said(f"{found['name']} <{found['email']}>, id {found['id']}"))
    click.echo(
        f"  since {_short(found['created_at'])}; password {'set' if found['has_password'] else 'not set'}"
    )
    _lines("Workspaces", [f"{each['slug']}: {each['role']}" for each in found["workspaces"]])
    _lines("Second step", [_authenticator_line(each) for each in found["authenticators"]])
    _lines("Live sessions", [_session_line(each) for each in found["sessions"]])
    _lines(
        "Wrong guesses in a row", [f"{door}: {number}" for door, number in found["wrong_in_a_row"].items()]
    )


def _short(instant: str) -> str:
    return instant[:19] + "Z"


def _lines(heading: str, lines: list[str]) -> None:
    click.echo(f"{heading}: {'none' if not lines else ''}".rstrip())
    for line in lines:
        click.echo(said(f"  {line}"))


def _authenticator_line(each: dict[str, Any]) -> str:
    states = [text for state, text in (("suspended", "suspended"), ("void", "counts nowhere")) if each[state]]
    used = f"last used {_short(each['last_used_at'])}" if each["last_used_at"] else "not used yet"
    return ", ".join(
        [f"{each['name']} ({each['method']})", f"bound {_short(each['bound_at'])}", used, *states]
    )


def _session_line(each: dict[str, Any]) -> str:
    return f"{each['kind']} from {each['ip'] or 'somewhere'}, last seen {_short(each['last_seen_at'])}"


def _account(tx: "Transaction", row: "Row") -> dict[str, Any]:
    from nightlatch.assurance import counts_somewhere
    from nightlatch.ids import to_text as id_text
    from nightlatch.instants import to_text
    from nightlatch.store import authenticators, guesses, sessions, teammates, workspaces
    from nightlatch.store.facts import read_account_facts
    from nightlatch.vocabulary import Method

    facts = read_account_facts(tx, row.id)
    suspended = {each.id for each in facts.authenticators if each.suspended}
    void = {each.id for each in facts.authenticators if not counts_somewhere(facts, each)}
    places = {each.id: each for each in workspaces.every(tx)}
    doors = {
        "password": row.email_key,
        Method.TOTP.value: str(row.id),
        Method.RECOVERY_CODE.value: str(row.id),
    }
    return {
        "id": id_text(row.id),
        "name": row.name,
        "email": row.email,
        "created_at": to_text(row.created_at),
        "has_password": row.password_hash is not None,
        "workspaces": [
            {"slug": places[each.workspace_id].slug, "role": each.role, "joined_at": to_text(each.joined_at)}
            for each in teammates.of_account(tx, row.id)
        ],
        "authenticators": [
            {
                "id": id_text(each.id),
                "method": each.method,
                "name": each.name,
                "bound_at": to_text(each.bound_at),
                "last_used_at": to_text(each.last_used_at) if each.last_used_at is not None else None,
                "suspended": each.id in suspended,
                "void": each.id in void,
            }
            for each in authenticators.of_account(tx, row.id)
        ],
        "sessions": [
            {
                "id": id_text(each.id),
                "kind": each.kind,
                "ip": each.ip,
                "created_at": to_text(each.created_at),
                "last_seen_at": to_text(each.last_seen_at),
            }
            for each in sessions.of_account(tx, row.id)
        ],
        "wrong_in_a_row": {door: guesses.peek(tx, door, subject).failures for door, subject in doors.items()},
    }
