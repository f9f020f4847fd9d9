"""Laws 4 and 5 and the second step, in order: what is charged, what is spent, what opens. Races are in tests/races."""

import secrets

import pytest

from nightlatch.actions import authenticators, enrolment, second_step, sign_in, tickets
from nightlatch.actions.by import By
from nightlatch.actions.enrolment import Confirmed, HashedCode, NotConfirmed
from nightlatch.actions.proving import Proved, Wait, Wrong
from nightlatch.actions.tickets import Redeemed
from nightlatch.actions.tokens import hash_token, new_token
from nightlatch.addresses import parse
from nightlatch.authenticators import recovery_code, totp
from nightlatch.decision import Allow, Challenge, Enrol
from nightlatch.instants import HOUR, MINUTE, SECOND
from nightlatch.refusals import Code, Refused
from nightlatch.store import events, outbox
from nightlatch.vocabulary import Credential, Method
from tests.support.mails import link_in
from tests.support.world import Person, World, carried_on


def password(world: World, person: Person, right: bool, browser: str = "new") -> Proved | Wrong | Wait:
    """One password, judged beforehand."""
    by = By("visitor", None, "", "192.0.2.9", "test", browser=hash_token(browser))
    candidate = world.read(lambda tx: sign_in.look(tx, by=by, address=parse(person.email)))
    if candidate.wait is not None:
        return candidate.wait
    token = new_token()
    return world.write(
        lambda tx: sign_in.sign_in(
            tx, by=by, candidate=candidate, right=right, kind=Credential.COOKIE, token=token
        )
    )


def code(world: World, by: By, text: str) -> Proved | Wrong | Wait:
    """One code."""
    return world.write(lambda tx: second_step.present_totp(tx, by=by, code=text, token=new_token()))


def wrong_code(world: World, seed: bytes) -> str:
    """A code that is right for no moment near this one."""
    near = {world.code(seed, steps) for steps in range(-30, 31)}
    return next(text for text in map("{:06d}".format, range(1000)) if text not in near)


def hashed_codes() -> tuple[list[str], list[HashedCode]]:
    fresh = recovery_code.generate(secrets.token_bytes)
    return [each.text for each in fresh], [
        HashedCode(each.selector, recovery_code.hash_secret(each.secret)) for each in fresh
    ]


def enrol(
    world: World, by: By, replaces: int | None = None, workspace: int | None = None
) -> tuple[By, Confirmed]:
    """The whole journey after the mailbox was shown."""
    pending = world.write(
        lambda tx: enrolment.begin(tx, by=by, name="Phone", replaces=replaces, workspace_id=workspace)
    )
    token = new_token()
    result = world.write(
        lambda tx: enrolment.confirm(
            tx,
            by=by,
            enrolment_id=pending.id,
            code=world.code(pending.seed),
            codes=hashed_codes()[1],
            token=token,
        )
    )
    assert isinstance(result, Confirmed)
    return carried_on(by, result.token), result


def ticket(world: World, by: By, workspace: int | None = None) -> Redeemed:
    """Ask for the mailed link and use it."""
    world.write(lambda tx: tickets.send(tx, by=by, workspace_id=workspace))
    link = link_in(world, "ticket").removeprefix("/tickets/")
    result = world.write(lambda tx: tickets.redeem(tx, by=by, token_hash=hash_token(link), number=None))
    assert isinstance(result, Redeemed)
    return result


def redeem_refused(world: World, by: By, token_hash: bytes) -> Code:
    """Why a ticket cannot be used."""
    with pytest.raises(Refused) as refused:
        world.write(lambda tx: tickets.redeem(tx, by=by, token_hash=token_hash, number=None))
    return refused.value.code


def test_five_wrong_passwords_are_free_then_it_waits_whatever_the_session(world: World) -> None:
    """F15, F17: a new sign-in is no fresh budget, and the right password is refused meanwhile."""
    ana = world.person("Ana")
    for _ in range(5):
        assert isinstance(password(world, ana, right=False), Wrong)
    blocked = password(world, ana, right=True)
    assert isinstance(blocked, Wait)
    assert blocked.retry_at is not None
    world.wait(31 * SECOND)
    assert isinstance(password(world, ana, right=True), Proved)
    assert isinstance(password(world, ana, right=False), Wrong)


