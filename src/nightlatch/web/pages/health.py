"""Health, static files, the start page, help."""

from starlette.responses import JSONResponse, RedirectResponse, Response

from nightlatch.actions import kinds
from nightlatch.refusals import not_found
from nightlatch.store import meta
from nightlatch.store.engine import Transaction, Unavailable
from nightlatch.web.context import Context
from nightlatch.web.pages.sign_in import helpers
from nightlatch.web.rendering import page as render
from nightlatch.web.rendering import static
from nightlatch.web.routes import Route, page


async def healthz(context: Context) -> Response:
    return JSONResponse({"status": "ok"})


async def readyz(context: Context) -> Response:
    """Database, migrations and keys: the database answers, and its check value opens with our keys."""

    def check(tx: Transaction) -> bool:
        stored = meta.read(tx, meta.KEY_CHECK)
        return stored is not None and tx.keys.matches(bytes.fromhex(stored))

    try:
        keys = await context.query_store(check)
    except Unavailable:
        return JSONResponse({"status": "unavailable", "database": False}, 503, {"Retry-After": "5"})
    jumped = context.front.house.clock.jumped()
    body = {
        "status": "ok" if keys else "unavailable",
        "database": True,
        "keys": keys,
        "clock_jumped_by_seconds": round(jumped / 1_000_000) if jumped is not None else None,
    }
    return JSONResponse(body, 200 if keys else 503)


async def static_file(context: Context) -> Response:
    found = static().answer(context.request.path_params["name"])
    if found is None:
        raise not_found()
    return found


async def start(context: Context) -> Response:
    """Where a person belongs: their one workspace, the choice of them, or the sign-in page."""
    if context.facts.account is None:
        target = "/sign-in"
    elif len(context.known.places or {}) == 1:
        target = f"/w/{next(iter((context.known.places or {}).values())).slug}"
    else:
        target = "/workspaces"
    return RedirectResponse(context.url(target), 303)


async def help_page(context: Context) -> Response:
    names: dict[str, list[str]] = {}
    for each in await helpers(context) if context.open else []:
        names.setdefault(each["workspace_name"], []).append(each["name"])
    shown = [{"workspace_name": place, "names": people} for place, people in names.items()]
    return render(context, "help.html", helpers=shown)


ROUTES: list[Route] = [
    Route("GET", "/healthz", kinds.OPEN, healthz, kind="plain", summary="Is the process there"),
    Route("GET", "/readyz", kinds.OPEN, readyz, kind="plain", summary="Database, migrations, keys"),
    Route("GET", "/static/{name}", kinds.OPEN, static_file, kind="plain"),
    page("/", kinds.OPEN, start),
    page("/help", kinds.OPEN, help_page),
]
