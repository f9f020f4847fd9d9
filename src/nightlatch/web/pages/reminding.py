"""Reminding teammates to set up 2FA: the forms of the Teammates table and of the page of a team's progress."""

from collections.abc import Iterator, Mapping, Sequence

from starlette.responses import Response

from nightlatch.actions import kinds, reminders
from nightlatch.ids import from_text
from nightlatch.refusals import Code, Refused, invalid
from nightlatch.store import listing
from nightlatch.web.context import Context, with_query
from nightlatch.web.pages.sign_in import go
from nightlatch.web.routes import Route, form
from nightlatch.web.team import team_path

_TEAM = "/w/{slug}/settings/team"
_AT_ONCE = 100
"""So many are reminded in one transaction: others wait no longer for theirs."""
MOST_MATCHING = 5_000
"""A filter that finds more is not for hand work: all who are left are reminded in batches."""
_FILTERS = ("q", "role", "two_factor", "flag", "status")


async def remind_one(context: Context) -> Response:
    return await _remind(context, [context.id()])


async def remind_many(context: Context) -> Response:
    """Those ticked; all that a filter finds; or all who are left, where neither is said."""
    which, ids = context.form.get("which", ""), list(_ticked(context.form))
    if which == "matching" and any(context.form.get(name) for name in _FILTERS):
        found = await context.query_store(
            lambda tx: listing.matching(
                tx,
                context.workspace_id,
                q=context.form.get("q", ""),
                role=context.form.get("role", ""),
                two_factor=context.form.get("two_factor", ""),
                flag=context.form.get("flag", ""),
                status=context.form.get("status", ""),
                most=MOST_MATCHING + 1,
            )
        )
        ids = [row.id for row in found]
        if len(ids) > MOST_MATCHING:
            raise invalid("which", f"More than {MOST_MATCHING:,} match. Remind all who are left instead.")
        return await _remind(context, ids, matching=True)
    if ids or which == "ticked":
        return await _remind(context, ids)
    return await _remind(context, None)


def _ticked(fields: Mapping[str, str]) -> Iterator[int]:
    """The ids of a form: a box each (`id.{id}`), or in `ids`, repeated or with commas. Raises Refused (404)."""
    texts = [name.removeprefix("id.") for name in fields if name.startswith("id.")]
    texts += [each.strip() for each in fields.get("ids", "").split(",") if each.strip()]
    for text in texts:
        id = from_text(text)
        if id is None:
            raise invalid("ids", "That is nobody of this workspace.")
        yield id


async def _remind(context: Context, ids: Sequence[int] | None, *, matching: bool = False) -> Response:
    """Back to where the form was, with what came of it; only what the gate says goes to the gate."""
    target = context.next_path or team_path(context)
    if ids is not None and not ids:
        return go(context, with_query(target, said="remind-nobody"))
    chunks = [None] if ids is None else [ids[at : at + _AT_ONCE] for at in range(0, len(ids), _AT_ONCE)]
    said: list[str] = []
    for chunk in chunks if matching or ids is None else [ids]:
        said.append(await _one_go(context, chunk))
    first = [each for each in ("reminded", "remind-too-soon", "remind-none") if each in said]
    return go(context, with_query(target, said=first[0]))


async def _one_go(context: Context, ids: Sequence[int] | None) -> str:
    try:
        await context.write(
            lambda tx: reminders.remind(
                tx, by=context.by, workspace_id=context.workspace_id, teammate_ids=ids
            )
        )
    except Refused as refused:
        if refused.decision is not None or refused.code not in (Code.TOO_MANY_ATTEMPTS, Code.CONFLICT):
            raise
        return "remind-too-soon" if refused.code is Code.TOO_MANY_ATTEMPTS else "remind-none"
    return "reminded"


ROUTES: list[Route] = [
    form(f"{_TEAM}/remind", kinds.REMIND, remind_many, shown_at=_TEAM),
    form(_TEAM + "/{id}/remind", kinds.REMIND, remind_one, shown_at=_TEAM),
]
