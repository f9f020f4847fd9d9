"""Finding the route of a request: a dictionary for plain paths, and a few candidates by length for the others."""

from collections.abc import Iterable

from nightlatch.web.routes import Route


class Lookup:
    """The table, indexed. A path with parameters matches segment by segment; plain segments win over parameters,
    where they take the method.

    A route's `rest` parameter, its last, takes what is left of the path, slashes included.
    """

    def __init__(self, routes: Iterable[Route]) -> None:
        self._plain: dict[str, dict[str, Route]] = {}
        self._with_params: dict[int, list[tuple[list[str], dict[str, Route]]]] = {}
        self._with_rest: list[tuple[list[str], dict[str, Route]]] = []
        for route in routes:
            if route.rest:
                self._add_rest(route)
            methods = self._methods(route.path)
            if route.method in methods:
                raise ValueError(f"{route.method} {route.path} is declared twice")
            methods[route.method] = route

    def _methods(self, path: str) -> dict[str, Route]:
        if "{" not in path:
            return self._plain.setdefault(path, {})
        segments = path.split("/")
        candidates = self._with_params.setdefault(len(segments), [])
        for known, methods in candidates:
            if known == segments:
                return methods
        candidates.append((segments, {}))
        candidates.sort(key=lambda each: [segment.startswith("{") for segment in each[0]])
        return next(methods for known, methods in candidates if known == segments)

    def find(self, method: str, path: str) -> tuple[Route | None, dict[str, str], bool]:
        """The route, its path parameters, and whether the path is known at all (then another method may be)."""
        plain = self._plain.get(path, {})
        if method in plain:
            return plain[method], {}, True
        known = bool(plain)
        segments = path.split("/")
        for wanted, by_method in self._with_params.get(len(segments), ()):
            params = _matched(wanted, segments)
            if params is None:
                continue
            known = True
            route = by_method.get(method)
            if route is not None:
                return route, params, True
        for wanted, by_method in self._with_rest:
            if len(segments) > len(wanted):
                params = _matched(
                    wanted, [*segments[: len(wanted) - 1], "/".join(segments[len(wanted) - 1 :])]
                )
                if params is not None:
                    return by_method.get(method), params, True
        return None, {}, known

    def _add_rest(self, route: Route) -> None:
        segments = route.path.split("/")
        for wanted, methods in self._with_rest:
            if wanted == segments:
                methods[route.method] = route
                return
        self._with_rest.append((segments, {route.method: route}))


def _matched(wanted: list[str], segments: list[str]) -> dict[str, str] | None:
    params: dict[str, str] = {}
    for pattern, segment in zip(wanted, segments, strict=True):
        if pattern.startswith("{"):
            if not segment:
                return None
            params[pattern[1:-1]] = segment
        elif pattern != segment:
            return None
    return params
