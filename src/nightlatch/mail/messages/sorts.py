"""What sort of mail each kind is: that decides who gets copies, and what is counted against a flood.

Whoever adds a kind says its sort here; a test keeps the table complete.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Sort(StrEnum):
    """Why a mail is sent."""

    SECURITY = "security"
    """Something happened to the reader's account, or to the rules of a workspace of theirs, that they must know. Never
    held back; a person's further addresses get a copy without any link that changes something."""
    ASKED = "asked"
    """Somebody at a page of ours asked for it to this address just now. Each kind has a limit of its own."""
    UNASKED = "unasked"
    """Somebody else's decision sends it: invitations, notices, reminders, summaries. At most five a day to an address,
    all workspaces together."""


_SECURITY = """
    authenticator_bound authenticator_replaced authenticator_unbound recovery_code_used recovery_codes_renewed
    passkey_count_fell
    second_factor_suspended second_step_missing new_browser notify_added notify_removed
    password_changed password_reset_done email_changing email_changed email_undone person_email_changed
    reset reset_notice break_glass mandate_ownerless token_made
    exception_given exception_over service_account_suspended
    sso_connected sso_disconnected connection_changed domain_missing sso_bypassed
    reset_waiting reset_waiting_owner reset_done reset_ended
    help_requested help_contested help_asked contested
    authenticator_lost authenticator_found authenticator_accepted
    help_requested help_contested help_asked contested
    authenticator_lost authenticator_found authenticator_accepted
"""
_ASKED = """
    sign_up sign_up_known password_reset email_confirm notify_confirm sign_in_unblock ticket mandate_link
"""
_UNASKED = """
    invitation mandate_enrol mandate_ready mandate_off mandate_notice mandate_reminder mandate_summary
    strength_notice strength_ready
    teammate_removed role_changed
    exception_asked exception_granted exception_refused exception_ended service_account_sponsor
"""

MAILS: Mapping[str, Sort] = MappingProxyType(
    {
        kind: sort
        for sort, kinds in ((Sort.SECURITY, _SECURITY), (Sort.ASKED, _ASKED), (Sort.UNASKED, _UNASKED))
        for kind in kinds.split()
    }
)
"""Every kind of mail by its sort."""

TO_OUTSIDERS = frozenset(("invitation", "sign_up", "sign_up_known", "email_confirm", "notify_confirm"))
"""Kinds whose reader may have nothing to do with whoever had them sent: no name that anybody typed stands in their
subject."""


def sort_of(kind: str) -> Sort:
    """The sort of a kind; one that nobody declared is counted."""
    return MAILS.get(kind, Sort.UNASKED)