def test_strangers_cannot_lock_out_a_browser_that_signed_in_before(world: World) -> None:
    """F22: hammering an address leaves the owner's own browser its tries."""
    ana = world.person("Ana")
    assert isinstance(password(world, ana, right=True, browser="anas"), Proved)
    for _ in range(5):
        password(world, ana, right=False)
    assert isinstance(password(world, ana, right=True), Wait)
    assert isinstance(password(world, ana, right=True, browser="anas"), Proved)
    assert isinstance(password(world, ana, right=True), Wait), "F19: her success clears her own counter alone"


def test_a_hundred_wrong_passwords_lead_to_a_mailed_link(world: World) -> None:
    """Law 5 c: passwords are never disabled."""
    ana = world.person("Ana")
    for _ in range(100):
        assert isinstance(password(world, ana, right=False), Wrong)
        world.wait(16 * MINUTE)
    blocked = password(world, ana, right=True)
    assert isinstance(blocked, Wait)
    assert blocked.retry_at is None
    visitor = By("visitor", None, "", "192.0.2.9", "test", browser=hash_token("new"))
    world.write(lambda tx: sign_in.ask_unblock(tx, by=visitor, address=parse(ana.email)))
    token = link_in(world, "sign_in_unblock").removeprefix("/unblock/")
    world.write(lambda tx: sign_in.unblock(tx, by=visitor, token_hash=hash_token(token)))
    assert isinstance(password(world, ana, right=True), Proved)
    with pytest.raises(Refused) as refused:
        world.write(lambda tx: sign_in.unblock(tx, by=visitor, token_hash=hash_token(token)))
    assert refused.value.code is Code.EXPIRED


def test_an_unknown_address_is_counted_like_a_known_one(world: World) -> None:
    """F41: the sixth try waits for both."""
    nobody = Person(0, "nobody@example.com", "Nobody")
    for _ in range(5):
        assert isinstance(password(world, nobody, right=False), Wrong)
    assert isinstance(password(world, nobody, right=False), Wait)


def test_a_code_opens_once_and_not_again(world: World) -> None:
    """F08, F10, F13: neither the same code nor an older one, at whatever door."""
    ana = world.person("Ana")
    acme = world.workspace("acme", owner=ana)
    _, seed = world.bind_totp(ana)
    by = world.session(ana)
    assert isinstance(world.opens(by, acme), Challenge)
    later, now = world.code(seed, 1), world.code(seed)
    proved = code(world, by, later)
    assert isinstance(proved, Proved)
    by = carried_on(by, proved.token)
    assert isinstance(world.opens(by, acme), Allow)
    for again in (later, now):
        result = code(world, by, again)
        assert isinstance(result, Wrong)
        assert result.replayed


def test_the_session_gets_a_new_token_with_every_proof(world: World) -> None:
    """F39; ASVS 7.2.4: the old token is dead at once."""
    ana = world.person("Ana")
    world.workspace("acme", owner=ana)
    _, seed = world.bind_totp(ana)
    by = world.session(ana)
    proved = code(world, by, world.code(seed))
    assert isinstance(proved, Proved)
    assert world.known(by).session is None
    assert world.known(carried_on(by, proved.token)).session is not None


def test_wrong_codes_are_charged_over_sign_ins_and_success_alone_clears(world: World) -> None:
    """F15, F17, F19: four wrong, a new sign-in, one wrong: it waits; the right password changes nothing."""
    ana = world.person("Ana")
    world.workspace("acme", owner=ana)
    _, seed = world.bind_totp(ana)
    bad = wrong_code(world, seed)
    first = world.session(ana)
    for _ in range(4):
        assert isinstance(code(world, first, bad), Wrong)
    second = world.session(ana, ip="198.51.100.7")
    assert isinstance(code(world, second, bad), Wrong)
    blocked = code(world, second, world.code(seed))
    assert isinstance(blocked, Wait)
    assert isinstance(password(world, ana, right=True), Proved)
    assert isinstance(code(world, world.session(ana), world.code(seed)), Wait)
    world.wait(31 * SECOND)
    assert isinstance(code(world, second, world.code(seed)), Proved)


