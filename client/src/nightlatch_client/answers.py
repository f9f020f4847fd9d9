"""What the gate answers instead of the product: pages for people, problem documents (RFC 9457) for programs."""

import json
from dataclasses import dataclass
from typing import Any

ACR = "urn:nightlatch:aal2"
Headers = list[tuple[str, str]]
_PLAIN: Headers = [("cache-control", "no-store"), ("x-content-type-options", "nosniff")]


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer. The names of its headers are lower case."""

    status: int
    headers: Headers
    body: bytes = b""

    def header(self, name: str) -> str | None:
        """The first value of a header."""
        return next((value for key, value in self.headers if key == name), None)

    def with_headers(self, more: Headers) -> "Answer":
        """The same with more headers."""
        return Answer(self.status, [*self.headers, *more], self.body)


@dataclass(frozen=True, slots=True)
class WayOut:
    """What a person can do about a refusal, and the path of the product where."""

    text: str
    path: str


def redirect(location: str, status: int = 303) -> Answer:
    """Send the browser on. The address may carry a token: it goes to nobody else by a Referer."""
    return Answer(status, [("location", location), ("referrer-policy", "no-referrer"), *_PLAIN])


def problem(
    status: int,
    code: str,
    detail: str,
    *,
    way_out: WayOut | None = None,
    origin: str = "",
    max_age: int | None = None,
    retry_after: int | None = None,
    **more: Any,
) -> Answer:
    """A problem document; a 401 says by RFC 9470 section 3 what lacks (`max_age` in seconds)."""
    body: dict[str, Any] = {
        "type": f"urn:nightlatch:problem:{code}",
        "title": code.replace("_", " ").capitalize(),
        "status": status,
        "code": code,
        "detail": detail,
        **{name: value for name, value in more.items() if value is not None},
    }
    if way_out is not None:
        body["way_out"] = {"text": way_out.text, "path": way_out.path, "url": origin + way_out.path}
    headers: Headers = [("content-type", "application/problem+json"), *_PLAIN]
    if status == 401:
        headers.append(("www-authenticate", _challenge(code, detail, max_age)))
    if retry_after is not None:
        headers.append(("retry-after", str(retry_after)))
    return Answer(status, headers, json.dumps(body, ensure_ascii=False).encode("utf-8", "backslashreplace"))


def _challenge(code: str, detail: str, max_age: int | None) -> str:
    if code == "sign_in_required":
        return 'Bearer realm="nightlatch"'
    age = f', max_age="{max_age}"' if max_age is not None else ""
    said = "".join(char for char in detail if " " <= char <= "~" and char not in '"\\')
    return f'Bearer error="insufficient_user_authentication", error_description="{said}", acr_values="{ACR}"{age}'
