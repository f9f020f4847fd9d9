"""Which paths everybody may open."""

import fnmatch
from collections.abc import Sequence


class OpenPaths:
    """Paths, with `*` for anything. Case counts, and a path that others might read as another one is none of them."""

    def __init__(self, patterns: Sequence[str]) -> None:
        self._patterns = tuple(patterns)
        if isinstance(patterns, str) or any(not each.startswith(("/", "*")) for each in self._patterns):
            raise TypeError('open is a list of paths such as ["/login", "/static/*"]')

    def __contains__(self, path: str) -> bool:
        if "\\" in path or any(part in (".", "..") for part in path.split("/")):
            return False
        return any(fnmatch.fnmatchcase(path, pattern) for pattern in self._patterns)
