"""A request as the gate sees it, whatever framework it came through."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from nightlatch_client.settings import safe_path

FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")
_LONGEST = 700
_HTML = re.compile(r"(?:^|,)\s*(?:text/html|application/xhtml\+xml)\s*(?:;([^,]*))?(?:,|$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class View:
    """One request.

    `path` is decoded and below the app's root, as routes see it; `target` is path and query as the browser sent
    them, root included; `query` is decoded, the last of each name; `headers` have lower-case names.
    """

    kind: Literal["http", "websocket"]
    method: str
    path: str
    target: str
    root: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    cookies: Mapping[str, str]

    @property
    def wants_page(self) -> bool:
        """Whether a person looks at the answer: a browser's own navigation, and no script's request."""
        headers = self.headers
        if self.kind != "http" or "authorization" in headers or "hx-request" in headers:
            return False
        if headers.get("x-requested-with", "").lower() == "xmlhttprequest":
            return False
        if headers.get("sec-fetch-mode", "navigate") != "navigate":
            return False
        found = _HTML.search(headers.get("accept", ""))
        return found is not None and not re.search(r"q\s*=\s*0(?:\.0*)?\s*$", found[1] or "")

    @property
    def is_by_hand(self) -> bool:
        """Whether somebody at a browser may sign in by it: a page, or anything that changes something.

        So whoever signs in where another has signed out is seen to be nobody before.
        """
        safe = self.method in ("GET", "HEAD") or self.kind != "http"
        return "authorization" not in self.headers and (self.wants_page or not safe)

    @property
    def is_form(self) -> bool:
        """Whether it is a form that a person sent."""
        kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        return self.method == "POST" and kind in FORM_TYPES and self.wants_page

    @property
    def may_follow_form(self) -> bool:
        """Whether a page sent the browser here, so that a form of the product may have begun it.

        Browsers then hold that page's `form-action` (CSP) against every redirect on the way, across origins.
        """
        headers = self.headers
        return self.wants_page and headers.get("sec-fetch-site", "none") != "none"

    def came_from(self, origin: str) -> bool:
        """Whether a page of the product itself sent it; what does not say so did not."""
        said = self.headers.get("origin")
        if said is not None and said != "null":
            return said.lower() == origin
        return self.headers.get("sec-fetch-site") == "same-origin"

    def referring_path(self, origin: str) -> str:
        """The page of the product that it came from, as far as it says; else the start page."""
        referer = self.headers.get("referer", "")
        if referer == origin or not referer.startswith(f"{origin}/"):
            return self.root + "/"
        parts = urlsplit(referer)
        return short(parts.path + (f"?{parts.query}" if parts.query else ""), self.root + "/")

    @property
    def back(self) -> str:
        """The way back to this very page."""
        return short(self.target, self.root + "/")


def short(path: str, otherwise: str) -> str:
    """A same-origin path that fits into a cookie: without its query where that is long."""
    for each in (path, path.partition("?")[0]):
        if len(each) <= _LONGEST and safe_path(each) is not None:
            return each
    return otherwise
