"""What an audit event says to a person: one whole sentence for each, and its details in words.

Every event of the vocabulary has its entry here (tests/web/test_sentences.py). The names are those of the moment.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nightlatch import instants
from nightlatch.store.query import Row
from nightlatch.vocabulary import Event
from nightlatch.web.rendering import spoken


@dataclass(frozen=True, slots=True)
class Told:
    """One event, as far as sentences need it."""

    event: str
    actor_kind: str
    actor_name: str
    subject_name: str
    itself: bool
    """The actor is the subject."""
    detail: Mapping[str, Any]


def told(row: Row, detail: Mapping[str, Any]) -> Told:
    """An event's row and its opened detail."""
    itself = (
        row.actor_kind == row.subject_kind and row.actor_id is not None and row.actor_id == row.subject_id
    )
    return Told(row.event, row.actor_kind, row.actor_name, row.subject_name, itself, detail)


_ROLES = {"owner": "an owner", "admin": "an admin", "member": "a member"}
_METHODS = {
    "password": "password",
    "totp": "authenticator app",
    "passkey": "passkey",
    "recovery_code": "recovery code",
    "provider": "single sign-on",
    "ticket": "mailed link",
    "invitation": "invitation",
}
_RECOGNISED = {
    "in_person": "Met in person",
    "video": "Seen in a video call",
    "phone": "Called on a number that was known",
    "chat": "In a chat, by something that only they know",
    "other": "Another way, as the reason says",
}
_MANAGERS = {"admins": "owners and admins", "owners": "only owners"}
_WHY = {
    "refused": "somebody refused it",
    "withdrawn": "it was taken back",
    "ended": "somebody ended it",
    "replaced": "a longer one took its place",
    "set_up": "2FA is set up",
    "role": "another role",
    "gone": "no longer a teammate",
    "mandate_off": "2FA is no longer required",
    # why nobody came in by single sign-on
    "not_known": "that sign-in was not begun here",
    "other_browser": "it was begun in another browser",
    "used": "the answer was used before",
    "expired": "it took too long",
    "provider": "the provider's answer was not good",
    "cancelled": "they cancelled it there",
    "other_session": "it was for another session",
    "other_person": "it was somebody else than who is signed in",
    "not_fresh": "it was not a fresh sign-in",
    "not_connected": "the account is not connected",
    "has_account": "an account with that address is there and not connected",
    "no_email": "the provider told no address",
    "not_verified": "the provider has not verified the address",
    "no_joining": "the connection takes no strangers",
    "other_domain": "the address is of no domain of the workspace",
    "removed": "they were removed and are not invited again",
    "taken": "it is connected with another account",
    "connected_otherwise": "the account is connected with somebody else there",
}
_ENOUGH = {"yes": "single sign-on is enough", "no": "single sign-on is not enough any more"}
_RULES = {
    "ask": "ask for a second step here",
    "accept": "accept the provider's own second step",
    "exempt": "do without a second step for a time",
}
_PURPOSES = {"self_service": "asked for", "mandate": "2FA became required", "reset": "2FA was disabled"}

