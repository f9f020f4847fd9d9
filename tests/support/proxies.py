"""Real nginx and Caddy on loopback, with the configuration of docs/proxies, and a product that says what it got.

Nothing of the system's own services is used or touched: each proxy has a folder and ports of its own, and is ended by
its process id. Names are resolved by the client: every host of a test is 127.0.0.1.
"""

import base64
import json
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha1
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.support import programs

CONFIGURATION = Path(__file__).parents[2] / "docs" / "proxies"
ID, WIKI, BOARD = "id.acme.test", "wiki.acme.test", "board.beta.test"
PAGE = {"Accept": "text/html,application/xhtml+xml;q=0.9"}
SCRIPT = {"Accept": "application/json"}


# --- certificates ---


@dataclass(frozen=True)
class Certificates:
    """An authority of our own, and one certificate for every host of a test."""

    authority: Path
    chain: Path
    key: Path


def certificates(folder: Path, *hosts: str) -> Certificates:
    """Made anew for each run, good for a day."""
    folder.mkdir(parents=True, exist_ok=True)
    ca_key, ca_name = ec.generate_private_key(ec.SECP256R1()), _name("Nightlatch tests")
    ca = (
        _certificate(ca_name, ca_name, ca_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs=True), critical=True)
        .sign(ca_key, hashes.SHA256())
    )
    key = ec.generate_private_key(ec.SECP256R1())
    leaf = (
        _certificate(_name(hosts[0]), ca_name, key.public_key())
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(each) for each in hosts]), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False
        )
        .sign(ca_key, hashes.SHA256())
    )
    made = Certificates(folder / "ca.pem", folder / "hosts.pem", folder / "hosts.key")
    pem = serialization.Encoding.PEM
    made.authority.write_bytes(ca.public_bytes(pem))
    made.chain.write_bytes(leaf.public_bytes(pem))
    plain = serialization.NoEncryption()
    made.key.write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
    made.key.chmod(0o600)
    return made


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = datetime.fromtimestamp(time.clock_gettime(time.CLOCK_REALTIME), UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )


# --- the product ---


class Product:
    """A product without users of its own: it answers with what it got, and says hello over a WebSocket."""

    def __init__(self, name: str) -> None:
        self.got: list[dict[str, Any]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(name, self.got))
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def start(self) -> None:
        """Answer from now on."""
        self._thread.start()

    def stop(self) -> None:
        """No more."""
        self._server.shutdown()
        self._server.server_close()


def _handler(product: str, got: list[dict[str, Any]]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length).decode() if length else ""
            told = {
                "product": product,
                "method": self.command,
                "path": self.path,
                "headers": [[name, value] for name, value in self.headers.items()],
                "body": body,
            }
            got.append(told)
            if self.headers.get("Upgrade", "").lower() == "websocket":
                self._socket()
                return
            if "text/html" in self.headers.get("Accept", ""):
                kind, text = "text/html", _html(told)
            else:
                kind, text = "application/json", json.dumps(told)
            encoded = text.encode()
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(encoded)))
            self.end_headers()
            self.wfile.write(encoded)

        do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815

        def _socket(self) -> None:
            """The handshake of RFC 6455, one short message back, and the end."""
            key = self.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
            accept = base64.b64encode(sha1(key.encode(), usedforsecurity=False).digest()).decode()
            self.send_response(101)
            self.send_header("Upgrade", "websocket")
            self.send_header("Connection", "Upgrade")
            self.send_header("Sec-WebSocket-Accept", accept)
            self.end_headers()
            said = f"hello {self.headers.get('Remote-Email', '')}".encode()
            self.wfile.write(bytes([0x81, len(said)]) + said)
            self.close_connection = True

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    return Handler


def _html(told: Mapping[str, Any]) -> str:
    rows = "".join(f"<li>{name}: {value}</li>" for name, value in told["headers"])
    return (
        f"<!doctype html><html lang='en'><head><title>{told['product']}</title>"
        "<link rel='icon' href='data:,'></head>"
        f"<body><h1>{told['product']}</h1><p id='path'>{told['path']}</p><ul>{rows}</ul>"
        "<form method='post' action='/.nightlatch/sign-out'><button>Sign out</button></form></body></html>"
    )


# --- proxies ---


