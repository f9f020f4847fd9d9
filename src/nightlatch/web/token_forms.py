"""What the pages of API tokens have in common, a person's and a service account's: reading the form, showing a list."""

from collections.abc import Mapping
from typing import Any

from nightlatch.actions.api_tokens import DEFAULT_LIFE, ApiToken, Made
from nightlatch.ids import to_text
from nightlatch.instants import DAY, Instant
from nightlatch.refusals import invalid
from nightlatch.vocabulary import Scope
from nightlatch.web.context import Context

LIVES = (7, 30, 90, 180, 365)
"""Days."""
SCOPES: dict[Scope, tuple[str, str]] = {
    Scope.ACCOUNT: ("Who it acts for", "Your name, e-mail address and language, and what the token may do."),
    Scope.WORKSPACE: ("The workspace", "Its name, and whether it requires 2FA."),
    Scope.TEAMMATES: (
        "Teammates",
        "Names, e-mail addresses and roles; for owners and admins also their 2FA.",
    ),
    Scope.INVITATIONS: ("Invitations", "Who is invited. For owners and admins."),
    Scope.POLICY: ("The policy", "Whether 2FA is required, since when, and who said so."),
    Scope.AUDIT: ("The audit log", "Who did what. For owners and admins."),
    Scope.EVIDENCE: ("Evidence", "Who had what on a day. For owners and admins."),
}
_FOR_MACHINES = {
    Scope.ACCOUNT: ("What it is", "Which service account the token belongs to, and what it may do."),
    Scope.TEAMMATES: ("Teammates", "Names, e-mail addresses and roles."),
    Scope.INVITATIONS: ("Invitations", "Who is invited."),
    Scope.AUDIT: ("The audit log", "Who did what."),
    Scope.EVIDENCE: ("Evidence", "Who had what on a day, their 2FA included."),
}


def offered(*, machine: bool = False) -> list[dict[str, str]]:
    """The scopes as check boxes: the field of each, its name, and what it opens."""
    told = {**SCOPES, **(_FOR_MACHINES if machine else {})}
    return [
        {"field": _field(scope), "scope": scope.value, "name": name, "more": more}
        for scope, (name, more) in told.items()
    ]


def _field(scope: Scope) -> str:
    return f"scope-{scope.value.partition(':')[0]}"


def chosen(form: Mapping[str, str]) -> list[str]:
    """The scopes that were ticked."""
    return [scope.value for scope in Scope if form.get(_field(scope))]


def runs_out(context: Context) -> Instant:
    """The end that was chosen. Raises Refused."""
    days = context.form.get("days", str(DEFAULT_LIFE // DAY))
    if days not in map(str, LIVES):
        raise invalid("days", "Choose for how long the token is good.")
    return context.now + int(days) * DAY


def lives() -> list[tuple[str, str]]:
    """The choices of how long."""
    return [(str(days), "a year" if days == 365 else f"{days} days") for days in LIVES]


def shown(each: ApiToken) -> dict[str, Any]:
    """A token for its list."""
    return {
        "id": to_text(each.id),
        "name": each.name,
        "scopes": [SCOPES[scope][0] for scope in each.scopes],
        "workspace": each.workspace[1] if each.workspace is not None else None,
        "created_at": each.created_at,
        "expires_at": each.expires_at,
        "last_used_at": each.last_used_at,
        "expired": each.expired,
    }


def new(made: Made) -> dict[str, Any]:
    """A token that was just made, with its text: this once."""
    return {**shown(made.shown), "text": made.token.text}