_EVENTS: dict[Event, tuple[str, str]] = {
    Event.ACCOUNT_CREATED: ("Account made", "{whom} made an account."),
    Event.ACCOUNT_RENAMED: ("Name changed", "{former_name} is called {whom} now."),
    Event.ACCOUNT_UNLOCKED: ("Account unlocked", "{who} gave {whom} new tries to sign in."),
    Event.APP_ADDED: ("Product registered", "{who} registered the product {whom}."),
    Event.APP_CHANGED: ("Product changed", "{who} changed the product {whom}."),
    Event.APP_REMOVED: ("Product removed", "{who} removed the product {whom}."),
    Event.APP_SECRET_ENDED: ("Product's secret ended", "{who} ended a secret of {whom}."),
    Event.APP_SECRET_MADE: ("Product's secret made", "{who} made a secret for {whom}."),
    Event.AUTHENTICATOR_ACCEPTED: (
        "Authenticator accepted",
        "{who} let the workspace rely on {a_method} of {whom}.",
    ),
    Event.AUTHENTICATOR_BOUND: ("2FA set up", "{who} set up {a_method}."),
    Event.AUTHENTICATOR_CONTESTED: (
        "Contested",
        "The {method} of {whom} is suspended: by a mailed link they said that it was not them.",
    ),
    Event.AUTHENTICATOR_COUNT_FELL: (
        "Passkey may be copied",
        "A {method} of {whom} was used, and its counter did not rise.",
    ),
    Event.AUTHENTICATOR_LOST: ("Marked as lost", "{who} marked {a_method} as lost."),
    Event.AUTHENTICATOR_RENAMED: ("Authenticator renamed", "{who} called {a_method} by another name."),
    Event.AUTHENTICATOR_REPLACED: ("Authenticator replaced", "{who} replaced {a_method}."),
    Event.AUTHENTICATOR_UNBOUND: ("Authenticator removed", "{who} removed {a_method}."),
    Event.AUTHENTICATOR_SUSPENDED: (
        "Second step suspended",
        "The {method} of {whom} is suspended after too many wrong codes.",
    ),
    Event.AUTHENTICATOR_LIFTED: ("Suspension lifted", "The {method} of {whom} works again."),
    Event.BROWSER_FORGOTTEN: (
        "Browsers forgotten",
        "Browsers of {whom} are asked for the second step again.",
    ),
    Event.BROWSER_REMEMBERED: (
        "Browser remembered",
        "{who} is not asked for the second step again in this browser until {ends_at}.",
    ),
    Event.CLOCK_JUMPED: ("Clock jumped", "The clock of the server jumped."),
    Event.CONNECTION_ADDED: ("Connection added", "{who} added the single sign-on connection {whom}."),
    Event.CONNECTION_CHANGED: ("Connection changed", "{who} changed the single sign-on connection {whom}."),
    Event.CONNECTION_EXEMPTION_ENDED: (
        "Exemption over",
        "The exemption of those who come by {whom} is over: they are asked for a second step again.",
    ),
    Event.CONNECTION_REMOVED: ("Connection removed", "{who} removed the single sign-on connection {whom}."),
    Event.CONNECTION_RULE_CHANGED: (
        "Rule of a connection",
        "{who} changed what a sign-in by {whom} counts for: {rule}.",
    ),
    Event.DATABASE_RESTORED: (
        "Backup restored",
        "{who} restored a backup. Every session and link has ended.",
    ),
    Event.DOMAIN_ADDED: ("Domain added", "{who} wants to show that {whom} belongs to the workspace."),
    Event.DOMAIN_LAPSED: ("Domain lapsed", "{whom} counts as the workspace's no longer: its record is gone."),
    Event.DOMAIN_PROVED: ("Domain proved", "{who} showed that {whom} belongs to the workspace."),
    Event.DOMAIN_REMOVED: ("Domain removed", "{who} took out the domain {whom}."),
    Event.EMAIL_CHANGE_CANCELLED: ("E-mail change cancelled", "{who} cancelled a change of e-mail address."),
    Event.EMAIL_CHANGE_REQUESTED: ("E-mail change begun", "{who} asked to change their e-mail address."),
    Event.EMAIL_CHANGED: ("E-mail changed", "{whom} confirmed a new e-mail address."),
    Event.EMAIL_CHANGE_UNDONE: ("E-mail change undone", "The change of {whom}'s e-mail address was undone."),
    Event.EXCEPTION_ASKED: ("More time asked for", "{who} asked for more time for {whom}, until {ends_at}."),
    Event.EXCEPTION_ENDED: ("More time ended", "The exception of {whom} ended: {why}."),
    Event.EXCEPTION_GRANTED: ("More time given", "{who} agreed that {whom} needs no 2FA until {ends_at}."),
    Event.EXCEPTION_REFUSED: (
        "More time not given",
        "The exception asked for {whom} was not granted: {why}.",
    ),
    Event.GRANT_MADE: ("Shown to a product", "A product was shown what {whom} proved here."),
    Event.GRANT_REPLAYED: (
        "Product's code used twice",
        "A one-time code of {whom} came twice; its access ended.",
    ),
    Event.HELP_CLOSED: ("Help no longer needed", "The request for help of {whom} is closed."),
    Event.HELP_REQUESTED: (
        "Help asked for",
        "Somebody with the password of {whom} asked the admins for help.",
    ),
    Event.IDENTITY_CONNECTED: ("Account connected", "{whom} connected their account with {connection}."),
    Event.IDENTITY_DISCONNECTED: (
        "Account disconnected",
        "{whom} disconnected their account from {connection}.",
    ),
    Event.INVITATION_ACCEPTED: ("Invitation accepted", "{who} accepted the invitation of {invited_by}."),
    Event.INVITATION_RESENT: ("Invitation sent again", "{who} sent the invitation of {whom} again."),
    Event.INVITATION_REVOKED: ("Invitation taken back", "{who} took the invitation of {whom} back."),
    Event.INVITATION_SENT: ("Invited", "{who} invited {whom} as {role}."),
    Event.INVITATIONS_DECLINED: ("Never again", "The holder of {whom} wants no invitations any more."),
    Event.INVITATIONS_WELCOME: ("Invitations welcome", "The holder of {whom} takes invitations again."),
    Event.KEYS_ROTATED: ("Keys rotated", "{who} rotated the keys."),
    Event.MANDATE_OWNERLESS: (
        "No owner with 2FA",
        "{who} took away the last owner who has 2FA. It stays required.",
    ),
    Event.MANDATE_SCHEDULED: (
        "2FA required from a date",
        "{who} required 2FA of everyone from {required_from}.",
    ),
    Event.MANDATE_STRENGTH_SCHEDULED: (
        "Passkeys required from a date",
        "{who} required a passkey of everyone from {strength_from}.",
    ),
    Event.MANDATE_STRENGTHENED: ("Passkeys required", "{who} required a passkey of everyone."),
    Event.MANDATE_TURNED_OFF: ("2FA no longer required", "{who} stopped requiring 2FA."),
    Event.MANDATE_TURNED_ON: ("2FA required", "{who} required 2FA of everyone."),
    Event.MANDATE_WEAKENED: (
        "Any second step again",
        "{who} went back to any second step, not a passkey alone.",
    ),
    Event.NOTIFY_ADDRESS_ADDED: ("Address for notices", "{who} added an address for notices."),
    Event.NOTIFY_ADDRESS_CONFIRMED: ("Address confirmed", "An address for notices of {whom} was confirmed."),
    Event.NOTIFY_ADDRESS_REMOVED: ("Address removed", "{who} removed an address for notices."),
    Event.PASSWORD_CHANGED: ("Password changed", "{who} chose a new password."),
    Event.PASSWORD_RESET: ("Password reset", "{whom} chose a new password by a mailed link."),
    Event.PASSWORD_RESET_REQUESTED: (
        "Password reset begun",
        "Somebody asked to reset the password of {whom}.",
    ),
    Event.POLICY_CHANGED: ("Authentication changed", "{who} lets {managed_by} manage authentication."),
    Event.RECOVERY_CODE_USED: ("Recovery code used", "{who} used a recovery code."),
    Event.RECOVERY_CODES_RENEWED: ("Recovery codes renewed", "{who} got new recovery codes."),
    Event.RESET_COMPLETED: ("Set up again", "{whom} set up 2FA again after it was disabled."),
    Event.SERVICE_ACCOUNT_ADDED: ("Service account made", "{who} made the service account {whom}."),
    Event.SERVICE_ACCOUNT_CHANGED: ("Service account changed", "{who} changed the service account {whom}."),
    Event.SERVICE_ACCOUNT_REMOVED: ("Service account removed", "{who} removed the service account {whom}."),
    Event.SERVICE_ACCOUNT_RESUMED: (
        "Service account resumed",
        "The service account {whom} works again, with another sponsor.",
    ),
    Event.SERVICE_ACCOUNT_SUSPENDED: (
        "Service account suspended",
        "The service account {whom} is suspended: its sponsor is no longer a teammate.",
    ),
    Event.SESSIONS_ENDED: (
        "Every session ended",
        "{who} ended every session and token: everybody signs in anew.",
    ),
    Event.SESSION_ENDED: ("Session ended", "{who} ended a session."),
    Event.SIGN_IN_FAILED: ("Sign-in failed", "Somebody tried to sign in as {whom} with a wrong {method}."),
    Event.SIGN_IN_HALF_DONE: (
        "First step right",
        "The {method} of {whom} was right; the second step was still to come.",
    ),
    Event.SIGN_IN_SUCCEEDED: ("Signed in", "{whom} signed in."),
    Event.SIGN_IN_UNBLOCKED: ("Sign-in unblocked", "{whom} let a browser try the password again."),
    Event.SIGN_UP_REQUESTED: ("Sign-up begun", "Somebody asked to sign up as {whom}."),
    Event.SECOND_STEP_FAILED: ("Second step failed", "A wrong {method} was shown for {whom}."),
    Event.SSO_BYPASSED: ("Emergency door used", "{whom}, an owner, came in without single sign-on."),
    Event.SSO_REFUSED: ("Single sign-on refused", "Somebody came from {whom} and was not let in: {why}."),
    Event.SSO_REQUIRED: (
        "Single sign-on required",
        "{who} required everyone but owners to come by single sign-on.",
    ),
    Event.SSO_UNREQUIRED: ("Single sign-on optional", "{who} stopped requiring single sign-on."),
    Event.STEP_UP_SUCCEEDED: ("Confirmed again", "{whom} confirmed that it is really them."),
    Event.TEAMMATE_CAME_BY_SSO: (
        "Came by single sign-on",
        "What {whom} came by last was looked at: {enough}.",
    ),
    Event.TEAMMATE_CHANGED: ("Name or address changed", "What {whom} is known by here changed."),
    Event.TEAMMATE_JOINED: ("Joined", "{whom} joined as {role}."),
    Event.TEAMMATE_LEFT: ("Left", "{whom} left."),
    Event.TEAMMATE_REMINDED: ("Reminded", "{who} reminded {whom} to set up 2FA."),
    Event.TEAMMATE_REMOVED: ("Removed", "{who} removed {whom}."),
    Event.TEAMMATE_RESET: ("2FA disabled", "{who} disabled 2FA for {whom}."),
    Event.TEAMMATE_RESET_REQUESTED: ("Disabling 2FA asked for", "{who} asked to disable 2FA for {whom}."),
    Event.TEAMMATE_RESET_APPROVED: ("Disabling 2FA approved", "{who} approved disabling 2FA for {whom}."),
    Event.TEAMMATE_RESET_CANCELLED: (
        "Disabling 2FA cancelled",
        "Disabling 2FA for {whom} was cancelled: {ended_by}.",
    ),
    Event.TEAMMATE_RESET_STOPPED: (
        "Disabling 2FA stopped",
        "Disabling 2FA for {whom} was stopped: {ended_by}.",
    ),
    Event.TEAMMATE_RESET_RENEWED: (
        "New link and number",
        "{who} sent {whom} a new link to set up 2FA again.",
    ),
    Event.TEAMMATE_ROLE_CHANGED: ("Role changed", "{who} made {whom} {role}."),
    Event.TEAMMATE_SECURED: ("Has 2FA", "{whom} has 2FA here now."),
    Event.TEAMMATE_UNSECURED: ("Has no 2FA", "{whom} has no 2FA here any more."),
    Event.TICKET_REDEEMED: ("Set-up link used", "{whom} used the mailed link to set up 2FA."),
    Event.TICKET_REFUSED: (
        "Set-up link refused",
        "A wrong number was entered with the set-up link of {whom}.",
    ),
    Event.TICKET_SENT: ("Set-up link mailed", "{whom} was mailed a link to set up 2FA."),
    Event.TOKEN_ENDED: ("API token ended", "An API token of {whom} has ended."),
    Event.TOKEN_MADE: ("API token made", "{who} made an API token for {whom}."),
    Event.WORKSPACE_CREATED: ("Workspace made", "{who} made the workspace."),
    Event.WORKSPACE_RENAMED: ("Workspace renamed", "{who} renamed the workspace to {whom}."),
}
"""For each event what a list of events calls it, and its sentence."""

