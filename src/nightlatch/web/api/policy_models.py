"""The shapes of a rollout: whom a mandate meets, and how far a team has come."""

from typing import Literal

from nightlatch.web.api.models import Instant, Model


class Group(Model):
    """How many, and the first fifty names (of invitations, the addresses; of tokens, "person: token")."""

    count: int
    names: list[str]


class PreviewConnection(Model):
    """Whom a connection brings, by its rule as it is now: an exemption that is over is "ask".

    Each of `people` is in one of the five groups after it. `otherwise`: they came last by another connection that is
    enough. `ready`: somebody could sign in by it.
    """

    id: str
    name: str
    ready: bool
    rule: Literal["ask", "accept", "exempt"]
    exempt_until: Instant | None
    people: Group
    set_up: Group
    by_sso: Group
    otherwise: Group
    exempt: Group
    will_be_asked: Group


class MailHealth(Model):
    state: Literal["works", "untried", "failing", "demo"]
    at: Instant | None
    trouble: str | None


class PolicyPreview(Model):
    """Whom a mandate would meet now, and whether this person could turn it on.

    `kept_by`: the product that these people sign in at, where the workspace is a product's. `suggested_from`: the date
    that stands, else in 14 days; null where only "now" is left. `chat_text` is for the team's chat.
    """

    set_up: Group
    will_be_asked: Group
    with_passkey: Group
    without_passkey: Group
    invited: Group
    exempt: Group
    by_sso: Group
    connections: list[PreviewConnection]
    managers_not_set_up: Group
    managers_without_codes: Group
    refused_tokens: Group
    service_accounts: Group
    products: Group
    kept_by: str | None
    working_now: int
    owners: int
    enrolled_owners: int
    owners_with_passkey: int
    only_owner: bool
    i_am_enrolled: bool
    i_have_passkey: bool
    mail: MailHealth
    suggested_from: Instant | None
    chat_text: str


class ProgressDay(Model):
    """How it stood at the end of a day in UTC; of today, how it stands."""

    day: str
    set_up: int
    teammates: int


class Progress(Model):
    """How many of the teammates have 2FA. `left`: the others; `exempt`: those of them with an exception now."""

    set_up: int
    teammates: int
    left: int
    exempt: int
    required_from: Instant | None
    announced_at: Instant | None
    in_force: bool
    days: list[ProgressDay]