def test_a_hundred_wrong_codes_suspend_and_three_things_together_lift(world: World) -> None:
    """NIST 3.2.2; law 5 d: suspended is still relied on: no enrolment; password, mail and code lift it."""
    ana = world.person("Ana")
    acme = world.workspace("acme", owner=ana)
    world.require(acme)
    _, seed = world.bind_totp(ana)
    by, suspended = world.session(ana), False
    for number in range(100):
        if number % 10 == 0:
            by = world.session(ana)
        result = code(world, by, wrong_code(world, seed))
        assert isinstance(result, Wrong)
        suspended = result.suspended
        world.wait(61 * MINUTE)
    assert suspended
    by = world.session(ana)
    decision = world.opens(by, acme)
    assert isinstance(decision, Challenge), "never Enrol"
    assert decision.methods == ()
    link = link_in(world, "second_factor_suspended").removeprefix("/lift/")
    proved = world.write(
        lambda tx: second_step.lift(
            tx, by=by, token_hash=hash_token(link), code=world.code(seed), token=new_token()
        )
    )
    assert isinstance(proved, Proved)
    assert isinstance(world.opens(carried_on(by, proved.token), acme), Allow)


def test_a_second_factor_is_not_taken_before_the_first(world: World) -> None:
    """Law 5 d: a stranger never spends somebody's guesses."""
    ana = world.person("Ana")
    _, seed = world.bind_totp(ana)
    stranger = By("visitor", None, "", "192.0.2.9", "test")
    with pytest.raises(Refused) as refused:
        code(world, stranger, world.code(seed))
    assert refused.value.code is Code.SIGN_IN_REQUIRED


def test_a_first_binding_takes_the_password_and_the_mailbox(world: World) -> None:
    """Law 14: without the ticket it is refused; with it, everything opens and ten codes are kept."""
    dana, ana = world.person("Dana"), world.person("Ana")
    acme = world.workspace("acme", owner=dana, member=ana)
    world.require(acme)
    by = world.session(ana)
    assert isinstance(world.opens(by, acme), Enrol)
    with pytest.raises(Refused) as refused:
        world.write(lambda tx: enrolment.begin(tx, by=by, name="", replaces=None, workspace_id=acme))
    assert refused.value.code is Code.MAIL_PROOF_REQUIRED
    assert ticket(world, by, acme).workspace_id == acme
    by, confirmed = enrol(world, by, workspace=acme)
    assert confirmed.first
    assert confirmed.codes_kept
    assert isinstance(world.opens(by, acme), Allow)
    listed = world.read(lambda tx: authenticators.own(tx, by=by))
    assert [each.method for each in listed] == [Method.TOTP, Method.RECOVERY_CODE]
    assert listed[1].codes_left == 10


def test_the_confirming_code_is_spent(world: World) -> None:
    """F14: it confirmed the enrolment, so it does not sign in."""
    ana = world.person("Ana")
    world.workspace("acme", owner=ana)
    by = world.session(ana)
    ticket(world, by, None)
    pending = world.write(lambda tx: enrolment.begin(tx, by=by, name="", replaces=None, workspace_id=None))
    text, token = world.code(pending.seed), new_token()
    result = world.write(
        lambda tx: enrolment.confirm(tx, by=by, enrolment_id=pending.id, code=text, codes=[], token=token)
    )
    assert isinstance(result, Confirmed)
    replay = code(world, world.session(ana), text)
    assert isinstance(replay, Wrong)
    assert replay.replayed


def test_a_drifting_phone_is_told_so_and_nothing_is_bound(world: World) -> None:
    ana = world.person("Ana")
    world.workspace("acme", owner=ana)
    by = world.session(ana)
    ticket(world, by, None)
    pending = world.write(lambda tx: enrolment.begin(tx, by=by, name="", replaces=None, workspace_id=None))
    result = world.write(
        lambda tx: enrolment.confirm(
            tx, by=by, enrolment_id=pending.id, code=world.code(pending.seed, -8), codes=[], token=new_token()
        )
    )
    assert result == NotConfirmed(-8)
    assert world.read(lambda tx: authenticators.own(tx, by=by)) == []


