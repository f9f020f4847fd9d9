"""Signing in at a workspace's identity provider: the way there and back, whatever the protocol.

`begin` puts aside what the way back needs, for this browser alone; `spend` takes it, once, before anything is asked of
the provider; the protocol then says who came (`sso.identity.Identity`); `finish` lets them in, steps up, connects or
reports. What a connection proves is proof in the workspace that owns it and nowhere else: the proof's row names the
connection, and its rule is read with every decision.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from nightlatch.access import decide, decide_account, decide_workspace
from nightlatch.actions import kinds, sso_people
from nightlatch.actions.by import By
from nightlatch.actions.guard import allowed, known, person_of, session_of
from nightlatch.actions.proving import Proved, accept
from nightlatch.actions.remembering import recognise
from nightlatch.actions.sso_linking import connect, may_connect, note_way
from nightlatch.actions.sso_outcomes import Begun, Linked, Reported, Turned, Way, Why
from nightlatch.actions.sso_people import Comes, Joins
from nightlatch.actions.sso_reports import report
from nightlatch.actions.tokens import Token
from nightlatch.assurance import enrolled
from nightlatch.audit.events import account as account_subject
from nightlatch.audit.events import record
from nightlatch.decision import Allow, Challenge
from nightlatch.facts import ConnectionId
from nightlatch.instants import MINUTE, Duration
from nightlatch.refusals import Code, Refused, WayOut, not_found
from nightlatch.sso.identity import Identity
from nightlatch.store import connections, identities, sessions, sso_flows, standing, teammates
from nightlatch.store.connection_rules import told_text
from nightlatch.store.engine import Transaction
from nightlatch.store.known import Known
from nightlatch.store.locks import address_name, lock
from nightlatch.store.query import Row
from nightlatch.store.session_facts import read_known_by_session
from nightlatch.store.sso_flows import Flow
from nightlatch.vocabulary import Credential, Event, Evidence, Method

LEEWAY: Duration = MINUTE
"""Between the provider's clock and ours."""


# --- there ---


def look(tx: Transaction, connection_id: ConnectionId) -> Begun:
    """What the request to the provider is made of. Raises Refused: `not_found`, or `conflict`: it is not ready."""
    row = connections.by_id(tx, connection_id)
    if row is None or row.app_id is not None:
        raise not_found()
    if not connections.is_ready(row):
        raise Refused(
            Code.CONFLICT,
            "This way to sign in is not set up yet.",
            WayOut("Sign in another way.", "/sign-in"),
        )
    return Begun(
        row.id,
        row.name,
        row.issuer,
        row.client_id,
        connections.settings_of(row),
        row.kind,
        row.workspace_id,
        row.max_age,
    )


def begin(
    tx: Transaction,
    *,
    by: By,
    connection_id: ConnectionId,
    way: Way,
    state_hash: bytes,
    cookie_hash: bytes,
    said: Mapping[str, Any],
    onward: str = "",
    fresh: bool = False,
) -> Begun:
    """Begin a way to the provider. `said`: the protocol's own secrets for the way back. `fresh`: only a sign-in there
    that is made now will do.

    Raises Refused: as `look`; for a step-up, a connecting or a test what the gate raises.
    """
    begun = look(tx, connection_id)
    row = connections.by_id(tx, connection_id)
    sso_flows.begin(
        tx,
        state_hash=state_hash,
        browser=cookie_hash,
        connection_id=connection_id,
        purpose=way,
        session_id=_entered(tx, by, row, way),
        said={**said, "next": onward, "fresh": fresh},
    )
    return begun


def _entered(tx: Transaction, by: By, connection: Row, way: Way) -> int | None:
    """The session that a way is for, where it is for one; the way allowed."""
    if way is Way.SIGN_IN:
        return None
    if way is Way.LINK:
        return session_of(may_connect(tx, by, connection, fresh=True)).id
    action = kinds.PRESENT_FIRST if way is Way.STEP_UP else kinds.TEST_CONNECTION
    return session_of(allowed(tx, by, action.at(connection.workspace_id))).id


# --- back ---


def spend(
    tx: Transaction, *, by: By, connection_id: ConnectionId, state_hash: bytes, cookie_hash: bytes | None
) -> Flow | Turned:
    """Take a way back, once, in the browser that began it (law 4). Nothing was asked of the provider yet."""
    flow = None
    if cookie_hash is not None:
        flow = sso_flows.spend(tx, state_hash=state_hash, browser=cookie_hash, connection_id=connection_id)
    if flow is not None:
        return flow
    row, connection = sso_flows.by_state(tx, state_hash), connections.by_id(tx, connection_id)
    if row is None or connection is None or row.connection_id != connection_id:
        return Turned(Why.NOT_KNOWN, connection.id if connection is not None else None)
    if row.browser != cookie_hash:
        return _refused(tx, by, connection, Turned(Why.OTHER_BROWSER, connection.id))
    if row.spent_at is not None:
        return _refused(tx, by, connection, Turned(Why.USED, connection.id))
    return Turned(Why.EXPIRED, connection.id)