@dataclass(frozen=True)
class Behind:
    """Where things are."""

    port: int
    """Of the proxy, TLS."""
    nightlatch: int
    wiki: int
    board: int
    certificates: Certificates

    def adapted(self, text: str) -> str:
        """The example's names and ports as they are here; nothing else of it is touched."""
        for example, here in (
            ("127.0.0.1:8000", f"127.0.0.1:{self.nightlatch}"),
            ("127.0.0.1:9000", f"127.0.0.1:{self.wiki}"),
            ("127.0.0.1:9001", f"127.0.0.1:{self.board}"),
            ("/etc/ssl/example.pem", str(self.certificates.chain)),
            ("/etc/ssl/example.key", str(self.certificates.key)),
        ):
            text = text.replace(example, here)
        return text


class Proxy:
    """A proxy as a child process."""

    def __init__(self, name: str, command: list[str], folder: Path, port: int) -> None:
        self.name = name
        self.port = port
        self._folder = folder
        with (folder / "output").open("ab") as output:
            self._process = programs.start(
                command, output=output, folder=folder, environment=_environment(folder)
            )
        deadline = time.monotonic() + 60
        while not _listens(port):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"{name} does not listen:\n{self.output()}")
            time.sleep(0.05)

    def output(self) -> str:
        """What it printed."""
        return (self._folder / "output").read_text(errors="replace")

    def stop(self) -> None:
        """End it."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(10)


def _environment(folder: Path) -> dict[str, str]:
    return {"HOME": str(folder), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "XDG_DATA_HOME": str(folder)}


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def nginx(folder: Path, behind: Behind) -> Proxy:
    """nginx with docs/proxies/nginx, everything of its own below `folder`."""
    folder.mkdir(parents=True)
    for file in (CONFIGURATION / "nginx").glob("nightlatch-*.conf"):
        shutil.copy(file, folder / file.name)
    site = behind.adapted((CONFIGURATION / "nginx" / "site.conf").read_text())
    for example, here in (("id.example.com", ID), ("wiki.example.com", WIKI), ("board.example.com", BOARD)):
        site = site.replace(f"server_name {example}", f"server_name {here}")
        site = site.replace(example, f"{here}:{behind.port}")
    site = site.replace("listen 443 ssl", f"listen 127.0.0.1:{behind.port} ssl")
    (folder / "site.conf").write_text(site)
    places = "\n".join(
        f"    {kind}_temp_path {folder}/{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"daemon off;\nmaster_process off;\npid {folder}/nginx.pid;\nerror_log stderr warn;\n"
        f"events {{}}\nhttp {{\n    access_log off;\n{places}\n    include {folder}/site.conf;\n}}\n"
    )
    command = [
        programs.find("nginx", Path("/usr/sbin")),
        *("-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", "stderr"),
    ]
    return Proxy("nginx", command, folder, behind.port)


def caddy(folder: Path, behind: Behind) -> Proxy:
    """Caddy with docs/proxies/caddy, everything of its own below `folder`."""
    folder.mkdir(parents=True)
    shutil.copy(CONFIGURATION / "caddy" / "nightlatch.caddy", folder)
    imported = folder / "nightlatch.caddy"
    imported.write_text(behind.adapted(imported.read_text()))
    text = behind.adapted((CONFIGURATION / "caddy" / "Caddyfile").read_text())
    tls = f"tls {behind.certificates.chain} {behind.certificates.key}"
    for example, here in (("id.example.com", ID), ("wiki.example.com", WIKI), ("board.example.com", BOARD)):
        text = text.replace(
            f"\n{example} {{\n", f"\nhttps://{here}:{behind.port} {{\n\tbind 127.0.0.1\n\t{tls}\n"
        )
    options = "{\n\tadmin off\n\tauto_https off\n\tgrace_period 1s\n}\n"
    (folder / "Caddyfile").write_text(options + text)
    command = [
        programs.find("caddy"),
        *("run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"),
    ]
    return Proxy("caddy", command, folder, behind.port)


PROXIES = {"nginx": nginx, "caddy": caddy}


@contextmanager
def running(name: str, folder: Path, behind: Behind) -> Iterator[Proxy]:
    """A proxy, ended with the context."""
    proxy = PROXIES[name](folder, behind)
    try:
        yield proxy
    finally:
        proxy.stop()


# --- a client ---


@dataclass(frozen=True)
class Answer:
    """What came back."""

    url: str
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str:
        """The first value of a header, or the empty text."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode(errors="replace")

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    def told(self, name: str) -> list[str]:
        """The values of a header that the product got, by exactly this spelling (but for its case)."""
        return [value for key, value in self.json["headers"] if key.lower() == name.lower()]


