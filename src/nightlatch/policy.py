"""A workspace's mandate: what it requires, since when, and who may say so. Pure."""

from dataclasses import dataclass
from enum import StrEnum

from nightlatch.instants import Duration, Instant
from nightlatch.values import frozen
from nightlatch.vocabulary import Evidence, Permission, Role


class ManagedBy(StrEnum):
    """Who may manage authentication in a workspace."""

    ADMINS = "admins"
    OWNERS = "owners"


class ProofStrength(StrEnum):
    """What second step a mandate takes."""

    ANY = "any"
    PHISHING_RESISTANT = "phishing_resistant"
    """Passkeys alone."""


@frozen
class Mandate:
    """A workspace's requirement. `required_from` is None while it is off; otherwise the instant alone decides."""

    required_from: Instant | None = None
    managed_by: ManagedBy = ManagedBy.ADMINS
    resistant_from: Instant | None = None
    """From when, while it is in force, it takes a phishing-resistant proof."""

    def in_force(self, now: Instant) -> bool:
        """Whether the mandate binds at `now`; the instant itself is already in force."""
        return self.required_from is not None and self.required_from <= now

    def scheduled(self, now: Instant) -> bool:
        """Whether the mandate is announced and its instant has not come yet."""
        return self.required_from is not None and self.required_from > now

    def resistant(self, now: Instant) -> bool:
        """Whether it asks for phishing-resistant proof at `now`."""
        return self.in_force(now) and self.resistant_from is not None and self.resistant_from <= now

    @property
    def strength(self) -> ProofStrength:
        """What it takes, now or from a date."""
        wanted = self.required_from is not None and self.resistant_from is not None
        return ProofStrength.PHISHING_RESISTANT if wanted else ProofStrength.ANY

    def passkey_alone(self, now: Instant, *, has_two_factor: bool) -> bool:
        """Whether an app does nothing for somebody who lacks what it takes: not now, nor until the passkey's date."""
        if self.strength is ProofStrength.ANY:
            return False
        return has_two_factor or not self.in_force(now) or self.resistant(now)

    def lacking_from(self, *, has_two_factor: bool) -> Instant | None:
        """From when it binds somebody who lacks what it takes: 2FA, or of those who have that, a passkey."""
        if self.required_from is None or not has_two_factor:
            return self.required_from
        return None if self.resistant_from is None else max(self.required_from, self.resistant_from)


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


class SsoRule(StrEnum):
    """What a connection's sign-in is good for beside the first factor."""

    ASK = "ask"
    ACCEPT = "accept"
    EXEMPT = "exempt"


@dataclass(frozen=True, slots=True)
class Told:
    """What a provider said of how somebody signed in there (OpenID Connect Core 1.0 section 2; SAML's AuthnContext)."""

    acr: str | None = None
    amr: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Acceptance:
    """A connection's rule, with the listed values that it accepts, each as `acr` or among `amr`."""

    rule: SsoRule = SsoRule.ASK
    second: frozenset[str] = frozenset()
    """Values that stand for a second factor."""
    resistant: frozenset[str] = frozenset()
    """Values that stand for a phishing-resistant one."""
    max_age: Duration | None = None
    """For how long after the provider's sign-in they do; None: as long as the session lives."""
    exempt_until: Instant | None = None

    def stands(self, now: Instant) -> bool:
        """Whether it takes a sign-in for more than a first factor at all, at `now`."""
        return self.rule_at(now) is not SsoRule.ASK

    def rule_at(self, now: Instant) -> SsoRule:
        """The rule as it is at `now`: an exemption that is over asks."""
        over = self.rule is SsoRule.EXEMPT and (self.exempt_until or 0) <= now
        return SsoRule.ASK if over else self.rule


def evidence_of(rule: Acceptance, told: Told, at: Instant, now: Instant) -> Evidence:
    """What a sign-in at a provider counts for, by the rule as it is now; a value that is not listed, for nothing."""
    if not rule.stands(now):
        return Evidence.NONE
    if rule.rule is SsoRule.EXEMPT:
        return Evidence.EXEMPT
    if rule.max_age is not None and now - at >= rule.max_age:
        return Evidence.NONE
    values = told.amr | ({told.acr} if told.acr else frozenset())
    if values & rule.resistant:
        return Evidence.RESISTANT
    return Evidence.SECOND if values & rule.second else Evidence.NONE


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
