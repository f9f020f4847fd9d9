"""The grants that a browser keeps, sealed: one person's, by workspace."""

import json
from dataclasses import dataclass, field

from nightlatch_client.cookies import ROOM
from nightlatch_client.sealed import Box

MOST = 8


@dataclass(frozen=True, slots=True)
class Kept:
    """The grants of one person, the newest last."""

    person: str
    grants: dict[str, str] = field(default_factory=dict, repr=False)

    def best(self, workspace: str) -> str | None:
        """The grant for that workspace, or the newest other one: its session can be continued there."""
        if workspace in self.grants:
            return self.grants[workspace]
        return next(reversed(self.grants.values()), None)

    def with_grant(self, workspace: str, grant: str) -> "Kept":
        """With one more; the oldest are forgotten where they grow too many."""
        grants = {name: value for name, value in self.grants.items() if name != workspace}
        grants[workspace] = grant
        return Kept(self.person, dict(list(grants.items())[-MOST:]))


def seal_grants(box: Box, name: str, kept: Kept) -> str:
    """The cookie's value."""
    while True:
        plain = json.dumps({"p": kept.person, "g": kept.grants}, separators=(",", ":"))
        sealed = box.seal(name, plain.encode("utf-8", "backslashreplace"))
        if len(sealed) <= ROOM or len(kept.grants) <= 1:
            return sealed
        kept = Kept(kept.person, dict(list(kept.grants.items())[1:]))


def open_grants(box: Box, name: str, value: str | None) -> Kept | None:
    """What a cookie keeps; None where it is not one of ours."""
    plain = box.open(name, value) if value else None
    if plain is None:
        return None
    found = json.loads(plain)  # sealed by us
    return Kept(found["p"], found["g"])
