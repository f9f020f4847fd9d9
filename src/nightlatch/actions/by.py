"""On whose behalf an action runs. Every action takes it as `by=`."""

from nightlatch.values import frozen
from nightlatch.vocabulary import Credential


@frozen
class By:
    """Who acts, from where, and by which session. Only an account has a session; only it is asked by the gate."""

    kind: str
    """`account`, `service` (by an API token, which only reads), `operator` (the command line), `system`, or `visitor`
    (nobody yet)."""
    id: int | None
    name: str
    ip: str = ""
    user_agent: str = ""
    token_hash: bytes | None = None
    """The session's, by which the action reads the facts again inside its transaction."""
    credential: Credential = Credential.NONE
    browser: bytes | None = None
    """The hash of the browser's own cookie: whether it has signed in fully before."""


SYSTEM = By("system", None, "Nightlatch")


def operator(name: str) -> By:
    """Somebody at the command line."""
    return By("operator", None, name)
