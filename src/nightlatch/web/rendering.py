"""Templates, static files under hashed names, and what every page has in its context."""

import mimetypes
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse, Response

from nightlatch.instants import MINUTE, Instant, ahead, to_datetime, to_text
from nightlatch.policy import permitted
from nightlatch.vocabulary import Permission
from nightlatch.web.branding import Brand, back_path
from nightlatch.web.context import Context
from nightlatch.web.house import Front

_ROOT = files("nightlatch.web")
_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}

FLASHES = {
    "password-changed": ("success", "Your password is changed. Every other session has ended."),
    "email-asked": ("info", "Check your new mailbox: the change takes effect with the link in it."),
    "email-cancelled": ("success", "The change of your e-mail address is cancelled."),
    "name-changed": ("success", "Your name is changed."),
    "session-ended": ("success", "The session has ended."),
    "sessions-ended": ("success", "Every other session has ended."),
    "removed": ("success", "It is removed."),
    "renamed": ("success", "It has its new name."),
    "two-factor-on": ("success", "2FA is set up."),
    "phone-replaced": ("success", "Your new one is set up. The old one does not work any more."),
    "codes-renewed": ("success", "You have new recovery codes."),
    "passkeys-on": ("success", "A passkey is now required of everyone here. Everybody is mailed."),
    "passkeys-from": ("success", "A passkey is required from the date that you chose. Everybody is mailed."),
    "passkeys-off": ("success", "Any second step will do again."),
    "mandate-on": ("success", "2FA is now required of everyone here. Everybody is mailed."),
    "mandate-scheduled": ("success", "2FA will be required of everyone here. Everybody is mailed."),
    "mandate-off": ("success", "2FA is no longer required here. Everybody is mailed."),
    "snoozed": ("info", "We remind you again tomorrow."),
    "not-snoozed": ("info", "There is less than a day left, so this stays here."),
    "browser-forgotten": ("success", "That browser is forgotten: it is asked for the second step again."),
    "browsers-forgotten": ("success", "Every browser is forgotten."),
    "remembering": ("success", "Saved for how long browsers are remembered."),
    "managed-by": ("success", "Saved who may change this."),
    "help-dismissed": ("success", "The request is set aside."),
    "help-closed-already": ("info", "It was closed already."),
    "marked-lost": ("success", "It is marked as lost. It is not accepted any more."),
    "used-again": ("success", "It is accepted again."),
    "accepted": ("success", "This workspace relies on it from now on."),
    "more-time-asked": (
        "success",
        "Asked. Nothing changes before somebody else agrees; they are told by mail.",
    ),
    "more-time-given": ("success", "Agreed. The teammate and the owners are told by mail."),
    "more-time-ended": ("success", "It is ended."),
    "reminded": ("success", "They are reminded by mail."),
    "remind-too-soon": (
        "info",
        "They were reminded within the last day already: each person is, once a day.",
    ),
    "remind-none": ("info", "There is nobody to remind: they have set up 2FA, or it is not required."),
    "remind-nobody": ("info", "Tick somebody to remind first."),
    "role-changed": ("success", "The role is changed."),
    "removed-teammate": ("success", "The teammate is removed."),
    "invitation-resent": ("success", "The invitation is mailed again. The older link no longer works."),
    "invitation-revoked": ("success", "The invitation is revoked."),
    "app-changed": ("success", "The product is changed."),
    "app-removed": ("success", "The product is removed."),
    "app-secret-ended": ("success", "The secret is ended. What still shows it is refused."),
    "domain-proved": ("success", "The domain is proved."),
    "domain-removed": ("success", "The domain is removed."),
    "token-ended": ("success", "The API token is ended."),
    "service-added": ("success", "The service account is added. Make a token for it."),
    "service-sponsored": ("success", "The service account has a new sponsor."),
    "service-removed": ("success", "The service account is removed."),
    "reset-approved": ("success", "Approved: 2FA is turned off, and a mail with the way back is on its way."),
    "reset-stopped": ("success", "Stopped: 2FA stays on. Everybody concerned is told."),
    "reset-withdrawn": ("success", "Taken back: 2FA stays on. Everybody concerned is told."),
    "left": ("success", "You have left the workspace."),
    "joined": ("success", "Welcome. You are in."),
    "password-reset": (
        "success",
        "Your password is changed. Sign in with it; your second step is as before.",
    ),
    "signed-up": ("success", "Welcome. Your account is ready, and you are signed in."),
    "notify-added": ("info", "Check that mailbox: notices go there once its link is confirmed."),
    "notify-removed": ("success", "The address is removed. Everybody is told."),
    "invitations-welcome": ("success", "This address takes invitations again."),
    "sso-connected": ("success", "Your account is connected."),
    "sso-disconnected": ("success", "Your account is no longer connected."),
    "connection-added": ("success", "The connection is added. Register it at your provider now."),
    "connection-changed": ("success", "The connection is changed."),
    "connection-rule": ("success", "The rule is changed. It counts from the next request of everybody on."),
    "connection-removed": ("success", "The connection is removed."),
    "sso-required": ("success", "Single sign-on is required of everyone but owners."),
    "sso-optional": ("success", "Single sign-on is optional again."),
    "signed-out": ("info", "You are signed out."),
    "unblocked": ("success", "You can try your password again in this browser."),
    "email-changed": ("success", "Your e-mail address is changed."),
    "email-undone": ("success", "The change of e-mail address is undone, and every session has ended."),
}
"""What a page may be told to say at its top, by name in `?said=`: nothing in an address is ever shown as text."""


