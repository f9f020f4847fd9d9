"""Every way in: password, Chirp, sign-up, a new password; and out."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, HTTPException, Request, Response
from fastapi.concurrency import run_in_threadpool

from acme_notes import database, mailbox, moments, people, sessions, settings
from acme_notes.house import after_sign_in, go, page, safe_path
from acme_notes.people import User
from acme_notes.secret_values import SHORTEST, hash_password, hash_token, is_password, new_token
from acme_notes.two_factor import team_changed

router = APIRouter()
Text = Annotated[str, Form()]
Optional = Annotated[str | None, Form()]


def _let_in(request: Request, user: User, wanted: str | None) -> Response:
    answer = go(after_sign_in(user, wanted))
    sessions.begin(request, answer, user)
    return answer


# --- password ---


@router.get("/sign-in")
def sign_in_page(request: Request, next: str | None = None) -> Response:  # noqa: A002
    return page(request, "sign_in.html", next=safe_path(next), email="", error=None)


@router.post("/sign-in")
def sign_in(request: Request, email: Text, password: Text, next: Optional = None) -> Response:  # noqa: A002
    user = people.by_email(email)
    if not is_password(password, people.password_of(user.id) if user else None) or user is None:
        error = "E-mail address and password do not belong together."
        return page(request, "sign_in.html", status=403, next=safe_path(next), email=email, error=error)
    return _let_in(request, user, next)


@router.post("/sign-out")
def sign_out(request: Request) -> Response:
    answer = go("/")
    sessions.end(request, answer)
    return answer


# --- sign-up ---


@router.get("/sign-up")
def sign_up_page(request: Request, code: str = "") -> Response:
    return page(request, "sign_up.html", error=None, name="", email="", code=code, team_name="")


@router.post("/sign-up")
async def sign_up(
    request: Request, name: Text, email: Text, password: Text, code: Text = "", team_name: Text = ""
) -> Response:
    error = _problem_with(name, email, password, code, team_name)
    if error is None:
        try:
            user, team = await run_in_threadpool(_join, name, email, password, code, team_name)
        except people.Taken:
            error = "There is an account with this address. Sign in instead."
        else:
            await team_changed(team)
            return _let_in(request, user, f"/t/{team}/notes")
    return page(
        request,
        "sign_up.html",
        status=422,
        error=error,
        name=name,
        email=email,
        code=code,
        team_name=team_name,
    )


def _join(name: str, email: str, password: str, code: str, team_name: str) -> tuple[User, str]:
    """A new user in the team of the code, or in a new one."""
    hashed = hash_password(password)
    with database.together():
        user = people.add_user(name, email, password=hashed)
        team = people.team_of_code(code) or people.add_team(team_name, user)
        people.add_member(team, user.id)
    return user, team


def _problem_with(name: str, email: str, password: str, code: str, team_name: str) -> str | None:
    if not name.strip() or len(name) > 80:
        return "Please tell us your name."
    if "@" not in email.strip()[1:-1] or " " in email.strip():
        return "That is not an e-mail address."
    if len(password) < SHORTEST:
        return f"A password has at least {SHORTEST} characters."
    if code.strip():
        return None if people.team_of_code(code) else "There is no team with this invite code."
    return None if team_name.strip() else "Give an invite code, or the name of your new team."


# --- Chirp: a social network that we made up ---


def only_in_the_demo() -> None:
    """Nobody shows who they are at Chirp, so it is for developers' machines only."""
    if not settings.DEMO:
        raise HTTPException(404)


chirps = APIRouter(dependencies=[Depends(only_in_the_demo)])


@chirps.get("/chirp")
def chirp_page(request: Request, next: str | None = None) -> Response:  # noqa: A002
    rows = database.rows("SELECT name, chirp FROM users WHERE chirp IS NOT NULL ORDER BY name")
    return page(request, "chirp.html", accounts=rows, next=safe_path(next), error=None)


@chirps.post("/chirp")
def chirp(request: Request, handle: Text, next: Optional = None) -> Response:  # noqa: A002
    user = people.by_chirp(handle)
    if user is None:
        rows = database.rows("SELECT name, chirp FROM users WHERE chirp IS NOT NULL ORDER BY name")
        error = "Nobody at Acme Notes has connected this Chirp account."
        return page(request, "chirp.html", status=403, accounts=rows, next=safe_path(next), error=error)
    return _let_in(request, user, next)


router.include_router(chirps)

# --- a new password ---


@router.get("/forgot")
def forgot_page(request: Request) -> Response:
    return page(request, "forgot.html", sent=False)


@router.post("/forgot")
def forgot(request: Request, email: Text) -> Response:
    user, token = people.by_email(email), new_token()
    if user is not None:
        database.run("INSERT INTO resets VALUES (?, ?, ?)", hash_token(token), user.id, moments.in_an_hour())
        link = mailbox.link(f"/reset/{token}")
        mailbox.send(user.email, "Choose a new password", f"Open this within the hour:\n{link}\n")
    return page(request, "forgot.html", sent=True)


@router.get("/reset/{token}")
def reset_page(request: Request, token: str) -> Response:
    return page(request, "reset.html", good=_reset_of(token) is not None, error=None)


@router.post("/reset/{token}")
def reset(request: Request, token: str, password: Text) -> Response:
    user = _reset_of(token)
    if user is None:
        return page(request, "reset.html", status=410, good=False, error=None)
    if len(password) < SHORTEST:
        error = f"A password has at least {SHORTEST} characters."
        return page(request, "reset.html", status=422, good=True, error=error)
    if not database.run("DELETE FROM resets WHERE token_hash = ?", hash_token(token)):
        return page(request, "reset.html", status=410, good=False, error=None)
    people.set_password(user.id, hash_password(password))
    return _let_in(request, user, None)


def _reset_of(token: str) -> User | None:
    row = database.one("SELECT * FROM resets WHERE token_hash = ?", hash_token(token))
    return people.user(row["user_id"]) if row and row["good_until"] > moments.text() else None
