"""What Settings > User shows."""

from dataclasses import dataclass
from typing import Any

from nightlatch.actions import authenticators, emails, remembering, sessions, sso_linking, teammates
from nightlatch.actions.authenticators import Listed
from nightlatch.actions.by import By
from nightlatch.actions.emails import EmailChange
from nightlatch.actions.remembering import Remembered
from nightlatch.actions.sessions import OwnSession
from nightlatch.actions.sso_linking import Connectable
from nightlatch.assurance import enrolled, relied, relied_on
from nightlatch.authenticators.passkey_asking import to_base64url
from nightlatch.facts import Facts
from nightlatch.ids import to_text
from nightlatch.mail.agents import readable_agent
from nightlatch.store import accounts, api_tokens, passkeys
from nightlatch.store.engine import Transaction
from nightlatch.store.query import Row
from nightlatch.vocabulary import Credential, Method
from nightlatch.web.context import Context
from nightlatch.web.pages.sign_in import helpers


@dataclass(frozen=True, slots=True)
class _Read:
    """What one reading transaction gives."""

    account: Row | None
    listed: list[Listed]
    sessions: list[OwnSession]
    remembered: list[Remembered]
    change: EmailChange | None
    tokens: int
    connected: list[Connectable]
    credentials: list[bytes]
    """The ids of the account's passkeys."""
    stays: dict[int, str]
    """Why a workspace cannot be left."""


def _read(tx: Transaction, context: Context) -> _Read:
    by: By = context.by
    stays = {}
    for workspace_id in context.known.places or {}:
        refused = teammates.may_not_leave(tx, by=by, workspace_id=workspace_id)
        if refused is not None:
            stays[workspace_id] = refused.detail
    return _Read(
        accounts.by_id(tx, context.facts.account or 0),
        authenticators.own(tx, by=by),
        sessions.own(tx, by=by),
        remembering.own(tx, by=by),
        emails.pending(tx, by=by),
        api_tokens.count(tx, account_id=context.facts.account or 0),
        sso_linking.own(tx, by=by),
        [row.credential_id for row in passkeys.of_account(tx, context.facts.account or 0)],
        stays,
    )


async def values(context: Context) -> dict[str, Any]:
    """The values of settings_user.html."""
    facts = context.facts
    found = await context.read(lambda tx: _read(tx, context))
    account, change = found.account, found.change
    brand = context.brand if context.facts.first is Method.PROVIDER else None
    return {
        "kept_by": {"name": brand.name, "url": brand.home} if brand is not None else None,
        "name": account.name if account is not None else "",
        "email": account.email if account is not None else "",
        "pending_email": {"address": change.email, "expires": change.expires_at} if change else None,
        "password_changed_at": account.password_changed_at if account is not None else None,
        "has_password": account is not None and account.password_hash is not None,
        "two_factor_on": has_some(facts),
        "authenticators": [
            _app(facts, each) for each in found.listed if each.method is not Method.RECOVERY_CODE
        ],
        "passkeys": context.front.config.passkey_host is not None,
        "accepted": _accepted(context, found),
        **_codes(found.listed),
        "mandated_by": mandating(context),
        "helpers": await who_can_help(context, [each.workspace for each in _mandating(facts)]),
        "sessions": [_session(context, each) for each in found.sessions],
        "remembered": [_remembered(each) for each in found.remembered],
        "memberships": [
            _membership(context, workspace_id, found.stays) for workspace_id in context.known.places or {}
        ],
        "connected": [
            {
                "id": to_text(each.id),
                "name": each.name,
                "workspace_name": each.workspace_name,
                "since": each.since,
            }
            for each in found.connected
        ],
        "api_tokens": found.tokens,
    }


def has_some(facts: Facts) -> bool:
    """Whether anything besides the password is relied on somewhere."""
    if facts.teammates:
        return any(enrolled(facts.authenticators, each.workspace) for each in facts.teammates)
    return any(each.method is not Method.RECOVERY_CODE for each in relied_on(facts, None))


def _mandating(facts: Facts) -> list[Any]:
    return [each for each in facts.teammates if each.mandate.in_force(facts.now)]


def mandating(context: Context) -> list[dict[str, str]]:
    """The workspaces that require 2FA now."""
    places = context.known.places or {}
    return [{"name": places[each.workspace].name} for each in _mandating(context.facts)]


async def who_can_help(context: Context, workspaces: list[int]) -> list[dict[str, str]]:
    """Who can switch it off for this person in these workspaces, each name once."""
    names: dict[str, None] = {}
    for workspace_id in workspaces:
        names |= dict.fromkeys(each["name"] for each in await helpers(context, workspace_id))
    return [{"name": name} for name in names]


def _app(facts: Facts, each: Listed) -> dict[str, Any]:
    bound = facts.authenticator(each.id)
    return {
        "id": to_text(each.id),
        "method": each.method.value,
        "name": each.name,
        "bound_at": each.bound_at,
        "last_used_at": each.last_used_at,
        "suspended": each.suspended,
        "lost": each.lost,
        "void": bound is not None
        and bool(bound.void)
        and not any(relied(bound, mate.workspace) for mate in facts.teammates),
        "may_remove": not authenticators.mandated_by(facts, each.id),
    }


def _accepted(context: Context, found: _Read) -> dict[str, Any] | None:
    """Which passkeys the account has, for the browser: what else the person's devices still offer goes from their lists
    (WebAuthn section 5.1.10). None where it never had one."""
    host, account = context.front.config.passkey_host, found.account
    if host is None or account is None or account.user_handle is None:
        return None
    return {
        "rpId": host,
        "userId": to_base64url(account.user_handle),
        "allAcceptedCredentialIds": [to_base64url(each) for each in found.credentials],
    }


def _codes(listed: list[Listed]) -> dict[str, Any]:
    sets = [each for each in listed if each.method is Method.RECOVERY_CODE]
    newest = max(sets, key=lambda each: each.bound_at, default=None)
    return {
        "codes_left": newest.codes_left if newest is not None else None,
        "codes_paused": newest is not None and newest.suspended,
        "codes_made_at": newest.bound_at if newest is not None else None,
    }


def _session(context: Context, each: OwnSession) -> dict[str, Any]:
    agent = readable_agent(each.user_agent) or "An unknown browser"
    return {
        "id": to_text(each.id),
        "browser": agent if each.kind is Credential.COOKIE else f"{agent} (by the API)",
        "ip": each.ip,
        "started_at": each.created_at,
        "seen_at": context.now if each.current else each.last_seen_at,
        "current": each.current,
        "pending": each.pending,
    }


def _remembered(each: Remembered) -> dict[str, Any]:
    return {
        "id": to_text(each.id),
        "browser": readable_agent(each.user_agent) or "An unknown browser",
        "workspace_name": each.workspace_name,
        "ip": each.ip,
        "since": each.created_at,
        "used_at": each.last_used_at,
        "until": each.expires_at,
        "current": each.current,
    }


def _membership(context: Context, workspace_id: int, stays: dict[int, str]) -> dict[str, Any]:
    place = (context.known.places or {})[workspace_id]
    teammate = context.facts.teammate(workspace_id)
    return {
        "slug": place.slug,
        "name": place.name,
        "role": teammate.role.value if teammate is not None else "",
        "may_leave": workspace_id not in stays,
        "why_not": stays.get(workspace_id),
    }
