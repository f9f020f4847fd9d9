"""CSV files for download, made while they are sent: one batch of rows in memory at a time."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import TypeAlias

from starlette.responses import StreamingResponse

from nightlatch.audit.csv_text import lines
from nightlatch.audit.evidence_files import day_of
from nightlatch.store import rosters
from nightlatch.store.query import Row
from nightlatch.web.context import Context

Cells: TypeAlias = Mapping[str, str]


def download(
    context: Context, name: str, columns: Sequence[str], batches: AsyncIterator[Iterable[Cells]]
) -> StreamingResponse:
    """A file of this name, the workspace and the day, with a header row."""
    file = f"{name}-{context.request.path_params['slug']}-{day_of(context.now)}.csv"
    headers = {"content-disposition": f'attachment; filename="{file}"'}
    return StreamingResponse(
        _pieces(columns, batches), headers=headers, media_type="text/csv; charset=utf-8; header=present"
    )


async def _pieces(columns: Sequence[str], batches: AsyncIterator[Iterable[Cells]]) -> AsyncIterator[bytes]:
    yield lines(columns, (), header=True).encode()
    async for batch in batches:
        yield lines(columns, batch).encode("utf-8", "replace")


async def everybody(context: Context, *, left: bool = False) -> AsyncIterator[Sequence[Row]]:
    """The rows of a workspace's table, batch by batch; `left`: those of teammates without 2FA alone."""
    workspace_id, after = context.workspace_id, rosters.FIRST
    read = rosters.left if left else rosters.everybody
    while True:
        start = after
        batch = await context.query_store(lambda tx, start=start: read(tx, workspace_id, start))  # type: ignore[misc]
        if not batch:
            return
        yield batch
        after = rosters.place(batch[-1])
