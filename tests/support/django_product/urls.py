"""Harbour's addresses."""

from django.contrib.auth import views as auth
from django.urls import path

from tests.support.django_product import views

urlpatterns = [
    path("", views.home),
    path("favicon.ico", views.nothing),
    path("sign-up", views.sign_up),
    path("sign-in", auth.LoginView.as_view()),
    path("sign-out", auth.LogoutView.as_view()),
    path("forgot", auth.PasswordResetView.as_view(success_url="/forgot/sent")),
    path("forgot/sent", auth.PasswordResetDoneView.as_view()),
    path(
        "reset/<uidb64>/<token>",
        auth.PasswordResetConfirmView.as_view(success_url="/notes", post_reset_login=True),
        name="password_reset_confirm",
    ),
    path("join", views.join),
    path("notes", views.own_notes),
    path("t/<int:team>/notes", views.notes),
    path("t/<int:team>/notes/new", views.new_note),
    path("t/<int:team>/team", views.team),
    path("t/<int:team>/team/<int:who>/remove", views.remove),
    path("t/<int:team>/two-factor/<page>", views.two_factor),
    path("t/<int:team>/payouts", views.payouts),
    path("api/notes", views.api_notes),
]
