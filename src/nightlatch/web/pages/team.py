"""Settings > Team: the Teammates table. A work list for those who manage authentication, a directory for everybody."""

from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from nightlatch.actions import kinds
from nightlatch.facts import Teammate
from nightlatch.ids import to_text as id_text
from nightlatch.policy import may_grant, permitted
from nightlatch.refusals import Refused
from nightlatch.store import cursors, listing
from nightlatch.store.invitations import INVITATION_LIFE
from nightlatch.store.listing import Item
from nightlatch.vocabulary import Permission, Role
from nightlatch.web.context import Context, with_query
from nightlatch.web.pages.sign_in import go
from nightlatch.web.rendering import page as render
from nightlatch.web.routes import Route, page
from nightlatch.web.team import in_product, myself, ownerless, sees_two_factor, team_path

SORTED = ("name", "role", "last_sign_in")
_FIRST_TURN = {"name": "name", "role": "role", "last_sign_in": "-last_sign_in"}
"""What a heading sorts by first: who signed in last is what people look for."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the address bar asks for; what it says wrongly is as if it were not there."""

    q: str
    role: str
    two_factor: str
    status: str
    sort: str
    cursor: str

    @property
    def filters(self) -> dict[str, str]:
        return {"q": self.q, "role": self.role, "two_factor": self.two_factor, "status": self.status}


async def team(context: Context) -> Response:
    mine, by_product = myself(context), in_product(context)
    asked = _asked(context, mine)
    try:
        found = await context.query_store(
            lambda tx: listing.page(
                tx,
                context.workspace_id,
                q=asked.q,
                role=asked.role,
                two_factor=asked.two_factor,
                status=asked.status,
                sort=asked.sort,
                after=asked.cursor or None,
            )
        )
    except Refused as refused:
        if not asked.cursor or not refused.errors:
            raise
        return go(context, _address(context, asked, asked.sort))  # a cursor of another day: the first page
    counts = found.counts
    return render(
        context,
        "teammates.html",
        slug=context.request.path_params["slug"],
        workspace_name=context.place.name if context.place is not None else "",
        teammates=[_row(context, mine, each) for each in found.items],
        shows_two_factor=sees_two_factor(mine),
        counts={
            "all": counts.all,
            "matching": counts.matching,
            "invited": counts.invited,
            "with_two_factor": counts.with_two_factor,
        },
        filters=asked.filters,
        filtered=any(asked.filters.values()),
        sorted_by=asked.sort.removeprefix("-"),
        sorted_down=asked.sort.startswith("-"),
        sort_urls={each: context.url(_address(context, asked, _turned(each, asked.sort))) for each in SORTED},
        first_url=context.url(_address(context, asked, asked.sort)) if asked.cursor else None,
        next_url=context.url(_address(context, asked, asked.sort, found.next_cursor))
        if found.next_cursor
        else None,
        may_invite=not by_product and permitted(mine.role, Permission.INVITE, mine.mandate),
        ownerless=await ownerless(context, mine),
        required=mine.mandate.required_from is not None,
        in_force=mine.mandate.in_force(context.now),
    )


def _asked(context: Context, mine: Teammate) -> _Asked:
    q = context.query("q")[:200]
    sort = context.query("sort")
    return _Asked(
        q if cursors.storable(q) else "",
        _one_of(context.query("role"), tuple(Role)),
        _one_of(context.query("two_factor"), listing.STATES) if sees_two_factor(mine) else "",
        _one_of(context.query("status"), listing.STATUSES),
        sort if sort.removeprefix("-") in SORTED and sort in listing.SORTS else "name",
        context.query("cursor"),
    )


def _one_of(value: str, known: tuple[str, ...]) -> str:
    return value if value in known else ""


def _address(context: Context, asked: _Asked, sort: str, cursor: str = "") -> str:
    return with_query(team_path(context), **asked.filters, sort="" if sort == "name" else sort, cursor=cursor)


def _turned(column: str, sort: str) -> str:
    """What a heading leads to: sorted by it, or turned round where it is already."""
    if sort.removeprefix("-") != column:
        return _FIRST_TURN[column]
    return column if sort.startswith("-") else f"-{column}"


def _row(context: Context, mine: Teammate, item: Item) -> dict[str, Any]:
    itself = item.account_id == context.facts.account
    row: dict[str, Any] = {
        "id": id_text(item.id),
        "name": item.name,
        "email": item.email,
        "role": item.role.value,
        "status": item.status,
        "two_factor": None,
        "last_sign_in_at": item.last_sign_in_at,
        "invited_at": None,
        "expired": False,
        "is_me": itself,
        "may_change_role": False,
        "may_remove": False,
        "may_disable": False,
        "may_renew": False,
        "may_resend": False,
        "may_revoke": False,
    }
    if item.status == "invited":
        row |= _invited(context, mine, item)
    else:
        row |= _active(mine, item, itself, by_product=in_product(context))
    return row


def _invited(context: Context, mine: Teammate, item: Item) -> dict[str, Any]:
    may = permitted(mine.role, Permission.INVITE, mine.mandate) and may_grant(mine.role, item.role)
    return {
        "invited_at": item.joined_at,
        "expired": item.joined_at + INVITATION_LIFE <= context.now,
        "may_resend": may,
        "may_revoke": may,
    }


def _active(mine: Teammate, item: Item, itself: bool, *, by_product: bool) -> dict[str, Any]:
    manages = (
        not by_product
        and permitted(mine.role, Permission.MANAGE_TEAMMATES, mine.mandate)
        and may_grant(mine.role, item.role)
    )
    resets = permitted(mine.role, Permission.RESET, mine.mandate) and not itself
    shown = {"state": item.state, "due": item.due, "methods": list(item.methods), "flags": list(item.flags)}
    return {
        "two_factor": shown if sees_two_factor(mine) else None,
        "may_change_role": manages,
        "may_remove": manages and not itself,
        # Also where a rank stands against it: the page says so, and who can help.
        "may_disable": resets and item.state == "on",
        "may_renew": resets and item.state == "reset",
    }


ROUTES: list[Route] = [page("/w/{slug}/settings/team", kinds.SEE_TEAM, team)]
