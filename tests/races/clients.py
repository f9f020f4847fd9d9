"""Clients of a real server: people who come in, enrol and sign in by the JSON API, until the server is gone."""

import base64
import http.client
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

from nightlatch.actions.tokens import hash_session_token
from nightlatch.authenticators import totp
from nightlatch.clock import Clock
from nightlatch.ids import from_text
from tests.races.ledger import Said
from tests.support.server import Server
from tests.support.world import PASSWORD

CLIENTS = 4


class Gone(Exception):
    """The server did not answer."""


class Connection(http.client.HTTPConnection):
    """Sends head and body in one go, as browsers do.

    In two, the second finds the connection closed where the gate has refused the first: it reads no body then.
    """

    def __init__(self, server: Server) -> None:
        super().__init__("127.0.0.1", server.port, timeout=60)
        self._held = b""

    def send(self, data: Any) -> None:
        """Keep it until the answer is wanted."""
        self._held += data

    def getresponse(self) -> http.client.HTTPResponse:
        """Send everything and read the answer."""
        held, self._held = self._held, b""
        super().send(held)
        return super().getresponse()


class Crowd:
    """A few people at a time, in threads."""

    def __init__(self, server: Server, invited: list[tuple[str, str]], say: Callable[[Said], None]) -> None:
        """`invited`: addresses and the tokens of their invitations. `say` is called by one thread at a time."""
        self._server = server
        self._people: Iterator[tuple[str, str]] = iter(invited)
        self._lock = threading.Lock()
        self._say = say
        self._problems: list[BaseException] = []
        self._threads = [threading.Thread(target=self._run) for _ in range(CLIENTS)]
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        """Wait until the server is gone for everybody. Raises what went wrong before."""
        for thread in self._threads:
            thread.join()
        if self._problems:
            raise self._problems[0]

    def _run(self) -> None:
        try:
            while (person := self._next()) is not None:
                with closing(Client(self._server, person[0], self._told)) as client:
                    client.come_in(person[1])
                    client.enrol()
                    client.sign_in_again_and_again()
        except Gone:
            return
        except BaseException as error:
            self._problems.append(error)

    def _next(self) -> tuple[str, str] | None:
        with self._lock:
            return next(self._people, None)

    def _told(self, said: Said) -> None:
        with self._lock:
            self._say(said)


class Client:
    """One person with one connection."""

    def __init__(self, server: Server, email: str, say: Callable[[Said], None]) -> None:
        self._connection = Connection(server)
        self._host = f"localhost:{server.port}"
        self._email = email
        self._say = say
        self._clock = Clock()
        self._session = ""
        self._token: str | None = None
        self._count = 0
        self.seed = b""
        self._codes: list[str] = []

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

    def come_in(self, invitation: str) -> None:
        """Accept the invitation with a new account."""
        self._session = "first"
        name = self._email.partition("@")[0]
        self._do(
            "accept", "/invitations/accept", {"token": invitation, "name": name, "password": PASSWORD}, _token
        )

    def enrol(self) -> None:
        """Bind an app, and get ten recovery codes."""
        pending = self._do("begin", "/me/authenticators/totp", {}, lambda body: {})
        self.seed = totp_seed(pending["secret"])
        step = totp.step_at(self._clock.now())
        bound = self._do(
            "confirm",
            f"/me/authenticators/totp/{pending['id']}/confirm",
            {"code": totp.code_at(self.seed, step)},
            lambda body: {
                **_token(body),
                "authenticator": from_text(body["authenticator"]["id"]),
                "codes": body["recovery_codes"],
            },
            seed=self.seed,
            step=step,
        )
        self._codes = bound["recovery_codes"]

    def sign_in_again_and_again(self) -> None:
        """With the app's next code, and with recovery codes."""
        self._sign_in()
        self._do("wrong", "/sign-in/totp", {"code": self._wrong_code()}, lambda body: {}, status=401)
        step = totp.step_at(self._clock.now()) + 1
        self._do("code", "/sign-in/totp", {"code": totp.code_at(self.seed, step)}, _token, step=step)
        for code in self._codes[:2]:
            self._sign_in()
            self._do("recovery", "/sign-in/recovery-code", {"code": code}, _token, code=code)
        self._do("sign_out", "/sign-out", None, lambda body: {})

    def _sign_in(self) -> None:
        self._count += 1
        self._session, self._token = f"sign-in {self._count}", None
        self._do("sign_in", "/sign-in/password", {"email": self._email, "password": PASSWORD}, _token)

    def _wrong_code(self) -> str:
        near = {totp.code_at(self.seed, totp.step_at(self._clock.now()) + each) for each in range(-5, 6)}
        return next(text for text in map("{:06d}".format, range(20)) if text not in near)

    def _do(
        self,
        act: str,
        path: str,
        body: dict[str, str] | None,
        learnt: Callable[[Any], dict[str, Any]],
        status: int | None = None,
        **values: Any,
    ) -> Any:
        """Say it, ask for it, say that it is done."""
        self._say(Said(False, self._email, act, self._session, values))
        answered, answer = self._ask(path, body)
        assert answered == status if status is not None else answered < 300, f"{act}: {answered} {answer}"
        got = learnt(answer)
        self._say(Said(True, self._email, act, self._session, got))
        if "token" in got:
            self._token = answer["token"]
        return answer

    def _ask(self, path: str, body: dict[str, str] | None) -> tuple[int, Any]:
        headers = {"Host": self._host, "Content-Type": "application/json"}
        if self._token is not None:
            headers["Authorization"] = f"Bearer {self._token}"
        try:
            sent = json.dumps(body) if body is not None else None
            self._connection.request("POST", f"/api/v1{path}", sent, headers)
            answer = self._connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise Gone from error
        return answer.status, json.loads(text) if text else None


def totp_seed(secret: str) -> bytes:
    """The seed of a key as it is typed into an app."""
    letters = secret.replace(" ", "").upper()
    return base64.b32decode(letters + "=" * (-len(letters) % 8))


def _token(body: Any) -> dict[str, Any]:
    return {"token": hash_session_token(body["token"])}
