"""Why something was not done: stable codes, their HTTP status, and a way out. Pure.

A `Refused` exception means that nothing happened: the transaction it leaves is undone. A refusal that leaves a trace (a
charged guess, an event, a mail) is a returned value instead, see `actions/`.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from nightlatch.decision import Challenge, Decision, Deny, Enrol
from nightlatch.instants import Instant
from nightlatch.vocabulary import Method, Reason


class Code(StrEnum):
    """The stable codes of docs/api.md; each belongs to one HTTP status."""

    MALFORMED = "malformed"
    TOO_LARGE = "too_large"
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type"
    SIGN_IN_REQUIRED = "sign_in_required"
    WRONG_CREDENTIALS = "wrong_credentials"
    WRONG_CODE = "wrong_code"
    SECOND_FACTOR_REQUIRED = "second_factor_required"
    STEP_UP_REQUIRED = "step_up_required"
    ENROLMENT_REQUIRED = "enrolment_required"
    MAIL_PROOF_REQUIRED = "mail_proof_required"
    NOT_PERMITTED = "not_permitted"
    FOREIGN_ORIGIN = "foreign_origin"
    STALE_FORM = "stale_form"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    MANDATED = "mandated"
    LAST_OWNER = "last_owner"
    ALREADY_USED = "already_used"
    SLUG_TAKEN = "slug_taken"
    MANDATE_IN_FORCE = "mandate_in_force"
    GRACE_USED = "grace_used"
    NOT_ENROLLED = "not_enrolled"
    CONFLICT = "conflict"
    EXPIRED = "expired"
    REVISION_CONFLICT = "revision_conflict"
    REVISION_REQUIRED = "revision_required"
    CONFIRM_REQUIRED = "confirm_required"
    INVALID = "invalid"
    TOO_MANY_ATTEMPTS = "too_many_attempts"
    MISDIRECTED = "misdirected"
    INTERNAL = "internal"
    UNAVAILABLE = "unavailable"


STATUS: dict[Code, int] = {
    Code.MALFORMED: 400,
    Code.TOO_LARGE: 413,
    Code.UNSUPPORTED_MEDIA_TYPE: 415,
    Code.SIGN_IN_REQUIRED: 401,
    Code.WRONG_CREDENTIALS: 401,
    Code.WRONG_CODE: 401,
    Code.SECOND_FACTOR_REQUIRED: 401,
    Code.STEP_UP_REQUIRED: 401,
    Code.ENROLMENT_REQUIRED: 403,
    Code.MAIL_PROOF_REQUIRED: 403,
    Code.NOT_PERMITTED: 403,
    Code.FOREIGN_ORIGIN: 403,
    Code.STALE_FORM: 403,
    Code.NOT_FOUND: 404,
    Code.METHOD_NOT_ALLOWED: 405,
    Code.MANDATED: 409,
    Code.LAST_OWNER: 409,
    Code.ALREADY_USED: 409,
    Code.SLUG_TAKEN: 409,
    Code.MANDATE_IN_FORCE: 409,
    Code.GRACE_USED: 409,
    Code.NOT_ENROLLED: 409,
    Code.CONFLICT: 409,
    Code.CONFIRM_REQUIRED: 409,
    Code.EXPIRED: 410,
    Code.REVISION_CONFLICT: 412,
    Code.MISDIRECTED: 421,
    Code.INVALID: 422,
    Code.REVISION_REQUIRED: 428,
    Code.TOO_MANY_ATTEMPTS: 429,
    Code.INTERNAL: 500,
    Code.UNAVAILABLE: 503,
}


@dataclass(frozen=True, slots=True)
class WayOut:
    """What can be done about a refusal, in a sentence, and the path where (law 9)."""

    text: str
    path: str


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field."""

    field: str
    message: str


@dataclass(eq=False)
class Refused(Exception):
    """Not done, and nothing changed. `detail` is a whole sentence for a person; it never holds a secret."""

    code: Code
    detail: str
    way_out: WayOut | None = None
    errors: tuple[FieldError, ...] = ()
    retry_at: Instant | None = None
    """When trying again makes sense (429, 503)."""
    decision: Decision | None = field(default=None, kw_only=True)
    """The decision behind it, where the gate refused."""

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}"

    @property
    def status(self) -> int:
        """The HTTP status of the code."""
        return STATUS[self.code]


def invalid(field_name: str, message: str) -> Refused:
    """One field that cannot be accepted."""
    return Refused(Code.INVALID, message, errors=(FieldError(field_name, message),))


def not_found() -> Refused:
    """Not there, or nothing of yours: nobody is told which."""
    return Refused(
        Code.NOT_FOUND,
        "The address leads nowhere, or to something that you cannot see.",
        WayOut("Go to your workspaces.", "/workspaces"),
    )