def test_a_pending_enrolment_is_its_own_sessions_alone(world: World) -> None:
    """Law 14, F24: no other session may read or confirm it, and a new begin replaces it."""
    ana = world.person("Ana")
    world.workspace("acme", owner=ana)
    mine, other = world.session(ana), world.session(ana)
    ticket(world, mine, None)
    pending = world.write(lambda tx: enrolment.begin(tx, by=mine, name="", replaces=None, workspace_id=None))
    assert world.read(lambda tx: enrolment.current(tx, by=other)) is None
    with pytest.raises(Refused):
        world.write(
            lambda tx: enrolment.confirm(
                tx,
                by=other,
                enrolment_id=pending.id,
                code=world.code(pending.seed),
                codes=[],
                token=new_token(),
            )
        )
    again = world.read(lambda tx: enrolment.current(tx, by=mine))
    assert again is not None
    assert again.seed == pending.seed, "a reload draws the same QR"
    newer = world.write(lambda tx: enrolment.begin(tx, by=mine, name="", replaces=None, workspace_id=None))
    assert newer.seed != pending.seed
    with pytest.raises(Refused) as refused:
        world.write(
            lambda tx: enrolment.confirm(
                tx,
                by=mine,
                enrolment_id=pending.id,
                code=world.code(pending.seed),
                codes=[],
                token=new_token(),
            )
        )
    assert refused.value.code is Code.EXPIRED


def test_a_first_binding_turns_other_sessions_into_a_challenge_and_a_later_one_ends_them(
    world: World,
) -> None:
    """F07: session B is open while 2FA is set up in A."""
    ana = world.person("Ana")
    acme = world.workspace("acme", owner=ana)
    mine, other = world.session(ana), world.session(ana)
    ticket(world, mine, None)
    mine, confirmed = enrol(world, mine)
    assert isinstance(world.opens(other, acme), Challenge)
    world.wait(31 * SECOND)
    mine, _ = enrol(world, mine, replaces=confirmed.authenticator_id)
    assert world.known(other).session is None
    assert world.known(mine).session is not None


def test_a_recovery_code_works_once_and_lets_its_owner_replace_the_phone(world: World) -> None:
    """F27, design section 7: it opens the workspace, is mailed, and for 24 hours changes nothing weighty."""
    ana = world.person("Ana")
    acme = world.workspace("acme", owner=ana)
    by = world.session(ana)
    ticket(world, by, None)
    pending = world.write(lambda tx: enrolment.begin(tx, by=by, name="", replaces=None, workspace_id=None))
    texts, hashed = hashed_codes()
    confirmed = world.write(
        lambda tx: enrolment.confirm(
            tx,
            by=by,
            enrolment_id=pending.id,
            code=world.code(pending.seed),
            codes=hashed,
            token=new_token(),
        )
    )
    assert isinstance(confirmed, Confirmed)
    later = world.session(ana)
    parts = recovery_code.canonical(texts[3])

    def use(by: By) -> Proved | Wrong | Wait:
        candidate = world.read(lambda tx: second_step.look_code(tx, by=by, parts=parts))
        right = candidate.hash is not None and recovery_code.verify_secret(candidate.hash, parts.secret)
        return world.write(
            lambda tx: second_step.present_recovery_code(
                tx, by=by, parts=parts, candidate=candidate, right=right, token=new_token()
            )
        )

    proved = use(later)
    assert isinstance(proved, Proved)
    assert proved.recovery_codes_left == 9
    later = carried_on(later, proved.token)
    assert isinstance(world.opens(later, acme), Allow)
    assert link_in(world, "recovery_code_used").startswith("/not-me/")
    assert isinstance(use(world.session(ana)), Wrong), "once"
    later, replaced = enrol(world, later, replaces=confirmed.authenticator_id)
    assert replaced.replaced is not None
    facts = world.known(later).facts
    assert facts.authenticator(replaced.authenticator_id) is not None
    limited = facts.authenticator(replaced.authenticator_id)
    assert limited is not None
    assert limited.limited_until > facts.now + 23 * HOUR
    assert facts.authenticator(confirmed.authenticator_id) is None


