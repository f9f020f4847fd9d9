"""People of a workspace who come in by a passkey, or whom an invitation has just let in; and its policy changed."""

from typing import Any

from nightlatch.store.facts import read_account_facts
from nightlatch.vocabulary import Credential, Method
from tests.support.asgi import Client, Got
from tests.support.visitor import Visitor
from tests.support.world import Person, session_token
from tests.web.team import Team

API = "/api/v1/workspaces/acme/policy"
KEYS = {"required": True, "strength": "phishing_resistant"}


def by_key(team: Team, person: Person) -> Client:
    """An API client that came in by a passkey."""
    return Client(team.app, bearer=_session(team, person, Credential.BEARER))


def surfing(team: Team, person: Person) -> Visitor:
    """A browser that came in by a passkey."""
    visitor = Visitor(team.app)
    visitor.client.cookies["nightlatch"] = _session(team, person, Credential.COOKIE)
    return visitor


def _session(team: Team, person: Person, kind: Credential) -> str:
    token = session_token()
    facts = team.world.read(lambda tx: read_account_facts(tx, person.id))
    (key,) = [each.id for each in facts.authenticators if each.method is Method.PASSKEY]
    team.world.session(person, Method.PASSKEY, authenticator=key, kind=kind, token=token)
    return token.text


def newcomer(team: Team, person: Person) -> Visitor:
    """A browser in which an invitation has just made the account."""
    token, visitor = session_token(), Visitor(team.app)
    team.world.session(person, Method.PASSWORD, Method.INVITATION, token=token)
    visitor.client.cookies["nightlatch"] = token.text
    return visitor


def put(client: Client, two_factor: dict[str, Any], reason: str | None = None) -> Got:
    """Change the policy as it is now."""
    tag = client.ask("GET", API).header("etag")
    return client.ask(
        "PUT", API, json_body={"two_factor": two_factor, "reason": reason}, headers={"if-match": tag}
    )
