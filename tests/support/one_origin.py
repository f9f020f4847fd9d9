"""nginx that serves a product and, below a path of the same host, Nightlatch: one origin on plain-http localhost."""

import http.client
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support import programs

_CONF = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    large_client_header_buffers 4 32k;
    proxy_http_version 1.1;
    proxy_buffer_size 32k;
    proxy_buffers 8 32k;
    proxy_set_header Host              $http_host;
    proxy_set_header X-Forwarded-Host  $http_host;
    proxy_set_header X-Forwarded-Proto $scheme;
    proxy_set_header X-Forwarded-For   $proxy_add_x_forwarded_for;
    map $http_upgrade $upgrade {{ default upgrade; '' ''; }}
    server {{
        listen 127.0.0.1:{port};
        location {path}/ {{
            proxy_pass http://127.0.0.1:{nightlatch};
            proxy_set_header Connection "";
            proxy_set_header Host              $http_host;
            proxy_set_header X-Forwarded-Host  $http_host;
            proxy_set_header X-Forwarded-Proto $scheme;
            proxy_set_header X-Forwarded-For   $proxy_add_x_forwarded_for;
        }}
        location / {{
            proxy_pass http://127.0.0.1:{product};
            proxy_set_header Upgrade    $http_upgrade;
            proxy_set_header Connection $upgrade;
            proxy_set_header Host              $http_host;
            proxy_set_header X-Forwarded-Proto $scheme;
            proxy_set_header X-Forwarded-For   $proxy_add_x_forwarded_for;
        }}
    }}
}}
"""


@contextmanager
def nginx(folder: Path, port: int, *, nightlatch: int, product: int, path: str = "/2fa") -> Iterator[None]:
    """Running on localhost:port, in front of the two other ports."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = folder / "nginx.conf"
    settings.write_text(
        _CONF.format(folder=folder, port=port, nightlatch=nightlatch, product=product, path=path)
    )
    log = folder / "output"
    with log.open("ab") as output:
        process = programs.start(
            [programs.find("nginx", Path("/usr/sbin")), "-c", str(settings), "-p", str(folder)], output=output
        )
    try:
        deadline = time.monotonic() + 60
        while not _answers(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"nginx did not start:\n{log.read_text()}")
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(timeout=60)


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", "/")
        connection.getresponse()
    except OSError:
        return False
    finally:
        connection.close()
    return True
