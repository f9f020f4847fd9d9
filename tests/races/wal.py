"""A SQLite write-ahead log, read by the file format (sqlite.org/walformat.html): how many commits lie in it."""

import struct
from pathlib import Path


def commits(database: Path) -> int:
    """How many transactions were committed into the log since it was last begun anew."""
    log = Path(f"{database}-wal").read_bytes()
    _, _, page_size, _, salt, other_salt = struct.unpack_from(">6I", log)
    counted = 0
    for offset in range(32, len(log) - 24 - page_size + 1, 24 + page_size):
        _, pages_after_commit, *salts = struct.unpack_from(">4I", log, offset)
        if salts != [salt, other_salt]:
            break  # what lies behind is of an earlier round
        counted += pages_after_commit > 0
    return counted
