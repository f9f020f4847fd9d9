"""Which connections an address is offered: those that its domain leads to, whether anybody has the address or not."""

from nightlatch.addresses import BadAddress, parse
from nightlatch.ids import to_text
from nightlatch.store import domains
from nightlatch.web.context import Context


async def offers_to(context: Context, typed: str) -> list[dict[str, str]]:
    """For a template; none for what is no address."""
    try:
        domain = parse(typed).key.rpartition("@")[2]
    except BadAddress:
        return []
    rows = await context.read(lambda tx: domains.routes(tx, domain))
    return [{"id": to_text(row.id), "name": row.name, "workspace_name": row.workspace_name} for row in rows]
