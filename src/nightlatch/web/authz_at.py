"""One request at one protected host, as the pages there see it."""

import base64
from dataclasses import dataclass
from urllib.parse import parse_qsl

from starlette.requests import Request

from nightlatch.actions.by import By
from nightlatch.actions.tokens import hash_token
from nightlatch.store.query import Row
from nightlatch.web import cookies
from nightlatch.web.authz_headers import cookies_of
from nightlatch.web.house import Front
from nightlatch.web.origin import Headers, asked


@dataclass(frozen=True, slots=True)
class At:
    """One request at one protected host."""

    front: Front
    request: Request
    origin: str
    app: Row
    params: dict[str, str]

    @property
    def headers(self) -> Headers:
        """As they came."""
        headers: Headers = self.request.scope["headers"]
        return headers

    def query(self, name: str) -> str:
        """A query parameter, or the empty text; the empty text also where it comes twice."""
        try:
            pairs = parse_qsl(self.request.scope["query_string"].decode("ascii"), max_num_fields=20)
        except ValueError:
            return ""
        found = [value for key, value in pairs if key == name]
        return found[0] if len(found) == 1 else ""

    def cookie(self, name: str) -> bytes | None:
        """The hash of a cookie."""
        text = cookies.cookie(cookies_of(self.headers), name)
        return hash_token(text) if text is not None else None

    @property
    def token_hash(self) -> bytes | None:
        """The hash of the host's cookie."""
        return self.cookie(cookies.host_name(self.origin))

    @property
    def browser(self) -> bytes | None:
        """The hash of the browser's own cookie at this host."""
        return self.cookie(cookies.host_browser_name(self.origin))

    @property
    def by(self) -> By:
        """Who asks: nobody yet."""
        client = self.request.scope.get("client")
        came = asked(
            self.front.config, self.headers, self.request.scope["scheme"], client[0] if client else ""
        )
        return By("visitor", None, "", came.ip, self.request.headers.get("user-agent", ""))

    @property
    def csrf(self) -> str:
        """What the form of the sign-out page carries, for browsers that name no origin."""
        return base64.urlsafe_b64encode(self.front.house.keys.tag("host_csrf", self._subject())).decode()

    def csrf_matches(self, value: str) -> bool:
        """Whether a form came from our page in this browser."""
        try:
            tag = base64.urlsafe_b64decode(value.encode("ascii"))
        except ValueError:
            return False
        return self.front.house.keys.tag_matches("host_csrf", self._subject(), tag)

    def _subject(self) -> bytes:
        return self.origin.encode() + b"\0" + (self.token_hash or b"")
