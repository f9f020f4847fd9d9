"""A workspace's evidence of a day."""

from nightlatch.actions import kinds
from nightlatch.actions.evidence import read_evidence
from nightlatch.audit.evidence_files import as_json
from nightlatch.web.answers import Answer, encode
from nightlatch.web.api.evidence_models import Evidence
from nightlatch.web.context import Context
from nightlatch.web.routes import Route, api


async def of_a_day(context: Context) -> Answer:
    slug, on = context.request.path_params["slug"], context.query("on")
    workspace_id = context.workspace_id
    return Answer(
        await context.query_store(
            lambda tx: encode(as_json(read_evidence(tx, workspace_id=workspace_id, on=on), slug)).encode()
        )
    )


ROUTES: list[Route] = [
    api(
        "GET",
        "/workspaces/{slug}/evidence",
        kinds.READ_EVIDENCE,
        of_a_day,
        answer=Evidence,
        query={"on": {"type": "string", "format": "date", "description": "a day in UTC; today without it"}},
        summary="Who had what on a day, from the audit events alone",
    )
]
