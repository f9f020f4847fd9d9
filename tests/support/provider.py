"""An OpenID provider of the tests' own, on loopback: honest until it is told to misbehave."""

import base64
import hashlib
import hmac
import json
import secrets
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc import jws
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

CLIENT_ID, SECRET = "nightlatch", "a secret with: colon & spaces"


@cache
def rsa(name: str = "main") -> RSAKey:
    """A key, made once for the run."""
    return RSAKey.generate_key(2048, {"kid": f"rsa-{name}", "use": "sig"})


@cache
def ec() -> ECKey:
    """Another kind."""
    return ECKey.generate_key("P-256", {"kid": "ec"})


@cache
def ed() -> OKPKey:
    """And another."""
    return OKPKey.generate_key("Ed25519", {"kid": "ed"})


@cache
def wide() -> ECKey:
    """On another curve than ES256 is for."""
    return ECKey.generate_key("P-384", {"kid": "ec-wide"})


@cache
def rsa_pss_alone() -> RSAKey:
    """The main key, published for PS256 and nothing else."""
    return RSAKey.import_key({**rsa().as_dict(private=True), "kid": "rsa-pss", "alg": "PS256"})


@cache
def rsa_to_encrypt() -> RSAKey:
    """The main key, published for encryption."""
    return RSAKey.import_key({**rsa().as_dict(private=True), "kid": "rsa-enc", "use": "enc"})


@cache
def short() -> RSAKey:
    """Of 1024 bits."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the library says so, too
        return RSAKey.generate_key(1024, {"kid": "rsa-short", "use": "sig"})


def headed(header: Mapping[str, Any], claims: Mapping[str, Any]) -> str:
    """With this very header, signed by the Ed25519 key whatever the header says."""
    text = ".".join(_encoded(header, claims))
    private = ed().private_key
    assert isinstance(private, Ed25519PrivateKey)
    return f"{text}.{_base64(private.sign(text.encode()))}"


def signed(claims: Mapping[str, Any], algorithm: str, key: Key, kid: str | None) -> str:
    """A compact JWT."""
    if isinstance(key, OKPKey):
        return headed({"alg": algorithm, "kid": kid}, claims)
    header = {"alg": algorithm, "typ": "JWT"} | ({"kid": kid} if kid is not None else {})
    return jws.serialize_compact(header, json.dumps(claims), key, algorithms=[algorithm])


def unsigned(claims: Mapping[str, Any]) -> str:
    """`alg: none`."""
    return ".".join([*_encoded({"alg": "none", "typ": "JWT"}, claims), ""])


def _encoded(*parts: Mapping[str, Any]) -> list[str]:
    return [_base64(json.dumps(each).encode()) for each in parts]


def _base64(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def signed_with_public_key(claims: Mapping[str, Any]) -> str:
    """HS256 with the text of the public RSA key as the secret: the old confusion."""
    text = ".".join(_encoded({"alg": "HS256", "kid": "rsa-main"}, claims))
    tag = hmac.digest(rsa().as_pem(private=False), text.encode(), "sha256")
    return f"{text}.{_base64(tag)}"


@dataclass
class Provider:
    """What it answers, and what it was asked."""

    now: Callable[[], int]
    """Seconds since the epoch."""
    port: int = 0
    person: dict[str, Any] = field(default_factory=lambda: {"sub": "u-1"})
    """The claims of whoever signs in."""
    claims: dict[str, Any] = field(default_factory=dict)
    """Put over what an honest ID token says; None takes a claim out."""
    token: Callable[[Mapping[str, Any]], str] = lambda claims: signed(claims, "RS256", rsa(), "rsa-main")
    discovery: dict[str, Any] = field(default_factory=dict)
    keys: list[Key] = field(default_factory=lambda: [rsa(), ec(), ed()])
    userinfo: dict[str, Any] | None = None
    answers: dict[str, Callable[[], tuple[int, dict[str, str], bytes]]] = field(default_factory=dict)
    """By path: another answer than the honest one."""
    says_issuer: bool = True
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    auth_time: int | None = None
    """None: in this moment."""

    @property
    def issuer(self) -> str:
        """Its name."""
        return f"http://127.0.0.1:{self.port}"

    def authorize(self, leave_url: str, **more: str) -> str:
        """What its sign-in page does: checks the request, and sends the browser back. The address it sends it to."""
        asked = dict(parse_qsl(urlsplit(leave_url).query))
        assert leave_url.startswith(f"{self.issuer}/authorize?"), leave_url
        assert asked["response_type"] == "code"
        assert asked["client_id"] == CLIENT_ID
        assert asked["code_challenge_method"] == "S256"
        assert "openid" in asked["scope"].split()
        assert len(asked["state"]) >= 40
        assert len(asked["nonce"]) >= 40
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        back = {"code": code, "state": asked["state"]} | ({"iss": self.issuer} if self.says_issuer else {})
        return f"{asked['redirect_uri']}?{urlencode({k: v for k, v in (back | more).items() if v})}"

    # --- what it serves ---

    def answer(
        self, method: str, path: str, headers: Mapping[str, str], body: str
    ) -> tuple[int, dict[str, str], bytes]:
        """One request."""
        self.asked.append(f"{method} {path}")
        if path in self.answers:
            return self.answers[path]()
        if path == "/.well-known/openid-configuration":
            return _json(self._document())
        if path == "/jwks":
            return _json({"keys": [key.as_dict(private=False) for key in self.keys]})
        if path == "/token":
            return self._token(headers, dict(parse_qsl(body)))
        if path == "/userinfo" and self.userinfo is not None:
            return _json(self.userinfo)
        return _json({"error": "not_found"}, 404)

    def _document(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            **({"userinfo_endpoint": f"{self.issuer}/userinfo"} if self.userinfo is not None else {}),
            "authorization_response_iss_parameter_supported": self.says_issuer,
            **self.discovery,
        }

    def _token(
        self, headers: Mapping[str, str], form: Mapping[str, str]
    ) -> tuple[int, dict[str, str], bytes]:
        scheme, _, pair = headers.get("Authorization", "").partition(" ")
        name, _, secret = base64.b64decode(pair).decode().partition(":")
        given = [parse_qs(f"x={each}")["x"][0] if each else "" for each in (name, secret)]
        if scheme != "Basic" or given != [CLIENT_ID, SECRET]:
            return _json({"error": "invalid_client"}, 401)
        asked = self.codes.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if (
            asked is None
            or asked["redirect_uri"] != form.get("redirect_uri")
            or asked["code_challenge"] != base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        ):
            return _json({"error": "invalid_grant"}, 400)
        claims = {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "iat": self.now(),
            "exp": self.now() + 300,
            "nonce": asked["nonce"],
            "auth_time": self.auth_time if self.auth_time is not None else self.now(),
            **self.person,
            **self.claims,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        return _json({"access_token": "at", "token_type": "Bearer", "id_token": self.token(claims)})


def _json(value: Any, status: int = 200) -> tuple[int, dict[str, str], bytes]:
    return status, {"Content-Type": "application/json"}, json.dumps(value).encode()


@contextmanager
def running(now: Callable[[], int]) -> Iterator[Provider]:
    """A provider that is served on loopback."""
    provider = Provider(now)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer("")

        def do_POST(self) -> None:
            self._answer(self.rfile.read(int(self.headers["Content-Length"])).decode())

        def _answer(self, body: str) -> None:
            status, headers, content = provider.answer(self.command, self.path, dict(self.headers), body)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            try:
                self.wfile.write(content)
            except OSError:
                self.close_connection = True  # whoever asked has had enough

        def log_message(self, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
