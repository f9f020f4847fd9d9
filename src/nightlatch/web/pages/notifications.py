"""Settings > User > Notifications: who else is told what happens to the account; and the page that confirms one."""

from collections.abc import Mapping

from starlette.responses import Response

from nightlatch.actions import declining, kinds, notify_addresses
from nightlatch.ids import to_text
from nightlatch.refusals import Code, Refused
from nightlatch.web import links
from nightlatch.web.context import Context
from nightlatch.web.fields import address_field, form_errors
from nightlatch.web.pages.dead_links import NOTIFY, look, spend
from nightlatch.web.pages.sign_in import go
from nightlatch.web.rendering import page as render
from nightlatch.web.routes import Route, form, page

HERE = "/settings/user/notifications"


async def notifications_page(context: Context) -> Response:
    return await _show(context)


async def _show(context: Context, status: int = 200, errors: Mapping[str, str] | None = None) -> Response:
    listed, declined = await context.read(
        lambda tx: (notify_addresses.own(tx, by=context.by), declining.own_declined(tx, by=context.by))
    )
    person = context.known.person
    return render(
        context,
        "notifications.html",
        status=status,
        errors=errors,
        email=person.email if person is not None else "",
        addresses=[
            {"id": to_text(each.id), "email": each.email, "confirmed": each.confirmed} for each in listed
        ],
        room=len(listed) < notify_addresses.MOST,
        declined=declined,
    )


async def add_form(context: Context) -> Response:
    with form_errors() as errors:
        address = address_field(context.form.get("notify", ""), "notify")
        try:
            await context.write(lambda tx: notify_addresses.add(tx, by=context.by, address=address))
        except Refused as refused:
            if refused.code is not Code.TOO_MANY_ATTEMPTS:
                raise
            return await _show(context, status=429, errors={"notify": refused.detail})
    return await _show(context, errors=errors) if errors else go(context, f"{HERE}?said=notify-added")


async def remove_form(context: Context) -> Response:
    id = context.id()
    await context.write(lambda tx: notify_addresses.remove(tx, by=context.by, id=id))
    return go(context, f"{HERE}?said=notify-removed")


async def invitations_form(context: Context) -> Response:
    await context.write(lambda tx: declining.accept_again_own(tx, by=context.by))
    return go(context, f"{HERE}?said=invitations-welcome")


# --- the new mailbox confirms ---


async def open_confirm(context: Context) -> Response:
    return links.exchange(context, NOTIFY.name, "/notify")


async def confirm_page(context: Context) -> Response:
    found = await look(context, NOTIFY, notify_addresses.look_confirm)
    if isinstance(found, Response):
        return found
    return render(
        context,
        "notify_confirm.html",
        email=found.email,
        account_email=found.account_email,
        expires=found.expires_at,
    )


async def confirm_form(context: Context) -> Response:
    done = await spend(
        context,
        NOTIFY,
        lambda tx, token_hash: notify_addresses.confirm(tx, by=context.by, token_hash=token_hash),
    )
    if isinstance(done, Response):
        return done
    return links.forget(context, render(context, "notify_confirmed.html"), NOTIFY.name)


ROUTES: list[Route] = [
    page(HERE, kinds.READ_ACCOUNT, notifications_page),
    form(HERE, kinds.CHANGE_NOTIFY, add_form),
    form(f"{HERE}/invitations", kinds.RENAME, invitations_form, shown_at=HERE),
    form(f"{HERE}/{{id}}/remove", kinds.CHANGE_NOTIFY, remove_form, shown_at=HERE),
    page("/notify/{token}", kinds.OPEN, open_confirm, path_in_log="/notify/-"),
    page("/notify", kinds.OPEN, confirm_page),
    form("/notify", kinds.OPEN, confirm_form),
]
