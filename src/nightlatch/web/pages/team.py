"""Settings > Team: the Teammates table. A work list for those who manage authentication, a directory for everybody."""

from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from nightlatch.actions import kinds
from nightlatch.facts import Teammate
from nightlatch.ids import to_text as id_text
from nightlatch.instants import DAY
from nightlatch.policy import ProofStrength, may_grant, permitted
from nightlatch.refusals import Refused
from nightlatch.store import cursors, exceptions, listing, outbox
from nightlatch.store.engine import Transaction
from nightlatch.store.invitations import INVITATION_LIFE
from nightlatch.store.listing import Item
from nightlatch.vocabulary import Permission, Role
from nightlatch.web.context import Context, with_query
from nightlatch.web.pages.help_requests import calls_for_help
from nightlatch.web.pages.sign_in import go
from nightlatch.web.rendering import page as render
from nightlatch.web.rendering import spoken
from nightlatch.web.routes import Route, page
from nightlatch.web.team import in_product, in_workspace, myself, ownerless, sees_two_factor, team_path

SORTED = ("name", "role", "state", "due", "last_sign_in")
_FIRST_TURN = {
    "name": "name",
    "role": "role",
    "state": "state",
    "due": "due",
    "last_sign_in": "-last_sign_in",
}
"""What a heading sorts by first: who signed in last is what people look for."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the address bar asks for; what it says wrongly is as if it were not there."""

    q: str
    role: str
    two_factor: str
    flag: str
    status: str
    sort: str
    cursor: str

    @property
    def filters(self) -> dict[str, str]:
        return {
            "q": self.q,
            "role": self.role,
            "two_factor": self.two_factor,
            "flag": self.flag,
            "status": self.status,
        }


