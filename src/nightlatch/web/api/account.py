"""The account of the session: name, password, e-mail, sessions, and the links that were mailed about them."""

from nightlatch.actions import emails, joining, kinds, notify_addresses, passwords, profile, sessions
from nightlatch.actions.tokens import hash_token, new_token
from nightlatch.ids import to_text as id_text
from nightlatch.instants import to_text
from nightlatch.refusals import Code, invalid, not_found
from nightlatch.store.engine import Transaction
from nightlatch.store.session_facts import read_known
from nightlatch.vocabulary import Credential
from nightlatch.web import flows
from nightlatch.web.answers import Answer
from nightlatch.web.api import models
from nightlatch.web.api.sign_in import address
from nightlatch.web.context import Context
from nightlatch.web.routes import Route, api
from nightlatch.web.session_view import view


async def _account(context: Context) -> models.Account:
    by_token = context.by.credential is Credential.TOKEN
    known, change, told = await context.read(
        lambda tx: (
            read_known(tx, context.by.token_hash, context.by.credential),
            emails.pending(tx, by=context.by),
            notify_addresses.own(tx, by=context.by) if not by_token else None,
        )
    )
    if known.person is None:
        raise not_found()
    return models.Account(
        id=id_text(known.person.id),
        name=known.person.name,
        email=known.person.email,
        locale=known.person.locale,
        pending_email=change.email if change is not None else None,
        notify=[models.NotifyAddress(email=each.email, confirmed=each.confirmed) for each in told]
        if told is not None
        else None,
    )


async def me(context: Context) -> Answer:
    return Answer(await _account(context))


async def change(context: Context, body: models.MeBody) -> Answer:
    wanted = [address(each, "notify") for each in body.notify] if body.notify is not None else None

    def act(tx: Transaction) -> None:
        if wanted is not None:
            notify_addresses.set_all(tx, by=context.by, wanted=wanted)
        if body.name is not None:
            profile.rename(tx, by=context.by, name=body.name)

    await context.write(act)
    return Answer(await _account(context))


async def confirm_notify(context: Context, body: models.TokenBody) -> Answer:
    token_hash = hash_token(body.token)
    await context.write(lambda tx: notify_addresses.confirm(tx, by=context.by, token_hash=token_hash))
    return Answer(status=204)


async def change_password(context: Context, body: models.Password) -> Answer:
    account_id = context.facts.account or 0
    words = await context.read(lambda tx: passwords.words_for(tx, account_id))
    hashed = await flows.hashed_password(context, body.password, list(words))
    token = new_token()
    changed = await context.write(
        lambda tx: passwords.change(tx, by=context.by, password_hash=hashed, session_token=token)
    )
    session = models.Session.model_validate(view(changed.known))
    return Answer(models.SignedIn(session=session, token=context.deliver(changed.token)))


async def change_email(context: Context, body: models.EmailBody) -> Answer:
    wanted = address(body.email)
    await context.write(lambda tx: emails.request_change(tx, by=context.by, address=wanted))
    return Answer(status=202)


async def cancel_email(context: Context) -> Answer:
    await context.write(lambda tx: emails.cancel(tx, by=context.by))
    return Answer(status=204)


async def confirm_email(context: Context, body: models.TokenBody) -> Answer:
    await context.write(lambda tx: emails.confirm(tx, by=context.by, token_hash=hash_token(body.token)))
    return Answer(status=204)


async def undo_email(context: Context, body: models.TokenBody) -> Answer:
    await context.write(lambda tx: emails.undo(tx, by=context.by, token_hash=hash_token(body.token)))
    return Answer(status=204)


async def ask_reset(context: Context, body: models.EmailBody) -> Answer:
    asked = address(body.email)
    await context.write(lambda tx: passwords.request_reset(tx, by=context.by, address=asked))
    return Answer(status=202)


async def finish_reset(context: Context, body: models.ResetFinish) -> Answer:
    token_hash = hash_token(body.token)
    found = await context.read(lambda tx: passwords.look_reset(tx, token_hash))
    hashed = await flows.hashed_password(context, body.password, list(found.words))
    await context.write(
        lambda tx: passwords.finish_reset(tx, by=context.by, token_hash=token_hash, password_hash=hashed)
    )
    return Answer(status=204)


async def own_sessions(context: Context) -> Answer:
    items = await context.read(lambda tx: sessions.own(tx, by=context.by))
    return Answer(
        models.OwnSessions(
            items=[
                models.OwnSession.model_validate(
                    {
                        "id": id_text(each.id),
                        "kind": each.kind.value,
                        "created_at": to_text(each.created_at),
                        "last_seen_at": to_text(each.last_seen_at),
                        "expires_at": to_text(each.expires_at),
                        "ip": each.ip,
                        "user_agent": each.user_agent,
                        "current": each.current,
                    }
                )
                for each in items
            ]
        )
    )


async def end_session(context: Context) -> Answer:
    session_id = context.id()
    await context.write(lambda tx: sessions.end(tx, by=context.by, session_id=session_id))
    return Answer(status=204)


async def end_others(context: Context) -> Answer:
    await context.write(lambda tx: sessions.end_others(tx, by=context.by))
    return Answer(status=204)


# --- invitations, as the invited person meets them ---