def secret(tx: Transaction, connection_id: ConnectionId) -> str | None:
    """The client's secret, for asking the provider. Raises Refused where the connection is gone."""
    row = connections.by_id(tx, connection_id)
    if row is None:
        raise not_found()
    return connections.secret_of(tx, row)


def failed(tx: Transaction, *, by: By, flow: Flow, code: str, detail: str) -> Reported | Turned:
    """The provider vouched for nobody; `code` says what happened, `detail` says it to an admin, in a test's report."""
    connection = connections.by_id(tx, flow.connection_id)
    if connection is None:
        return Turned(Why.GONE)
    if flow.purpose == Way.TEST:
        sso_flows.report(tx, flow.id, {"code": code, "detail": detail})
        return _tested(connection, flow)
    why = Why.CANCELLED if code == "access_denied" else Why.PROVIDER
    return _refused(tx, by, connection, Turned(why, connection.id, code, detail))


def finish(
    tx: Transaction, *, by: By, flow: Flow, identity: Identity, token: Token
) -> Proved | Linked | Reported | Turned:
    """Somebody came. `token`: for the session that they have from now on.

    Where nobody comes in, nothing has changed but the audit log.
    """
    connection = connections.by_id(tx, flow.connection_id)
    if connection is None or connection.app_id is not None:
        return Turned(Why.GONE)
    outcome: Proved | Linked | Reported | Turned
    if flow.purpose == Way.SIGN_IN:
        outcome = _sign_in(tx, by, connection, identity, token)
    elif flow.purpose == Way.STEP_UP:
        outcome = _step_up(tx, by, flow, connection, identity, token)
    elif flow.purpose == Way.LINK:
        outcome = _link(tx, by, flow, connection, identity, token)
    else:
        outcome = _test(tx, by, flow, connection, identity)
    return _refused(tx, by, connection, outcome) if isinstance(outcome, Turned) else outcome


# --- the four ways ---


def _sign_in(tx: Transaction, by: By, connection: Row, identity: Identity, token: Token) -> Proved | Turned:
    first = sso_people.judge(tx, connection, identity)
    _lock(tx, connection, identity, first)
    now = sso_people.judge(tx, connection, identity)
    if isinstance(now, Turned):
        return now
    if type(now) is not type(first):
        return Turned(Why.EXPIRED, connection.id)  # something changed in this very moment: begin again
    if isinstance(now, Joins):
        account = sso_people.join(tx, by=by, connection=connection, identity=identity, joins=now)
    else:
        account = now.account
    me = By(
        "account", account.id, account.name, by.ip, by.user_agent, token.hash, Credential.COOKIE, by.browser
    )
    session_id = _session(tx, me, known(tx, by), account, token)
    return _proved(tx, me, connection, session_id, identity, token)


def _lock(tx: Transaction, connection: Row, identity: Identity, judged: Comes | Joins | Turned) -> None:
    """Who is known is locked alone; whoever joins takes the workspace's lock too, so that nobody joins twice."""
    if isinstance(judged, Comes):
        lock(tx, accounts=[judged.account.id])
    elif isinstance(judged, Joins):
        lock(
            tx,
            workspaces=[connection.workspace_id],
            accounts=[judged.account.id] if judged.account is not None else [],
            names=[address_name(judged.address.key)],
        )


def _session(tx: Transaction, by: By, before: Known, account: Row, token: Token) -> int:
    """This browser's session where it is this person's already; else a new one, and what the browser had ends."""
    if before.session is not None and before.person is not None:
        if before.person.id == account.id:
            return before.session.id
        sessions.end(tx, before.session.id, before.person.id)
    session_id = sessions.create(
        tx,
        account_id=account.id,
        kind=Credential.COOKIE,
        token_hash=token.hash,
        ip=by.ip,
        user_agent=by.user_agent[:400],
        pending=True,
        browser=by.browser,
    )
    recognise(tx, by, Credential.COOKIE, account.id, session_id)
    return session_id