class Static:
    """The static files: read once, each served under a name that holds its hash, for good."""

    def __init__(self) -> None:
        self.by_url: dict[str, tuple[bytes, str]] = {}
        self.url_of: dict[str, str] = {}
        for item in sorted(_ROOT.joinpath("static").iterdir(), key=lambda each: each.name):
            if not item.is_file():
                continue
            stem, dot, ending = item.name.rpartition(".")
            body = item.read_bytes()
            hashed = f"{stem}.{sha256(body).hexdigest()[:12]}.{ending}"
            kind = (
                _TYPES.get(dot + ending) or mimetypes.guess_type(item.name)[0] or "application/octet-stream"
            )
            self.by_url[hashed] = (body, kind)
            self.url_of[item.name] = hashed

    def answer(self, name: str) -> Response | None:
        """The file of a hashed name."""
        found = self.by_url.get(name)
        if found is None:
            return None
        body, kind = found
        return Response(
            body, media_type=kind, headers={"cache-control": "public, max-age=31536000, immutable"}
        )


@cache
def static() -> Static:
    """The process's static files."""
    return Static()


@cache
def environment() -> Environment:
    """The template engine: autoescape on, and an undefined name is an error."""
    made = Environment(
        loader=FileSystemLoader(str(_ROOT.joinpath("templates"))),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.globals["when"] = when
    return made


def when(instant: Instant, style: str = "full") -> Markup:
    """A <time> element: "full" 24 Nov 2026, 09:14 UTC; "long" the month in full; "date" 24 Nov 2026; "time" 09:14."""
    return Markup('<time datetime="{}">{}</time>').format(to_text(instant), spoken(instant, style))


def spoken(instant: Instant, style: str = "full") -> str:
    """The same as plain text."""
    moment = to_datetime(instant)
    date, time = f"{moment.day} {moment:%b} {moment.year}", f"{moment:%H:%M} UTC"
    if style == "long":
        return f"{moment.day} {moment:%B} {moment.year}, {time}"
    return {"date": date, "time": time}.get(style, f"{date}, {time}")


def wait_value(now: Instant, until: Instant | None) -> dict[str, Any] | None:
    """How long a person has to wait, in words for a page; None when it is over."""
    if until is None or until <= now:
        return None
    return {"words": ahead(until - now), "until": until if until - now >= 2 * MINUTE else None}


def page(
    context: Context,
    template: str,
    *,
    status: int = 200,
    errors: Mapping[str, str] | None = None,
    brand: Brand | None = None,
    **values: Any,
) -> HTMLResponse:
    """A page for a request. Where it has errors, what was typed stands in its fields again.

    `brand`: the product whose face it wears, where that is not the one of the person or the workspace.
    """
    refill = dict(context.refill)
    if errors:
        secret = ("password", "new_password", "code", "recovery_code", "number", "codes", "credential")
        refill |= {name: value for name, value in context.form.items() if name not in secret}
        status = 422 if status == 200 else status
    said = FLASHES.get(context.query("said"))
    complete = {
        **_everywhere(context.front, context.request.scope["path"]),
        **_face(context, brand or context.brand),
        "csrf": context.csrf,
        "me": _me(context),
        "workspaces": [
            {"slug": each.slug, "name": each.name} for each in (context.known.places or {}).values()
        ]
        if context.facts.account is not None
        else [],
        "waiting_resets": _waiting_resets(context),
        "current": _current(context),
        "dues": context.dues,
        "flash": {"kind": said[0], "text": said[1]} if said else None,
        "refill": refill,
        "caught": "" if context.route.path.startswith("/set-up") else context.caught,
        "errors": dict(errors or {}),
        "status": status,
        **values,
    }
    text = environment().get_template(template).render(complete)
    if complete["caught"] and 'id="caught"' not in text:
        # The page has no such form any more, so that it is said above.
        complete["flash"] = _NOT_DONE
        text = environment().get_template(template).render(complete)
    return HTMLResponse(text, status)


_NOT_DONE = {
    "kind": "info",
    "text": "You are back where you were. What you were about to do is not done.",
}


def bare_page(front: Front, template: str, path: str, status: int, **values: Any) -> HTMLResponse:
    """A page that needs neither a session nor a database."""
    complete = {
        **_everywhere(front, path),
        "csrf": "",
        "me": None,
        "workspaces": [],
        "waiting_resets": [],
        "current": None,
        "dues": (),
        "flash": None,
        "refill": {},
        "caught": "",
        "errors": {},
        "status": status,
        **values,
    }
    return HTMLResponse(environment().get_template(template).render(complete), status)


def _everywhere(front: Front, path: str) -> dict[str, Any]:
    return {
        "url": front.url,
        "static": lambda name: front.url(f"/static/{static().url_of[name]}"),
        "product": front.config.name,
        "house": front.config.name,
        "brand": None,
        "here": path,
        "demo": front.demo,
    }


def _face(context: Context, brand: Brand | None) -> dict[str, Any]:
    """The name and face that a page wears: a product's own win over ours."""
    if brand is None:
        return {}
    url, back = context.front.url, back_path(context)
    return {
        "product": brand.name,
        "brand": {
            "name": brand.name,
            "logo": url(brand.logo) if brand.logo is not None else None,
            "theme": url(brand.theme) if brand.theme is not None else None,
            "home": brand.home,
            "back": url(back) if back is not None else brand.home,
        },
    }


def _waiting_resets(context: Context) -> list[dict[str, str]]:
    """Where somebody has asked to turn off the reader's 2FA."""
    places = (context.known.places or {}).values()
    return [{"slug": each.slug, "name": each.name} for each in places if each.waiting_reset is not None]


def _me(context: Context) -> dict[str, str] | None:
    person = context.known.person
    return {"name": person.name, "email": person.email} if person is not None else None


def _current(context: Context) -> dict[str, Any] | None:
    place = context.place
    teammate = context.facts.teammate(place.id) if place is not None else None
    if place is None or teammate is None:
        return None
    return {
        "slug": place.slug,
        "name": place.name,
        "role": str(teammate.role),
        "may_read_audit": permitted(teammate.role, Permission.READ_AUDIT, teammate.mandate),
        "may_see_services": place.app_id is None
        and permitted(teammate.role, Permission.MANAGE_SERVICES, teammate.mandate),
        "may_see_apps": place.app_id is None
        and permitted(teammate.role, Permission.MANAGE_APPS, teammate.mandate),
    }
