"""What pages and API of resets have in common: nobody looks at one whose instant has come and which is not done."""

from nightlatch.actions import reset_looking, resets
from nightlatch.web.context import Context


async def settle(context: Context) -> None:
    """What has come due is done before anybody looks, whenever the background task comes round."""
    workspace_id = context.workspace_id
    if await context.read(lambda tx: reset_looking.any_due(tx, workspace_id)):
        await context.write(lambda tx: resets.lookup_due(tx, workspace_id))
