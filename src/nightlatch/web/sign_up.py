"""Which routes exist for whom: those that only NIGHTLATCH_SIGN_UP=open opens."""

from nightlatch.actions import sign_up, workspaces
from nightlatch.config import Config
from nightlatch.refusals import Refused


def is_open(config: Config) -> bool:
    """Whether anybody may sign up, and make workspaces."""
    return config.sign_up == "open"


def no_sign_up(config: Config) -> Refused | None:
    """Accounts come by invitation alone."""
    return None if is_open(config) else sign_up.closed()


def no_workspaces(config: Config) -> Refused | None:
    """Workspaces are made by the operator alone."""
    return None if is_open(config) else workspaces.closed()
