"""The demo's inbox and authenticator app. Their routes exist in a demo alone, which serves localhost only."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import urlsplit

from starlette.responses import HTMLResponse, RedirectResponse, Response

from nightlatch.actions import kinds
from nightlatch.authenticators import totp
from nightlatch.demo.phone import BadKey, Entry, Phone
from nightlatch.ids import to_text
from nightlatch.instants import SECOND
from nightlatch.keyring import SealError
from nightlatch.mail.folder import FolderInbox
from nightlatch.mail.layout import STYLE
from nightlatch.refusals import not_found
from nightlatch.store import accounts, apps, enrolments, outbox
from nightlatch.store.engine import Transaction
from nightlatch.web.context import Context
from nightlatch.web.rendering import page as render
from nightlatch.web.routes import Route, form, page
from nightlatch.web.security import CSP

_SHOWN_LINK = 64
_STYLE_HASH = b64encode(sha256(STYLE.encode()).digest()).decode()
_MAIL_CSP = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'; sandbox allow-top-navigation-by-user-activation"
)
"""Of a mail in its frame: nothing but the one style sheet that all mails have."""


# --- the inbox ---


async def inbox_page(context: Context) -> Response:
    inbox, to = _inbox(context), context.query("to")
    mails = await context.pool(lambda: inbox.list(1000))
    waiting = await context.query_store(_waiting)
    shown = [
        {"id": each.name, "at": each.date, "to": each.to, "subject": each.subject}
        for each in mails
        if to in ("", each.to)
    ]
    addresses = sorted({each.to for each in mails})
    return render(context, "demo_inbox.html", mails=shown[:200], to=to, addresses=addresses, waiting=waiting)


async def mail_page(context: Context) -> Response:
    inbox, name = _inbox(context), context.request.path_params["id"]
    mail = await context.pool(lambda: inbox.read(name))
    if mail is None:
        raise not_found()
    values = {
        "id": mail.name,
        "at": mail.date,
        "sender": context.front.config.mail_from,
        "to": mail.to,
        "subject": mail.subject,
        "text": mail.text,
        "html": mail.html,
    }
    links = [{"text": _short(link), "url": link} for link in mail.links]
    response = render(context, "demo_mail.html", mail=values, links=links)
    response.headers["content-security-policy"] = f"{CSP}; frame-src 'self'"
    return response


async def mail_html(context: Context) -> Response:
    """The HTML part alone, as a mail program shows it, in a frame of the page above; its links open over the page."""
    inbox, name = _inbox(context), context.request.path_params["id"]
    mail = await context.pool(lambda: inbox.read(name))
    if mail is None or not mail.html:
        raise not_found()
    return HTMLResponse(
        mail.html.replace("<head>", '<head>\n<base target="_top">', 1),
        headers={"content-security-policy": _MAIL_CSP, "x-frame-options": "SAMEORIGIN"},
    )


def _inbox(context: Context) -> FolderInbox:
    config = context.front.config
    return FolderInbox(config.mail.folder or config.data / "mail")


def _waiting(tx: Transaction) -> int:
    return outbox.health(tx)[0]


def _short(link: str) -> str:
    """A link without scheme and host, cut where it is long."""
    parts = urlsplit(link)
    text = parts.path + (f"?{parts.query}" if parts.query else "") or "/"
    return text if len(text) <= _SHOWN_LINK else text[: _SHOWN_LINK - 1] + "…"


# --- the phone ---


async def phone_page(context: Context) -> Response:
    return await _phone_page(context)


async def _phone_page(context: Context, errors: Mapping[str, str] | None = None) -> Response:
    now = context.front.house.clock.now()
    entries = await context.pool(_phone(context).entries)
    known = {entry.secret for entry in entries}
    screens = await context.query_store(_screens)
    return render(
        context,
        "demo_phone.html",
        errors=errors,
        accounts=[_account(entry, totp.step_at(now)) for entry in entries],
        now=now // SECOND,
        seconds_left=(totp.STEP - now % totp.STEP) // SECOND or 1,
        screens=[
            {"id": each.id, "issuer": each.app or context.front.config.name, "account": each.email}
            for each in screens
            if totp.key_text(each.seed) not in known
        ],
    )


def _account(entry: Entry, step: int) -> dict[str, str]:
    return {
        "id": entry.id,
        "issuer": entry.issuer,
        "account": entry.account,
        "code": totp.code_at(entry.seed, step),
        "secret": entry.secret,
    }


async def add_form(context: Context) -> Response:
    phone, key = _phone(context), context.form.get("key", "")
    try:
        await context.pool(lambda: phone.add_key(key))
    except BadKey as bad:
        return await _phone_page(context, {"key": str(bad)})
    return _back(context)


async def scan_form(context: Context) -> Response:
    """What is on a screen now: the pending enrolment, with the seed that its QR code shows."""
    phone, wanted = _phone(context), context.form.get("id", "")
    for each in await context.query_store(_screens):
        if each.id == wanted:
            issuer = each.app or context.front.config.name
            await context.pool(lambda each=each, issuer=issuer: phone.add(issuer, each.email, each.seed))  # type: ignore[misc]
            return _back(context)
    return await _phone_page(
        context, {"form": "That code is no longer on a screen. Load the set-up page again."}
    )


async def remove_form(context: Context) -> Response:
    phone, entry_id = _phone(context), context.form.get("id", "")
    await context.pool(lambda: phone.remove(entry_id))
    return _back(context)


def _phone(context: Context) -> Phone:
    return Phone(context.front.config.data)


@dataclass(frozen=True, slots=True)
class _Screen:
    """A QR code that is shown somewhere now."""

    id: str
    app: str | None
    """The product whose person it is for."""
    email: str
    seed: bytes


def _screens(tx: Transaction) -> list[_Screen]:
    """The enrolments that are pending now."""
    found = []
    for row in enrolments.every(tx):
        account = accounts.by_id(tx, row.account_id)
        try:
            seed = tx.keys.open("enrolments", to_text(row.id), row.sealed)
        except SealError:
            continue
        if account is not None:
            app = apps.by_id(tx, account.app_id) if account.app_id is not None else None
            name = app.name if app is not None else None
            found.append(_Screen(to_text(row.id), name, account.email, seed))
    return found


def _back(context: Context) -> Response:
    return RedirectResponse(context.url("/demo/phone"), 303)


ROUTES: list[Route] = [
    page("/demo/inbox", kinds.OPEN, inbox_page),
    page("/demo/inbox/{id}", kinds.OPEN, mail_page),
    page("/demo/inbox/{id}/html", kinds.OPEN, mail_html),
    page("/demo/phone", kinds.OPEN, phone_page),
    form("/demo/phone/add", kinds.OPEN, add_form, shown_at="/demo/phone"),
    form("/demo/phone/scan", kinds.OPEN, scan_form, shown_at="/demo/phone"),
    form("/demo/phone/remove", kinds.OPEN, remove_form, shown_at="/demo/phone"),
]
