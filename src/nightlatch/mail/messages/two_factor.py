"""Mails about a person's 2FA: set up, changed, used up, turned off by an admin."""

from typing import Unpack

from nightlatch.instants import Instant
from nightlatch.mail import words
from nightlatch.mail.layout import Message
from nightlatch.mail.messages.common import (
    Common,
    act,
    device,
    done_by,
    good_until,
    its_proofs,
    kind_of,
    letter,
    not_me_button,
    not_you,
    not_your_2fa,
    own_act,
    person,
    product,
    take_new_password,
    who_knows,
)
from nightlatch.mail.messages.common import workspace as named

LOW = 3
"""Fewer recovery codes than this are low."""
_SUSPENDED = {
    "totp": "Codes from your authenticator app",
    "recovery_code": "Your recovery codes",
}


def ticket(
    *,
    workspace: str | None,
    link: str,
    expires: Instant | None = None,
    passkey: bool = False,
    **common: Unpack[Common],
) -> Message:
    """To a person who asked on a page for their link to set up 2FA, for a workspace or for the account as
    such. `passkey`: only that will do."""
    place = f" for {named(workspace)}" if workspace is not None else ""
    thing = "a passkey" if passkey else "2FA"
    return letter(
        common,
        f"Set up {thing}{place}: one tap to go on",
        f"You asked for this link to set up {thing}{place}. It shows that this mailbox is yours, and leads "
        "you straight on.",
        button=act(common, f"Set up {thing}", link),
        notes=(good_until(expires),),
        facts=own_act(common),
        not_you=f"Not you? Somebody who {who_knows(common)} asked for it. Do not open the link. "
        f"{take_new_password(common)}.",
    )


def reset(
    *,
    workspace: str,
    by: str,
    reason: str,
    link: str,
    number: bool = True,
    expires: Instant | None = None,
    **common: Unpack[Common],
) -> Message:
    """To the person whose 2FA an admin disabled: the way back in. The link alone opens nothing: it takes the password
    and the number, unless an owner did without that."""
    team, admin = named(workspace), person(by)
    asks = (
        f" It asks for a number of 8 digits that {admin} will read to you, by phone or face to face; "
        "it is in no mail."
        if number
        else ""
    )
    return letter(
        common,
        f"2FA was turned off for your account in {team}",
        f"{admin} turned off your 2FA in {team}. What you had open there has ended, and your old codes no "
        "longer count there.",
        f"To get back in, open the link and set up 2FA again.{asks}",
        button=act(common, "Set up 2FA again", link),
        notes=(good_until(expires),),
        facts=done_by(common, by, ("Reason", words.quoted(reason))),
        not_you="You did not ask for this? Do not open the link, and tell another admin or an owner of "
        f"{team} at once.",
    )


def reset_notice(*, workspace: str, by: str, account: str | None = None, **common: Unpack[Common]) -> Message:
    """To the other addresses of that person: what happened, without the link."""
    team = named(workspace)
    more = (("Account", words.address(account)),) if account else ()
    return letter(
        common,
        f"2FA was turned off for your account in {team}",
        f"{person(by)} turned off your 2FA in {team}. A link to set it up again went to your present address.",
        facts=done_by(common, by, *more),
        not_you=f"You did not ask for this? Tell another admin or an owner of {team} at once.",
    )


def authenticator_bound(
    *,
    name: str,
    method: str = "totp",
    account: str | None = None,
    not_me_link: str | None = None,
    **common: Unpack[Common],
) -> Message:
    """An authenticator app, or a passkey, was set up."""
    if method == "passkey":
        after = "From now on it signs you in, or is the second step after your first."
    else:
        after = "From now on a code from it can be asked when you sign in."
    return letter(
        common,
        "2FA was set up for your account",
        f"{kind_of(method)}, {device(name)}, was added to your account. {after}",
        facts=own_act(common, account),
        not_you=not_your_2fa(common),
        button=not_me_button(common, not_me_link),
    )


def authenticator_replaced(
    *,
    name: str,
    method: str = "totp",
    account: str | None = None,
    not_me_link: str | None = None,
    **common: Unpack[Common],
) -> Message:
    """Something new of either kind took the place of something old."""
    return letter(
        common,
        "Your second step was replaced",
        f"{kind_of(method)}, {device(name)}, took the place of what you had. The old one no longer works.",
        facts=own_act(common, account),
        not_you=not_your_2fa(common),
        button=not_me_button(common, not_me_link),
    )


