"""The process that is killed: a store of its own, and clients in threads that enrol and sign in as fast as they can.

Each line that a client says lies in the pipe before anything else happens, so it survives the process.
"""

import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from multiprocessing.connection import Connection
from typing import Any, TypeVar

from sqlalchemy import bindparam, select

from nightlatch.actions import enrolment, joining, second_step, sign_in, tickets
from nightlatch.actions.by import By
from nightlatch.actions.enrolment import Confirmed, HashedCode, NotConfirmed
from nightlatch.actions.proving import Proved, Wait, Wrong
from nightlatch.actions.tokens import Token, hash_token, new_token
from nightlatch.addresses import parse
from nightlatch.authenticators import recovery_code, totp
from nightlatch.store import outbox
from nightlatch.store.engine import Body, Store, Transaction
from nightlatch.store.query import Query
from nightlatch.store.schema import outbox as outbox_table
from nightlatch.store.session_facts import read_known
from nightlatch.vocabulary import Credential
from tests.races.arena import STILL, Place
from tests.races.ledger import Said

CLIENTS = 6
T = TypeVar("T")
_TICKET = Query(
    select(outbox_table).where(
        outbox_table.c.address == bindparam("address"), outbox_table.c.kind == "ticket"
    )
)


def burst(end: Connection, place: Place, invited: list[tuple[str, bytes]]) -> None:
    """Let the invited (address, hash of the invitation's token) come in, a few at a time, until killed."""
    lock = threading.Lock()

    def say(said: Said) -> None:
        with lock:
            end.send(said)

    people = iter(list(enumerate(invited)))
    with closing(place.open()) as store:
        threads = [threading.Thread(target=_clients, args=(store, people, lock, say)) for _ in range(CLIENTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    end.send(None)


def _clients(
    store: Store,
    people: Iterator[tuple[int, tuple[str, bytes]]],
    lock: threading.Lock,
    say: Callable[[Said], None],
) -> None:
    while True:
        with lock:
            number, (email, token_hash) = next(people, (0, ("", b"")))
        if not email:
            return
        client = Client(store, email, say)
        client.come_in(token_hash)
        if number % 2:
            client.enrol_by_mail()
        client.enrol()
        client.sign_in_again_and_again()


class Client:
    """One person, who does one thing after the other."""

    def __init__(self, store: Store, email: str, say: Callable[[Said], None]) -> None:
        self._store = store
        self._email = email
        self._say = say
        self._session = ""
        self._count = 0
        self._by = By("visitor", None, "", "192.0.2.1", "test", None, Credential.COOKIE, hash_token(email))
        self._seed = b""
        self._codes: list[str] = []

    def come_in(self, invitation: bytes) -> None:
        """Accept the invitation with a new account."""
        token = new_token()
        self._session = "first"
        with_account = self._do(
            "accept",
            lambda tx: joining.accept_new(
                tx,
                by=self._by,
                token_hash=invitation,
                name=self._email.partition("@")[0],
                password_hash="hash",
                session_token=token,
                kind=Credential.COOKIE,
            ),
            lambda accepted: {"account": accepted.account_id},
            token=token.hash,
        )
        self._carry_on(with_account.token, with_account.account_id)

    def enrol_by_mail(self) -> None:
        """Another session, which has only the password: it takes the mailed link before it may bind."""
        self._sign_in()
        self._do("send_ticket", lambda tx: tickets.send(tx, by=self._by, workspace_id=self._workspace(tx)))
        link = self._store.read_now(lambda tx: outbox.values_of(tx, tx.all(_TICKET, address=self._email)[-1]))
        ticket = hash_token(link["link"].rpartition("/")[2])
        self._do(
            "redeem",
            lambda tx: tickets.redeem(tx, by=self._by, token_hash=ticket, number=None),
            ticket=ticket,
        )

    def enrol(self) -> None:
        """Bind an app, and get ten recovery codes."""
        pending = self._do(
            "begin",
            lambda tx: enrolment.begin(
                tx, by=self._by, name="Phone", replaces=None, workspace_id=self._workspace(tx)
            ),
        )
        fresh = recovery_code.generate(secrets.token_bytes)
        hashed = [HashedCode(each.selector, f"hash of {each.secret}") for each in fresh]
        self._seed, self._codes = pending.seed, [each.text for each in fresh]
        token, step = new_token(), totp.step_at(STILL) - 1
        confirmed = self._do(
            "confirm",
            lambda tx: enrolment.confirm(
                tx,
                by=self._by,
                enrolment_id=pending.id,
                code=totp.code_at(self._seed, step),
                codes=hashed,
                token=token,
            ),
            _bound,
            token=token.hash,
            seed=self._seed,
            step=step,
            codes=self._codes,
        )
        assert isinstance(confirmed, Confirmed)
        self._carry_on(confirmed.token)

    def sign_in_again_and_again(self) -> None:
        """With codes of the app, wrong ones between them, and recovery codes; and out again."""
        for steps in (0, 1):
            self._sign_in()
            self._wrong()
            self._wrong()
            self._right(totp.step_at(STILL) + steps)
        for code in self._codes[:3]:
            self._sign_in()
            self._use(code)
        self._do("sign_out", lambda tx: sign_in.sign_out(tx, by=self._by))

    def _sign_in(self) -> None:
        token = new_token()
        self._count += 1
        self._session = f"sign-in {self._count}"
        visitor = By("visitor", None, "", "192.0.2.1", "test", None, Credential.COOKIE, self._by.browser)
        candidate = self._store.read_now(lambda tx: sign_in.look(tx, by=visitor, address=parse(self._email)))
        proved = self._do(
            "sign_in",
            lambda tx: sign_in.sign_in(
                tx, by=visitor, candidate=candidate, right=True, kind=Credential.COOKIE, token=token
            ),
            token=token.hash,
        )
        assert isinstance(proved, Proved)
        self._carry_on(proved.token)

    def _right(self, step: int) -> None:
        token, code = new_token(), totp.code_at(self._seed, step)
        proved = self._do("code", self._presenting(code, token), token=token.hash, step=step)
        assert isinstance(proved, Proved)
        self._carry_on(proved.token)

    def _wrong(self) -> None:
        near = {totp.code_at(self._seed, totp.step_at(STILL) + steps) for steps in range(-3, 4)}
        code = next(text for text in map("{:06d}".format, range(10)) if text not in near)
        assert isinstance(self._do("wrong", self._presenting(code, new_token())), Wrong)

    def _presenting(self, code: str, token: Token) -> Body[Proved | Wrong | Wait]:
        return lambda tx: second_step.present_totp(tx, by=self._by, code=code, token=token)

    def _use(self, code: str) -> None:
        parts, token = recovery_code.canonical(code), new_token()
        candidate = self._store.read_now(lambda tx: second_step.look_code(tx, by=self._by, parts=parts))
        proved = self._do(
            "recovery",
            lambda tx: second_step.present_recovery_code(
                tx, by=self._by, parts=parts, candidate=candidate, right=True, token=token
            ),
            token=token.hash,
            code=code,
        )
        assert isinstance(proved, Proved)
        self._carry_on(proved.token)

    def _workspace(self, tx: Transaction) -> int:
        (place,) = (read_known(tx, self._by.token_hash, Credential.COOKIE).places or {}).values()
        return place.id

    def _carry_on(self, token: Token, account_id: int | None = None) -> None:
        self._by = By(
            "account",
            account_id or self._by.id,
            self._email,
            self._by.ip,
            "test",
            token.hash,
            Credential.COOKIE,
            self._by.browser,
        )

    def _do(
        self,
        act: str,
        body: Body[T],
        learnt: Callable[[T], dict[str, Any]] = lambda result: {},
        **values: Any,
    ) -> T:
        """Say it, do it, say that it is done."""
        self._say(Said(False, self._email, act, self._session, values))
        result = self._store.write_now(body)
        self._say(Said(True, self._email, act, self._session, learnt(result)))
        return result


def _bound(result: Confirmed | NotConfirmed) -> dict[str, Any]:
    assert isinstance(result, Confirmed)
    assert result.codes_kept
    return {"authenticator": result.authenticator_id}
