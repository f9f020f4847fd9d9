"""What can go wrong between a product and Nightlatch."""

from dataclasses import dataclass


class NightlatchError(Exception):
    """Everything that this package raises on its own account."""


class Misconfigured(NightlatchError):
    """A setting is missing or wrong; the text names it and what to do."""


class Unavailable(NightlatchError):
    """Nightlatch gave no answer that can be relied on: whatever was asked for stays closed.

    `retry_after` is in seconds.
    """

    def __init__(self, why: str, *, retry_after: int = 5) -> None:
        super().__init__(why)
        self.retry_after = retry_after


class WrongAnswer(Unavailable):
    """An answer came, but not one that Nightlatch gives to this app."""


class SecretRefused(Unavailable):
    """Nightlatch does not know this app's secret (any more)."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """What Nightlatch says about one field."""

    field: str
    message: str


class Refused(NightlatchError):
    """Nightlatch refused, and nothing happened. `code` is stable (`expired`, `confirm_required`, `invalid`...)."""

    def __init__(self, status: int, code: str, detail: str = "", errors: tuple[FieldError, ...] = ()) -> None:
        more = "; ".join(f"{each.field}: {each.message}" for each in errors)
        super().__init__(" ".join(part for part in (f"{code}.", detail, more) if part))
        self.status = status
        self.code = code
        self.detail = detail
        self.errors = errors


class ProofNeeded(NightlatchError):
    """Raised inside a view that asked for fresh proof. The gate around the app answers the request."""


class AssertionRefused(NightlatchError):
    """A `Nightlatch-Assertion` that proves nothing here; the text says why."""
