"""Settings > User: name, e-mail, password, sessions. What is about 2FA is in settings_two_factor.py."""

from collections.abc import Mapping

from starlette.responses import Response

from nightlatch.actions import emails, kinds, passwords, profile, remembering, sessions
from nightlatch.actions.tokens import new_token
from nightlatch.refusals import Code, Refused
from nightlatch.store import accounts, api_tokens
from nightlatch.web import flows
from nightlatch.web.context import Context
from nightlatch.web.fields import address_field, form_errors
from nightlatch.web.pages import settings_two_factor, settings_view
from nightlatch.web.pages.sign_in import go
from nightlatch.web.rendering import page as render
from nightlatch.web.routes import Route, form, page

HERE = "/settings/user"


async def settings_page(context: Context) -> Response:
    return await _settings(context)


async def _settings(context: Context, status: int = 200, errors: Mapping[str, str] | None = None) -> Response:
    values = await settings_view.values(context)
    return render(context, "settings_user.html", status=status, errors=errors, **values)


async def name_form(context: Context) -> Response:
    with form_errors() as errors:
        await context.write(lambda tx: profile.rename(tx, by=context.by, name=context.form.get("name", "")))
    return await _settings(context, errors=errors) if errors else go(context, f"{HERE}?said=name-changed")


# --- e-mail ---


async def email_form(context: Context) -> Response:
    with form_errors() as errors:
        address = address_field(context.form.get("email", ""))
        try:
            await context.write(lambda tx: emails.request_change(tx, by=context.by, address=address))
        except Refused as refused:
            if refused.code is not Code.TOO_MANY_ATTEMPTS:
                raise
            return await _settings(context, status=429, errors={"email": refused.detail})
    return await _settings(context, errors=errors) if errors else go(context, f"{HERE}?said=email-asked")


async def cancel_email_form(context: Context) -> Response:
    await context.write(lambda tx: emails.cancel(tx, by=context.by))
    return go(context, f"{HERE}?said=email-cancelled")


# --- password ---


async def password_page(context: Context) -> Response:
    return await _password(context)


async def _password(context: Context, errors: Mapping[str, str] | None = None) -> Response:
    person, account_id = context.known.person, context.facts.account or 0
    account, tokens = await context.read(
        lambda tx: (accounts.by_id(tx, account_id), api_tokens.count(tx, account_id=account_id))
    )
    return render(
        context,
        "password_change.html",
        errors=errors,
        email=person.email if person is not None else "",
        api_tokens=tokens,
        has_password=account is not None and account.password_hash is not None,
    )


async def password_form(context: Context) -> Response:
    account_id, token, typed = context.facts.account or 0, new_token(), context.form.get("new_password", "")
    words = await context.read(lambda tx: passwords.words_for(tx, account_id))
    password_hash = ""
    with form_errors() as errors:
        password_hash = await flows.hashed_password(context, typed, list(words), "new_password")
    if errors:
        return await _password(context, errors)
    changed = await context.write(
        lambda tx: passwords.change(tx, by=context.by, password_hash=password_hash, session_token=token)
    )
    context.session_token = changed.token
    return go(context, f"{HERE}?said=password-changed")


# --- sessions ---


async def end_session_form(context: Context) -> Response:
    session_id = context.id()
    await context.write(lambda tx: sessions.end(tx, by=context.by, session_id=session_id))
    if context.known.session is not None and context.known.session.id == session_id:
        context.ends_session = True
        return go(context, "/sign-in?said=signed-out")
    return go(context, f"{HERE}?said=session-ended")


async def end_others_form(context: Context) -> Response:
    await context.write(lambda tx: sessions.end_others(tx, by=context.by))
    return go(context, f"{HERE}?said=sessions-ended")


# --- remembered browsers ---


async def forget_form(context: Context) -> Response:
    remembered_id = context.id()
    await context.write(lambda tx: remembering.forget_one(tx, by=context.by, remembered_id=remembered_id))
    return go(context, f"{HERE}?said=browser-forgotten")


async def forget_all_form(context: Context) -> Response:
    await context.write(lambda tx: remembering.forget_all(tx, by=context.by))
    return go(context, f"{HERE}?said=browsers-forgotten")


ROUTES: list[Route] = [
    page(HERE, kinds.READ_ACCOUNT, settings_page),
    form(f"{HERE}/name", kinds.RENAME, name_form, shown_at=HERE),
    form(f"{HERE}/email", kinds.CHANGE_EMAIL, email_form, shown_at=HERE),
    form(f"{HERE}/email/cancel", kinds.CANCEL_EMAIL_CHANGE, cancel_email_form, shown_at=HERE),
    page(f"{HERE}/password", kinds.CHANGE_PASSWORD, password_page),
    form(f"{HERE}/password", kinds.CHANGE_PASSWORD, password_form),
    form(f"{HERE}/sessions/end-others", kinds.END_SESSIONS, end_others_form, shown_at=HERE),
    form(f"{HERE}/sessions/{{id}}/end", kinds.END_SESSIONS, end_session_form, shown_at=HERE),
    form(f"{HERE}/remembered/forget-all", kinds.END_SESSIONS, forget_all_form, shown_at=HERE),
    form(f"{HERE}/remembered/{{id}}/forget", kinds.END_SESSIONS, forget_form, shown_at=HERE),
    *settings_two_factor.ROUTES,
]