def authenticator_unbound(
    *,
    name: str,
    method: str = "totp",
    account: str | None = None,
    not_me_link: str | None = None,
    **common: Unpack[Common],
) -> Message:
    """An authenticator app, or a passkey, was removed by its owner."""
    kind = kind_of(method)
    return letter(
        common,
        f"{kind} was removed from your account",
        f"{kind}, {device(name)}, was removed from your account. "
        f"{its_proofs(method, 'no longer work', 'no longer works')}.",
        facts=own_act(common, account),
        not_you=not_you(common),
        button=not_me_button(common, not_me_link),
    )


def passkey_count_fell(
    *, name: str, account: str | None = None, not_me_link: str | None = None, **common: Unpack[Common]
) -> Message:
    """A passkey's counter did not rise: it may have been copied. It was accepted all the same."""
    return letter(
        common,
        "A passkey of yours may have been copied",
        f"Your passkey {device(name)} was used, and its counter did not go up as it should. Some devices simply count "
        "wrongly. It can also mean that somebody has a copy of it.",
        "Was it you, just now? Then all is probably well. We tell you of it this once.",
        facts=own_act(common, account),
        not_you=not_you(common),
        button=not_me_button(common, not_me_link),
    )


def recovery_code_used(
    *, left: int, account: str | None = None, not_me_link: str | None = None, **common: Unpack[Common]
) -> Message:
    """A recovery code was spent; `left` are unused."""
    remain = "that was the last one" if left == 0 else f"{left} left"
    have = "You have none left." if left == 0 else f"You have {left} left."
    low = (
        "That is few: make new ones in your settings now. Without any, a lost phone or passkey keeps you out until an "
        "admin helps.",
    )
    return letter(
        common,
        f"A recovery code was used: {remain}" + (", make new ones" if left < LOW else ""),
        f"One of your recovery codes was used for your account, and it does not work again. {have}",
        *(low if left < LOW else ()),
        "Is your phone or passkey gone? Set up the new one in your settings: then you need no further recovery code.",
        facts=own_act(common, account),
        not_you=not_you(common),
        button=not_me_button(common, not_me_link),
    )


def recovery_codes_renewed(
    *, account: str | None = None, not_me_link: str | None = None, **common: Unpack[Common]
) -> Message:
    """A new set of recovery codes took the place of the old one."""
    return letter(
        common,
        "You have new recovery codes",
        "New recovery codes were made for your account. The ones from before no longer work: throw them "
        "away.",
        facts=own_act(common, account),
        not_you=not_your_2fa(common),
        button=not_me_button(common, not_me_link),
    )


def second_factor_suspended(
    *,
    lift_link: str | None = None,
    method: str = "totp",
    expires: Instant | None = None,
    **common: Unpack[Common],
) -> Message:
    """Too many wrong codes in a row, each after the right password: they are not accepted until the person
    lifts it. Without the link in copies to addresses that are only told."""
    what = _SUSPENDED.get(method, "Your codes")
    if lift_link is None:
        return letter(
            common,
            "Too many wrong codes: signing in to your account is paused",
            f"Somebody {_got_in(common)} and then entered many wrong codes in a row. {what} are not accepted "
            "for now. A link to use them again went to the account's own address.",
            facts=own_act(common),
            not_you=f"Not you? Then somebody {who_knows(common)}. Your 2FA has kept them out. "
            f"{take_new_password(common)}.",
        )
    return letter(
        common,
        "Too many wrong codes: signing in to your account is paused",
        f"Somebody {_got_in(common)} and then entered many wrong codes in a row. {what} are not accepted "
        "for now.",
        f"Was it you? Open the link, {_first(common)} one right code, and all is as before.",
        button=act(common, "Use my codes again", lift_link),
        notes=(good_until(expires),),
        facts=own_act(common),
        not_you=f"Not you? Then somebody {who_knows(common)}. Your 2FA has kept them out. "
        f"{take_new_password(common)}. After that, come back to this link.",
    )


def _first(common: Common) -> str:
    """What comes before the one right code."""
    if common.get("keeper") is not None:
        return f"sign in to {product(common)} and enter"
    return "enter your password and"


def _got_in(common: Common) -> str:
    """What came before the wrong codes."""
    if common.get("keeper") is not None:
        return f"got into your account at {product(common)}"
    return "entered your password"
