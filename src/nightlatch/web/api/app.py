"""What products ask with their secret: checks, grants, and their people. See docs/apps.md."""

import secrets
from dataclasses import dataclass
from functools import partial

from nightlatch.actions import app_checks, app_flows, kinds, people
from nightlatch.actions.app_checks import Verdict
from nightlatch.actions.app_flows import Replayed
from nightlatch.actions.people import App, Person, Place, Said
from nightlatch.actions.tokens import hash_token, new_token
from nightlatch.addresses import BadAddress, parse
from nightlatch.decision import Allow, Deny
from nightlatch.instants import SECOND, Duration, Instant, to_text
from nightlatch.names import clean_name
from nightlatch.refusals import Code, Refused, WayOut, invalid, not_found
from nightlatch.store import accounts, workspaces
from nightlatch.store.engine import Transaction
from nightlatch.vocabulary import Reason, Role
from nightlatch.web.answers import Answer
from nightlatch.web.api import app_models as models
from nightlatch.web.api.reading import parsed_instant
from nightlatch.web.context import Context
from nightlatch.web.house import Front
from nightlatch.web.routes import Route, api

LIST_LIMIT = 32 * 1024 * 1024
BATCH = 200
"""People written in one transaction of a full list: others wait no longer than for so many."""


# --- checks ---


async def check(context: Context, body: models.CheckBody) -> Answer:
    return Answer(await answer_check(context.front, context.asking, body, context.now))


async def answer_check(front: Front, app: App, body: models.CheckBody, now: Instant) -> models.Checked:
    """The whole check, for the route and for the fast path. Where all is as it is kept it is one read."""
    store, asked = front.house.store, _asked(app, body, now)
    found = await store.read(lambda tx: _look(tx, app, asked, people.place_of(tx, app, asked.said)))
    if found is None:
        person = _person(app, body.person, body.person.workspace, body.person.workspace_name)
        place = await store.write(lambda tx: people.note_person(tx, app=app, person=person))
        front.wake_mail()
        found = await store.read(lambda tx: _look(tx, app, asked, place))
    if found is None:
        raise not_found()
    place, verdict = found
    if verdict.seen is not None:
        front.saw(*verdict.seen, now)
    return _answer(front, app, place, verdict, asked)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A check's question, read."""

    said: Said
    signed_in_at: Instant | None
    grant_hash: bytes | None
    max_age: Duration | None
    opens: str | None
    state: str | None
    now: Instant


def _asked(app: App, body: models.CheckBody, now: Instant) -> _Asked:
    person = body.person
    at = parsed_instant(person.signed_in_at, "person.signed_in_at") if person.signed_in_at else None
    return _Asked(
        Said(
            person.id,
            person.email,
            person.name,
            person.workspace,
            person.workspace_name,
            app.role_map.get(person.role),
        ),
        min(at, now) if at is not None else None,
        hash_token(body.grant) if body.grant else None,
        body.max_age * SECOND if body.max_age is not None else None,
        body.open,
        body.state,
        now,
    )


def _look(tx: Transaction, app: App, asked: _Asked, place: Place | None) -> tuple[Place, Verdict] | None:
    """The verdict, where it is known whose it is."""
    if place is None:
        return None
    return place, app_checks.check(
        tx,
        app=app,
        place=place,
        signed_in_at=asked.signed_in_at,
        grant_hash=asked.grant_hash,
        max_age=asked.max_age,
    )


def _answer(front: Front, app: App, place: Place, verdict: Verdict, asked: _Asked) -> models.Checked:
    decision = verdict.decision
    leads = asked.opens is not None if isinstance(decision, Allow) else not isinstance(decision, Deny)
    state = (asked.state or secrets.token_urlsafe(24)) if leads else None
    return models.Checked(
        app=app.handle,
        decision=app_checks.name_of(decision),
        reason=decision.reason,
        start=_start(front, app, place, verdict, asked, state) if state is not None else None,
        state=state,
        due=_text(verdict.due),
        proof=models.Proof(
            aal=verdict.aal, acr=verdict.acr, amr=list(verdict.amr), at=_text(verdict.proved_at)
        ),
    )


def _start(front: Front, app: App, place: Place, verdict: Verdict, asked: _Asked, state: str) -> str:
    token = app_flows.start_link(
        front.house.keys,
        app=app,
        place=place,
        signed_in_at=asked.signed_in_at,
        session_id=verdict.session_id,
        state=state,
        max_age=asked.max_age,
        opens=asked.opens,
        now=asked.now,
        anew=verdict.anew,
    )
    return f"{front.config.base_url}/app/start/{token}"


def _person(
    app: App,
    body: models.ListedPerson,
    workspace: str,
    workspace_name: str,
    field: str = "person",
) -> Person:
    """Somebody as the product says, cleaned. Raises Refused (422) for what cannot be kept."""
    try:
        address = parse(body.email)
    except BadAddress as bad:
        raise invalid(f"{field}.email", bad.reason) from None
    return Person(
        _plain(body.id, f"{field}.id"),
        address,
        clean_name(body.name, f"{field}.name"),
        _plain(workspace, f"{field}.workspace"),
        clean_name(workspace_name, f"{field}.workspace_name"),
        _role(app, body.role, f"{field}.role"),
    )


def _plain(text: str, field: str) -> str:
    """A product's own id: any text that can be seen, compared as it is."""
    if not text.isprintable():
        raise invalid(field, "An id has no characters that cannot be seen.")
    return text


def _role(app: App, word: str, field: str) -> Role:
    role = app.role_map.get(word)
    if role is None:
        raise invalid(
            field,
            f"This app has no such role. Say what it is: nightlatch app change {app.handle} --role-map WORD=ROLE",
        )
    return role


