"""Registered products: adding, changing and removing them, and their secrets.

Two kinds. A product without users of its own stands behind a proxy check and belongs to a workspace of Nightlatch's
(`keeps_people=False`). One that keeps its own users brings its own workspaces; a workspace may manage its registration,
else the operator alone does. Each origin is one product's only.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from nightlatch import products
from nightlatch.actions import kinds
from nightlatch.actions.app_registrations import Made as Made
from nightlatch.actions.app_registrations import Registration as Registration
from nightlatch.actions.app_registrations import every as every
from nightlatch.actions.app_registrations import managed as managed
from nightlatch.actions.app_registrations import open_to as open_to
from nightlatch.actions.app_registrations import read as read
from nightlatch.actions.by import By
from nightlatch.actions.guard import allowed
from nightlatch.actions.mailing import tell_owners_first
from nightlatch.actions.reasons import clean_reason
from nightlatch.actions.tokens import Token, hash_token, new_token
from nightlatch.audit.events import Subject, record
from nightlatch.facts import AppId, WorkspaceId
from nightlatch.ids import to_text
from nightlatch.names import clean_name
from nightlatch.pictures import clean_logo
from nightlatch.products import Home
from nightlatch.refusals import Code, FieldError, Refused, WayOut, invalid, not_found
from nightlatch.store import apps, workspaces
from nightlatch.store.engine import Transaction
from nightlatch.store.locks import lock
from nightlatch.store.query import Row
from nightlatch.vocabulary import Event, Role

MARK = "nla_"
"""What every secret begins with, so that one that leaked is found by a search."""

MOST_IN_A_WORKSPACE = 100


@dataclass(frozen=True, slots=True)
class Changes:
    """What is to be changed; None leaves a thing as it is, empty text takes it away."""

    name: str | None = None
    origins: Sequence[str] | None = None
    return_url: str | None = None
    roles: Sequence[str] | None = None
    """All three mean everybody."""
    role_map: Mapping[str, str] | None = None
    colour: str | None = None


# --- adding, changing, removing ---


def add(
    tx: Transaction,
    *,
    by: By,
    home: Home,
    name: str,
    origins: Iterable[str],
    handle: str | None = None,
    workspace_id: WorkspaceId | None = None,
    keeps_people: bool = True,
    roles: Iterable[str] | None = None,
    role_map: Mapping[str, str] | None = None,
    return_url: str = "",
    colour: str = "",
) -> Made:
    """Register a product; its secret is in the answer and nowhere else.

    `workspace_id`: whose product it is, or (with `keeps_people`) who manages it; an account always names one. `roles`:
    whom a product without users is open to (None: everybody). `role_map`: the words for roles of one that has its own.
    Raises Refused: what the gate raises, `invalid`, `conflict` for a handle or an origin that another product has.
    """
    name, wanted = clean_name(name), products.clean_origins(origins, home)
    fixed = products.clean_handle(handle) if handle else None
    first = products.handle_from(name)
    lock(
        tx,
        workspaces=[workspace_id] if workspace_id is not None else [],
        names=[*map(_origin_name, wanted), "app handles"],
    )
    workspace = _may(tx, by, workspace_id)
    _may_claim(by, home)
    if workspace is None and not keeps_people:
        raise invalid("workspace", "A product without users of its own belongs to a workspace. Say which.")
    _fits(keeps_people, roles=roles, role_map=role_map, return_url=return_url)
    _room(tx, workspace)
    _free(tx, wanted)
    app_id = apps.create(
        tx,
        handle=_free_handle(tx, fixed, first),
        name=name,
        workspace_id=workspace_id if not keeps_people else None,
        managed_by=workspace_id,
        return_url=_return_url(keeps_people, return_url, wanted, home),
        roles=_roles_text(products.clean_roles(roles)),
        role_map=json.dumps(products.clean_role_map(role_map or {})),
        colour=products.clean_colour(colour),
    )
    apps.set_origins(tx, app_id, wanted)
    app = read(tx, app_id)
    record(
        tx,
        Event.APP_ADDED,
        by=by,
        subject=_subject(app),
        workspace_id=workspace_id,
        handle=app.handle,
        origins=list(wanted),
        keeps_people=keeps_people,
    )
    return _make_secret(tx, by, app, workspace_id)


def change(
    tx: Transaction,
    *,
    by: By,
    home: Home,
    app_id: AppId,
    changes: Changes,
    workspace_id: WorkspaceId | None = None,
) -> Registration:
    """Change what a product says of itself. `workspace_id`: the workspace that an account acts in.

    Raises Refused as `add` does, and `not_found`.
    """
    wanted = products.clean_origins(changes.origins, home) if changes.origins is not None else None
    old = _locked(tx, by, workspace_id, app_id, names=map(_origin_name, wanted or ()))
    _fits(old.keeps_people, roles=changes.roles, role_map=changes.role_map, return_url=changes.return_url)
    origins = old.origins
    if wanted is not None and set(wanted) != set(old.origins):
        _may_claim(by, home)
        _free(tx, wanted, old.id)
        origins = wanted
        apps.set_origins(tx, old.id, wanted)
    roles, role_map = old.roles, old.role_map
    if changes.roles is not None:
        named = products.clean_roles(changes.roles)
        roles = named if named is not None and len(named) < len(Role) else None
    if changes.role_map is not None:
        role_map = products.clean_role_map(changes.role_map)
    apps.change(
        tx,
        old.id,
        name=clean_name(changes.name) if changes.name is not None else old.name,
        return_url=_changed_return_url(old, changes.return_url, origins, home),
        roles=_roles_text(roles),
        role_map=json.dumps(dict(role_map)),
        colour=products.clean_colour(changes.colour) if changes.colour is not None else old.colour,
    )
    new = read(tx, old.id)
    told = _differences(old, new)
    if told:
        record(tx, Event.APP_CHANGED, by=by, subject=_subject(new), workspace_id=_manager(tx, old), **told)
    return new


def set_logo(
    tx: Transaction, *, by: By, app_id: AppId, logo: bytes | None, workspace_id: WorkspaceId | None = None
) -> Registration:
    """Show a picture on the product's pages, or none. Raises Refused: `invalid` for what is no small picture."""
    media_type = clean_logo(logo) if logo is not None else None
    old = _locked(tx, by, workspace_id, app_id)
    apps.set_logo(tx, old.id, logo, media_type)
    record(
        tx, Event.APP_CHANGED, by=by, subject=_subject(old), workspace_id=_manager(tx, old), logo=media_type
    )
    return read(tx, old.id)


