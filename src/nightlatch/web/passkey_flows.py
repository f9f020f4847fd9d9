"""What pages and API do alike with passkeys: whom they are made for, reading an answer, judging it.

The library is loaded in the pool before the transaction that needs it.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from nightlatch.actions import passkey_asking, passkey_enrolment, passkeys
from nightlatch.actions.binding import Confirmed
from nightlatch.actions.passkey_asking import Asked, Purpose
from nightlatch.actions.passkey_enrolment import NotMade
from nightlatch.actions.proving import Proved, Wait, Wrong
from nightlatch.actions.tokens import new_token
from nightlatch.addresses import Address
from nightlatch.authenticators import passkey, passkey_answers
from nightlatch.authenticators.passkey_asking import Malformed, Site
from nightlatch.refusals import Code, Refused, WayOut, invalid
from nightlatch.store import passkeys as stored
from nightlatch.store.engine import Transaction
from nightlatch.web import flows
from nightlatch.web.context import Context

T = TypeVar("T")


def site_of(context: Context) -> Site:
    """Whom passkeys are made for here. Raises Refused where the origin is a bare address: there are none for those."""
    config = context.front.config
    if config.passkey_host is None:
        raise Refused(
            Code.CONFLICT,
            "Passkeys need a host name, and this is reached by a bare address.",
            WayOut("Use a code from an authenticator app.", "/set-up"),
        )
    return Site(config.passkey_host, config.origin, config.name)


async def ask_sign_in(context: Context, address: Address | None) -> Asked:
    """Options for a whole sign-in."""
    by, site = context.by, site_of(context)
    return await context.write(lambda tx: passkey_asking.ask_sign_in(tx, by=by, site=site, address=address))


async def ask_in_session(context: Context, purpose: Purpose) -> Asked:
    """Options for the second step, or to step up."""
    by, site = context.by, site_of(context)
    return await context.write(
        lambda tx: passkey_asking.ask_in_session(tx, by=by, site=site, purpose=purpose)
    )


async def sign_in(context: Context, credential: Mapping[str, Any]) -> Proved | Wrong | Wait:
    """A whole sign-in. A session that the browser had is over."""
    by, site, token, kind = context.by, site_of(context), new_token(), context.session_kind
    answer = await _read(context, passkey_answers.read_shown, credential)

    def body(tx: Transaction) -> Proved | Wrong | Wait:
        result = passkeys.sign_in(tx, by=by, site=site, answer=answer, kind=kind, token=token)
        return flows.end_former(tx, context, result)

    return await context.write(body)


async def is_second_step(context: Context, credential: Mapping[str, Any]) -> bool:
    """Whether an answer is for a challenge that this very session was given as its second step."""
    session = context.known.session
    answer = await _read(context, passkey_answers.read_shown, credential)
    if session is None:
        return False
    challenge, id = passkey_answers.challenge_of(answer), session.id
    row = await context.read(
        lambda tx: stored.look(tx, challenge, purpose=Purpose.SECOND_STEP, session_id=id, browser=None)
    )
    return row is not None


async def show(
    context: Context, credential: Mapping[str, Any], purpose: Purpose, *, remembers: bool = False
) -> Proved | Wrong:
    """The second step, or a step-up. `remembers`: and not again in this browser."""
    by, site, token = context.by, site_of(context), new_token()
    answer = await _read(context, passkey_answers.read_shown, credential)
    return await context.write(
        lambda tx: passkeys.show(
            tx, by=by, site=site, answer=answer, purpose=purpose, token=token, remembers=remembers
        )
    )


async def bind(context: Context, credential: Mapping[str, Any]) -> tuple[Confirmed | NotMade, list[str]]:
    """Bind a new one; with it come ten recovery codes where there are none yet, shown this once."""
    by, site, token = context.by, site_of(context), new_token()
    answer = await _read(context, passkey_answers.read_made, credential)
    wanted = await context.read(lambda tx: passkey_enrolment.takes_codes(tx, by=by, answer=answer))
    fresh, hashed = await flows.new_codes(context) if wanted else ([], [])
    result = await context.write(
        lambda tx: passkey_enrolment.bind(tx, by=by, site=site, answer=answer, codes=hashed, token=token)
    )
    kept = isinstance(result, Confirmed) and result.codes_kept
    return result, [each.text for each in fresh] if kept else []


def from_form(context: Context) -> Mapping[str, Any]:
    """What our script put into the form. Raises Refused (422)."""
    try:
        found = json.loads(context.form.get("credential", ""))
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise _unread()
    return found


async def _read(context: Context, read: Callable[[Mapping[str, Any]], T], credential: Mapping[str, Any]) -> T:
    """The answer, with the library at hand. Raises Refused (422) for what is none."""
    try:
        answer = read(credential)
        if isinstance(answer, passkey_answers.Made | passkey_answers.Shown):
            passkey_answers.challenge_of(answer)
    except Malformed:
        raise _unread() from None
    await context.pool(passkey.load)
    return answer


def _unread() -> Refused:
    return invalid("credential", "This is no answer of a browser about a passkey.")
