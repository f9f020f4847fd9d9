"""The mandate and the roles."""

import itertools

import pytest

from nightlatch.policy import ManagedBy, Mandate, binding_from, may_grant, permitted
from nightlatch.vocabulary import Permission, Role

NOW = 1_000_000


@pytest.mark.parametrize(
    "required_from,in_force,scheduled",
    [
        (None, False, False),
        (NOW + 1, False, True),
        (NOW, True, False),
        (NOW - 1, True, False),
        (0, True, False),
    ],
)
def test_the_instant_alone_decides(required_from: int | None, in_force: bool, scheduled: bool):
    """Nothing has to run for a mandate to begin; its own instant is in force already."""
    mandate = Mandate(required_from)
    assert mandate.in_force(NOW) is in_force
    assert mandate.scheduled(NOW) is scheduled


def test_a_mandate_is_off_and_managed_by_admins_by_default():
    """Seed sentence 3."""
    assert Mandate() == Mandate(None, ManagedBy.ADMINS)


@pytest.mark.parametrize(
    "role,managed_by,holds",
    [
        (Role.MEMBER, ManagedBy.ADMINS, {Permission.USE}),
        (Role.MEMBER, ManagedBy.OWNERS, {Permission.USE}),
        (Role.ADMIN, ManagedBy.ADMINS, set(Permission) - {Permission.MANAGE_APPS}),
        (
            Role.ADMIN,
            ManagedBy.OWNERS,
            set(Permission) - {Permission.MANAGE_AUTHENTICATION, Permission.MANAGE_APPS},
        ),
        (Role.OWNER, ManagedBy.ADMINS, set(Permission)),
        (Role.OWNER, ManagedBy.OWNERS, set(Permission)),
    ],
)
def test_who_may_do_what(role: Role, managed_by: ManagedBy, holds: set[Permission]):
    """Members use a workspace; owners and admins run it; products, and the switch if they keep it, are the owners'."""
    mandate = Mandate(None, managed_by)
    assert {permission for permission in Permission if permitted(role, permission, mandate)} == holds


@pytest.mark.parametrize("granter,role", list(itertools.product(Role, Role)))
def test_nobody_grants_above_their_own_rank(granter: Role, role: Role):
    """And members grant nothing, not even what they are."""
    allowed = {
        Role.OWNER: {Role.OWNER, Role.ADMIN, Role.MEMBER},
        Role.ADMIN: {Role.ADMIN, Role.MEMBER},
        Role.MEMBER: set(),
    }
    assert may_grant(granter, role) is (role in allowed[granter])


def test_ranks_are_in_order():
    """Owner above admin above member."""
    assert [role.rank for role in (Role.OWNER, Role.ADMIN, Role.MEMBER)] == [3, 2, 1]


@pytest.mark.parametrize(
    "required_from,announced_at,joined_at,exempt_until,binds",
    [
        (None, None, 1, None, None),
        (None, 5, 9, 20, None),  # off is off
        (10, 5, 1, None, 10),
        (10, 5, 5, None, 10),  # in the very moment of the announcement: they were told
        (10, 5, 6, None, 6),  # who comes after it has no grace
        (10, 5, 12, None, 10),  # in force already when they came
        (10, None, 6, None, 10),
        (10, 5, 1, 30, 30),  # an exception ends by itself
        (10, 5, 1, 8, 10),  # and gives nothing that nobody asks for yet
        (10, 5, 6, 30, 30),
    ],
)
def test_from_when_a_mandate_binds_one_teammate(
    required_from: int | None,
    announced_at: int | None,
    joined_at: int,
    exempt_until: int | None,
    binds: int | None,
):
    """Grace is for those who were there; an exception is for one person, and has an end."""
    assert binding_from(required_from, announced_at, joined_at, exempt_until) == binds