def _step_up(
    tx: Transaction, by: By, flow: Flow, connection: Row, identity: Identity, token: Token
) -> Proved | Turned:
    """In the session that asked, by the very person whose it is; and where it asked for a fresh one, a fresh one."""
    lock(tx, accounts=[by.id] if by.id is not None else [])
    now = known(tx, by)
    if now.session is None or now.person is None or now.session.id != flow.session_id:
        return Turned(Why.OTHER_SESSION, connection.id)
    account = identities.account(tx, connection.id, identity.subject)
    if account is None:
        return Turned(Why.NOT_CONNECTED, connection.id)
    if account.id != now.person.id:
        return Turned(Why.OTHER_PERSON, connection.id)
    if not isinstance(decide(now.facts, kinds.PRESENT_FIRST.at(connection.workspace_id)), Allow):
        return Turned(Why.REMOVED, connection.id)
    if flow.said["fresh"] and (identity.auth_time or 0) < flow.created_at - LEEWAY:
        return Turned(Why.NOT_FRESH, connection.id)
    return _proved(tx, by, connection, now.session.id, identity, token)


def _link(
    tx: Transaction, by: By, flow: Flow, connection: Row, identity: Identity, token: Token
) -> Linked | Turned:
    lock(
        tx,
        workspaces=[connection.workspace_id],
        accounts=[by.id] if by.id is not None else [],
    )
    if session_of(known(tx, by)).id != flow.session_id:
        return Turned(Why.OTHER_SESSION, connection.id)
    now = may_connect(tx, by, connection, fresh=False)  # it was fresh when it began, ten minutes ago at most
    turned = connect(tx, by=by, connection=connection, subject=identity.subject)
    if turned is not None:
        return turned
    _proved(tx, by, connection, session_of(now).id, identity, token)
    return Linked(connection.id, connection.name)


def _test(tx: Transaction, by: By, flow: Flow, connection: Row, identity: Identity) -> Reported | Turned:
    now = known(tx, by)
    if now.session is None or now.session.id != flow.session_id:
        return Turned(Why.OTHER_SESSION, connection.id)
    allowed(tx, by, kinds.TEST_CONNECTION.at(connection.workspace_id))
    sso_flows.report(tx, flow.id, report(tx, connection, identity))
    return _tested(connection, flow)


# --- inside ---


def _proved(
    tx: Transaction, by: By, connection: Row, session_id: int, identity: Identity, token: Token
) -> Proved:
    """Record the proof: when it was given there (0 where that is not told), and what was told of how."""
    sessions.add_proof(
        tx,
        session_id,
        Method.PROVIDER,
        at=min(identity.auth_time, tx.now) if identity.auth_time is not None else 0,
        connection_id=connection.id,
        evidence=told_text(identity.told),
    )
    now = read_known_by_session(tx, session_id)
    now = replace(now, facts=replace(now.facts, idle=False))  # the first factor alone resumes an idle session
    after = accept(tx, by, now, token)
    _note_way(tx, by, connection, after)
    person = person_of(after)
    half = isinstance(decide_account(after.facts), Challenge)
    record(
        tx,
        Event.SIGN_IN_HALF_DONE if half else Event.SIGN_IN_SUCCEEDED,
        by=by,
        subject=account_subject(person.id, person.name),
        method=Method.PROVIDER,
        connection=connection.name,
    )
    return Proved(after, token)


def _note_way(tx: Transaction, by: By, connection: Row, after: Known) -> None:
    """Whether what they came by is enough there, by its rule, without 2FA of their own: for the Teammates table, and
    for API tokens, which have no session to look at."""
    workspace_id, facts = connection.workspace_id, after.facts
    vouched = any(each.connection == connection.id and each.evidence > Evidence.NONE for each in facts.proofs)
    alone = vouched and not enrolled(facts.authenticators, workspace_id)
    enough = alone and isinstance(decide_workspace(facts, workspace_id), Allow)
    account_id = facts.account or 0
    row = teammates.by_account(tx, account_id, workspace_id)
    wanted = connection.id if enough else None
    if row is not None and row.sso_connection_id != wanted:
        teammates.came_by(tx, account_id, workspace_id, wanted)
        note_way(tx, by, connection, row, enough=enough)
        standing.refresh(tx, account_id, [workspace_id])


def _refused(tx: Transaction, by: By, connection: Row, turned: Turned) -> Turned:
    """The workspace can see that somebody was turned away at its connection, and why."""
    record(
        tx,
        Event.SSO_REFUSED,
        by=by,
        subject=("connection", connection.id, connection.name),
        workspace_id=connection.workspace_id,
        why=turned.why,
        code=turned.code,
    )
    return turned


def _tested(connection: Row, flow: Flow) -> Reported:
    return Reported(connection.workspace_id, connection.slug, connection.id, flow.id)
