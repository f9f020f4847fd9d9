"""The door that proxies come in by: before the check of host and scheme, and for nobody but them."""

import logging
from collections.abc import Awaitable, Callable, MutableMapping
from functools import lru_cache
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from nightlatch.store.engine import Unavailable
from nightlatch.web import authz, authz_answers, authz_host
from nightlatch.web.authz_headers import Unclear
from nightlatch.web.house import Front
from nightlatch.web.lookup import Lookup
from nightlatch.web.origin import trusted

log = logging.getLogger("nightlatch.web")


class Door:
    """One process's."""

    def __init__(self, front: Front) -> None:
        self._front = front
        self._checks = authz.Checks(front)
        self._hosts = Lookup(authz_host.ROUTES)
        self._trusted = lru_cache(1024)(lambda client: trusted(front.config, client))

    def takes(self, path: str) -> bool:
        """Whether a path is a proxy's: a check, or a page at a protected host."""
        return path.startswith(f"{authz_answers.PAGES}/") or path in authz.BY_PATH

    async def answer(
        self, scope: MutableMapping[str, Any], receive: Callable[[], Awaitable[MutableMapping[str, Any]]]
    ) -> Response:
        """One request, if it comes from a proxy that the operator named. A fault lets nobody through."""
        client = scope.get("client")
        if not self._trusted(client[0] if client else ""):
            return authz_answers.stranger()
        check = authz.BY_PATH.get(scope["path"])
        if check is not None:
            if scope["method"] not in ("GET", "HEAD"):
                return authz_answers.unclear(Unclear("bad_method", "A check is asked with GET."), 405)
            return await check(self._checks, scope["headers"], scope["query_string"])
        try:
            return await authz_host.answer(self._front, self._hosts, Request(scope, receive))
        except Unavailable:
            return authz_answers.closed()
        except Exception:
            log.exception("a page at a protected host failed")
            return authz_answers.closed()
