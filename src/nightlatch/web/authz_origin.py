"""The origin's side of proxy checks: where browsers come from protected hosts, and the keys of assertions."""

import logging

from starlette.responses import JSONResponse, Response

from nightlatch.actions import assertions, host_ways, kinds
from nightlatch.actions.assertions import NoSigningKey
from nightlatch.actions.host_ways import Arrived, Way
from nightlatch.refusals import Code, Refused, WayOut
from nightlatch.web.answers import problem
from nightlatch.web.authz_headers import host_of
from nightlatch.web.context import Context, with_query
from nightlatch.web.pages.sign_in import go
from nightlatch.web.rendering import page as render
from nightlatch.web.routes import Route, page

JWKS = "/.well-known/jwks.json"
log = logging.getLogger("nightlatch.web")


async def sign_in(context: Context) -> Response:
    """From a protected host. The gate has asked for a session; the workspace's own page asks for all else."""
    way = host_ways.opened(context.front.house.keys, context.query("way"), context.now)
    try:
        arrived = await context.write(lambda tx: host_ways.arrive(tx, by=context.by, way=way))
    except Refused as refused:
        if refused.code is Code.NOT_FOUND:
            refused.way_out = WayOut("Go to your workspaces.", "/workspaces")
        raise
    if arrived.path is None:
        return _denied(context, arrived, way)
    return go(context, arrived.path)


def _denied(context: Context, arrived: Arrived, way: Way) -> Response:
    """Who is signed in here, why that does not open the product, and the ways on."""
    place, teammate = arrived.place, arrived.known.facts.teammate(arrived.app.workspace_id)
    other = host_ways.sealed(context.front.house.keys, host_ways.as_another(way))
    return render(
        context,
        "authz_not_open.html",
        status=403,
        product_name=arrived.app.name,
        host=host_of(way.origin),
        host_url=f"{way.origin}/",
        email=arrived.known.person.email if arrived.known.person is not None else "",
        workspace={"name": place.name, "path": f"/w/{place.slug}"} if place is not None else None,
        role=str(teammate.role) if teammate is not None and context.open else None,
        next=with_query("/authz/sign-in", way=other),
    )


async def jwks(context: Context) -> Response:
    """The keys by which a product checks `Nightlatch-Assertion` (RFC 7517). Public; any host may ask."""
    store = context.front.house.store
    try:
        keys = await store.query(assertions.key_set)
        if keys is None:
            await store.write(assertions.make_first)
            keys = await store.query(assertions.key_set)
    except NoSigningKey as why:
        log.error("no assertion can be signed: %s", why)
        refused = Refused(Code.UNAVAILABLE, "The keys cannot be shown at this moment.")
        return problem(refused, context.now, context.url)
    return JSONResponse(
        keys, headers={"cache-control": "public, max-age=300"}, media_type="application/jwk-set+json"
    )


ROUTES: list[Route] = [
    page("/authz/sign-in", kinds.SEE_SESSION, sign_in),
    Route("GET", JWKS, kinds.OPEN, jwks, kind="plain", summary="The keys of Nightlatch-Assertion"),
]