def remove(
    tx: Transaction,
    *,
    by: By,
    app_id: AppId,
    workspace_id: WorkspaceId | None = None,
    reason: str | None = None,
) -> Registration:
    """Take a product out: its secrets, origins, and the sessions of the people it keeps end with it.

    `reason`: the operator needs one, and the owners of the workspace that manages it are mailed first.
    """
    old = _locked(tx, by, workspace_id, app_id)
    manager, told = _manager(tx, old), dict[str, str]()
    if by.kind == "operator":
        told = {"reason": clean_reason(reason, needed=True)}
        if manager is not None:
            what = f"The operator removes the product {old.name}"
            tell_owners_first(tx, by, manager, what, told["reason"])
    apps.end_sessions(tx, old.id)
    apps.remove(tx, old.id)
    record(
        tx,
        Event.APP_REMOVED,
        by=by,
        subject=_subject(old),
        workspace_id=manager,
        handle=old.handle,
        origins=list(old.origins),
        **told,
    )
    return old


# --- secrets ---


def rotate(
    tx: Transaction,
    *,
    by: By,
    app_id: AppId,
    workspace_id: WorkspaceId | None = None,
    end_older: bool = False,
) -> Made:
    """A new secret beside the old one. Two are valid at a time; with two, `end_older` ends the older of them first.

    Raises Refused: `conflict` for a third.
    """
    old = _locked(tx, by, workspace_id, app_id)
    manager = _manager(tx, old)
    if len(old.secrets) >= apps.SECRETS_AT_A_TIME:
        if not end_older:
            raise Refused(
                Code.CONFLICT,
                f"{old.name} has two secrets already, and no more are valid at a time. End the older one first.",
                WayOut("End the older one.", _page(old)),
            )
        _end_secret(tx, by, old, old.secrets[0].id, manager)
    return _make_secret(tx, by, old, manager)