IN_WORKSPACES = (
    Event.TEAMMATE_REMINDED,
    *(Event.MANDATE_TURNED_ON, Event.MANDATE_SCHEDULED, Event.MANDATE_TURNED_OFF, Event.POLICY_CHANGED),
    *(Event.MANDATE_STRENGTHENED, Event.MANDATE_STRENGTH_SCHEDULED, Event.MANDATE_WEAKENED),
    Event.MANDATE_OWNERLESS,
    *(Event.TEAMMATE_SECURED, Event.TEAMMATE_UNSECURED, Event.TEAMMATE_RESET, Event.TEAMMATE_RESET_RENEWED),
    Event.SESSIONS_ENDED,
    *(Event.BROWSER_REMEMBERED, Event.BROWSER_FORGOTTEN),
    *(Event.TEAMMATE_RESET_REQUESTED, Event.TEAMMATE_RESET_APPROVED),
    *(Event.TEAMMATE_RESET_CANCELLED, Event.TEAMMATE_RESET_STOPPED),
    *(Event.HELP_REQUESTED, Event.HELP_CLOSED, Event.AUTHENTICATOR_ACCEPTED),
    *(Event.TICKET_SENT, Event.TICKET_REDEEMED, Event.TICKET_REFUSED, Event.RESET_COMPLETED),
    *(Event.EXCEPTION_ASKED, Event.EXCEPTION_GRANTED, Event.EXCEPTION_REFUSED, Event.EXCEPTION_ENDED),
    *(Event.INVITATION_SENT, Event.INVITATION_RESENT, Event.INVITATION_REVOKED, Event.INVITATION_ACCEPTED),
    *(Event.TEAMMATE_JOINED, Event.TEAMMATE_LEFT, Event.TEAMMATE_REMOVED, Event.TEAMMATE_ROLE_CHANGED),
    Event.TEAMMATE_CHANGED,
    *(Event.APP_ADDED, Event.APP_CHANGED, Event.APP_REMOVED, Event.APP_SECRET_MADE, Event.APP_SECRET_ENDED),
    *(Event.GRANT_MADE, Event.GRANT_REPLAYED),
    *(Event.CONNECTION_ADDED, Event.CONNECTION_CHANGED, Event.CONNECTION_REMOVED),
    *(Event.CONNECTION_EXEMPTION_ENDED, Event.TEAMMATE_CAME_BY_SSO),
    *(Event.CONNECTION_RULE_CHANGED, Event.SSO_REQUIRED, Event.SSO_UNREQUIRED, Event.SSO_BYPASSED),
    *(Event.SSO_REFUSED, Event.IDENTITY_CONNECTED, Event.IDENTITY_DISCONNECTED),
    *(Event.DOMAIN_ADDED, Event.DOMAIN_PROVED, Event.DOMAIN_LAPSED, Event.DOMAIN_REMOVED),
    *(Event.SERVICE_ACCOUNT_ADDED, Event.SERVICE_ACCOUNT_CHANGED, Event.SERVICE_ACCOUNT_REMOVED),
    *(Event.SERVICE_ACCOUNT_SUSPENDED, Event.SERVICE_ACCOUNT_RESUMED, Event.TOKEN_MADE, Event.TOKEN_ENDED),
    *(Event.WORKSPACE_CREATED, Event.WORKSPACE_RENAMED),
)
"""The events that a workspace may read, in the order in which a filter offers them. The others are accounts' own."""


