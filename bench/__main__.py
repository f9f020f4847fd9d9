"""`make bench`: one run, one table. `--quick` for a look, `--write` puts the table into docs/performance.md."""

import argparse
import json
import shutil
import socket
import statistics
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import bare, hosts, processes, products, seeding, work_list
from bench.report import Row, table, write
from nightlatch.authenticators import totp
from nightlatch.clock import Clock

ROOT = Path(__file__).parents[1]
EMPTY = [
    "granian",
    "--interface",
    "asgi",
    "--loop",
    "uvloop",
    "--no-ws",
    "--log-level",
    "critical",
    "bench.empty:app",
]


@dataclass
class Measured:
    """One load: CPU of the server for each request, and rates."""

    cpu_ms: float
    rate: float
    p50_ms: float
    p99_ms: float
    statuses: dict[str, int]


def main() -> None:
    """Measure everything and print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("--quick", action="store_true", help="fewer people and rounds")
    parser.add_argument("--write", action="store_true", help="write the table into docs/performance.md")
    options = parser.parse_args()
    people, rounds, large = (600, 2, 5_000) if options.quick else (3_000, 5, 100_000)
    rows = [
        *_hot_paths(people, rounds),
        *_product(people, rounds),
        *_hosts(people, rounds),
        *_large_workspace(large),
        *_work_lists(large),
    ]
    print(table(rows))
    if options.write:
        write(ROOT / "docs" / "performance.md", rows)


def _hot_paths(people: int, rounds: int) -> list[Row]:
    plain: list[Measured] = []
    empty: list[Measured] = []
    check: list[Measured] = []
    one: list[Measured] = []
    many: list[Measured] = []
    bare_ms: list[float] = []
    starts: list[float] = []
    memory: list[float] = []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            seeding.fill(folder, people)
            shutil.copytree(folder, folder / "bare")
            plain.append(_with_server(_empty(), {}, _empty_lines(people)))
            empty.append(_with_server(["chrt", "--batch", "0", *_empty()], {}, _empty_lines(people)))
            running = _serve(folder)
            try:
                starts.append(running.start_seconds)
                memory.append(processes.pss_megabytes(running.process.pid))
                check.append(_play(running, 32, _check_lines(people)))
                one.append(_play(running, 1, _code_lines(0, people // 4)))
                many.append(_play(running, 32, _code_lines(people // 4, people)))
            finally:
                running.stop()
            bare_ms.append(bare.seconds_each(folder / "bare", people, 32) * 1000)
    shares = [
        (statistics.median(each.cpu_ms for each in floor) + statistics.median(bare_ms))
        / statistics.median(each.cpu_ms for each in many)
        for floor in (plain, empty)
    ]
    return [
        _row("empty answer, raw ASGI, 32 connections", plain, "-"),
        _row("the same, scheduled as `nightlatch serve` is", empty, "-"),
        _row("session check, GET /api/v1/session, 32 connections", check, "at most 0.3 ms"),
        _row("TOTP verification, one at a time", one, "at most 1 ms"),
        _row("TOTP verification, 32 in parallel", many, "at most 1 ms"),
        Row(
            "bare loop: reads, decryption, HMACs, one commit a batch of 32",
            f"{statistics.median(bare_ms):.3f} ms",
            "-",
        ),
        Row("combined limit / verification at 32 in parallel", f"{shares[0]:.2f}", "at least 0.25"),
        Row("the same, the empty answer scheduled as we are", f"{shares[1]:.2f}", "-"),
        Row("start to the first answer", f"{statistics.median(starts):.2f} s", "under 2 s"),
        Row("memory, idle (PSS of all processes)", f"{statistics.median(memory):.0f} MB", "under 150 MB"),
    ]


def _product(people: int, rounds: int) -> list[Row]:
    many: list[Measured] = []
    one: list[Measured] = []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            products.fill(folder, people)
            running = _serve(folder)
            try:
                one.append(_play(running, 1, products.check_lines(people)))
                many.append(_play(running, 32, products.check_lines(people)))
            finally:
                running.stop()
    return [
        _row("a product's check, POST /api/v1/app/check, one at a time", one, "one round trip"),
        _row("a product's check, 32 connections", many, "-"),
    ]


def _hosts(people: int, rounds: int) -> list[Row]:
    signed: list[Measured] = []
    again: list[Measured] = []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            seeding.fill(folder, people)
            hosts.add(folder, people)
            running = _serve(folder)
            try:
                signed.append(_play(running, 32, hosts.check_lines(0, people)))
                again.append(_play(running, 32, hosts.check_lines(0, people // 10) * 10))
            finally:
                running.stop()
    return [
        _row("a proxy's check, GET /authz/nginx, everybody's first: a signature each", signed, "-"),
        _row("a proxy's check, the same people again: signatures serve for 30 s", again, "-"),
    ]


def _large_workspace(people: int) -> list[Row]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        seeding.fill(folder, people, enrolled=False)
        running = _serve(folder)
        try:
            full = {"token": seeding.token(0, "full")}
            base = "/api/v1/workspaces/acme"
            preview = [{"method": "GET", "path": f"{base}/policy/preview", **full}] * 5
            switch = [
                {
                    "method": "PUT",
                    "path": f"{base}/policy",
                    "headers": {"If-Match": '"1"'},
                    "body": {"two_factor": {"required": True, "required_from": None}},
                    **full,
                }
            ]
            measured = [_play(running, 1, lines) for lines in (preview, switch)]
        finally:
            running.stop()
    names = ("preview", "the switch is turned on")
    return [
        Row(
            f"{what}, {people:,} teammates",
            f"{each.p50_ms:.0f} ms",
            "under 100 ms" if what != "preview" else "-",
            f"status {', '.join(each.statuses)}",
        )
        for what, each in zip(names, measured, strict=True)
    ]


def _work_lists(people: int) -> list[Row]:
    rows = []
    for kind in ("SQLite", "PostgreSQL"):
        with tempfile.TemporaryDirectory() as name, work_list.database(Path(name), kind) as (url, beside):
            cursor = work_list.fill(Path(name), url, people)
            running = _serve(Path(name), url)
            try:
                for what, lines in work_list.loads(cursor).items():
                    measured = [_play(running, 1, [each] * 20, beside) for each in lines]
                    slowest = max(measured, key=lambda each: each.cpu_ms)
                    rows.append(
                        Row(
                            f"Teammates, {what}, {people:,} teammates, {kind}",
                            f"{slowest.cpu_ms:.0f} ms CPU",
                            "under 100 ms",
                            f"the slowest of {len(lines)}, status {', '.join(slowest.statuses)}",
                        )
                    )
            finally:
                running.stop()
    return rows


def _row(name: str, runs: list[Measured], aim: str) -> Row:
    cpu = statistics.median(each.cpu_ms for each in runs)
    rate = max(each.rate for each in runs)
    p50, p99 = (statistics.median(getattr(each, which) for each in runs) for which in ("p50_ms", "p99_ms"))
    statuses = sorted({status for each in runs for status in each.statuses})
    more = f"best {rate:,.0f}/s, p50 {p50:.1f} ms, p99 {p99:.1f} ms, status {', '.join(statuses)}"
    return Row(name, f"{cpu:.3f} ms CPU", aim, more)


# --- loads ---


def _empty() -> list[str]:
    return [str(_bin(EMPTY[0])), *EMPTY[1:]]


def _empty_lines(people: int) -> list[dict[str, Any]]:
    return [{"method": "GET", "path": "/healthz"}] * (people * 2)


def _check_lines(people: int) -> list[dict[str, Any]]:
    return [
        {"method": "GET", "path": "/api/v1/session", "token": seeding.token(number, "full")}
        for _ in range(2)
        for number in range(people)
    ]


def _code_lines(first: int, last: int) -> list[dict[str, Any]]:
    step = totp.step_at(Clock().now())
    return [
        {
            "method": "POST",
            "path": "/api/v1/sign-in/totp",
            "token": seeding.token(number),
            "body": {"code": totp.code_at(seeding.seed_of(number), step)},
        }
        for number in range(first, last)
    ]


# --- running ---


def _bin(name: str) -> Path:
    return Path(sys.executable).parent / name


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _serve(folder: Path, url: str | None = None) -> processes.Running:
    port = _free_port()
    environment = {
        "NIGHTLATCH_DATA": str(folder),
        "NIGHTLATCH_DATABASE_URL": url or f"sqlite:///{folder / 'nightlatch.sqlite'}",
        "NIGHTLATCH_ORIGIN": f"http://localhost:{port}",
        "NIGHTLATCH_PORT": str(port),
        "NIGHTLATCH_TRUSTED_PROXIES": "127.0.0.1",
        "NIGHTLATCH_MAIL": f"folder:{folder / 'mail'}",
    }
    return processes.Running([str(_bin("nightlatch")), "serve"], environment, port)


def _with_server(command: list[str], environment: dict[str, str], lines: list[dict[str, Any]]) -> Measured:
    port = _free_port()
    running = processes.Running([*command, "--port", str(port)], environment, port)
    try:
        return _play(running, 32, lines)
    finally:
        running.stop()


def _play(
    running: processes.Running, connections: int, lines: list[dict[str, Any]], beside: int | None = None
) -> Measured:
    """`beside`: another process whose CPU counts, the database's."""
    pids = [running.process.pid, *([beside] if beside is not None else [])]
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
        file.write("\n".join(map(json.dumps, lines)))
        file.flush()
        before = sum(map(processes.cpu_seconds, pids))
        told = json.loads(processes.play(running.port, connections, Path(file.name)))
        spent = sum(map(processes.cpu_seconds, pids)) - before
    return Measured(
        spent / told["requests"] * 1000,
        told["requests"] / told["seconds"],
        told["p50_ms"],
        told["p99_ms"],
        told["statuses"],
    )


if __name__ == "__main__":
    main()