def end_secret(
    tx: Transaction, *, by: By, app_id: AppId, secret_id: int, workspace_id: WorkspaceId | None = None
) -> Registration:
    """One secret is dead from now on; the last one only with the product. Raises Refused: `not_found`, `conflict`."""
    old = _locked(tx, by, workspace_id, app_id)
    if secret_id not in {each.id for each in old.secrets}:
        raise not_found()
    if len(old.secrets) == 1:
        raise Refused(
            Code.CONFLICT,
            f"This is the only secret of {old.name}. Make a new one first, or remove the product.",
            WayOut("Make a new one.", _page(old)),
        )
    _end_secret(tx, by, old, secret_id, _manager(tx, old))
    return read(tx, old.id)


def _make_secret(tx: Transaction, by: By, app: Registration, manager: WorkspaceId | None) -> Made:
    text = MARK + new_token().text
    secret = Token(text, hash_token(text))
    secret_id = apps.add_secret(tx, app.id, secret.hash)
    record(
        tx,
        Event.APP_SECRET_MADE,
        by=by,
        subject=_subject(app),
        workspace_id=manager,
        secret=to_text(secret_id),
    )
    return Made(read(tx, app.id), secret, secret_id)


def _end_secret(
    tx: Transaction, by: By, app: Registration, secret_id: int, manager: WorkspaceId | None
) -> None:
    apps.end_secret(tx, secret_id, app.id)
    record(
        tx,
        Event.APP_SECRET_ENDED,
        by=by,
        subject=_subject(app),
        workspace_id=manager,
        secret=to_text(secret_id),
    )


# --- inside ---


def _origin_name(origin: str) -> str:
    return f"app origin {origin}"


def _subject(app: Registration) -> Subject:
    return ("app", app.id, app.name)


def _page(app: Registration) -> str:
    return f"/w/{app.workspace}/settings/team/apps/{to_text(app.id)}" if app.workspace is not None else "/"


def _may(tx: Transaction, by: By, workspace_id: WorkspaceId | None) -> Row | None:
    """The workspace, if its products may be managed there by whoever acts."""
    if by.kind != "operator":
        if workspace_id is None:
            raise not_found()
        allowed(tx, by, kinds.MANAGE_APPS.at(workspace_id))
    if workspace_id is None:
        return None
    workspace = workspaces.by_id(tx, workspace_id)
    if workspace is None:
        raise not_found()
    if workspace.app_id is not None:
        raise of_a_product()
    return workspace


def of_a_product() -> Refused:
    """The refusal in a workspace that a product brought."""
    return Refused(
        Code.NOT_PERMITTED,
        "This workspace belongs to a product, so no other product can belong to it.",
        WayOut("Go to your workspaces.", "/workspaces"),
    )


def _may_claim(by: By, home: Home) -> None:
    if by.kind != "operator" and home.sign_up_open:
        raise by_operator_alone()


def by_operator_alone() -> Refused:
    """The refusal where anybody may make a workspace, and so could claim an origin that is not theirs."""
    return Refused(
        Code.NOT_PERMITTED,
        "Where everybody can sign up, the operator registers products: an address could be claimed by anybody.",
        WayOut("Ask the operator for: nightlatch app add.", "/workspaces"),
    )