async def look(context: Context, body: models.TokenBody) -> Answer:
    found = await context.read(lambda tx: joining.look(tx, hash_token(body.token)))
    joining.refuse_unless_open(found)
    required = found.required_from is not None
    return Answer(
        models.Invitation.model_construct(
            workspace=found.slug,
            workspace_name=found.workspace_name,
            inviter=found.inviter,
            role=found.role.value,
            email=found.email,
            expires_at=to_text(found.expires_at),
            has_account=found.has_account,
            two_factor_required=required,
        )
    )


async def accept(context: Context, body: models.AcceptInvitation) -> Answer:
    token_hash = hash_token(body.token)
    if body.password is None and body.name is None:
        joined = await context.write(
            lambda tx: joining.accept_existing(tx, by=context.by, token_hash=token_hash)
        )
        known = await context.read(lambda tx: read_known(tx, context.by.token_hash, context.by.credential))
        session = models.Session.model_validate(view(known))
        return Answer(models.Accepted(workspace=joined.slug, session=session, token=None), 201)
    if body.password is None or body.name is None:
        raise invalid(
            "password" if body.password is None else "name", "A new account needs a name and a password."
        )
    return await _accept_new(context, token_hash, body.name, body.password)


async def _accept_new(context: Context, token_hash: bytes, name: str, password: str) -> Answer:
    found = await context.read(lambda tx: joining.look(tx, token_hash))
    joining.refuse_unless_open(found)
    words = [found.email, name, found.workspace_name]
    hashed = await flows.hashed_password(context, password, words)
    token, kind = new_token(), context.session_kind
    accepted = await context.write(
        lambda tx: joining.accept_new(
            tx,
            by=context.by,
            token_hash=token_hash,
            name=name,
            password_hash=hashed,
            session_token=token,
            kind=kind,
        )
    )
    known = await context.read(lambda tx: read_known(tx, accepted.token.hash, kind))
    session = models.Session.model_validate(view(known))
    return Answer(
        models.Accepted(workspace=accepted.slug, session=session, token=context.deliver(accepted.token)), 201
    )


_DEAD = (Code.EXPIRED, Code.ALREADY_USED, Code.NOT_FOUND)

ROUTES: list[Route] = [
    api("GET", "/me", kinds.READ_PROFILE, me, answer=models.Account, summary="The account of the session"),
    api(
        "PATCH",
        "/me",
        kinds.RENAME,
        change,
        body=models.MeBody,
        answer=models.Account,
        summary="Change the name, or who else is told what happens to the account (that behind step-up)",
        codes=(Code.STEP_UP_REQUIRED, Code.TOO_MANY_ATTEMPTS),
    ),
    api(
        "POST",
        "/me/notify/confirm",
        kinds.OPEN,
        confirm_notify,
        body=models.TokenBody,
        status=204,
        summary="Confirm a further address for notices by the link in its mailbox",
        codes=_DEAD,
    ),
    api(
        "POST",
        "/me/password",
        kinds.CHANGE_PASSWORD,
        change_password,
        body=models.Password,
        answer=models.SignedIn,
        summary="Choose another password; every other session ends",
    ),
    api(
        "POST",
        "/me/email",
        kinds.CHANGE_EMAIL,
        change_email,
        body=models.EmailBody,
        status=202,
        summary="Ask for another e-mail address; a link goes to the new one",
        codes=(Code.TOO_MANY_ATTEMPTS,),
    ),
    api(
        "DELETE",
        "/me/email",
        kinds.RENAME,
        cancel_email,
        status=204,
        summary="Cancel a change of e-mail address",
        codes=(Code.NOT_FOUND,),
    ),
    api(
        "POST",
        "/me/email/confirm",
        kinds.OPEN,
        confirm_email,
        body=models.TokenBody,
        status=204,
        summary="Confirm the new address by the link in its mailbox",
        codes=(*_DEAD, Code.CONFLICT),
    ),
    api(
        "POST",
        "/me/email/undo",
        kinds.OPEN,
        undo_email,
        body=models.TokenBody,
        status=204,
        summary="Take back a change of address by the link in the old mailbox",
        codes=(*_DEAD, Code.CONFLICT),
    ),
    api(
        "POST",
        "/password-reset",
        kinds.OPEN,
        ask_reset,
        body=models.EmailBody,
        status=202,
        summary="Have a link mailed to choose a new password; the answer is always the same",
    ),
    api(
        "POST",
        "/password-reset/finish",
        kinds.OPEN,
        finish_reset,
        body=models.ResetFinish,
        status=204,
        summary="Choose a new password; signs nobody in",
        codes=_DEAD,
    ),
    api(
        "GET",
        "/me/sessions",
        kinds.READ_ACCOUNT,
        own_sessions,
        answer=models.OwnSessions,
        summary="Own sessions",
    ),
    api(
        "DELETE", "/me/sessions/{id}", kinds.END_SESSIONS, end_session, status=204, summary="End one session"
    ),
    api(
        "DELETE",
        "/me/sessions",
        kinds.END_SESSIONS,
        end_others,
        status=204,
        summary="End every other session",
    ),
    api(
        "POST",
        "/invitations/look",
        kinds.OPEN,
        look,
        body=models.TokenBody,
        answer=models.Invitation,
        summary="Who invites where",
        codes=_DEAD,
    ),
    api(
        "POST",
        "/invitations/accept",
        kinds.OPEN,
        accept,
        body=models.AcceptInvitation,
        answer=models.Accepted,
        status=201,
        summary="Accept an invitation, with a new account or the one signed in",
        codes=(*_DEAD, Code.CONFLICT, Code.NOT_PERMITTED, Code.SIGN_IN_REQUIRED),
    ),
]
