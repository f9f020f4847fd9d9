"""Harbour's part of two-factor authentication."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone

from nightlatch_client import Person
from nightlatch_client.django.conf import configured
from tests.support.django_product.models import Member, Team

MEMBERS = Member.objects.select_related("user", "team").order_by("pk")


def person(request: HttpRequest) -> Person | None:
    """Who is asking, and in which team: the one that the address names, else their first."""
    if request.path.startswith("/api/"):
        key = request.headers.get("authorization", "").removeprefix("Bearer ")
        member = MEMBERS.filter(key=key).first()
        return as_person(member, token=True) if member else None
    if not request.user.is_authenticated:
        return None
    mine = MEMBERS.filter(user=request.user)
    parts = request.path.split("/")
    named = mine.filter(team_id=parts[2]).first() if parts[1] == "t" and parts[2].isdigit() else None
    member = named or mine.first()
    if member is None:
        return None
    at = request.session.get("signed_in_at")
    return as_person(member, signed_in_at=datetime.fromisoformat(at) if at else None)


def everyone() -> Iterator[Person]:
    """All people of all teams."""
    yield from map(as_person, MEMBERS)


def team_changed(team: Team) -> None:
    """Somebody came or left."""
    people = list(map(as_person, MEMBERS.filter(team=team)))
    configured().nl.replace_team(str(team.pk), team.name, people, confirm=True)


def as_person(member: Member, signed_in_at: datetime | None = None, *, token: bool = False) -> Person:
    """A member, as Nightlatch takes them."""
    return Person(
        id=str(member.user.pk),
        email=member.user.email,
        name=member.user.first_name,
        workspace=str(member.team.pk),
        workspace_name=member.team.name,
        role=member.role,
        signed_in_at=signed_in_at,
        token=token,
    )


@receiver(user_logged_in)
def note_when(request: HttpRequest, **more: Any) -> None:
    """This session's sign-in."""
    request.session["signed_in_at"] = timezone.now().isoformat()