def _locked(
    tx: Transaction, by: By, workspace_id: WorkspaceId | None, app_id: AppId, *, names: Iterable[str] = ()
) -> Registration:
    """The product, locked, if whoever acts may change it."""
    lock(
        tx,
        workspaces=[workspace_id] if workspace_id is not None else [],
        names=[f"app {to_text(app_id)}", *names],
    )
    _may(tx, by, workspace_id)
    return read(tx, app_id, managed_by=workspace_id)


def _manager(tx: Transaction, app: Registration) -> WorkspaceId | None:
    row = apps.by_id(tx, app.id)
    return row.managed_by if row is not None else None


def _fits(
    keeps_people: bool,
    *,
    roles: Iterable[str] | None,
    role_map: Mapping[str, str] | None,
    return_url: str | None,
) -> None:
    """What one kind of product alone can say."""
    if keeps_people and roles is not None:
        raise invalid("roles", "A product that keeps its own users says itself who may come in.")
    if not keeps_people and role_map:
        raise invalid("role_map", "This is for products that keep their own users.")
    if not keeps_people and return_url:
        raise invalid("return_url", "This is for products that keep their own users.")


def _room(tx: Transaction, workspace: Row | None) -> None:
    if workspace is not None and len(apps.managed(tx, workspace.id)) >= MOST_IN_A_WORKSPACE:
        raise Refused(
            Code.CONFLICT,
            f"A workspace has at most {MOST_IN_A_WORKSPACE} products.",
            WayOut("Remove one first.", f"/w/{workspace.slug}/settings/team/apps"),
        )


def _free(tx: Transaction, origins: Sequence[str], app_id: AppId | None = None) -> None:
    """Which product has a taken origin is nobody else's business."""
    for origin in origins:
        row = apps.by_origin(tx, origin)
        if row is not None and row.id != app_id:
            raise _taken("origins", f"{origin} belongs to another product already.")


def _free_handle(tx: Transaction, fixed: str | None, first: str) -> str:
    """The handle that was asked for, or one made from the name, with a number where that is taken."""
    if fixed is not None:
        if apps.by_handle(tx, fixed) is not None:
            raise _taken("handle", f"Another product has the handle {fixed}. Choose another one.")
        return fixed
    for number in range(1, 1000):
        handle = first if number == 1 else f"{first}-{number}"
        if apps.by_handle(tx, handle) is None:
            return handle
    raise _taken("handle", "Choose a handle: there are too many products of this name.")


def _taken(field: str, detail: str) -> Refused:
    return Refused(
        Code.CONFLICT,
        detail,
        WayOut("Choose another one.", "/workspaces"),
        errors=(FieldError(field, detail),),
    )


def _return_url(keeps_people: bool, text: str, origins: Sequence[str], home: Home) -> str:
    if not keeps_people:
        return origins[0] + products.PROXY_CALLBACK
    return products.clean_return_url(text, origins, home)


def _changed_return_url(old: Registration, text: str | None, origins: Sequence[str], home: Home) -> str:
    """As it was where it still fits; the default form follows the origins."""
    if text is not None or not old.keeps_people:
        return _return_url(old.keeps_people, text or "", origins, home)
    origin = products.origin_of(old.return_url)
    if origin in origins:
        return old.return_url
    if origin is not None and old.return_url == origin + products.CALLBACK:
        return origins[0] + products.CALLBACK
    raise invalid("return_url", "The return address is at an origin that you take away. Change it as well.")


def _roles_text(roles: Sequence[Role] | None) -> str | None:
    return " ".join(roles) if roles is not None else None


def _differences(old: Registration, new: Registration) -> dict[str, object]:
    """What changed, for the record: each thing's new value."""
    shown: dict[str, object] = {
        "name": new.name,
        "origins": list(new.origins),
        "return_url": new.return_url,
        "roles": list(new.roles) if new.roles is not None else None,
        "role_map": dict(new.role_map),
        "colour": new.colour,
    }
    return {key: value for key, value in shown.items() if getattr(old, key) != getattr(new, key)}
