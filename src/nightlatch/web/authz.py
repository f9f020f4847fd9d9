"""Proxy checks: `GET /authz/forward` (Caddy, Traefik, HAProxy) and `GET /authz/nginx` (auth_request).

A proxy asks with every request to a protected host, so these are as bare as the fast path: the headers, one read, the
decision, the answer. They read, set no cookie, and are decided live each time. They arrive under the internal name of
Nightlatch, before the check of host and scheme, and only from the proxies that the operator named.
"""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.responses import Response

from nightlatch import logs
from nightlatch.actions import assertions, kinds
from nightlatch.actions.assertions import Claims, NoSigningKey, Signer
from nightlatch.actions.host_checks import Checked, Narrowing, Passed, check
from nightlatch.actions.tokens import hash_token
from nightlatch.decision import Allow, Deny
from nightlatch.ids import to_text
from nightlatch.instants import MINUTE, SECOND, Instant
from nightlatch.refusals import Refused
from nightlatch.store.engine import Transaction, Unavailable
from nightlatch.store.query import Row
from nightlatch.vocabulary import Credential
from nightlatch.web import authz_answers as answers
from nightlatch.web import cookies
from nightlatch.web.authz_headers import (
    Target,
    Unclear,
    cookies_of,
    forwarded_target,
    is_page,
    narrowing,
    original_target,
)
from nightlatch.web.house import Front
from nightlatch.web.origin import Headers
from nightlatch.web.routes import Route

log = logging.getLogger("nightlatch.web")


@dataclass(frozen=True, slots=True)
class Style:
    """How one kind of proxy asks, and what it makes of the answers."""

    path: str
    headers: tuple[str, ...]
    read: Callable[[Headers], Target]
    unclear: int
    """The status for a question that is none. nginx makes a 500 of everything but 401 and 403."""
    redirects: bool
    """Whether it hands a redirect of ours to the browser; nginx reads `Location` from a 401."""


FORWARD = Style(
    "/authz/forward",
    ("X-Forwarded-Method", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Uri"),
    forwarded_target,
    unclear=400,
    redirects=True,
)
_NOT_ROUTED = (
    "The proxy must lead /.nightlatch/ of this host to Nightlatch, without a check: people sign in there."
)
NGINX = Style(
    "/authz/nginx", ("X-Original-Method", "X-Original-URL"), original_target, unclear=403, redirects=False
)


class Checks:
    """One process's proxy checks: what they are answered with, and the signatures they share."""

    def __init__(self, front: Front) -> None:
        self.front = front
        self.signer = Signer()
        self._told: dict[str, Instant] = {}

    async def answer(self, style: Style, headers: Headers, query: bytes) -> Response:
        """One check. Whatever fails inside lets nobody through."""
        try:
            target = style.read(headers)
            if target.uri.startswith(f"{answers.PAGES}/"):
                raise Unclear("not_routed", _NOT_ROUTED)
            return await self._answer(style, headers, target, narrowing(query))
        except Unclear as why:
            return self._not_understood(style, why)
        except Refused as refused:
            return self._not_understood(style, Unclear("bad_query", refused.detail))
        except Unavailable:
            return answers.closed()
        except NoSigningKey as why:
            log.error("no assertion can be signed: %s", why)
            return answers.closed()
        except Exception:
            log.exception("a proxy check failed")
            return answers.closed()

    async def _answer(self, style: Style, headers: Headers, target: Target, wanted: Narrowing) -> Response:
        token = cookies.cookie(cookies_of(headers), cookies.host_name(target.origin))
        token_hash = hash_token(token) if token is not None else None
        checked, key, now = await self.front.house.store.read(
            lambda tx: _look(tx, target.origin, token_hash, wanted)
        )
        if checked is None:
            raise Unclear("unknown_host", f"No product behind a proxy is registered at {target.origin}.")
        if checked.passed is not None:
            return await self._pass(target, checked, checked.passed, key, now)
        page = is_page(headers)
        if isinstance(checked.decision, Deny):
            self._note(style, target, checked)
            return self._denied(checked, page=page)
        start = answers.start_url(target, headers, wanted.max_age)
        if not page:
            return answers.held_back(checked.decision, start)
        if not style.redirects:
            return answers.redirect(start, status=401)
        return answers.redirect(start, status=302 if target.safe else 303)

    async def _pass(
        self, target: Target, checked: Checked, who: Passed, key: Row | None, now: Instant
    ) -> Response:
        front = self.front
        if key is None:
            key = await front.house.store.write(assertions.make_first)
        claims = Claims(
            issuer=front.config.base_url,
            audience=target.origin,
            subject=to_text(who.account_id),
            email=who.email,
            name=who.name,
            workspace=to_text(who.workspace.id),
            workspace_slug=who.workspace.slug,
            role=who.role.value,
            acr=who.acr,
            amr=who.amr,
            auth_time=who.proved_at // SECOND,
        )
        assertion = self.signer.assertion(key, front.house.keys, claims, now)
        session = checked.known.session
        if session is not None:
            front.saw(session.id, session.last_seen_at, now)
        return answers.passed(who, assertion)

    def _denied(self, checked: Checked, *, page: bool) -> Response:
        if not page:
            return answers.denied(checked.decision, answers.DENIED)
        return answers.denied_page(self.front, checked)

    def _not_understood(self, style: Style, why: Unclear) -> Response:
        """The operator is told, but no more than once a minute for each fault: anybody can send odd headers."""
        now = self.front.house.clock.now()
        if now - self._told.get(why.code, 0) >= MINUTE:
            self._told[why.code] = now
            log.warning("a proxy check was not understood: %s: %s", why.code, why)
        return answers.unclear(why, style.unclear)

    def _note(self, style: Style, target: Target, checked: Checked) -> None:
        """Denied authorisation leaves a line in the log (denials.py)."""
        known, decision = checked.known, checked.decision
        told = {
            "by": "account",
            "id": to_text(known.person.id) if known.person is not None else "",
            "session": to_text(known.session.id) if known.session is not None else "",
            "credential": Credential.HOST.value,
            "method": target.method,
            "route": style.path,
            "target": to_text(checked.app.id),
            "code": "not_permitted",
            "reason": decision.reason.value if isinstance(decision, Deny) else "",
        }
        log.warning("denied: %s", logs.fields(told))


def _look(
    tx: Transaction, origin: str, token_hash: bytes | None, wanted: Narrowing
) -> tuple[Checked | None, Row | None, Instant]:
    """The decision, and for who passes the key to sign with."""
    checked = check(tx, origin=origin, token_hash=token_hash, narrowing=wanted)
    allowed = checked is not None and isinstance(checked.decision, Allow)
    return checked, assertions.current(tx) if allowed else None, tx.now


def _route(style: Style, summary: str) -> Route:
    async def handler(checks: Checks, headers: Headers, query: bytes) -> Response:
        return await checks.answer(style, headers, query)

    headers = {name: {"type": "string"} for name in style.headers}
    query = {"roles": {"type": "string"}, "max_age": {"type": "integer", "minimum": 60, "maximum": 86400}}
    return Route(
        "GET",
        style.path,
        kinds.PASS_PROXY,
        handler,
        kind="check",
        summary=summary,
        headers=headers,
        query=query,
    )


ROUTES: list[Route] = [
    _route(FORWARD, "May this request pass: for Caddy, Traefik, HAProxy"),
    _route(NGINX, "May this request pass: for nginx"),
]
BY_PATH: dict[str, Callable[[Checks, Headers, bytes], Awaitable[Response]]] = {
    route.path: route.handler for route in ROUTES
}
