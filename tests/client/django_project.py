"""A Django project for the tests: its own sign-in, sessions in signed cookies, no database."""

from typing import Any

import django
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.middleware.csrf import get_token
from django.urls import path
from django.utils.decorators import method_decorator
from django.views import View

from nightlatch_client import Person

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "nightlatch_client.django.NightlatchMiddleware",
]

if not settings.configured:
    settings.configure(
        ROOT_URLCONF=__name__,
        SECRET_KEY="not-a-secret-of-anybody-0123456789-abcdefghij",
        ALLOWED_HOSTS=["localhost"],
        INSTALLED_APPS=["nightlatch_client.django"],
        MIDDLEWARE=MIDDLEWARE,
        SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",
        LOGIN_URL="/login",
        USE_TZ=True,
        LOGGING_CONFIG=None,
        NIGHTLATCH={},
    )
    django.setup()

from nightlatch_client.django import aopen_page, fresh, open_page  # noqa: E402

PEOPLE = [
    Person("ada", "ada@acme.dev", "Ada", "7", "Acme", "owner"),
    Person("ben", "ben@acme.dev", "Ben", "7", "Acme", "member"),
    Person("eve", "eve@acme.dev", "Eve", "8", "Other", "owner"),
]


def person(request: HttpRequest) -> Person | None:
    name = request.session.get("user")
    if name is None:
        return None
    return Person(name, f"{name}@acme.dev", name.title(), "7", "Acme", "member")


async def person_later(request: HttpRequest) -> Person | None:
    return person(request)


def everyone() -> list[Person]:
    return PEOPLE


def login(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        request.session["user"] = request.POST["user"]
        return HttpResponseRedirect(request.POST.get("next", "/notes"))
    return HttpResponse(get_token(request))


def notes(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        return JsonResponse({"saved": request.POST.dict()})
    return HttpResponse(f"notes of {request.session.get('user')}")


def who(request: Any) -> HttpResponse:
    return JsonResponse({"aal": request.proof.aal if request.proof else None})


@fresh(minutes=10)
def payouts(request: Any) -> HttpResponse:
    return JsonResponse({"aal": request.proof.aal, "amount": request.POST.get("amount")})


@fresh(minutes=10)
async def payouts_later(request: Any) -> HttpResponse:
    return JsonResponse({"aal": request.proof.aal, "amount": request.POST.get("amount")})


@method_decorator(fresh(minutes=10), name="dispatch")
class Payouts(View):
    def post(self, request: Any) -> HttpResponse:
        return JsonResponse({"aal": request.proof.aal, "amount": request.POST.get("amount")})


def team(request: HttpRequest) -> HttpResponse:
    return open_page(request, "team/authentication")


async def team_later(request: HttpRequest) -> HttpResponse:
    return await aopen_page(request, "team/authentication")


urlpatterns = [
    path("login", login),
    path("notes", notes),
    path("who", who),
    path("payouts", payouts),
    path("payouts-later", payouts_later),
    path("payouts-class", Payouts.as_view()),
    path("team", team),
    path("team-later", team_later),
]
