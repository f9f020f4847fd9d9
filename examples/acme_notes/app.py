"""The application: `uvicorn acme_notes.app:app`, or `python -m acme_notes`."""

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.responses import JSONResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException as AnyHTTPException

from acme_notes import database, demo, settings, two_factor
from acme_notes.house import STATIC, SignInFirst, go, page
from acme_notes.pages import api, notes, payouts, signing_in, teams
from acme_notes.same_origin import SameOrigin

database.prepare()
if settings.DEMO:
    demo.fill()

app = FastAPI(title="Acme Notes", docs_url=None, redoc_url=None, openapi_url="/api/openapi.json")
app.mount("/static", StaticFiles(directory=STATIC))
for each in (signing_in, teams, notes, payouts, api):
    app.include_router(each.router)

two_factor.guard(app)
app.add_middleware(SameOrigin, origin=settings.ORIGIN)


@app.get("/healthz")
def healthz() -> dict[str, str]:
    """Whether it runs."""
    return {"status": "ok"}


@app.exception_handler(SignInFirst)
def to_sign_in(request: Request, error: Exception) -> Response:
    """Nobody is signed in: first that, then on to where they were going."""
    if request.method not in ("GET", "HEAD"):
        return go("/sign-in")
    query = f"?{request.url.query}" if request.url.query else ""
    return go(f"/sign-in?next={request.url.path}{query}")


@app.exception_handler(AnyHTTPException)
def problem(request: Request, error: HTTPException) -> Response:
    """What is not possible, as a page for people and as JSON for programs."""
    if request.url.path.startswith("/api/"):
        return JSONResponse({"detail": error.detail}, error.status_code, error.headers)
    return page(request, "problem.html", status=error.status_code, detail=error.detail)
