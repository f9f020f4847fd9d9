"""Somebody came back from a workspace's identity provider: they are let in, step up, connect an account or test.

What a connection proves is proof in the workspace that owns it and nowhere else: the proof's row names the connection,
and its rule is read with every decision.
"""

from dataclasses import replace

from nightlatch.access import decide, decide_workspace
from nightlatch.actions import kinds, sso_people
from nightlatch.actions.beginning import note_sign_in, session_instead
from nightlatch.actions.by import By
from nightlatch.actions.guard import allowed, known, session_of
from nightlatch.actions.proving import Proved, accept
from nightlatch.actions.remembering import recognise
from nightlatch.actions.source_delay import way_led_in
from nightlatch.actions.sso import refused, tested
from nightlatch.actions.sso_linking import connect, note_way, refuse_connecting
from nightlatch.actions.sso_outcomes import Linked, Reported, Turned, Way, Why
from nightlatch.actions.sso_people import Comes, Joins
from nightlatch.actions.sso_reports import report
from nightlatch.actions.tokens import Token
from nightlatch.assurance import enrolled
from nightlatch.decision import Allow
from nightlatch.sso.identity import LEEWAY, Identity
from nightlatch.store import connections, identities, sessions, sso_flows, standing, teammates
from nightlatch.store.connection_rules import told_text
from nightlatch.store.engine import Transaction
from nightlatch.store.known import Known
from nightlatch.store.locks import address_name, lock
from nightlatch.store.query import Row
from nightlatch.store.session_facts import read_known_by_session
from nightlatch.store.sso_flows import Flow
from nightlatch.vocabulary import Credential, Evidence, Method


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
    return refused(tx, by, connection, outcome) if isinstance(outcome, Turned) else outcome


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
    way_led_in(tx, by)
    me = By("account", account.id, account.name, by.ip, by.user_agent, browser=by.browser)
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
    if before.session is not None and before.facts.account == account.id:
        return before.session.id
    session_id = session_instead(tx, by, before, account.id, token).id
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
    now = known(tx, by)
    if session_of(now).id != flow.session_id:
        return Turned(Why.OTHER_SESSION, connection.id)
    refuse_connecting(tx, now, connection, fresh=False)  # it was fresh when it began, ten minutes ago at most
    turned = connect(tx, by=by, connection=connection, subject=identity.subject)
    if turned is not None:
        return turned
    proved = _proved(tx, by, connection, session_of(now).id, identity, token)
    return Linked(connection.id, connection.name, proved.token)


def _test(tx: Transaction, by: By, flow: Flow, connection: Row, identity: Identity) -> Reported | Turned:
    now = known(tx, by)
    if now.session is None or now.session.id != flow.session_id:
        return Turned(Why.OTHER_SESSION, connection.id)
    allowed(tx, by, kinds.TEST_CONNECTION.at(connection.workspace_id))
    sso_flows.report(tx, flow.id, report(tx, connection, identity))
    return tested(connection, flow)


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
    accepted = accept(tx, by, now, token)
    _note_way(tx, by, connection, accepted.known)
    note_sign_in(tx, by, accepted.known, Method.PROVIDER, connection=connection.name)
    return accepted


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
