"""The end of set-up: recovery codes, shown once and never kept, and what is said before going on."""

from typing import Any
from urllib.parse import urlsplit

from starlette.responses import Response

from nightlatch.actions import authenticators, kinds
from nightlatch.assurance import relied
from nightlatch.authenticators import recovery_code
from nightlatch.facts import Facts
from nightlatch.ids import to_text
from nightlatch.instants import to_datetime
from nightlatch.vocabulary import Method
from nightlatch.web.context import Context, with_query
from nightlatch.web.pages import set_up_asked
from nightlatch.web.pages.sign_in import go
from nightlatch.web.rendering import page as render
from nightlatch.web.routes import Route, form, page


def codes_page(context: Context, codes: list[str], *, first: bool, target: str, **more: Any) -> Response:
    """The ten codes, right after they were made, or again because the box was not ticked."""
    person = context.known.person
    values: dict[str, Any] = {
        "codes": codes,
        "account": person.email if person is not None else "",
        "made_at": context.now,
        "origin": context.front.config.base_url,
        "first": first,
        "newcomer": False,
        "replaced": None,
        "method": _what_there_is(context.facts),
        "workspace_name": None,
        "next": target,
    }
    return render(context, "set_up_codes.html", **(values | more))


def _what_there_is(facts: Facts) -> str | None:
    """`passkey` where there is nothing else to lose, `totp` where there is an app, None before the first of either."""
    methods = {each.method for each in facts.authenticators} - {Method.RECOVERY_CODE}
    if Method.TOTP in methods:
        return Method.TOTP.value
    return Method.PASSKEY.value if methods else None


async def codes_file(context: Context) -> Response:
    """The codes of the page as a text file. They come from the page: nobody else has them any more."""
    codes = _posted(context)
    if not codes:
        return go(context, "/settings/user")
    config, person = context.front.config, context.known.person
    lines = [
        f"{context.brand.name if context.brand is not None else config.name}: recovery codes",
        f"Site:    {config.base_url}",
        f"Account: {person.email if person is not None else ''}",
        f"Made on: {to_datetime(context.now):%Y-%m-%d}",
        "",
        "Each code signs you in once, in place of your authenticator app or passkey.",
        "Keep them where you find them without your phone or passkey.",
        "",
        *codes,
        "",
    ]
    name = f"recovery-codes-{_host(config.origin)}-{to_datetime(context.now):%Y-%m-%d}.txt"
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response("\r\n".join(lines), headers=headers, media_type="text/plain; charset=utf-8")


def _host(origin: str) -> str:
    host = urlsplit(origin).hostname or "nightlatch"
    return "".join(letter if letter.isalnum() or letter in ".-" else "-" for letter in host)


def _posted(context: Context) -> list[str]:
    """The codes that a page of ours sent back; whatever has not their exact form is none."""
    lines = context.form.get("codes", "").split()
    codes = [line for line in lines if recovery_code.is_exact(line)]
    return codes if len(codes) == len(lines) <= recovery_code.COUNT else []


async def done_form(context: Context) -> Response:
    """Insists on the box; then on to where the person was going."""
    codes, first = _posted(context), bool(context.form.get("first"))
    if codes and not context.form.get("saved"):
        message = "Tick this once you have put the codes where you find them without your phone or passkey."
        more: dict[str, Any] = {"errors": {"saved": message}}
        more["newcomer"] = first and set_up_asked.by_invitation(context)
        return codes_page(context, codes, first=first, target=context.next_path, **more)
    target = context.next_path or set_up_asked.landing(context.known)
    if not first:
        return go(context, with_query("/settings/user", said="codes-renewed"))
    return go(context, after(context.facts, target, "two-factor-on"))


def after(facts: Facts, target: str, said: str) -> str:
    """Where it goes on: first, after a reset, to what is still bound and no workspace relies on any more."""
    if _unrelied(facts):
        return with_query("/set-up/done", next=target)
    return with_query(target, said=said)


def _unrelied(facts: Facts) -> set[int]:
    """Old devices: voided by a reset, and relied on nowhere else."""
    return {
        each.id
        for each in facts.authenticators
        if each.method is not Method.RECOVERY_CODE
        and each.void
        and not any(relied(each, mate.workspace) for mate in facts.teammates)
    }


async def done_page(context: Context) -> Response:
    target = context.next_path or set_up_asked.landing(context.known)
    old = _unrelied(context.facts)
    if not old:
        return go(context, with_query(target, said="two-factor-on"))
    listed = await context.read(lambda tx: authenticators.own(tx, by=context.by))
    place = next(
        (each for each in (context.known.places or {}).values() if target == f"/w/{each.slug}"),
        None,
    )
    return render(
        context,
        "set_up_done.html",
        workspace_name=place.name if place is not None else None,
        continue_url=context.url(target),
        newcomer=False,
        old_devices=[
            {"id": to_text(each.id), "name": each.name, "bound_at": each.bound_at}
            for each in listed
            if each.id in old
        ],
    )


ROUTES: list[Route] = [
    form("/set-up/codes.txt", kinds.READ_ACCOUNT, codes_file, shown_at="/settings/user"),
    page("/set-up/done", kinds.READ_ACCOUNT, done_page),
    form("/set-up/done", kinds.READ_ACCOUNT, done_form, shown_at="/settings/user"),
]
