"""Why nobody came in by single sign-on, in words for the person, and the way on from there."""

from typing import Any

from nightlatch.actions.sso_outcomes import Turned, Why
from nightlatch.ids import to_text
from nightlatch.web.context import with_query

STATUS = {
    Why.NOT_KNOWN: 404,
    Why.USED: 409,
    Why.EXPIRED: 410,
    Why.GONE: 410,
    Why.PROVIDER: 502,
    Why.TAKEN: 409,
    Why.CONNECTED_OTHERWISE: 409,
}
_TEXTS: dict[Why, tuple[str, str]] = {
    Why.NOT_KNOWN: (
        "This sign-in was not begun here",
        "{name} sent you here, but nothing that we know of. Begin again; nothing was changed.",
    ),
    Why.OTHER_BROWSER: (
        "This sign-in was begun in another browser",
        "To keep accounts safe, it has to end in the browser where it began. Begin again in this one.",
    ),
    Why.USED: (
        "This sign-in was completed already",
        "Each way back from {name} works once. If you came here by the Back button, you are probably signed in.",
    ),
    Why.EXPIRED: (
        "That took too long",
        "There are ten minutes to sign in at {name}, and they are over. Begin again.",
    ),
    Why.GONE: (
        "This way to sign in is gone",
        "Your team has removed it, or is still setting it up. Sign in another way, or ask an admin of your workspace.",
    ),
    Why.PROVIDER: (
        "{name} could not sign you in",
        "Nothing that you did wrong: what {name} answered cannot be used. Try once more; if it stays so, tell an "
        "admin of your workspace the word below. They find out more with “Test this connection”.",
    ),
    Why.CANCELLED: (
        "You were not signed in",
        "{name} says that you cancelled, or that this application is not yours to use. If you should have it, ask "
        "whoever runs {name} in your company.",
    ),
    Why.OTHER_SESSION: (
        "You are signed in otherwise by now",
        "Since you went to {name}, this browser was signed out, or signed in as somebody else. Begin again.",
    ),
    Why.OTHER_PERSON: (
        "That was somebody else",
        "At {name} you are signed in with another account than the one that is open here. Choose the right one there, "
        "or sign out here first.",
    ),
    Why.NOT_FRESH: (
        "{name} did not ask you again",
        "What you are about to do takes a sign-in that is made now, and {name} let you through without one, or does "
        "not say when it was. Set up 2FA: then your second step is enough.",
    ),
    Why.NOT_CONNECTED: (
        "Your account is not connected with {name} yet",
        "Connect it once: you confirm that it is you, then sign in at {name}. From then on {name} lets you in.",
    ),
    Why.HAS_ACCOUNT: (
        "You already have an account here",
        "It has the address that {name} told us. An address alone never opens an account: sign in with your password, "
        "then connect your account with {name} in your settings. You do this once.",
    ),
    Why.NO_EMAIL: (
        "{name} did not tell your address",
        "Without an e-mail address we cannot make an account for you. If you have one already, sign in with your "
        "password and connect it in your settings; else ask whoever runs {name} in your company.",
    ),
    Why.NOT_VERIFIED: (
        "{name} has not verified your address",
        "It does not say that your e-mail address is really yours, so we cannot go by it. If you have an account here, "
        "sign in with your password and connect it in your settings; else ask an admin for an invitation.",
    ),
    Why.NO_JOINING: (
        "Your team adds people itself",
        "Nobody becomes a teammate here by {name} alone. Ask an admin for an invitation. If you have an account "
        "here, sign in with your password and connect it in your settings.",
    ),
    Why.OTHER_DOMAIN: (
        "Your address is none of this team’s",
        "Only addresses of domains that the team has shown to be its own become teammates by {name}. Ask an admin for "
        "an invitation. If you have an account here, sign in with your password and connect it in your settings.",
    ),
    Why.REMOVED: (
        "You are no teammate any more",
        "You were removed from this team, or left it. Ask an admin to invite you again; then you come in by {name} "
        "as before.",
    ),
    Why.TAKEN: (
        "This is connected with another account",
        "The account at {name} that you signed in with is connected with another account here. Each belongs to one: "
        "disconnect it there first, or choose another account at {name}.",
    ),
    Why.CONNECTED_OTHERWISE: (
        "Your account is connected with somebody else there",
        "It is connected with another account at {name} already. Disconnect that one first.",
    ),
}
_AGAIN = (Why.NOT_KNOWN, Why.OTHER_BROWSER, Why.EXPIRED, Why.PROVIDER, Why.CANCELLED, Why.USED)


def told(outcome: Turned, name: str, *, signed_in: bool, target: str) -> dict[str, Any]:
    """Title, text and ways of the page."""
    title, text = _TEXTS[outcome.why]
    name = name or "the provider"
    title = title.format(name=name)
    return {
        "title": title[:1].upper() + title[1:],
        "text": text.format(name=name)[:1].upper() + text.format(name=name)[1:],
        "code": outcome.code if outcome.why in (Why.PROVIDER, Why.CANCELLED) else None,
        "ways": _ways(outcome, signed_in, target),
    }


def _ways(outcome: Turned, signed_in: bool, target: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    id = to_text(outcome.connection_id) if outcome.connection_id is not None else None
    if outcome.why is Why.HAS_ACCOUNT:
        found.append({"text": "Sign in with your password", "path": "/sign-in?next=/settings/user"})
    if outcome.why is Why.NOT_CONNECTED and id is not None:
        found.append({"text": "Connect your account", "path": with_query(f"/sso/{id}/connect", next=target)})
    if outcome.why is Why.NOT_FRESH:
        found.append({"text": "Set up 2FA", "path": with_query("/set-up", next=target)})
    if outcome.why in (Why.TAKEN, Why.CONNECTED_OTHERWISE):
        found.append({"text": "Your settings", "path": "/settings/user"})
    if outcome.why in _AGAIN and id is not None and not signed_in:
        found.append({"text": "Begin again", "path": with_query(f"/sso/{id}", next=target)})
    if signed_in:
        found.append({"text": "Go on", "path": target or "/"})
    elif outcome.why is not Why.HAS_ACCOUNT:
        found.append({"text": "Sign in another way", "path": "/sign-in"})
    found.append({"text": "Get help", "path": "/help"})
    return found
