"""The settings of Harbour. What differs from run to run comes from the environment."""

import os
from pathlib import Path

DATA = Path(os.environ["HARBOUR_DATA"])
BASE_DIR = Path(__file__).parent
SECRET_KEY = "not-a-secret-of-anybody-0123456789-abcdefghij"
ALLOWED_HOSTS = ["localhost", "127.0.0.1"]
USE_TZ = True
ROOT_URLCONF = "tests.support.django_product.urls"
WSGI_APPLICATION = "tests.support.django_product.serving.wsgi"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": DATA / "harbour.db",
        "OPTIONS": {"timeout": 20, "transaction_mode": "IMMEDIATE"},
    }
}
EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
EMAIL_FILE_PATH = DATA / "mails"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # fast: these are a test's
LOGIN_URL = "/sign-in"
LOGIN_REDIRECT_URL = "/notes"
LOGOUT_REDIRECT_URL = "/"
INSTALLED_APPS = [
    "tests.support.django_product",  # first: its templates come before those of auth
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "nightlatch_client.django",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "tests.support.django_product.policy.strict",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "nightlatch_client.django.NightlatchMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
            ]
        },
    }
]
NIGHTLATCH = {
    "URL": os.environ["HARBOUR_NIGHTLATCH"],
    "APP": "harbour",
    "SECRET_FILE": DATA / "secret",
    "ORIGIN": os.environ["HARBOUR_ORIGIN"],
    "PERSON": "tests.support.django_product.two_factor.person",
    "EVERYONE": "tests.support.django_product.two_factor.everyone",
    "OPEN": ["/", "/sign-*", "/forgot", "/forgot/*", "/reset/*", "/join", "/favicon.ico"],
    "DOWN_MESSAGE": "Harbour cannot check second steps right now. Try again soon.",
}
