"""The clock of a running program, moved from outside by the file that NIGHTLATCH_TEST_CLOCK names."""

import os
import time
from pathlib import Path


class ClockFile:
    """Holds the seconds that the program adds to the real clock, at every reading of it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.ahead: float = 0
        self.set(0)

    @property
    def environment(self) -> dict[str, str]:
        """What to start the program with."""
        return {"NIGHTLATCH_TEST_CLOCK": str(self.path)}

    def set(self, seconds: float) -> None:
        """Be `seconds` ahead of the real clock (negative: behind); no reader ever sees half a number."""
        fresh = self.path.with_suffix(".new")
        fresh.write_text(f"{seconds:f}\n")
        os.replace(fresh, self.path)
        self.ahead = seconds

    def advance(self, seconds: float) -> None:
        """Move on by `seconds`."""
        self.set(self.ahead + seconds)

    def now(self) -> float:
        """The program's present: seconds since the epoch, for `oath.totp(secret, at=...)`."""
        return time.time() + self.ahead  # noqa: TID251 - a test's clock is the real one, moved
