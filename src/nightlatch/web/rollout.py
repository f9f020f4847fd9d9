"""What the pages of a rollout have in common: whom the switch meets, and the text for the team's chat."""

from dataclasses import dataclass
from typing import Any

from nightlatch.actions import mandate, previewing
from nightlatch.actions.mandate import Policy
from nightlatch.actions.previewing import PreviewFacts
from nightlatch.ids import to_text as id_text
from nightlatch.instants import DAY, HOUR, Duration, Instant
from nightlatch.mail.messages.common import by_way_of
from nightlatch.store import preview, preview_sso
from nightlatch.store.preview import Group, Preview
from nightlatch.store.preview_sso import PARTS, ByConnection
from nightlatch.web.context import Context
from nightlatch.web.rendering import spoken
from nightlatch.web.team import team_path

NOTICE: Duration = 14 * DAY
"""How much notice is suggested: enough for a holiday."""
_HOUR_OF_DAY: Duration = 9 * HOUR


@dataclass(frozen=True, slots=True)
class Met:
    """Whom a mandate would meet, on one snapshot."""

    policy: Policy
    facts: PreviewFacts
    people: Preview
    connections: tuple[ByConnection, ...]
    working_now: int


async def look(context: Context) -> Met:
    """Look at all of it. Raises Refused (the gate's)."""
    workspace_id = context.workspace_id
    return await context.query_store(
        lambda tx: Met(
            mandate.read_policy(tx, by=context.by, workspace_id=workspace_id),
            previewing.preview_facts(tx, by=context.by, workspace_id=workspace_id),
            preview.preview(tx, workspace_id),
            preview_sso.by_connection(tx, workspace_id),
            preview.working_now(tx, workspace_id),
        )
    )


def groups_of(context: Context, met: Met) -> dict[str, dict[str, Any]]:
    """The groups for a page: how many, the first names, and where the table shows all of them."""
    people = met.people
    waiting = "due" if met.policy.required else "off"
    return {
        "set_up": _group(context, people.set_up, "?two_factor=on"),
        "will_be_asked": _group(context, people.will_be_asked, f"?two_factor={waiting}"),
        "with_passkey": _group(context, people.with_passkey),
        "without_passkey": _group(context, people.without_passkey),
        "invited": _group(context, people.invited, "?status=invited"),
        "exempt": _group(context, people.exempt, "?two_factor=exempt"),
        "by_sso": _group(context, people.by_sso, "?two_factor=sso"),
        "managers_not_set_up": _group(context, people.managers_not_set_up, "?sort=role"),
        "managers_without_codes": _group(context, people.managers_without_codes, "?sort=role"),
        "refused_tokens": _group(context, people.refused_tokens),
        "service_accounts": _group(context, people.service_accounts),
        "products": _group(context, people.products),
    }


def connections_of(context: Context, met: Met) -> list[dict[str, Any]]:
    """The connections for a page: whom each brings, by its rule as it is now, and where that can be changed."""
    path = f"{team_path(context)}/authentication/sso"
    return [
        {
            "name": each.name,
            "ready": each.ready,
            "rule": each.rule.value,
            "exempt_until": each.exempt_until,
            "count": each.people.count,
            "groups": {what: _group(context, getattr(each, what)) for what in PARTS},
            "path": f"{path}/{id_text(each.id)}",
        }
        for each in met.connections
    ]


def _group(context: Context, group: Group, query: str | None = None) -> dict[str, Any]:
    path = f"{team_path(context)}{query}" if query is not None and group.count else None
    return {"count": group.count, "names": list(group.names), "path": path}


def suggested(now: Instant, policy: Policy) -> Instant | None:
    """The date that stands, or two weeks from now in the morning; None where it can only be required at once."""
    if policy.at_once_until is not None:
        return None
    if policy.required_from is not None:
        return policy.required_from
    return (now + NOTICE) // DAY * DAY + _HOUR_OF_DAY


def suggested_strength(now: Instant, policy: Policy) -> Instant:
    """The same for passkeys, while 2FA is required already."""
    return policy.resistant_from or (now + NOTICE) // DAY * DAY + _HOUR_OF_DAY


def chat_text(context: Context, policy: Policy, at: Instant | None) -> str:
    """A text to paste into the team's chat: what, from when (None: now), and the way to set up. It lets nobody in.

    A passkey, where the team is asked for one as soon as for 2FA, or has 2FA required already.
    """
    passkey = policy.resistant_from is not None and (
        policy.in_force or policy.resistant_from == policy.required_from
    )
    at = policy.resistant_from if passkey else at
    place, person = context.place, context.known.person
    name = place.name if place is not None else ""
    link = f"/set-up?workspace={context.request.path_params['slug']}"
    if place is not None and place.app_id is not None:
        link = by_way_of(id_text(place.app_id), link)
    origin = context.front.config.origin
    thing = "a passkey" if passkey else "a second step (2FA)"
    takes = (
        "a fingerprint, a face, a screen lock"
        if passkey
        else "a passkey, or an authenticator app on your phone"
    )
    takes += " or a security key" if passkey else ""
    what = (
        f"{name} asks everyone for {thing} now."
        if at is None or at <= context.now
        else f"{name} will ask everyone for {thing} from {spoken(at, 'long')}. "
        "Until then you can work as now."
    )
    return (
        f"{what}\n"
        f"Setting it up takes about a minute and needs {takes}:\n"
        f"{origin}{context.url(link)}\n"
        f"You get a mail about it, too. Questions? Ask {person.name if person is not None else 'an admin'}."
    )
