"""Who did what to whom: one call for every change, in its transaction."""

from typing import Any, Protocol

from nightlatch.store import events
from nightlatch.store.engine import Transaction
from nightlatch.vocabulary import Event


class Actor(Protocol):
    """Whoever acts: an account, the operator, or the system itself."""

    @property
    def kind(self) -> str: ...
    @property
    def id(self) -> int | None: ...
    @property
    def name(self) -> str: ...
    @property
    def ip(self) -> str: ...
    @property
    def user_agent(self) -> str: ...


Subject = tuple[str, int | None, str]


def account(id: int, name: str) -> Subject:
    """An account as the subject of an event."""
    return ("account", id, name)


def workspace(id: int, name: str) -> Subject:
    """A workspace as the subject of an event."""
    return ("workspace", id, name)


def address(email: str) -> Subject:
    """An e-mail address that is nobody's yet."""
    return ("address", None, email)


def record(
    tx: Transaction,
    event: Event,
    *,
    by: Actor,
    subject: Subject,
    workspace_id: int | None = None,
    **detail: Any,
) -> None:
    """Append one event. `detail` holds no secret: names, counts, instants, ids as text.

    An event with a workspace is that workspace's to read; one without belongs to the account and the operator.
    """
    events.add(
        tx,
        event=event,
        actor=(by.kind, by.id, by.name),
        subject=subject,
        workspace_id=workspace_id,
        ip=by.ip,
        user_agent=by.user_agent[:400],
        detail=detail,
    )
