"""What is tried in races: functions of a store and of picklable values, each one transaction or two."""

from nightlatch.actions import (
    authenticators,
    emails,
    enrolment,
    joining,
    mandate,
    passwords,
    reset_doing,
    resets,
    second_step,
    sign_in,
    teammates,
    tickets,
)
from nightlatch.actions.by import By
from nightlatch.actions.proving import Proved, Wait, Wrong
from nightlatch.actions.sign_in import Candidate
from nightlatch.actions.tokens import new_token
from nightlatch.addresses import parse
from nightlatch.authenticators import recovery_code
from nightlatch.authenticators.recovery_code import CodeParts
from nightlatch.instants import Instant
from nightlatch.policy import ProofStrength
from nightlatch.store.engine import Store, Transaction
from nightlatch.vocabulary import Credential, Role

Guess = Proved | Wrong | Wait


def code(store: Store, by: By, text: str) -> Guess:
    """A code from the app."""
    return store.write_now(lambda tx: second_step.present_totp(tx, by=by, code=text, token=new_token()))


def look_code(store: Store, by: By, parts: CodeParts) -> second_step.CodeCandidate:
    """What a recovery code is judged by."""
    return store.read_now(lambda tx: second_step.look_code(tx, by=by, parts=parts))


def recovery(store: Store, by: By, text: str) -> Guess:
    """A recovery code, looked up, judged and recorded."""
    parts = recovery_code.canonical(text)
    candidate = look_code(store, by, parts)
    if candidate.wait is not None:
        return candidate.wait
    right = candidate.hash is not None and recovery_code.verify_secret(candidate.hash, parts.secret)
    return judged_recovery(store, by, parts, candidate, right)


def judged_recovery(
    store: Store, by: By, parts: CodeParts, candidate: second_step.CodeCandidate, right: bool
) -> Guess:
    """A recovery code that was looked up and judged before: what all of many had done when one of them came first."""
    return store.write_now(
        lambda tx: second_step.present_recovery_code(
            tx, by=by, parts=parts, candidate=candidate, right=right, token=new_token()
        )
    )


def look(store: Store, by: By, email: str) -> Candidate:
    """What a password is judged by."""
    return store.read_now(lambda tx: sign_in.look(tx, by=by, address=parse(email)))


def password(store: Store, by: By, email: str, right: bool) -> Guess:
    """A password, looked up, judged (as `right` says) and recorded."""
    candidate = look(store, by, email)
    return candidate.wait or judged_password(store, by, candidate, right)


def judged_password(store: Store, by: By, candidate: Candidate, right: bool) -> Guess:
    """A password that was looked up and judged before, at the sign-in page."""
    return store.write_now(
        lambda tx: sign_in.sign_in(
            tx, by=by, candidate=candidate, right=right, kind=Credential.COOKIE, token=new_token()
        )
    )


def judged_again(store: Store, by: By, candidate: Candidate, right: bool) -> Guess:
    """The same inside a session: to resume it, or to step up."""
    return store.write_now(
        lambda tx: sign_in.present_password(tx, by=by, candidate=candidate, right=right, token=new_token())
    )


def ask_unblock(store: Store, by: By, email: str) -> None:
    """Have the link mailed that lets a browser try a password again."""
    store.write_now(lambda tx: sign_in.ask_unblock(tx, by=by, address=parse(email)))


def unblock(store: Store, by: By, token_hash: bytes) -> str:
    """Use it."""
    return store.write_now(lambda tx: sign_in.unblock(tx, by=by, token_hash=token_hash))


def ask_lift(store: Store, by: By) -> None:
    """Have the link mailed that helps to lift a suspension."""
    store.write_now(lambda tx: second_step.ask_lift(tx, by=by))


def lift(store: Store, by: By, token_hash: bytes, text: str) -> Proved | Wrong:
    """Use it, with a code."""
    return store.write_now(
        lambda tx: second_step.lift(tx, by=by, token_hash=token_hash, code=text, token=new_token())
    )


def send_ticket(store: Store, by: By, workspace_id: int | None) -> tickets.Sent:
    """Have a ticket mailed."""
    return store.write_now(lambda tx: tickets.send(tx, by=by, workspace_id=workspace_id))


def redeem(
    store: Store, by: By, token_hash: bytes, number: str | None = None
) -> tickets.Redeemed | tickets.WrongNumber:
    """Spend a ticket."""
    return store.write_now(lambda tx: tickets.redeem(tx, by=by, token_hash=token_hash, number=number))


