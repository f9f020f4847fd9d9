"""Mails that nobody asked for and everybody wants: somebody knows the password, a new browser, who else is told."""

from typing import Unpack

from nightlatch.addresses import masked
from nightlatch.instants import Instant
from nightlatch.mail import words
from nightlatch.mail.layout import Message
from nightlatch.mail.messages.common import (
    SETTINGS,
    Common,
    act,
    good_until,
    letter,
    look,
    not_you,
    own_act,
    product,
    take_new_password,
    who_knows,
)

NOTIFICATIONS = "/settings/user/notifications"


def second_step_missing(*, account: str | None = None, **common: Unpack[Common]) -> Message:
    """To a person: a sign-in had the right first factor, and no second step came within its time."""
    kept = common.get("keeper") is not None
    began = (
        f"Somebody got into your account at {product(common)}" if kept else "Somebody entered your password"
    )
    return letter(
        common,
        "A sign-in to your account stopped at the second step",
        f"{began}, and then showed no second step. Your 2FA has kept them out: nothing was opened.",
        "Was it you, and you left it there? Then there is nothing to do. We write about this once a day at most.",
        facts=own_act(common, account),
        not_you=f"Not you? Then somebody {who_knows(common)}. {take_new_password(common)}. Give nobody a code, "
        "whoever asks for it.",
        button=look(common, "Choose a new password", SETTINGS if kept else "/password-reset"),
    )


def new_browser(
    *,
    not_me_link: str | None = None,
    account: str | None = None,
    expires: Instant | None = None,
    **common: Unpack[Common],
) -> Message:
    """To a person: somebody signed in fully, in a browser that never did before."""
    opening = "Somebody signed in to your account in a browser that we had not seen with it before."
    fine = "Was it you? Then there is nothing to do."
    if not_me_link is None:
        return letter(
            common,
            "Your account was opened in a new browser",
            opening,
            fine,
            facts=own_act(common, account),
            not_you=not_you(common),
            button=look(common, "See where you are signed in", SETTINGS),
        )
    return letter(
        common,
        "Your account was opened in a new browser",
        opening,
        fine,
        facts=own_act(common, account),
        not_you="Not you? Say so with the link below: that ends the sign-in, and what was used beside the password is "
        f"not accepted any more. {take_new_password(common)}. {good_until(expires)}",
        button=act(common, "It was not me", not_me_link, last=True),
    )


def notify_confirm(
    *, link: str, account: str, expires: Instant | None = None, **common: Unpack[Common]
) -> Message:
    """To an address that is to be told what happens to an account. It may be a stranger's: the account is masked."""
    return letter(
        common,
        f"Confirm this address for notices from {product(common)}",
        f"The account {words.unlinked(masked(account))} wants this mailbox to be told, too, what happens to it: "
        "a new password, 2FA set up or turned off, a sign-in in a new browser. Confirm that the mailbox is yours.",
        "Nobody signs in with this address, and no link that changes the account is ever sent to it.",
        button=act(common, "Confirm this address", link),
        notes=(good_until(expires),),
        facts=own_act(common),
        not_you="Not you? Then leave it: without your confirmation nothing more is sent here.",
    )


def notify_added(*, new: str, account: str | None = None, **common: Unpack[Common]) -> Message:
    """To a person: a further address for notices waits for its confirmation."""
    return letter(
        common,
        "Another address is to be told what happens to your account",
        f"{words.address(new)} is to get a copy of the notices about your account, as soon as it is confirmed in "
        "that mailbox. Nobody can sign in with it.",
        facts=own_act(common, account),
        not_you=f"{not_you(common)} Remove the address in your settings.",
        button=look(common, "Look at your notices", NOTIFICATIONS),
    )


def notify_removed(*, old: str, account: str | None = None, **common: Unpack[Common]) -> Message:
    """To every address, the removed one included: it gets no more notices."""
    return letter(
        common,
        "An address no longer gets notices about your account",
        f"{words.address(old)} was removed from the addresses that are told what happens to the account.",
        facts=own_act(common, account),
        not_you=not_you(common),
        button=look(common, "Look at your notices", NOTIFICATIONS),
    )