@dataclass
class Browser:
    """Somebody's browser, without a page: cookies by host, redirects, forms; it may also lie in its headers."""

    port: int
    authority: Path
    jars: dict[str, dict[str, str]] = field(default_factory=dict)
    at: Answer | None = None

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | list[tuple[str, str]] | None = None,
        body: bytes = b"",
        target: str | None = None,
        cookies: bool = True,
    ) -> Answer:
        """One request over TLS to a host of the test, redirects not followed. `target`: another request target."""
        parts = urlsplit(url)
        host = parts.hostname or ""
        connection = self._connection(host)
        try:
            path = target or (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            listed = list(headers.items()) if isinstance(headers, Mapping) else list(headers or [])
            if not any(name.lower() == "host" for name, _ in listed):
                connection.putheader("Host", parts.netloc)
            jar = self.jars.setdefault(host, {})
            if jar and cookies:
                connection.putheader("Cookie", "; ".join(f"{name}={value}" for name, value in jar.items()))
            for name, value in listed:
                connection.putheader(name, value)
            if body:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body or None)
            response = connection.getresponse()
            read = b"" if response.status == 101 else response.read()
            answer = Answer(url, response.status, response.getheaders(), read)
            if response.status == 101:
                answer = Answer(url, 101, response.getheaders(), connection.sock.recv(200))
        finally:
            connection.close()
        self._keep(host, answer)
        return answer

    def get(self, url: str, **headers: str) -> Answer:
        """A script's request: JSON, redirects not followed."""
        return self.send("GET", url, headers={**SCRIPT, **headers})

    def open(self, url: str) -> Answer:
        """A page: follow where it leads, over all hosts."""
        return self._follow("GET", url, b"")

    def submit(self, action: str, **fields: str) -> Answer:
        """Send the form of the page that posts there."""
        from tests.support.visitor import _Reader

        assert self.at is not None
        form = next(each for each in reversed(_Reader(self.at.text).forms) if each.action == action)
        return self._follow(
            "POST", urljoin(self.at.url, action), urlencode({**form.fields, **fields}).encode()
        )

    def _follow(self, method: str, url: str, body: bytes) -> Answer:
        for _ in range(15):
            headers = dict(PAGE)
            if method == "POST":
                parts = urlsplit(url)
                headers |= {
                    "Content-Type": "application/x-www-form-urlencoded",
                    "Origin": f"{parts.scheme}://{parts.netloc}",
                }
            self.at = self.send(method, url, headers=headers, body=body)
            if self.at.status not in (302, 303):
                return self.at
            url, method, body = urljoin(url, self.at.header("location")), "GET", b""
        raise AssertionError(f"an endless way, at last to {url}")

    def _connection(self, host: str) -> HTTPConnection:
        context = ssl.create_default_context(cafile=str(self.authority))
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.connect()
        connection.sock = context.wrap_socket(connection.sock, server_hostname=host)
        return connection

    def _keep(self, host: str, answer: Answer) -> None:
        jar = self.jars[host]
        for name, value in answer.headers:
            if name.lower() != "set-cookie":
                continue
            pair, *attributes = value.split("; ")
            key, _, text = pair.partition("=")
            if "Max-Age=0" in attributes:
                jar.pop(key, None)
            else:
                jar[key] = text


def direct(
    port: int, path: str, headers: Mapping[str, str], *, source: str = "127.0.0.1", method: str = "GET"
) -> Answer:
    """A request straight to Nightlatch, past the proxy, from a loopback address of one's choice."""
    connection = HTTPConnection("127.0.0.1", port, timeout=60, source_address=(source, 0))
    try:
        connection.request(method, path, headers=dict(headers))
        response = connection.getresponse()
        return Answer(path, response.status, response.getheaders(), response.read())
    finally:
        connection.close()