def begin_enrolment(store: Store, by: By, replaces: int | None = None) -> enrolment.Pending:
    """Begin to enrol an app, or one in place of something."""
    return store.write_now(
        lambda tx: enrolment.begin(tx, by=by, name="", replaces=replaces, workspace_id=None)
    )


def confirm_enrolment(
    store: Store, by: By, enrolment_id: int, text: str
) -> enrolment.Confirmed | enrolment.NotConfirmed:
    """Confirm a pending enrolment."""
    return store.write_now(
        lambda tx: enrolment.confirm(
            tx, by=by, enrolment_id=enrolment_id, code=text, codes=[], token=new_token()
        )
    )


def accept_new(store: Store, by: By, token_hash: bytes, name: str) -> joining.Accepted:
    """Accept an invitation with a new account."""
    return store.write_now(
        lambda tx: joining.accept_new(
            tx,
            by=by,
            token_hash=token_hash,
            name=name,
            password_hash="unusable",
            session_token=new_token(),
            kind=Credential.COOKIE,
        )
    )


def accept_existing(store: Store, by: By, token_hash: bytes) -> joining.Joined:
    """Accept an invitation with one's own account."""
    return store.write_now(lambda tx: joining.accept_existing(tx, by=by, token_hash=token_hash))


def request_reset(store: Store, by: By, email: str) -> None:
    """Have a password-reset link mailed."""
    store.write_now(lambda tx: passwords.request_reset(tx, by=by, address=parse(email)))


def finish_reset(store: Store, by: By, token_hash: bytes, password_hash: str) -> None:
    """Choose a new password by it."""
    store.write_now(
        lambda tx: passwords.finish_reset(tx, by=by, token_hash=token_hash, password_hash=password_hash)
    )


def confirm_email(store: Store, by: By, token_hash: bytes) -> None:
    """The new mailbox confirms."""
    store.write_now(lambda tx: emails.confirm(tx, by=by, token_hash=token_hash))


def undo_email(store: Store, by: By, token_hash: bytes) -> str:
    """The old mailbox undoes."""
    return store.write_now(lambda tx: emails.undo(tx, by=by, token_hash=token_hash))


def remove(store: Store, by: By, workspace_id: int, teammate_id: int) -> None:
    """Remove a teammate."""
    store.write_now(
        lambda tx: teammates.remove(tx, by=by, workspace_id=workspace_id, teammate_id=teammate_id)
    )


def demote(store: Store, by: By, workspace_id: int, teammate_id: int) -> bool:
    """Make a teammate a member."""
    return store.write_now(
        lambda tx: teammates.change_role(
            tx, by=by, workspace_id=workspace_id, teammate_id=teammate_id, role=Role.MEMBER
        )
    )


def leave(store: Store, by: By, workspace_id: int) -> None:
    """Leave a workspace."""
    store.write_now(lambda tx: teammates.leave(tx, by=by, workspace_id=workspace_id))


def switch_off(store: Store, by: By, authenticator_id: int) -> None:
    """Take one's own authenticator away."""
    store.write_now(lambda tx: authenticators.unbind(tx, by=by, authenticator_id=authenticator_id))


def require(
    store: Store, by: By, workspace_id: int, *, passkeys_from: Instant | None = None
) -> mandate.Policy:
    """Turn the mandate on; with a date, passkeys alone from then on."""
    strength = ProofStrength.PHISHING_RESISTANT if passkeys_from is not None else None

    def body(tx: Transaction) -> mandate.Policy:
        policy = mandate.read_policy(tx, by=by, workspace_id=workspace_id)
        return mandate.change_policy(
            tx,
            by=by,
            workspace_id=workspace_id,
            required=True,
            required_from=None,
            managed_by=policy.managed_by,
            if_revision=policy.revision,
            reason=None,
            strength=strength,
            strength_from=passkeys_from,
        )

    return store.write_now(body)


def ask_reset(store: Store, by: By, workspace_id: int, teammate_id: int) -> resets.ResetDone:
    """Ask to disable somebody's 2FA."""
    return store.write_now(
        lambda tx: resets.disable_two_factor(
            tx,
            by=by,
            workspace_id=workspace_id,
            teammate_id=teammate_id,
            reason="Lost phone",
            recognised_by="By voice",
        )
    )


def finish_due(store: Store) -> bool:
    """What the background task does for resets whose instant has come."""
    return store.write_now(reset_doing.finish_due)
