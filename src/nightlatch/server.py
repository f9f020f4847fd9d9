"""Serving: granian's supervisor, and workers that each build a house of their own.

The supervisor looks at everything first (database, migrations, keys, whose world it is), imports the application, and
forks: workers share those pages, start in milliseconds and are made again when one dies. It keeps no connection and no
thread of ours over the fork. SIGTERM and SIGINT end it, requests in flight finished; SIGHUP puts fresh workers in the
place of the old ones, one by one, with the settings and keys as their files say them then.
"""

import ctypes
import gc
import logging
import os
import signal
import socket
import sys
from contextlib import suppress
from functools import partial
from typing import Any

from nightlatch import logs, wiring
from nightlatch.config import Config, ConfigError
from nightlatch.demo import folder
from nightlatch.store import durability, meta, migrate
from nightlatch.web.app import App

LARGEST_HEAD = 32 * 1024
"""Bytes of a request line with its headers; a larger one is answered 431. Bodies are limited route by route."""
HEAD_TIMEOUT = 10_000
"""Milliseconds that a client has for sending it."""
STOP_TIMEOUT = 30
"""Seconds that requests in flight have to finish."""

log = logging.getLogger("nightlatch.server")


class NotServed(Exception):
    """This database is not for this command; the message says what to do."""


def prepare(config: Config, *, demo: bool = False) -> None:
    """See that everything is there for serving. A SQLite file is brought to the newest schema.

    Raises NotServed, WrongKeys, Unavailable, NewerSchema, KeyRingError, OSError.
    """
    free_address(config.host, config.port)
    if migrate.pending(config.database_url):
        if not migrate.is_sqlite(config.database_url):
            raise NotServed("The database is not at this version's schema. Run: nightlatch migrate")
        migrate.upgrade(config.database_url)
    house = wiring.build(config)
    try:
        is_demo = house.store.read_now(lambda tx: meta.read(tx, meta.DEMO)) is not None
        for name in house.store.read_now(durability.lost):
            log.error("the database server has switched off %s: a crash of its machine loses commits", name)
    finally:
        house.close()
    if is_demo and not demo:
        raise NotServed(
            "This is a demo database: everybody may read its mail and its codes. "
            "Serve it with `nightlatch demo`, or name another NIGHTLATCH_DATA or NIGHTLATCH_DATABASE_URL."
        )
    if demo and not is_demo:
        raise NotServed("This is no demo database. `nightlatch demo` serves only what it made itself.")


def run(config: Config, *, demo: bool = False) -> None:
    """Serve until a signal ends it. Raises NotServed where the address cannot be had."""
    from granian.constants import HTTPModes, Interfaces, Loops
    from granian.http import HTTP1Settings
    from granian.log import LogLevels
    from granian.server import Server

    server = Server(
        "nightlatch",
        address=free_address(config.host, config.port),
        port=config.port,
        interface=Interfaces.ASGI,
        workers=config.workers,
        loop=Loops.uvloop,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=HEAD_TIMEOUT, max_buffer_size=LARGEST_HEAD),
        websockets=False,
        log_level=LogLevels.warning,
        log_dictconfig=_granian_logs(),
        respawn_failed_workers=True,
        workers_kill_timeout=STOP_TIMEOUT,
    )
    log.info("serving %s on %s:%d", config.base_url, config.host, config.port)
    gc.collect()
    gc.freeze()  # what was imported is for good: no worker's collector touches, and so copies, its pages
    gc.set_threshold(50_000)  # requests leave next to no cycles: to look every 700 objects costs 2 to 3 %
    _run_on()
    server.serve(target_loader=partial(_application, config, demo, os.getpid()), wrap_loader=False)


def free_address(host: str, port: int) -> str:
    """The IP address to listen on, seen to be free.

    Workers share the port (SO_REUSEPORT), so a second server there would silently take half of the requests.
    """
    try:
        found = sorted(socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM))  # IPv4 first
        family, kind, protocol, _, address = found[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise NotServed(
            f"{host}:{port} cannot be listened on ({error.strerror}). Free it, or set NIGHTLATCH_PORT."
        ) from error
    return str(address[0])


def _application(config: Config, demo: bool, supervisor: int) -> App:
    """In a worker: its own house, and the application over it."""
    _end_with(supervisor)
    logs.configure()
    try:
        return App(wiring.build(_as_set_now(config, demo)), demo=demo)
    except Exception:
        log.exception("a worker could not start")
        sys.exit(1)


def _run_on() -> None:
    """Threads of a worker do not interrupt each other, where the operator has chosen nothing else (Linux only).

    They hand work to and fro and share one interpreter's lock: a thread that is woken and takes the processor at once
    has to give it back for that lock. Inherited by workers and their threads (docs/decisions/0037).
    """
    if sys.platform == "linux" and os.sched_getscheduler(0) == os.SCHED_OTHER:
        with suppress(OSError):  # forbidden in some containers; nothing but speed depends on it
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


def _as_set_now(config: Config, demo: bool) -> Config:
    """The configuration with what its files say now, for a worker that takes an older one's place."""
    try:
        return folder.settings(os.environ) if demo else Config.from_environment()
    except ConfigError as error:
        log.error("the changed configuration is not used: %s", "; ".join(map(str, error.problems)))
        return config


def _end_with(supervisor: int) -> None:
    """End in good order when the supervisor is killed: nobody would be left to end this process (Linux only)."""
    if sys.platform == "linux":
        death_signal = 1  # PR_SET_PDEATHSIG
        ctypes.CDLL(None).prctl(death_signal, signal.SIGTERM)
        if os.getppid() != supervisor:
            os.kill(os.getpid(), signal.SIGTERM)


def _granian_logs() -> dict[str, Any]:
    """Granian's own records, by our handler; no access log (paths may carry tokens)."""
    return {
        "formatters": {},
        "handlers": {},
        "loggers": {"_granian": {"handlers": [], "propagate": True}, "granian.access": {"handlers": []}},
    }
