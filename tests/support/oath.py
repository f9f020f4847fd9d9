"""Codes from `oathtool`, an implementation of RFC 6238 that is not ours: the phone in the tests' hand."""

import subprocess
from datetime import UTC, datetime

from tests.support import programs


def totp(
    secret: str, *, at: float | None = None, digits: int = 6, step: int = 30, algorithm: str = "SHA1"
) -> str:
    """The code for a base32 `secret` (spaces are fine) at `at` (seconds since the epoch; None: now)."""
    command = [
        programs.find("oathtool"),
        f"--totp={algorithm}",
        "--base32",
        f"--digits={digits}",
        f"--time-step-size={step}s",
    ]
    if at is not None:
        command.append(f"--now={datetime.fromtimestamp(int(at), UTC):%Y-%m-%d %H:%M:%S} UTC")
    answer = subprocess.run(
        [*command, "-"],
        input=secret.replace(" ", ""),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if answer.returncode != 0:
        raise ValueError(f"oathtool refused: {answer.stderr.strip()}")
    return answer.stdout.strip()
