"""docs/limits.md against the constants in the code."""

import pytest

from nightlatch import addresses, assurance, budget, facts, invite_sheet, names, pictures, products, server
from nightlatch.actions import (
    alerts,
    api_tokens,
    app_flows,
    apps,
    binding,
    connection_rule,
    connections,
    domains,
    email_mails,
    emails,
    exceptions_rules,
    invitations,
    mailing,
    mandate_grace,
    mandate_memory,
    notify_addresses,
    passwords,
    reminders,
    reset_rules,
    resets,
    second_step,
    service_accounts,
    sign_in,
    sign_up,
    snoozing,
    ticket_renewal,
    tickets,
    workspaces,
)
from nightlatch.actions import help as asking
from nightlatch.authenticators import password
from nightlatch.budget import Allowance
from nightlatch.instants import DAY, HOUR, MINUTE, SECOND, Duration
from nightlatch.mail import drain
from nightlatch.sso import discovery, fetching
from nightlatch.store import apps as stored_apps
from nightlatch.store import domains as stored_domains
from nightlatch.store import (
    enrolments,
    forms,
    grants,
    housekeeping,
    passkeys,
    session_facts,
    sessions,
    sso_flows,
    teammates,
)
from nightlatch.store import invitations as stored_invitations
from nightlatch.store import tickets as stored_tickets
from nightlatch.web import routes
from nightlatch.web.api import app_models
from nightlatch.web.api import reading as lists
from nightlatch.web.pages import reminding
from tests.docs import reading


def lasting(duration: Duration) -> str:
    """A duration in words; one day is 24 hours."""
    for unit, word in ((DAY, "day"), (HOUR, "hour"), (MINUTE, "minute"), (SECOND, "second")):
        if duration % unit == 0 and duration // unit > (1 if unit == DAY else 0):
            count = duration // unit
            return f"{count} {word}" if count == 1 else f"{count} {word}s"
    raise AssertionError(duration)


def kib(octets: int) -> str:
    return f"{octets // 1024} KiB"


