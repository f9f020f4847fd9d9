"""QR codes read by `zbarimg`, from a screenshot, as a phone's camera would."""

import subprocess
import tempfile
from pathlib import Path

from tests.support import programs

NOTHING_FOUND = 4


def read_all(png: bytes | Path) -> list[str]:
    """The text of every QR code in the picture, in the reader's order."""
    zbarimg = programs.find("zbarimg")
    with tempfile.TemporaryDirectory() as folder:
        path = png
        if isinstance(path, bytes):
            picture = Path(folder) / "picture.png"
            picture.write_bytes(path)
            path = picture
        answer = subprocess.run(
            [zbarimg, "--quiet", "--raw", "--nodbus", "-Sdisable", "-Sqrcode.enable", str(path)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    if answer.returncode not in (0, NOTHING_FOUND):
        raise ValueError(f"zbarimg failed: {answer.stderr.strip()}")
    return answer.stdout.splitlines()


def read(png: bytes | Path) -> str:
    """The text of the picture's one QR code; an AssertionError where there is none, or more than one."""
    found = read_all(png)
    if len(found) != 1:
        raise AssertionError(f"expected one QR code in the picture, the reader found {len(found)}")
    return found[0]