def label(event: str) -> str:
    """What a list of events calls it."""
    return _EVENTS[Event(event)][0] if event in _EVENTS else event


def sentence(told: Told) -> str:
    """The whole sentence. A name that is missing becomes a word."""
    return tell(told)[0]


def tell(told: Told) -> tuple[str, list[tuple[str, str]]]:
    """The whole sentence, and what it leaves out of the detail."""
    if told.event not in _EVENTS:
        return told.event, details(told.detail)
    text = _EVENTS[Event(told.event)][1]
    if told.event == Event.TEAMMATE_ROLE_CHANGED and told.itself:
        text = "{who} became {role}."
    if told.event == Event.POLICY_CHANGED and "remember_days" in told.detail:
        text = "{who} changed for how many days a browser may be remembered: {remember_days}."
    words = _Words(told)
    made = _sentence_case(text.format_map(words))
    return made, details({key: value for key, value in told.detail.items() if key not in words.used})


def actor(kind: str, name: str) -> str:
    """Who acted."""
    if kind == "operator":
        return f"the operator ({name})" if name else "the operator"
    if kind == "app":
        return name or "the product"
    if kind == "visitor":
        return "somebody"
    return name or "somebody"


class _Words(dict[str, str]):
    """The words of a sentence: who, whom, and whatever the detail holds."""

    def __init__(self, told: Told) -> None:
        super().__init__(who=actor(told.actor_kind, told.actor_name), whom=told.subject_name or "somebody")
        self._detail = told.detail
        self.used: set[str] = set()

    def __missing__(self, key: str) -> str:
        article = key.startswith("a_")
        key = key.removeprefix("a_")
        self.used.add(key)
        text = in_words(key, self._detail.get(key), inside=True) or "something"
        return f"{'an' if text[0] in 'aeiou' else 'a'} {text}" if article else text


