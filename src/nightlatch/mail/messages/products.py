"""Mails about what a product changed of its own people."""

from typing import Unpack

from nightlatch.mail import words
from nightlatch.mail.layout import Message
from nightlatch.mail.messages.common import Common, done_by, letter, own_act
from nightlatch.mail.messages.common import workspace as named


def person_email_changed(
    *, app: str, new: str, account: str | None = None, **common: Unpack[Common]
) -> Message:
    """To every address of a product's person, the former ones included: the product says that there is a new one."""
    keeper = words.name(app, "the product")
    return letter(
        common,
        f"{keeper} changed your e-mail address",
        f"{keeper} says that your address is {words.address(new)} now. For 7 days, links for setting up 2FA still go "
        "to the former one.",
        facts=own_act(common, account),
        not_you=f"Not you? Somebody may be using your account at {keeper}. Change your password there at once, and "
        "tell an admin of your workspace.",
    )


def mandate_ownerless(*, workspace: str, app: str, **common: Unpack[Common]) -> Message:
    """To whoever manages a workspace: a product took away the last owner who has 2FA. The mandate stays."""
    team, keeper = named(workspace), words.name(app, "the product")
    return letter(
        common,
        f"No owner of {team} has 2FA any more",
        f"{team} asks everybody for 2FA, and that stays so. But since {keeper} changed who is in it, no owner is left "
        "who has set 2FA up. An owner should do so today; until then nobody can switch it off, and only the operator "
        "can help an owner who is locked out.",
        facts=done_by(common, keeper),
    )
