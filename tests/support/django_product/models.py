"""Harbour's tables."""

import secrets
from typing import Any

from django.conf import settings
from django.db import models


def new_code() -> str:
    """What lets somebody join a team."""
    return secrets.token_hex(6)


def new_key() -> str:
    """What a program shows."""
    return secrets.token_urlsafe(24)


class Team(models.Model):
    """A workspace."""

    name: Any = models.CharField(max_length=80)
    code: Any = models.CharField(max_length=20, default=new_code, unique=True)


class Member(models.Model):
    """Somebody in a team; `role` is one of `owner` and `member`."""

    user: Any = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships")
    team: Any = models.ForeignKey(Team, models.CASCADE, related_name="members")
    role: Any = models.CharField(max_length=10, default="member")
    key: Any = models.CharField(max_length=40, default=new_key, unique=True)


class Note(models.Model):
    """A note of a team."""

    team: Any = models.ForeignKey(Team, models.CASCADE, related_name="notes")
    title: Any = models.CharField(max_length=100)
    text: Any = models.TextField(blank=True)
    by: Any = models.CharField(max_length=100)


class Payout(models.Model):
    """Money that left."""

    team: Any = models.ForeignKey(Team, models.CASCADE, related_name="payouts")
    to: Any = models.CharField(max_length=100)
    euros: Any = models.CharField(max_length=20)
