"""Mails about API tokens and service accounts."""

from typing import Unpack

from nightlatch.instants import Instant
from nightlatch.mail import words
from nightlatch.mail.layout import Message
from nightlatch.mail.messages.common import (
    Common,
    act,
    device,
    done_by,
    letter,
    look,
    not_you,
    own_act,
    person,
    product,
)
from nightlatch.mail.messages.common import workspace as named


def token_made(*, name: str, expires: Instant, **common: Unpack[Common]) -> Message:
    """To a person, at every address: somebody made an API token with their account."""
    return letter(
        common,
        f"A new API token was made with your {product(common)} account",
        f"An API token was made with your account: {device(name)}. Until {words.day(expires)} a program that has it "
        "can read what it names, without your password and your 2FA. It cannot change anything.",
        button=look(common, "See your API tokens", "/settings/user/tokens"),
        facts=own_act(common),
        not_you=f"{not_you(common)} The new password ends every API token, too.",
    )


def service_account_suspended(
    *,
    workspace: str,
    name: str,
    sponsor: str,
    link: str,
    **common: Unpack[Common],
) -> Message:
    """To the owners and admins: nobody answers for a service account any more."""
    team = named(workspace)
    return letter(
        common,
        f"A service account of {team} is suspended: it needs a new sponsor",
        f"{person(sponsor)} answered for the service account {device(name)}, and is no teammate of {team} any more. "
        "Until somebody else is named, its API tokens are refused: what works with them stands still.",
        button=act(common, "Name another sponsor", link),
        facts=done_by(common, None),
    )


def service_account_sponsor(*, workspace: str, name: str, by: str, **common: Unpack[Common]) -> Message:
    """To the teammate who was named as the one who answers for a service account."""
    team = named(workspace)
    return letter(
        common,
        f"You now answer for a service account of {team}",
        f"{person(by)} named you as the sponsor of {device(name)}, a service account of {team}: a program reads there "
        "with API tokens of its own. Should you leave, it is suspended until somebody else is named.",
        notes=("You need not do anything. Tell an admin if somebody else should answer for it.",),
        facts=done_by(common, by),
    )