def _text(instant: Instant | None) -> str | None:
    return to_text(instant) if instant is not None else None


# --- grants ---


async def redeem(context: Context, body: models.CodeAndState) -> Answer:
    app, token = context.asking, new_token()

    def work(tx: Transaction) -> models.Grant | Replayed:
        granted = app_flows.redeem(
            tx, by=context.by, app_id=app.id, code=body.code, state=body.state, token=token
        )
        if isinstance(granted, Replayed):
            return granted
        workspace = workspaces.by_id(tx, granted.workspace_id)
        return models.Grant(
            grant=token.text,
            expires_at=to_text(granted.expires_at),
            person=accounts.person_of(tx, app.id, granted.account_id),
            workspace=str(workspace.app_key) if workspace is not None else "",
        )

    made = await context.write(work)
    if isinstance(made, Replayed):
        raise Refused(Code.ALREADY_USED, "This code was used already. What was made of it has ended.")
    return Answer(made)


async def end_grant(context: Context, body: models.GrantBody) -> Answer:
    app_id, grant_hash = context.asking.id, hash_token(body.grant)
    await context.write(lambda tx: app_flows.end_grant(tx, app_id=app_id, grant_hash=grant_hash))
    return Answer(status=204)


# --- people ---


async def replace_team(context: Context, body: models.FullList) -> Answer:
    app, workspace = context.asking, body.workspace
    listed = await context.pool(lambda: _listed(app, body))
    found = await context.query_store(
        lambda tx: people.compare(tx, app=app, workspace=workspace, listed=listed)
    )
    if not body.dry_run:
        if people.needs_confirmation(found) and not body.confirm:
            raise Refused(
                Code.CONFIRM_REQUIRED,
                f"This list would remove {found.removed} people, more than a fifth. Nothing was changed.",
                WayOut("Send it with confirm: true if it is whole.", "/api/v1/app/teammates"),
            )
        await _write_list(context, app, workspace, found)
    return Answer(
        models.Difference(
            added=found.added,
            changed=found.changed,
            removed=found.removed,
            unchanged=found.unchanged,
            dry_run=body.dry_run,
        )
    )


def _listed(app: App, body: models.FullList) -> list[Person]:
    listed = [
        _person(app, each, body.workspace, body.workspace_name, field=f"people.{number}")
        for number, each in enumerate(body.people)
    ]
    if len({each.id for each in listed}) != len(listed):
        raise invalid("people", "Somebody is on this list twice.")
    return listed


async def _write_list(context: Context, app: App, workspace: str, found: people.Difference) -> None:
    """Whoever is new or changed first, then whoever is gone, so that no owner is missed in between."""
    for start in range(0, len(found.news), BATCH):
        await context.write(partial(people.note_some, app=app, listed=found.news[start : start + BATCH]))
    for start in range(0, len(found.gone), BATCH):
        part = found.gone[start : start + BATCH]
        await context.write(partial(people.remove_some, app=app, workspace=workspace, gone=part))


async def standing(context: Context) -> Answer:
    app, person, workspace = (
        context.asking,
        str(context.request.path_params["id"]),
        context.query("workspace"),
    )
    if not workspace:
        raise invalid("workspace", "Say which workspace, by the product's own id.")
    found = await context.read(
        lambda tx: app_checks.standing(tx, app=app, person=person, workspace=workspace)
    )
    if found is None:
        body = models.Standing(
            id=person,
            workspace=workspace,
            decision="deny",
            reason=Reason.NOT_A_TEAMMATE,
            two_factor=False,
            due=None,
        )
        return Answer(body)
    return Answer(
        models.Standing(
            id=person,
            workspace=workspace,
            decision=found.decision,
            reason=found.reason,
            two_factor=found.two_factor,
            due=_text(found.due),
        )
    )


async def forget(context: Context) -> Answer:
    app, person = context.asking, str(context.request.path_params["id"])
    await context.write(lambda tx: people.forget(tx, app=app, person=person))
    return Answer(status=204)


ROUTES: list[Route] = [
    api(
        "POST",
        "/app/check",
        kinds.ASK_AS_APP,
        check,
        body=models.CheckBody,
        answer=models.Checked,
        summary="May this person be in that workspace now",
    ),
    api(
        "POST",
        "/app/grants",
        kinds.ASK_AS_APP,
        redeem,
        body=models.CodeAndState,
        answer=models.Grant,
        summary="A grant for the one-time code that the browser brought back",
        codes=(Code.NOT_FOUND, Code.ALREADY_USED, Code.EXPIRED),
    ),
    api(
        "POST",
        "/app/grants/end",
        kinds.ASK_AS_APP,
        end_grant,
        body=models.GrantBody,
        status=204,
        summary="The product signed the person out: the grant ends",
    ),
    api(
        "PUT",
        "/app/teammates",
        kinds.ASK_AS_APP,
        replace_team,
        body=models.FullList,
        answer=models.Difference,
        body_limit=LIST_LIMIT,
        summary="The full list of one workspace; who is not on it is removed",
        codes=(Code.CONFIRM_REQUIRED,),
    ),
    api(
        "GET",
        "/app/people/{id}",
        kinds.ASK_AS_APP,
        standing,
        rest=True,
        answer=models.Standing,
        query={"workspace": {"type": "string", "description": "the product's own id of it"}},
        summary="May this person's own API tokens work there",
    ),
    api(
        "DELETE",
        "/app/people/{id}",
        kinds.ASK_AS_APP,
        forget,
        rest=True,
        status=204,
        summary="Gone from the product: everything of theirs ends",
    ),
]
