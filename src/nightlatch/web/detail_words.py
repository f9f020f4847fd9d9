"""The details of an audit event in words: what each is called, and what its values say."""

from collections.abc import Mapping
from typing import Any

from nightlatch import instants
from nightlatch.web.rendering import spoken

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
    return found if inside or found is text else sentence_case(found)


def _moment(text: str) -> str:
    try:
        return spoken(instants.from_text(text))
    except ValueError:
        return text


def sentence_case(text: str) -> str:
    """With a capital."""
    return text[:1].upper() + text[1:]
