"""Mailed links: looking at what one is about, spending it, and the page for one that does not work (any more)."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from starlette.responses import Response

from nightlatch.actions.tokens import hash_token
from nightlatch.facts import AppId
from nightlatch.refusals import Code, Refused
from nightlatch.store import accounts, tickets
from nightlatch.store.engine import Transaction
from nightlatch.web import links
from nightlatch.web.branding import Brand, of
from nightlatch.web.context import Context
from nightlatch.web.pages.sign_in import product_way
from nightlatch.web.rendering import page as render

T = TypeVar("T")
_DEAD = (Code.EXPIRED, Code.ALREADY_USED)
_ONWARD = {"ticket": "/set-up", "reset_ticket": "/set-up"}
"""Where somebody goes on from a link that does not work any more."""


@dataclass(frozen=True, slots=True)
class Mailed:
    """One kind of mailed link: what its cookie and its page call it, and what the store does."""

    name: str
    purpose: str


RESET = Mailed("password_reset", "password_reset")
CONFIRM = Mailed("email_confirm", "email_confirm")
UNDO = Mailed("undo", "email_undo")
UNBLOCK = Mailed("unblock", "unblock")
LIFT = Mailed("lift", "lift")
NOT_ME = Mailed("not_me", "not_me")
SIGN_UP = Mailed("sign_up", "sign_up")
NOTIFY = Mailed("notify", "notify_confirm")
NEVER_AGAIN = Mailed("never_again", "never_again")


def dead_link(
    context: Context, kind: str, why: str, from_name: str | None = None, *, brand: Brand | None = None
) -> Response:
    """Why it does not work, and the way on: 404 for one that nobody knows, else 410.

    `brand`: the product that keeps the person whom it was for; its own sign-in leads on.
    """
    status = 404 if why == "unknown" else 410
    way = product_way(context, brand, _ONWARD.get(kind, "/settings/user")) if brand is not None else None
    return render(
        context,
        "link_dead.html",
        status=status,
        brand=brand,
        kind=kind,
        why=why,
        from_name=from_name,
        product_way=way if context.known.session is None else None,
    )


async def look(context: Context, mailed: Mailed, body: Callable[[Transaction, bytes], T]) -> T | Response:
    """What the link is about, by a reading `body`; or the page that says why it is dead. Changes nothing."""
    return await _by_token(context, mailed, body, context.read)


async def spend(context: Context, mailed: Mailed, body: Callable[[Transaction, bytes], T]) -> T | Response:
    """Do what the link is for, by a writing `body`; or the page that says why it is dead."""
    return await _by_token(context, mailed, body, context.write)


async def _by_token(
    context: Context,
    mailed: Mailed,
    body: Callable[[Transaction, bytes], T],
    run: Callable[[Callable[[Transaction], T]], Awaitable[T]],
) -> T | Response:
    token = links.token_of(context, mailed.name)
    if token is None:
        return dead_link(context, mailed.name, "unknown")
    token_hash = hash_token(token)
    try:
        return await run(lambda tx: body(tx, token_hash))
    except Refused as refused:
        if refused.code not in _DEAD:
            raise
        why, app_id = await context.read(
            lambda tx: (
                why_dead(tx, token_hash, mailed.purpose),
                _app_of(tx, token_hash, mailed.purpose),
            )
        )
        return dead_link(context, mailed.name, why, brand=await of(context, app_id))


def _app_of(tx: Transaction, token_hash: bytes, purpose: str) -> AppId | None:
    """The product that keeps the person whom a link is, or was, for."""
    row = tickets.link(tx, token_hash, purpose)
    account = accounts.by_id(tx, row.account_id) if row is not None and row.account_id is not None else None
    return account.app_id if account is not None else None


def why_dead(tx: Transaction, token_hash: bytes, purpose: str) -> str:
    """Why a link does not work: `unknown`, `used`, `expired` or `replaced`."""
    row = tickets.link(tx, token_hash, purpose)
    if row is None or (row.account_id is None and row.email is None):
        return "unknown"
    if row.spent_at is not None:
        return "used"
    if row.ended_at is None and row.expires_at <= tx.now:
        return "expired"
    return "replaced"
