"""The load: keep-alive connections in a process of their own, plain sockets, each request timed.

Started as `python -m bench.load PORT CONNECTIONS FILE`. FILE holds one request a line (JSON: method, path, token,
body); every connection takes the next one until none is left. Prints one JSON line: seconds, statuses, latencies.
"""

import asyncio
import json
import sys
import time
from collections import Counter
from pathlib import Path


async def _connection(port: int, requests: list[bytes], statuses: Counter[str], times: list[float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while requests:
        request = requests.pop()
        began = time.perf_counter()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            (
                int(line.split(b":")[1])
                for line in head.lower().split(b"\r\n")
                if line.startswith(b"content-length:")
            ),
            0,
        )
        if length:
            await reader.readexactly(length)
        times.append(time.perf_counter() - began)
        statuses[head.split(b" ", 2)[1].decode()] += 1
    writer.close()


def _request(port: int, line: str) -> bytes:
    wanted = json.loads(line)
    body = json.dumps(wanted["body"]).encode() if wanted.get("body") is not None else b""
    head = [f"{wanted['method']} {wanted['path']} HTTP/1.1", f"Host: localhost:{port}"]
    if wanted.get("token"):
        head.append(f"Authorization: Bearer {wanted['token']}")
    head += [f"{name}: {value}" for name, value in wanted.get("headers", {}).items()]
    if body:
        head += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return ("\r\n".join(head) + "\r\n\r\n").encode() + body


async def _main(port: int, connections: int, lines: list[str]) -> None:
    requests = [_request(port, line) for line in reversed(lines)]
    statuses: Counter[str] = Counter()
    times: list[float] = []
    total, began = len(requests), time.perf_counter()
    await asyncio.gather(*(_connection(port, requests, statuses, times) for _ in range(connections)))
    seconds = time.perf_counter() - began
    times.sort()
    print(
        json.dumps(
            {
                "requests": total,
                "seconds": seconds,
                "statuses": statuses,
                "p50_ms": times[len(times) // 2] * 1000,
                "p99_ms": times[min(len(times) - 1, len(times) * 99 // 100)] * 1000,
            }
        )
    )


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]).read_text().splitlines()))
