"""Looking for a domain's record and judging it: what pages and API of domains have in common."""

from dataclasses import dataclass

from nightlatch.actions import domains
from nightlatch.actions.domains import Domain
from nightlatch.refusals import Code, Refused, WayOut
from nightlatch.resolver import Unanswered
from nightlatch.web.context import Context

_MOST_SHOWN = 20
_SHOWN_UP_TO = 255


@dataclass(frozen=True, slots=True)
class Checked:
    """What became of a look into DNS, and what stood there."""

    domain: Domain
    found: tuple[str, ...]


async def check(context: Context, domain_id: int) -> Checked:
    """Ask DNS, then judge what it said. Raises Refused: what the action raises, and 503 where DNS gave no answer."""
    workspace_id = context.workspace_id
    domain = await context.read(lambda tx: domains.read(tx, workspace_id, domain_id))
    resolver = context.front.house.resolver()
    try:
        found = await context.outside(lambda: resolver.texts(domain.record_name))
    except Unanswered as unanswered:
        slug = context.request.path_params["slug"]
        way = WayOut("Look at your domains.", f"/w/{slug}/settings/team/authentication/domains")
        raise Refused(Code.UNAVAILABLE, unanswered.reason, way) from None
    judged = await context.write(
        lambda tx: domains.prove(
            tx, by=context.by, workspace_id=workspace_id, domain_id=domain_id, found=found
        )
    )
    return Checked(judged, tuple(each[:_SHOWN_UP_TO] for each in found[:_MOST_SHOWN]))
