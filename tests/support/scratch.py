"""Where tests write: in memory where there is room. They make thousands of databases and keep none."""

import os
import shutil
import tempfile
from pathlib import Path

MEMORY = Path("/dev/shm")  # noqa: S108 - only made their own folders in, by tempfile
ROOM = 4 << 30


def use_memory() -> None:
    """Temporary files of this process and its children go there, unless TMPDIR says where."""
    if "TMPDIR" in os.environ or not MEMORY.is_dir():
        return
    programs_run = not os.statvfs(MEMORY).f_flag & os.ST_NOEXEC  # tests install packages, too
    if programs_run and shutil.disk_usage(MEMORY).free >= ROOM:
        os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)
