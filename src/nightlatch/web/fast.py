"""The fast path: the session check without routing, request objects or models, through the same facts and decision.

It is asked for with every page of every product, so it does only what the gate does: which credential, the facts, the
decision, the answer. tests/web holds it against the ordinary route, answer by answer.
"""

from collections.abc import Awaitable, Callable

from starlette.responses import Response

from nightlatch.access import decide
from nightlatch.actions import kinds
from nightlatch.actions.tokens import hash_presented
from nightlatch.decision import Allow
from nightlatch.refusals import Refused, refusal_of
from nightlatch.store.engine import Unavailable
from nightlatch.store.session_facts import read_known
from nightlatch.web import origin
from nightlatch.web.answers import encode, problem
from nightlatch.web.gate import credential_of, unavailable
from nightlatch.web.house import Front
from nightlatch.web.session_view import view


async def session(front: Front, headers: origin.Headers) -> Response:
    """GET /api/v1/session."""
    try:
        token, credential = credential_of(front.config, headers, cookies_only=False)
        token_hash = hash_presented(token, credential) if token is not None else None
        known = await front.house.store.read(lambda tx: read_known(tx, token_hash, credential))
        decision = decide(known.facts, kinds.SEE_SESSION)
        if not isinstance(decision, Allow) or known.session is None:
            raise refusal_of(decision)
    except Refused as refused:
        return problem(refused, front.house.clock.now(), front.url)
    except Unavailable:
        return problem(unavailable(), front.house.clock.now(), front.url)
    front.saw(known.session.id, known.session.last_seen_at, known.facts.now)
    return Response(encode(view(known)), media_type="application/json")


PATHS: dict[str, Callable[[Front, origin.Headers], Awaitable[Response]]] = {"/api/v1/session": session}
