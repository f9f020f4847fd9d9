"""Mails about single sign-on: an account connected, a connection changed, the emergency door used."""

from typing import Unpack

from nightlatch.instants import Instant
from nightlatch.mail import words
from nightlatch.mail.layout import Message
from nightlatch.mail.messages.common import (
    SETTINGS,
    Common,
    act,
    device,
    done_by,
    good_until,
    letter,
    look,
    not_you,
    own_act,
    person,
    take_new_password,
)
from nightlatch.mail.messages.common import workspace as named


def sso_connected(
    *,
    workspace: str,
    name: str,
    account: str | None = None,
    not_me_link: str | None = None,
    expires: Instant | None = None,
    **common: Unpack[Common],
) -> Message:
    """To a person, at every address: their account can be signed in to by a workspace's single sign-on now."""
    team = named(workspace)
    opening = (
        f"Your account is connected with {device(name)}, the single sign-on of {team}. Who signs in there as you "
        f"comes into {team} here, and nowhere else."
    )
    if not_me_link is None:
        return letter(
            common,
            f"Your account is connected with the single sign-on of {team}",
            opening,
            facts=own_act(common, account),
            not_you=not_you(common),
            button=look(common, "See what your account is connected with", SETTINGS),
        )
    return letter(
        common,
        f"Your account is connected with the single sign-on of {team}",
        opening,
        facts=own_act(common, account),
        not_you="Not you? Say so with the link below: that ends your sessions. "
        f"{take_new_password(common)}, and disconnect it in your settings. {good_until(expires)}",
        button=act(common, "It was not me", not_me_link, last=True),
    )


def sso_disconnected(
    *, workspace: str, name: str, account: str | None = None, **common: Unpack[Common]
) -> Message:
    """To a person, at every address: that is no way into their account any more."""
    team = named(workspace)
    return letter(
        common,
        f"Your account is no longer connected with the single sign-on of {team}",
        f"Your account was disconnected from {device(name)}, the single sign-on of {team}. Nobody comes into your "
        "account by it any more.",
        facts=own_act(common, account),
        not_you=not_you(common),
        button=look(common, "See your account", SETTINGS),
    )


def connection_changed(*, workspace: str, by: str, what: str, link: str, **common: Unpack[Common]) -> Message:
    """To every owner: somebody changed who vouches for people, or for what that counts."""
    team = named(workspace)
    return letter(
        common,
        f"Single sign-on of {team} was changed",
        f"{person(by)} has changed how people sign in to {team}. Every owner gets this mail.",
        button=act(common, "Look at single sign-on", link),
        facts=done_by(common, by, ("What", words.name(what, "", most=300))),
        not_you="Nobody told you about this? Ask them at once: whoever runs the provider can say who somebody is.",
    )


def domain_missing(
    *, workspace: str, domain: str, until: Instant, lapsed: bool, link: str, **common: Unpack[Common]
) -> Message:
    """To every owner: the record that proves a domain is gone; for a week, and it counts no longer."""
    team, named_domain = named(workspace), words.name(domain, "", most=253)
    if lapsed:
        return letter(
            common,
            f"A domain of {team} is not proved any more",
            f"The DNS record that shows that {named_domain} belongs to {team} has been missing for a week. Until it is "
            "found again, single sign-on is not offered to addresses there, and nobody new joins by them. Whoever is a "
            "teammate stays one.",
            facts=own_act(common),
            button=act(common, "See the record", link),
        )
    return letter(
        common,
        f"The DNS record of a domain of {team} is missing",
        f"We look once a day for the record that shows that {named_domain} belongs to {team}, and it is not there any "
        f"more. Put it back by {words.day(until)}, or the domain counts as yours no longer: single sign-on is then not "
        "offered to addresses there. If you have given the domain up, remove it.",
        facts=own_act(common),
        button=act(common, "See the record", link),
    )


def sso_bypassed(*, workspace: str, name: str, link: str, **common: Unpack[Common]) -> Message:
    """To every owner: one of them came in by the emergency door."""
    team = named(workspace)
    return letter(
        common,
        f"An owner of {team} signed in without single sign-on",
        f"{person(name)} came into {team} with two factors of their own, though it requires single sign-on. Owners "
        "can, so that somebody gets in when the provider is down. Every owner gets this mail.",
        button=act(common, "See the audit log", link),
        facts=own_act(common),
        not_you="Was it none of you? Then change that owner's password at once.",
    )