async def team(context: Context) -> Response:
    mine, by_product = myself(context), in_product(context)
    asked = _asked(context, mine)
    try:
        found, told = await context.query_store(
            lambda tx: _with_mails(
                tx,
                mine,
                context.workspace_id,
                q=asked.q,
                role=asked.role,
                two_factor=asked.two_factor,
                flag=asked.flag,
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
        **in_workspace(context),
        teammates=[_row(context, mine, each, told.get(each.account_id or 0)) for each in found.items],
        shows_two_factor=sees_two_factor(mine),
        counts={
            "all": counts.all,
            "matching": counts.matching,
            "invited": counts.invited,
            "with_two_factor": counts.with_two_factor,
            "without": sum(counts.by_state.get(state, 0) for state in _LEFT),
        },
        work=_work(context, asked, counts) if sees_two_factor(mine) else [],
        calls_for_help=await calls_for_help(context, mine),
        waiting_exceptions=await _waiting(context, mine),
        filters=asked.filters,
        filtered=any(asked.filters.values()),
        sorted_by=asked.sort.removeprefix("-"),
        sorted_down=asked.sort.startswith("-"),
        sort_urls={each: context.url(_address(context, asked, _turned(each, asked.sort))) for each in SORTED},
        first_url=context.url(_address(context, asked, asked.sort)) if asked.cursor else None,
        next_url=context.url(_address(context, asked, asked.sort, found.next_cursor))
        if found.next_cursor
        else None,
        may_remind=may_remind(context),
        may_invite=not by_product and permitted(mine.role, Permission.INVITE, mine.mandate),
        ownerless=await ownerless(context, mine),
        by_sso=counts.by_state.get("sso", 0) > 0,
        passkeys=mine.mandate.strength is ProofStrength.PHISHING_RESISTANT,
        required=mine.mandate.required_from is not None,
        in_force=mine.mandate.in_force(context.now),
    )


def _with_mails(
    tx: Transaction, mine: Teammate, workspace_id: int, **asked: Any
) -> tuple[listing.Page, dict[int, outbox.Delivery]]:
    """A page of the table, and what became of the newest mail to each that still has to set up."""
    found = listing.page(tx, workspace_id, **asked)
    left = [each.account_id for each in found.items if remindable(mine, each) and each.account_id is not None]
    return found, outbox.delivery_of(tx, workspace_id, left)


def _asked(context: Context, mine: Teammate) -> _Asked:
    q = context.query("q")[:200]
    sort, sees = context.query("sort"), sees_two_factor(mine)
    known = (
        listing.SORTS
        if sees
        else [each for each in listing.SORTS if each.removeprefix("-") not in listing.MULTI]
    )
    return _Asked(
        q if cursors.storable(q) else "",
        _one_of(context.query("role"), tuple(Role)),
        _one_of(context.query("two_factor"), listing.STATES) if sees else "",
        _one_of(context.query("flag"), listing.FLAGS) if sees else "",
        _one_of(context.query("status"), listing.STATUSES),
        sort if sort.removeprefix("-") in SORTED and sort in known else "name",
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


def _work(context: Context, asked: _Asked, counts: listing.Counts) -> list[dict[str, Any]]:
    """What there is to do, as links that filter the table: each with its number, those of nobody left out."""
    found = [("two_factor", state, counts.by_state.get(state, 0)) for state in _TO_DO]
    found += [("flag", flag, counts.by_flag.get(flag, 0)) for flag in listing.FLAGS]
    return [
        {
            "name": value,
            "number": number,
            "url": context.url(with_query(team_path(context), **{name: value}, sort=_worked(value))),
            "current": asked.filters[name] == value,
        }
        for name, value, number in found
        if number
    ]


_LEFT = ("overdue", "due", "reset")
_TO_DO = (*_LEFT, "exempt")


def _worked(value: str) -> str:
    return "due" if value in ("overdue", "due", "exempt") else ""


async def _waiting(context: Context, mine: Teammate) -> int:
    """How many exceptions wait for somebody to agree."""
    if not permitted(mine.role, Permission.MANAGE_TEAMMATES, mine.mandate):
        return 0
    workspace_id = context.workspace_id
    _, waiting = await context.read(lambda tx: exceptions.numbers(tx, workspace_id))
    return waiting


_OUTCOMES = {"sent": "delivered", "waiting": "queued", "failed": "bounced"}


def _told(delivery: outbox.Delivery | None) -> dict[str, Any] | None:
    """What was mailed last about setting up, and what became of it: "Reminder delivered 2 Nov 2026"."""
    if delivery is None:
        return None
    what = "Reminder" if delivery.kind == "mandate_reminder" else "Mail"
    text = f"{what} {_OUTCOMES[delivery.state]} {spoken(delivery.at, 'date')}"
    return {"text": text, "bad": delivery.state == "failed"}


def _row(context: Context, mine: Teammate, item: Item, delivery: outbox.Delivery | None) -> dict[str, Any]:
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
        "may_give_time": False,
        "may_remind": False,
        "mail_bounces": "mail_bouncing" in item.flags and sees_two_factor(mine),
        "told": None,
        "may_resend": False,
        "may_revoke": False,
    }
    if item.status == "invited":
        row |= _invited(context, mine, item)
    else:
        row |= _active(context, mine, item, itself) | {"told": _told(delivery)}
    return row


def _invited(context: Context, mine: Teammate, item: Item) -> dict[str, Any]:
    may = permitted(mine.role, Permission.INVITE, mine.mandate) and may_grant(mine.role, item.role)
    return {
        "invited_at": item.joined_at,
        "expired": item.joined_at + INVITATION_LIFE <= context.now,
        "may_resend": may,
        "may_revoke": may,
    }


def _active(context: Context, mine: Teammate, item: Item, itself: bool) -> dict[str, Any]:
    looks_after = permitted(mine.role, Permission.MANAGE_TEAMMATES, mine.mandate)
    manages = looks_after and not in_product(context) and may_grant(mine.role, item.role)
    resets = permitted(mine.role, Permission.RESET, mine.mandate) and not itself
    shown = {
        "state": item.state,
        "due": item.due,
        "days": max(0, item.due - context.now) // DAY if item.due is not None else None,
        "methods": list(item.methods),
        "flags": list(item.flags),
    }
    return {
        "two_factor": shown if sees_two_factor(mine) else None,
        "may_change_role": manages,
        "may_remove": manages and not itself,
        # Also where a rank stands against it: the page says so, and who can help.
        "may_disable": resets and item.state == "on",
        "may_renew": resets and item.state == "reset",
        "may_remind": remindable(mine, item) and item.state != "exempt" and may_remind(context),
        "may_give_time": looks_after
        and not itself
        and item.role is Role.MEMBER
        and mine.mandate.required_from is not None
        and item.state != "on",
    }


def may_remind(context: Context) -> bool:
    """Whether the viewer may remind anybody."""
    return context.may(kinds.REMIND, context.workspace_id)


def remindable(mine: Teammate, item: Item) -> bool:
    """Whether somebody whom the viewer sees has no 2FA yet, where it is required."""
    return (
        sees_two_factor(mine)
        and mine.mandate.required_from is not None
        and item.state in ("due", "overdue", "reset", "exempt")
    )


ROUTES: list[Route] = [page("/w/{slug}/settings/team", kinds.SEE_TEAM, team)]