_DENIALS: dict[Reason, tuple[Code, str, WayOut]] = {
    Reason.MAIL_PROOF: (
        Code.MAIL_PROOF_REQUIRED,
        "Setting up 2FA takes a link that we mail to you.",
        WayOut("Have the link mailed to you.", "/set-up"),
    ),
    Reason.PERMISSION: (
        Code.NOT_PERMITTED,
        "Your role in this workspace does not include this.",
        WayOut("Ask an owner or admin of the workspace.", "/workspaces"),
    ),
    Reason.RECOVERY_LIMIT: (
        Code.NOT_PERMITTED,
        "You came in with a recovery code. For 24 hours that is not enough to change this.",
        WayOut("Show a second step that you set up earlier, or wait.", "/step-up"),
    ),
    Reason.KEPT_BY_APP: (
        Code.NOT_PERMITTED,
        "The product that you sign in to keeps this. Change it there.",
        WayOut("See what you can change here.", "/settings/user"),
    ),
    Reason.KEPT_BY_PROVIDER: (
        Code.NOT_PERMITTED,
        "You come by your workspace's single sign-on and have no password: this takes an account of its own.",
        WayOut("See what you can change here.", "/settings/user"),
    ),
    Reason.ELSEWHERE_CLOSED: (
        Code.NOT_PERMITTED,
        "The 2FA that you have belongs to a workspace that you are no longer in.",
        WayOut("Remove it, then set up 2FA anew.", "/settings/user"),
    ),
    Reason.SCOPE: (
        Code.NOT_PERMITTED,
        "This API token does not include this. What changes anything is closed to every API token.",
        WayOut("Make a token with the scope that it takes, or sign in.", "/settings/user/tokens"),
    ),
    Reason.OLDER_TOKEN: (
        Code.NOT_PERMITTED,
        "This API token is from before you left this workspace, or before your 2FA was disabled there.",
        WayOut("Make a new one.", "/settings/user/tokens"),
    ),
    Reason.SPONSOR: (
        Code.NOT_PERMITTED,
        "This service account is suspended: whoever answered for it is no teammate any more.",
        WayOut("Ask an owner or admin of the workspace to name somebody else.", "/workspaces"),
    ),
    Reason.SUSPENDED: (
        Code.NOT_PERMITTED,
        "Your second step is suspended, and your API tokens with it.",
        WayOut("See how to get back in.", "/recover"),
    ),
}


def refusal_of(decision: Decision) -> Refused:
    """The refusal that a decision other than Allow amounts to."""
    if isinstance(decision, Challenge):
        return _challenge(decision)
    if isinstance(decision, Enrol) and decision.reason is Reason.STRENGTH:
        return Refused(
            Code.ENROLMENT_REQUIRED,
            "This workspace asks everybody for a passkey. Set yours up, then go on.",
            WayOut("Set up a passkey.", "/set-up"),
            decision=decision,
        )
    if isinstance(decision, Enrol):
        return Refused(
            Code.ENROLMENT_REQUIRED,
            "This workspace asks everybody for 2FA. Set yours up, then go on.",
            WayOut("Set up 2FA.", "/set-up"),
            decision=decision,
        )
    if isinstance(decision, Deny) and decision.reason in _DENIALS:
        code, detail, way_out = _DENIALS[decision.reason]
        return Refused(code, detail, way_out, decision=decision)
    refused = not_found()
    refused.decision = decision
    return refused


def _challenge(decision: Challenge) -> Refused:
    if decision.reason is Reason.NO_SESSION:
        return Refused(
            Code.SIGN_IN_REQUIRED, "Sign in first.", WayOut("Sign in.", "/sign-in"), decision=decision
        )
    if decision.reason in (Reason.IDLE, Reason.FIRST_FACTOR) and decision.methods == (Method.PROVIDER,):
        return Refused(
            Code.STEP_UP_REQUIRED,
            "Sign in to the product again, or at your company's provider, to go on.",
            WayOut("Go on by way of it.", "/step-up"),
            decision=decision,
        )
    if decision.reason in (Reason.IDLE, Reason.FIRST_FACTOR):
        return Refused(
            Code.STEP_UP_REQUIRED,
            "Enter your password again to go on.",
            WayOut("Enter your password.", "/step-up"),
            decision=decision,
        )
    if decision.reason is Reason.FRESHNESS:
        return Refused(
            Code.STEP_UP_REQUIRED,
            "Confirm that it is you to go on.",
            WayOut("Confirm that it is you.", "/step-up"),
            decision=decision,
        )
    if decision.reason is Reason.SUSPENDED:
        return Refused(
            Code.SECOND_FACTOR_REQUIRED,
            "Your second step is suspended.",
            WayOut("See how to get back in.", "/recover"),
            decision=decision,
        )
    if decision.reason is Reason.STRENGTH:
        return Refused(
            Code.SECOND_FACTOR_REQUIRED,
            "This workspace asks for a passkey: show yours to go on.",
            WayOut("Show your passkey.", "/sign-in/second-step"),
            decision=decision,
        )
    return Refused(
        Code.SECOND_FACTOR_REQUIRED,
        "Show your second step to go on: a passkey, or a code from your authenticator app.",
        WayOut("Show your second step.", "/sign-in/second-step"),
        decision=decision,
    )