_CHECKS = {
    "challenge": "an answer that was used before, or given to somebody else",
    "unknown": "nobody has this passkey",
    "owner": "somebody else's passkey",
    "not_asked_for": "another one was asked for",
    "not_usable": "it is not accepted now",
    "user_handle": "it names another account",
    "type": "made for something else",
    "origin": "made for another site",
    "rp_id": "made for another site",
    "cross_origin": "made inside of another site's page",
    "user_presence": "nobody was there",
    "user_verification": "it did not verify its user",
    "backup": "its make changed",
    "signature": "the signature is wrong",
    "malformed": "it could not be read",
}
_LABELS = {
    "check": "What was wrong",
    "browsers_forgotten": "Browsers forgotten",
    "remember_days": "Days that a browser may be remembered",
    "before": "Was required from",
    "colour": "Colour",
    "exceptions_ended": "Exceptions ended",
    "former_name": "Former name",
    "former_role": "Former role",
    "handle": "Handle",
    "host": "Host",
    "how": "How",
    "in_a_row": "In a row",
    "invited_by": "Invited by",
    "keeps_people": "Keeps its own users",
    "left": "Recovery codes left",
    "logo": "Picture",
    "mails_withdrawn": "Mails withdrawn",
    "managed_by": "Managed by",
    "email": "Address",
    "effective_at": "At",
    "needs_approval": "Needs a second owner",
    "ends_at": "Until",
    "asked_by": "Asked for by",
    "method": "Method",
    "methods": "With",
    "name": "Name",
    "new": "New address",
    "number_waived": "Without a number",
    "old": "Former address",
    "origins": "Where it is reached",
    "purpose": "Because",
    "reason": "Reason",
    "recognised_by": "Recognised by",
    "replayed": "Code used before",
    "required_from": "Required from",
    "strength_from": "A passkey from",
    "strength_before": "A passkey before from",
    "return_url": "Return address",
    "role": "Role",
    "role_map": "Its words for roles",
    "roles": "Open to",
    "sessions_ended": "Sessions ended",
    "slug": "Address",
    "tries_left": "Tries left",
    "where": "Where",
}
_RESET_ENDED_BY = {
    "second_step": "a right code was entered for that account",
    "mail": "by the link in the mail",
    "withdrawn": "whoever asked took it back",
    "owner": "by an owner",
    "replaced": "the operator did it instead",
    "removed": "no longer a teammate",
    "requester": "whoever asked may not ask for it any more",
    "role": "a higher role by now",
    "last_owner": "the only owner with 2FA",
    "nothing": "nothing left to disable",
    "lapsed": "no second owner approved it in time",
}
_HIDDEN = ("connection_id", "exception", "invitation", "reset", "revision", "secret", "session")
"""Ids and numbers that only the API tells."""