LINKS = stored_tickets.LINK_LIVES
FIGURES = {
    "Wrong numbers after a reset, until its link is dead": str(tickets.WRONG_NUMBERS),
    'Resets ("Disable 2FA") by one admin in one workspace, an hour': str(resets.RESETS_AN_HOUR),
    "Links to set up 2FA to one person, an hour": str(tickets._MAILS_AN_HOUR),
    "Password-reset mails to one person, an hour": str(passwords.RESETS_AN_HOUR),
    "Links to try a password again, to one person, an hour": str(sign_in._UNBLOCK_MAILS_AN_HOUR),
    "Links to lift a suspension, to one person, an hour": str(second_step._LIFT_MAILS_AN_HOUR),
    "Calls for help by one person in one workspace, one in": lasting(asking.ASK_EVERY),
    "Owners and admins told of one call for help, at most": str(asking.MOST_TOLD),
    "Changes of e-mail that one person may ask for, an hour": str(emails.CHANGES_AN_HOUR),
    "Confirm mails to one new address, an hour": str(email_mails._CONFIRM_MAILS_AN_HOUR),
    "Invitation mails to one address, 24 hours, all workspaces together": str(
        invitations.MAILS_TO_AN_ADDRESS_A_DAY
    ),
    "Invitation mails of one workspace, 24 hours": str(invitations.MAILS_OF_A_WORKSPACE_A_DAY),
    "Mails that an address did not ask for, 24 hours, all workspaces together; security notices apart": str(
        mailing.UNASKED_A_DAY
    ),
    "Such a mail is put off, at most, by": lasting(mailing.PUT_OFF_AT_MOST),
    '"Somebody has your password", to one person, once in': lasting(alerts.HALF_DONE_EVERY),
    "Addresses for notices, of an account": str(notify_addresses.MOST),
    "Addresses for notices that one account may add, 24 hours": str(notify_addresses.ASKED_A_DAY),
    "Confirm mails to one address for notices, 24 hours": str(notify_addresses.CONFIRM_MAILS_A_DAY),
    "Link to confirm an address for notices": lasting(LINKS["notify_confirm"]),
    '"Never again" of an invitation': lasting(LINKS["never_again"]),
    "The same invitation again": lasting(invitations.RESEND_INTERVAL),
    "Addresses invited at a time": str(invitations.MOST_AT_A_TIME),
    "Lines of a CSV file of invitations": str(invite_sheet.MOST_ROWS),
    "The same reminder to one person, once in": lasting(teammates.REMIND_EVERY),
    "Teammates reminded by name at a time": str(reminders.MOST),
    "Teammates reminded by a filter at a time": f"{reminding.MOST_MATCHING:,}",
    "Fresh links of a mandate by a late mail's page, to one address in an hour": str(
        ticket_renewal.MAILS_AN_HOUR
    ),
    "A mandate's link that ran out still mails a fresh one for": lasting(
        stored_tickets.MANDATE_TICKETS_KEPT + housekeeping.LINKS_KEPT
    ),
    "An exception, from the moment it is asked for, at most": lasting(exceptions_rules.LONGEST),
    "Exceptions of a person in a row": str(exceptions_rules.IN_A_ROW),
    "Without any, until the next row may begin": lasting(exceptions_rules.GAP),
    "Sign-up mails to one address, 24 hours": str(sign_up.MAILS_TO_AN_ADDRESS_A_DAY),
    "Workspaces made by one account, 24 hours": str(workspaces.MADE_A_DAY),
    "Authenticators of an account": str(binding.MOST_AUTHENTICATORS),
    "The record of a proved domain is looked for again, once in": lasting(stored_domains.CHECK_EVERY),
    "A domain whose record is missing counts no longer after": lasting(domains.LAPSES_AFTER),
    "Domains that a workspace claims": str(domains.MOST_IN_A_WORKSPACE),
    "Service accounts of a workspace": str(service_accounts.MOST_IN_A_WORKSPACE),
    "Connections of a workspace to identity providers": str(connections.MOST_IN_A_WORKSPACE),
    "Values of `acr` or `amr` that a connection's rule lists": str(connection_rule.MOST_VALUES),
    "An exemption of a connection, at most": lasting(connection_rule.LONGEST_EXEMPTION),
    "Waiting for one answer of an identity provider": f"{fetching.SECONDS:.0f} seconds",
    "One answer of an identity provider": kib(fetching.MOST_OCTETS),
    "What is known of an identity provider is kept for": lasting(discovery.KEPT_FOR),
    "The way to an identity provider and back": lasting(sso_flows.FLOW_LIFE),
    "API tokens of a person, or of a service account, at a time": str(api_tokens.MOST_TOKENS),
    "An API token, unless said otherwise": lasting(api_tokens.DEFAULT_LIFE),
    "An API token, at most": lasting(api_tokens.LONGEST_LIFE),
    "Products of a workspace": str(apps.MOST_IN_A_WORKSPACE),
    "Secrets of a product, valid at a time": str(stored_apps.SECRETS_AT_A_TIME),
    "Origins of a product": str(products.MOST_ORIGINS),
    "People in a full list of a product": str(app_models.MOST_PEOPLE),
    "Where a product sends its people (start link)": lasting(app_flows.START_LIFE),
    "The one-time code that leads back to it": f"{grants.CODE_LIFE // SECOND} seconds",
    "Absolute limit": lasting(session_facts.ABSOLUTE_LIMIT),
    "Idle limit": lasting(session_facts.IDLE_LIMIT),
    "Waiting for the second step": lasting(session_facts.PENDING_LIMIT),
    "Fresh proof": lasting(assurance.MAX_AGE),
    "Fresh proof, while acts of one kind follow each other": lasting(assurance.SLIDING_AGE),
    "A browser is known for": lasting(sessions.BROWSER_LIFE),
    "A browser is remembered, where a workspace lets that be, at most": lasting(
        mandate_memory.MOST_DAYS * DAY
    ),
    "Invitation": lasting(stored_invitations.INVITATION_LIFE),
    "Link to set up 2FA (ticket)": lasting(stored_tickets.TICKET_LIFE),
    "A used ticket, a fresh invitation or sign-up lets its session bind for": lasting(
        facts.MAILBOX_PROOF_LIFE
    ),
    "Pending set-up": lasting(enrolments.ENROLMENT_LIFE),
    "What a browser is asked about a passkey, answered within": lasting(passkeys.CHALLENGE_LIFE),
    "Link to choose a new password": lasting(LINKS["password_reset"]),
    "Link to confirm a new address": lasting(LINKS["email_confirm"]),
    "Link to undo a change of address": lasting(LINKS["email_undo"]),
    "Link to try a password again": lasting(LINKS["unblock"]),
    "Link to lift a suspension": lasting(LINKS["lift"]),
    "Link to stop a reset, at most": lasting(LINKS["reset_stop"]),
    '"This was not me" in a mail': lasting(LINKS["not_me"]),
    "Link to sign up": lasting(LINKS["sign_up"]),
    "A form that was caught on the way": lasting(forms.KEPT_FOR),
    "What a recovery code opened, or bound, changes nothing weighty for": lasting(binding.LIMITED_FOR),
    "An admin's reset waits": lasting(reset_rules.DELAYS[2]),
    "An owner's reset waits": lasting(reset_rules.DELAYS[3]),
    "After a right code stopped one, the next needs a second owner for": lasting(reset_rules.HELD_AFTER),
    "A reset that needs a second owner waits for one": lasting(reset_rules.HELD_FOR),
    "Somebody is a second owner after having been one for": lasting(reset_rules.SECOND_OWNER_AFTER),
    "The mailed page stops a reset of one person once in": lasting(reset_rules.MAIL_STOPS_EVERY),
    "A role that was held still ranks for": lasting(teammates.RANK_MEMORY),
    '"Remind me tomorrow" puts the banner away for': lasting(snoozing.SNOOZE),
    "Before a mandate begins, the banner stays for the last": lasting(snoozing.LAST_DAY),
    "A mandate, or passkeys alone, once turned off can only be required again at once, for": lasting(
        mandate_grace.GRACE_AGAIN_AFTER
    ),
    "A mail that cannot be delivered is tried for": lasting(drain.TRIED_FOR),
    "Ended sessions are kept for": lasting(housekeeping.SESSIONS_KEPT),
    "Links that ran out, and delivered mails (without contents), are kept for": lasting(
        housekeeping.LINKS_KEPT
    ),
    "Password, at least": f"{password.SHORTEST} characters",
    "Password, at most": f"{password.LONGEST} characters",
    "Name": f"{names.MAX_NAME} characters",
    "Address of a workspace (slug), at most": f"{names.MAX_SLUG} characters",
    "E-mail address": f"{addresses.MAX_LENGTH} characters",
    "Body of a request": kib(routes.BODY_LIMIT),
    "Body of an invitation, or of a change of a product": kib(routes.LARGE_BODY_LIMIT),
    "Logo of a product": kib(pictures.LARGEST_LOGO),
    "Head of a request": kib(server.LARGEST_HEAD),
    "Rows of a list, at most": str(lists.MOST),
}
ALLOWANCES = {
    "password, unknown browser": budget.PASSWORD_UNKNOWN_BROWSER,
    "password, known browser": budget.PASSWORD_KNOWN_BROWSER,
    "second step": budget.SECOND_STEP,
    "network": budget.SOURCE,
    "single sign-on": budget.WAYS,
    "sign-up": budget.SIGN_UP,
}
TOLD = {cells[0]: cells for cells in reading.rows(reading.text_of("limits.md"))}


def test_every_row_is_compared():
    assert TOLD.keys() == FIGURES.keys() | ALLOWANCES.keys()


@pytest.mark.parametrize("what", FIGURES)
def test_a_figure(what):
    assert TOLD[what][1] == FIGURES[what]


@pytest.mark.parametrize("what", ALLOWANCES)
def test_an_allowance(what):
    allowance: Allowance = ALLOWANCES[what]
    _, _, free, waits, ends = TOLD[what]
    assert free == str(allowance.free)
    assert waits == f"{lasting(allowance.first)}, doubling to {lasting(allowance.longest)}"
    assert ends.startswith(f"{allowance.last} in a row" if allowance.last is not None else "never")


def test_every_kind_of_link_is_told():
    assert LINKS.keys() == {
        *("password_reset", "email_confirm", "email_undo", "unblock", "lift", "sign_up"),
        *("not_me", "reset_stop", "notify_confirm", "never_again"),
    }


def test_mails_are_kept_as_long_as_links():
    assert housekeeping.MAILS_KEPT == housekeeping.LINKS_KEPT
