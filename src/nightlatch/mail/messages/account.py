"""Mails about a person's password and e-mail address."""

from dataclasses import replace
from typing import Unpack

from nightlatch.addresses import masked
from nightlatch.instants import Instant
from nightlatch.mail import words
from nightlatch.mail.layout import Message
from nightlatch.mail.messages.common import (
    SETTINGS,
    SIGN_IN,
    Common,
    act,
    good_until,
    letter,
    look,
    not_you,
    own_act,
    product,
)


def sign_up(*, link: str, expires: Instant | None = None, **common: Unpack[Common]) -> Message:
    """To an address without an account, where somebody asked to sign up with it."""
    return letter(
        common,
        f"Create your account on {product(common)}",
        "You asked to sign up with this address. Go on here: choose a password, and your account is ready.",
        button=act(common, "Create my account", link),
        notes=(good_until(expires),),
        facts=own_act(common),
        not_you="Not you? Then leave it: no account comes to be, and the link runs out.",
    )


def sign_up_known(*, account: str | None = None, **common: Unpack[Common]) -> Message:
    """To a person with an account, where somebody asked to sign up with their address."""
    return letter(
        common,
        f"You already have an account on {product(common)}",
        "Somebody, perhaps you, asked to sign up with this address. It has an account: sign in with it. If "
        "you do not remember the password, choose “Forgot your password?” on that page.",
        button=look(common, "Go to the sign-in page", SIGN_IN),
        facts=own_act(common, account),
        not_you="Not you? Then leave it: nothing has changed.",
    )


def password_reset(*, link: str, expires: Instant | None = None, **common: Unpack[Common]) -> Message:
    """To a person who says they forgot their password."""
    return letter(
        common,
        f"Choose a new password for {product(common)}",
        "You asked for a new password. Choose it here; afterwards you sign in with it as usual, 2FA "
        "included.",
        button=act(common, "Choose a new password", link),
        notes=(good_until(expires),),
        facts=own_act(common),
        not_you="Not you? Then leave it: your password stays as it is, and the link runs out.",
    )


def password_changed(*, account: str | None = None, **common: Unpack[Common]) -> Message:
    """The password was changed in the settings."""
    return letter(
        common,
        "Your password was changed",
        "The password of your account was changed in its settings, and every other session has ended.",
        facts=own_act(common, account),
        not_you=not_you(common),
        button=look(common, "Go to the sign-in page", SIGN_IN),
    )


def password_reset_done(*, account: str | None = None, **common: Unpack[Common]) -> Message:
    """The password was changed with a mailed link."""
    return letter(
        common,
        "You have a new password",
        "A new password was chosen for your account with the link we mailed, and every session has ended. "
        "Your 2FA is as it was.",
        facts=own_act(common, account),
        not_you="Not you? Then somebody reads your mail. Change the password of your mailbox first; then "
        "choose “Forgot your password?” on the sign-in page, and tell an admin of your workspace.",
        button=look(common, "Go to the sign-in page", SIGN_IN),
    )


def email_confirm(
    *, link: str, old: str, new: str, expires: Instant | None = None, **common: Unpack[Common]
) -> Message:
    """To a new address. It may be a stranger's, mistyped: the old one is shown masked."""
    return letter(
        common,
        f"Confirm your new e-mail address for {product(common)}",
        f"The account {words.unlinked(masked(old))} is to use {words.address(new)} from now on. Confirm that "
        "this mailbox is yours.",
        button=act(common, "Confirm this address", link),
        notes=(good_until(expires),),
        facts=own_act(common),
        not_you="Not you? Then leave it: without your confirmation nothing changes.",
    )


def email_changing(*, new: str, **common: Unpack[Common]) -> Message:
    """To a person's addresses, when a change of the present one was asked for."""
    return letter(
        common,
        "Your e-mail address is about to change",
        f"Your account is to use {words.address(new)} in place of its present address, as soon as the new one "
        "is confirmed. The present one then gets a mail with a link to undo it.",
        facts=own_act(common),
        not_you="Not you? Choose “Forgot your password?” on the sign-in page now: a new password stops "
        "the change and ends every session. Then tell an admin of your workspace.",
        button=look(common, "Look at your account", SETTINGS),
    )


def email_changed(
    *, new: str, undo_link: str | None = None, expires: Instant | None = None, **common: Unpack[Common]
) -> Message:
    """To the old address, when it has been replaced; without the link to undo it in copies."""
    said = (
        f"Your account now uses {words.address(new)}, and you sign in with that. Was it you? Then there is nothing to "
        "do."
    )
    if undo_link is None:
        return letter(
            common,
            "Your e-mail address was changed",
            said,
            facts=own_act(common),
            not_you="Not you? The former address got a link to undo it: open that within 7 days, take a new password, "
            "and tell an admin of your workspace.",
            button=look(common, "Go to the sign-in page", SIGN_IN),
        )
    return letter(
        common,
        "Your e-mail address was changed",
        said,
        facts=own_act(common),
        not_you="Not you? Undo it with the link below, take a new password, and tell an admin of your "
        f"workspace. {good_until(expires)}",
        button=replace(act(common, "Undo the change", undo_link), last=True),
    )


def email_undone(*, account: str | None = None, **common: Unpack[Common]) -> Message:
    """The change of the address was undone with the link in the old mailbox."""
    return letter(
        common,
        "The change of your e-mail address was undone",
        "Your account uses its former e-mail address again, and you sign in with that.",
        facts=own_act(common, account),
        not_you="Did you not expect this? Then two people are reaching for this account: take a new "
        "password, and tell an admin of your workspace.",
        button=look(common, "Go to the sign-in page", SIGN_IN),
    )


def sign_in_unblock(*, link: str, expires: Instant | None = None, **common: Unpack[Common]) -> Message:
    """To a person whose browser may not try passwords any more after too many wrong ones, and who asked for
    a way on."""
    return letter(
        common,
        "Your link to try signing in again",
        "Many wrong passwords were tried for your account, so new browsers have to show first that they "
        "are yours. You asked for this link. Open it in the browser you want to sign in with; your "
        "password and 2FA are asked as always.",
        button=act(common, "Let this browser try again", link),
        notes=(good_until(expires),),
        facts=own_act(common),
        not_you="Not you? Do not open the link. If your password is short or used elsewhere, take a new one.",
    )
