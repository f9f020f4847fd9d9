"""`nightlatch app`: register products, change them, and give them new secrets."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nightlatch.cli import options
from nightlatch.cli.output import as_json as print_json
from nightlatch.cli.output import items_as_json, said, table
from nightlatch.cli.running import app_by_handle, fail, mails_queued, opened, workspace_by_slug

if TYPE_CHECKING:
    from nightlatch.actions.apps import Made, Registration
    from nightlatch.config import Config
    from nightlatch.products import Home
    from nightlatch.store.engine import Transaction

_origin_option = click.option(
    "--origin",
    "origins",
    multiple=True,
    metavar="URL",
    help="Where people reach it, such as https://app.example.com. May be given more than once.",
)
_role_map_option = click.option(
    "--role-map",
    "words",
    multiple=True,
    metavar="WORD=ROLE",
    help="A word of the product's own for owner, admin or member. May be given more than once.",
)
_return_url_option = click.option(
    "--return-url", metavar="URL", help="Where people come back to; by default the first origin's callback."
)
_roles_option = click.option(
    "--roles", metavar="ROLE,...", help="Whom a product behind a proxy is open to; by default everybody."
)
_colour_option = click.option("--colour", metavar="#RRGGBB", help="The colour of its pages.")
_logo_option = click.option(
    "--logo",
    "logo_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The picture on its pages: PNG, JPEG or WebP, up to 64 KiB.",
)


@click.group()
def app() -> None:
    """Register products: those that keep their own users, and those behind a proxy check."""


@app.command()
@click.argument("name")
@_origin_option
@click.option("--handle", help="Its short name; by default made from the name.")
@click.option("--workspace", "slug", metavar="SLUG", help="It has no users: it belongs to this workspace.")
@click.option(
    "--keeps-people", is_flag=True, help="With --workspace: it has its own users; the owners manage it."
)
@_roles_option
@_role_map_option
@_return_url_option
@_colour_option
@_logo_option
@options.operator_option
@options.json_option
def add(
    name: str,
    operator_name: str,
    origins: tuple[str, ...],
    handle: str | None,
    slug: str | None,
    keeps_people: bool,
    roles: str | None,
    words: tuple[str, ...],
    return_url: str | None,
    colour: str | None,
    logo_file: Path | None,
    as_json: bool,
) -> None:
    """Register a product and print its secret, once.

    Without --workspace it keeps its own users, and brings its own workspaces.
    """
    from nightlatch.actions import apps
    from nightlatch.actions.by import operator

    if not origins:
        raise click.UsageError("Say where people reach it: --origin https://app.example.com")
    if keeps_people and slug is None:
        raise click.UsageError("--keeps-people goes with --workspace.")
    role_map, logo, by = _role_map(words), _logo(logo_file), operator(operator_name)
    with opened() as house:
        home = home_of(house.config)

        def body(tx: "Transaction") -> "Made":
            made = apps.add(
                tx,
                by=by,
                home=home,
                name=name,
                origins=origins,
                handle=handle,
                workspace_id=workspace_by_slug(tx, slug).id if slug is not None else None,
                keeps_people=slug is None or keeps_people,
                roles=_split(roles),
                role_map=role_map or None,
                return_url=return_url or "",
                colour=colour or "",
            )
            if logo is not None:
                apps.set_logo(tx, by=by, app_id=made.app.id, logo=logo)
            return made

        made = house.store.write_now(body)
        if as_json:
            print_json({**_as_json(made.app), "secret": made.secret.text})
        else:
            click.echo(f"{said(made.app.name)} is registered as {made.app.handle}.")
            _say_secret(made, house.config.base_url)
        _say_colour(made.app)


def home_of(config: "Config") -> "Home":
    """Where Nightlatch itself is reached."""
    from nightlatch.products import Home

    return Home(config.origin, config.path, config.sign_up == "open")


def _say_secret(made: "Made", base_url: str) -> None:
    if made.app.keeps_people:
        click.echo(f"url: {base_url}")
        click.echo(f"return address: {made.app.return_url}")
    click.echo(f"secret: {made.secret.text}")
    click.echo("The secret is shown this once. Keep it where the product's server alone reads it.", err=True)


def _say_colour(registration: "Registration") -> None:
    from nightlatch.products import colour_note

    note = colour_note(registration.colour)
    if note is not None:
        click.echo(note, err=True)


def _split(roles: str | None) -> list[str] | None:
    return [each for each in roles.split(",") if each.strip()] if roles is not None else None


def _role_map(words: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for each in words:
        word, equals, role = each.rpartition("=")
        if not equals:
            raise click.BadParameter(f"{each!r}: write WORD=ROLE.", param_hint="--role-map")
        found[word.strip()] = role.strip()
    return found


def _logo(file: Path | None) -> bytes | None:
    from nightlatch.pictures import LARGEST_LOGO

    if file is None:
        return None
    with file.open("rb") as opened_file:
        return opened_file.read(LARGEST_LOGO + 1)


@app.command("list")
@options.json_option
def list_them(as_json: bool) -> None:
    """List the registered products."""
    from nightlatch.actions import apps

    with opened() as house:
        found = house.store.read_now(apps.every)
    if as_json:
        items_as_json(map(_as_json, found))
        return
    table(
        ("HANDLE", "NAME", "USERS", "WORKSPACE", "ORIGINS", "SECRETS"),
        (
            (
                each.handle,
                each.name,
                "its own" if each.keeps_people else "the workspace's",
                each.workspace or "-",
                " ".join(each.origins),
                str(len(each.secrets)),
            )
            for each in found
        ),
        "There are no products yet. Register one with: nightlatch app add NAME --origin URL",
    )


def _as_json(registration: "Registration") -> dict[str, Any]:
    """As the API shows a product."""
    from nightlatch.ids import to_text as id_text
    from nightlatch.instants import to_text

    return {
        "id": id_text(registration.id),
        "handle": registration.handle,
        "name": registration.name,
        "workspace": registration.workspace,
        "keeps_people": registration.keeps_people,
        "origins": list(registration.origins),
        "return_url": registration.return_url,
        "roles": list(registration.roles) if registration.roles is not None else None,
        "role_map": dict(registration.role_map),
        "colour": registration.colour,
        "logo": registration.logo_type,
        "created_at": to_text(registration.created_at),
        "secrets": [
            {"id": id_text(each.id), "created_at": to_text(each.created_at)} for each in registration.secrets
        ],
    }


@app.command()
@click.argument("handle")
@options.json_option
def show(handle: str, as_json: bool) -> None:
    """Show a product: where it is reached, its roles, and since when its secrets are valid."""
    from nightlatch.actions import apps

    with opened() as house:
        found = house.store.read_now(lambda tx: apps.read(tx, app_by_handle(tx, handle).id))
    if as_json:
        print_json(_as_json(found))
        return
    for line in _lines(found):
        click.echo(said(line))


def _lines(found: "Registration") -> list[str]:
    from nightlatch.cli.output import when
    from nightlatch.ids import to_text as id_text

    open_to = ", ".join(found.roles) if found.roles is not None else "everybody"
    words = ", ".join(f"{word} = {role}" for word, role in found.role_map.items())
    lines = [f"{found.name}, handle {found.handle}, since {when(found.created_at)}"]
    if found.keeps_people:
        lines.append("  keeps its own users" + (f"; managed by {found.workspace}" if found.workspace else ""))
        lines.append(f"  return address: {found.return_url}")
        lines.append(f"  words for roles: {words or 'owner, admin, member'}")
    else:
        lines.append(f"  behind a proxy check, for {found.workspace}: {open_to}")
    lines += [f"  origin: {each}" for each in found.origins]
    lines.append(f"  colour: {found.colour or 'none'}; logo: {found.logo_type or 'none'}")
    return lines + [f"  secret {id_text(each.id)}: since {when(each.created_at)}" for each in found.secrets]


@app.command()
@click.argument("handle")
@click.option("--name", help="Another name.")
@_origin_option
@_roles_option
@_role_map_option
@_return_url_option
@_colour_option
@_logo_option
@click.option("--no-logo", is_flag=True, help="Take the picture away.")
@options.operator_option
@options.json_option
def change(
    handle: str,
    name: str | None,
    operator_name: str,
    origins: tuple[str, ...],
    roles: str | None,
    words: tuple[str, ...],
    return_url: str | None,
    colour: str | None,
    logo_file: Path | None,
    no_logo: bool,
    as_json: bool,
) -> None:
    """Change a product. What is given replaces what was there: name every --origin, every --role-map.

    --colour "" takes the colour away, --return-url "" goes back to the default.
    """
    from nightlatch.actions import apps
    from nightlatch.actions.by import operator

    role_map, logo, by = _role_map(words), _logo(logo_file), operator(operator_name)
    if no_logo and logo is not None:
        raise click.UsageError("--no-logo and --logo do not go together.")
    changes = apps.Changes(
        name=name,
        origins=origins or None,
        return_url=return_url,
        roles=_split(roles),
        role_map=role_map or None,
        colour=colour,
    )
    with opened() as house:
        home = home_of(house.config)

        def body(tx: "Transaction") -> "Registration":
            app_id = app_by_handle(tx, handle).id
            changed = apps.change(tx, by=by, home=home, app_id=app_id, changes=changes)
            if no_logo or logo is not None:
                return apps.set_logo(tx, by=by, app_id=app_id, logo=logo)
            return changed

        changed = house.store.write_now(body)
        if as_json:
            print_json(_as_json(changed))
        else:
            click.echo(f"{said(changed.name)} is changed.")
        _say_colour(changed)


@app.command()
@click.argument("handle")
@click.option("--end-older", is_flag=True, help="With two valid secrets: end the older one first.")
@options.operator_option
@options.json_option
def rotate(handle: str, operator_name: str, end_older: bool, as_json: bool) -> None:
    """Make a new secret and print it, once. The old one stays valid until it is ended; two are at a time."""
    from nightlatch.actions import apps
    from nightlatch.actions.by import operator

    def body(tx: "Transaction") -> "Made":
        found = apps.read(tx, app_by_handle(tx, handle).id)
        if len(found.secrets) > 1 and not end_older:
            fail(f"{said(found.name)} has two secrets already. To end the older one first, add --end-older.")
        return apps.rotate(tx, by=operator(operator_name), app_id=found.id, end_older=end_older)

    with opened() as house:
        made = house.store.write_now(body)
        if as_json:
            print_json({**_as_json(made.app), "secret": made.secret.text})
            return
        _say_secret(made, house.config.base_url)
    if len(made.app.secrets) > 1:
        click.echo(
            f"The older one is valid too, until: nightlatch app end-secret {made.app.handle}", err=True
        )


@app.command("end-secret")
@click.argument("handle")
@click.option("--secret", "secret", metavar="ID", help="Which one; by default the older of two.")
@options.operator_option
def end_secret(handle: str, operator_name: str, secret: str | None) -> None:
    """End a secret: with the product's next request it is wrong. The last one ends only with the product."""
    from nightlatch.actions import apps
    from nightlatch.actions.by import operator
    from nightlatch.ids import from_text

    def body(tx: "Transaction") -> "Registration":
        found = apps.read(tx, app_by_handle(tx, handle).id)
        secret_id = from_text(secret) if secret is not None else found.secrets[0].id
        return apps.end_secret(tx, by=operator(operator_name), app_id=found.id, secret_id=secret_id or 0)

    with opened() as house:
        left = house.store.write_now(body)
        click.echo(f"The secret is ended; {left.name} has {len(left.secrets)} that is valid.")


@app.command()
@click.argument("handle")
@options.break_glass
@options.send_option
def remove(handle: str, name: str, reason: str, send: bool) -> None:
    """Take a product out: its secrets, origins, and the sessions of the people it keeps end at once.

    Its workspaces stay in the audit log, and nobody can enter them. Registered again, it begins anew: everybody sets
    2FA up again.
    """
    from nightlatch.actions import apps
    from nightlatch.actions.by import operator

    def body(tx: "Transaction") -> "Registration":
        return apps.remove(tx, by=operator(name), app_id=app_by_handle(tx, handle).id, reason=reason)

    with opened() as house:
        removed = house.store.write_now(body)
        click.echo(f"{said(removed.name)} is removed.")
        if removed.workspace is not None:
            mails_queued(house, send=send)
