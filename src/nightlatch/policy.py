"""A workspace's mandate: what it requires, since when, and who may say so. Pure."""

from dataclasses import dataclass
from enum import StrEnum

from nightlatch.instants import Instant
from nightlatch.vocabulary import Permission, Role


class ManagedBy(StrEnum):
    """Who may manage authentication in a workspace."""

    ADMINS = "admins"
    OWNERS = "owners"


@dataclass(frozen=True, slots=True)
class Mandate:
    """A workspace's requirement. `required_from` is None while it is off; otherwise the instant alone decides."""

    required_from: Instant | None = None
    managed_by: ManagedBy = ManagedBy.ADMINS

    def in_force(self, now: Instant) -> bool:
        """Whether the mandate binds at `now`; the instant itself is already in force."""
        return self.required_from is not None and self.required_from <= now

    def scheduled(self, now: Instant) -> bool:
        """Whether the mandate is announced and its instant has not come yet."""
        return self.required_from is not None and self.required_from > now


def binding_from(
    required_from: Instant | None,
    announced_at: Instant | None,
    joined_at: Instant,
    exempt_until: Instant | None,
) -> Instant | None:
    """From when a workspace's mandate binds one teammate; None while it is off.

    The grace before it is for those who were there when it was announced: who joined later is bound from the day they
    joined. An exception puts the instant off until it ends, and ends by itself.
    """
    if required_from is None:
        return None
    late = announced_at is not None and joined_at > announced_at
    begins = min(required_from, joined_at) if late else required_from
    return max(begins, exempt_until or 0)


_OWNERS_AND_ADMINS = frozenset({Role.OWNER, Role.ADMIN})
_HOLDERS = {
    Permission.USE: frozenset(Role),
    Permission.INVITE: _OWNERS_AND_ADMINS,
    Permission.MANAGE_TEAMMATES: _OWNERS_AND_ADMINS,
    Permission.MANAGE_AUTHENTICATION: _OWNERS_AND_ADMINS,
    Permission.RESET: _OWNERS_AND_ADMINS,
    Permission.READ_AUDIT: _OWNERS_AND_ADMINS,
    Permission.MANAGE_APPS: frozenset({Role.OWNER}),
    Permission.MANAGE_SERVICES: _OWNERS_AND_ADMINS,
}


def permitted(role: Role, permission: Permission, mandate: Mandate) -> bool:
    """Whether a role holds a permission in a workspace with this mandate (an owner can keep the switch for owners)."""
    if permission is Permission.MANAGE_AUTHENTICATION and mandate.managed_by is ManagedBy.OWNERS:
        return role is Role.OWNER
    return role in _HOLDERS[permission]


def may_grant(granter: Role, role: Role) -> bool:
    """Nobody grants a role above their own; members grant nothing."""
    return granter in _OWNERS_AND_ADMINS and role.rank <= granter.rank