def details(detail: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What else there is to know, as names and values in words; nothing that is empty."""
    found = []
    for key, value in detail.items():
        text = in_words(key, value)
        if text and key not in _HIDDEN:
            found.append((_LABELS.get(key) or key.replace("_", " ").capitalize(), text))
    return found


def in_words(key: str, value: Any, *, inside: bool = False) -> str:
    """A value of a detail as text; "" for nothing. `inside` a sentence it has its article and no capital."""
    if value is None or value is False or value == "":
        return ""
    if value is True:
        return "Yes"
    if isinstance(value, dict):
        return ", ".join(f"{word} = {meant}" for word, meant in value.items())
    if isinstance(value, list):
        words = _METHODS if key == "methods" else {}
        return ", ".join(words.get(str(each), str(each)) for each in value)
    text = str(value)
    if key in ("role", "former_role"):
        return _ROLES.get(text, text) if inside else text.capitalize()
    if key in (
        "required_from",
        "strength_from",
        "strength_before",
        "before",
        "ends_at",
        "effective_at",
        "exempt_until",
    ):
        return _RULES.get(text) or _moment(text)
    known = {
        "method": _METHODS,
        "recognised_by": _RECOGNISED,
        "managed_by": _MANAGERS,
        "purpose": _PURPOSES,
        "why": _WHY,
        "check": _CHECKS,
        "rule": _RULES,
        "enough": _ENOUGH,
        "ended_by": _RESET_ENDED_BY,
    }.get(key, {})
    found = known.get(text, text)
    return found if inside or found is text else _sentence_case(found)


def _moment(text: str) -> str:
    try:
        return spoken(instants.from_text(text))
    except ValueError:
        return text


def _sentence_case(text: str) -> str:
    return text[:1].upper() + text[1:]