def test_the_last_second_factor_stays_while_it_is_required(world: World) -> None:
    """F29 and seed sentence 10: `mandated`, with a way on; off again, it may go (with fresh proof)."""
    dana, ana = world.person("Dana"), world.person("Ana")
    acme = world.workspace("acme", owner=dana, member=ana)
    app, seed = world.bind_totp(ana)
    by = world.session(ana)
    proved = code(world, by, world.code(seed))
    assert isinstance(proved, Proved)
    by = carried_on(by, proved.token)
    world.require(acme)
    with pytest.raises(Refused) as refused:
        world.write(lambda tx: authenticators.unbind(tx, by=by, authenticator_id=app))
    assert refused.value.code is Code.MANDATED
    assert refused.value.way_out is not None
    world.unrequire(acme)
    world.wait(11 * MINUTE)
    with pytest.raises(Refused) as refused:
        world.write(lambda tx: authenticators.unbind(tx, by=by, authenticator_id=app))
    assert refused.value.code is Code.STEP_UP_REQUIRED
    again = code(world, by, world.code(seed))
    assert isinstance(again, Proved)
    by = carried_on(by, again.token)
    world.write(lambda tx: authenticators.unbind(tx, by=by, authenticator_id=app))
    assert isinstance(world.opens(by, acme), Allow)


def test_somebody_elses_authenticator_is_not_there(world: World) -> None:
    """F23: A's code is nothing in B's challenge, and is charged to B."""
    ana, ben = world.person("Ana"), world.person("Ben")
    world.workspace("acme", owner=ana, member=ben)
    _, anas = world.bind_totp(ana)
    _, bens = world.bind_totp(ben)
    by = world.session(ben)
    assert isinstance(code(world, by, world.code(anas)), Wrong)
    assert isinstance(code(world, world.session(ana), world.code(anas)), Proved)
    assert isinstance(code(world, by, world.code(bens)), Proved)


def test_a_ticket_is_its_accounts_and_works_once(world: World) -> None:
    """F33: reuse, another account, an older link after resending."""
    dana, ana = world.person("Dana"), world.person("Ana")
    acme = world.workspace("acme", owner=dana, member=ana)
    world.require(acme)
    by, danas = world.session(ana), world.session(dana)
    world.write(lambda tx: tickets.send(tx, by=by, workspace_id=acme))
    old = hash_token(link_in(world, "ticket").removeprefix("/tickets/"))
    world.write(lambda tx: tickets.send(tx, by=by, workspace_id=acme))
    new = hash_token(link_in(world, "ticket").removeprefix("/tickets/"))
    assert world.read(lambda tx: tickets.look(tx, by=by, token_hash=new)).state == "ready"
    assert world.read(lambda tx: tickets.look(tx, by=by, token_hash=new)).state == "ready", (
        "looking spends nothing"
    )
    assert world.read(lambda tx: tickets.look(tx, by=by, token_hash=old)).state == "replaced"
    assert redeem_refused(world, danas, new) is Code.NOT_FOUND
    assert redeem_refused(world, by, old) is Code.EXPIRED
    assert isinstance(
        world.write(lambda tx: tickets.redeem(tx, by=by, token_hash=new, number=None)), Redeemed
    )
    assert redeem_refused(world, by, new) is Code.ALREADY_USED


def test_every_step_of_it_is_an_event_without_any_secret(world: World) -> None:
    """Law 6, F51, F47: and no seed, code or token is in the log."""
    ana = world.person("Ana")
    world.workspace("acme", owner=ana)
    by = world.session(ana)
    ticket(world, by, None)
    by, _ = enrol(world, by)
    rows = world.read(lambda tx: events.page(tx, anywhere=True))
    names = [row.event for row in rows]
    for expected in ("ticket.sent", "ticket.redeemed", "authenticator.bound", "teammate.secured"):
        assert expected in names
    mails = world.read(lambda tx: outbox.recent(tx, 50))
    assert {row.kind for row in mails} == {"ticket", "authenticator_bound"}
    seeds = world.seeds(ana)
    for row in rows:
        for seed in seeds:
            assert totp.key_text(seed) not in row.detail
            assert world.code(seed) not in row.detail
