"""Harbour's pages."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth import login
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.csrf import csrf_exempt

from nightlatch_client.django import fresh, open_page
from tests.support.django_product.models import Member, Note, Payout, Team
from tests.support.django_product.two_factor import team_changed

Page = Callable[..., HttpResponse]


def in_team(view: Page) -> Page:
    """Whoever is signed in and in the team of the address, as `member`; to others there is no such team."""

    @login_required
    @wraps(view)
    def wrapped(request: Any, team: int, **more: Any) -> HttpResponse:
        member = request.user.memberships.filter(team_id=team).first()
        if member is None:
            raise Http404
        return view(request, member, **more)

    return wrapped


def home(request: Any) -> HttpResponse:
    """The teams, and the way into another."""
    mine = request.user.memberships.all() if request.user.is_authenticated else []
    return render(request, "home.html", {"memberships": mine})


def sign_up(request: Any) -> HttpResponse:
    """A new account, in a new team or in one that a code opens."""
    if request.method == "POST":
        said = request.POST
        team = Team.objects.filter(code=said["code"]).first()
        role = "member" if team else "owner"
        user = User.objects.create_user(
            said["email"], said["email"], said["password"], first_name=said["name"]
        )
        team = team or Team.objects.create(name=said["team"])
        Member.objects.create(user=user, team=team, role=role)
        login(request, user)
        return redirect(f"/t/{team.pk}/notes")
    return render(request, "sign_up.html")


@login_required
def join(request: Any) -> HttpResponse:
    """Into one more team, by its code."""
    team = get_object_or_404(Team, code=request.POST["code"])
    Member.objects.get_or_create(user=request.user, team=team)
    team_changed(team)
    return redirect(f"/t/{team.pk}/notes")


@login_required
def own_notes(request: Any) -> HttpResponse:
    """Those of one's first team."""
    return redirect(f"/t/{request.user.memberships.first().team_id}/notes")


@in_team
def notes(request: Any, member: Member) -> HttpResponse:
    """All notes of the team."""
    return render(request, "notes.html", {"team": member.team, "notes": member.team.notes.all()})


@in_team
def new_note(request: Any, member: Member) -> HttpResponse:
    """Write one."""
    if request.method == "POST":
        said = request.POST
        Note.objects.create(team=member.team, title=said["title"], text=said["text"], by=request.user.email)
        return redirect(f"/t/{member.team.pk}/notes")
    return render(request, "new_note.html", {"team": member.team})


@in_team
def team(request: Any, member: Member) -> HttpResponse:
    """Who is in the team; its owner sends people away here."""
    return render(request, "team.html", {"team": member.team, "me": member})


@in_team
def remove(request: Any, member: Member, who: int) -> HttpResponse:
    """Send somebody away."""
    if request.method != "POST" or member.role != "owner":
        raise Http404
    get_object_or_404(Member, team=member.team, pk=who).delete()
    team_changed(member.team)
    return redirect(f"/t/{member.team.pk}/team")


@in_team
def two_factor(request: HttpRequest, member: Member, page: str) -> HttpResponse:
    """On to a page of Nightlatch."""
    return open_page(request, {"team": "team/authentication", "mine": "user"}[page])


@fresh(minutes=10)
@in_team
def payouts(request: Any, member: Member) -> HttpResponse:
    """Money leaves, with fresh proof."""
    if request.method == "POST":
        Payout.objects.create(team=member.team, to=request.POST["to"], euros=request.POST["euros"])
        return redirect(f"/t/{member.team.pk}/payouts")
    return render(request, "payouts.html", {"team": member.team, "proof": request.proof})


@csrf_exempt
def api_notes(request: HttpRequest) -> HttpResponse:
    """For programs, with a member's key."""
    key = request.headers.get("authorization", "").removeprefix("Bearer ")
    member = Member.objects.filter(key=key).first()
    if member is None:
        return JsonResponse({"error": "no such key"}, status=401)
    if request.method == "POST":
        Note.objects.create(team=member.team, title=request.POST["title"], by="a program")
    return JsonResponse([note.title for note in member.team.notes.all()], safe=False)


def nothing(request: HttpRequest) -> HttpResponse:
    """Browsers ask for a picture."""
    return HttpResponse(status=204)
