"""Exceptions: more time for a member without 2FA. One admin asks, another one agrees; it ends by itself."""

from nightlatch.actions.by import By
from nightlatch.store import exceptions
from nightlatch.store.engine import Transaction


def end_all(tx: Transaction, *, by: By, workspace_id: int) -> int:
    """End every exception of a workspace, those that wait included; how many. The mandate's own event tells of it.

    For turning the mandate off; the workspace is locked.
    """
    return exceptions.end_all(tx, workspace_id, by.name)
