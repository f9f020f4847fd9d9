"""One request, as handlers see it: who asks, in which plane, and the house they work with."""

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, urlencode

from starlette.requests import Request

from nightlatch.access import decide, decide_account
from nightlatch.actions.by import By
from nightlatch.actions.people import App
from nightlatch.actions.tokens import Token
from nightlatch.decision import Action, Allow
from nightlatch.facts import Facts, WorkspaceId
from nightlatch.ids import from_text, to_text
from nightlatch.instants import Instant
from nightlatch.refusals import Code, Refused, not_found
from nightlatch.store.engine import Body, T, Transaction
from nightlatch.store.known import Known, Place
from nightlatch.vocabulary import Credential
from nightlatch.web.house import Front
from nightlatch.web.origin import from_page
from nightlatch.web.routes import Route

if TYPE_CHECKING:
    from nightlatch.web.branding import Brand
    from nightlatch.web.dues import Due


@dataclass
class Context:
    """Made by the gate for each request that it lets through, and for the pages that explain a refusal."""

    front: Front
    request: Request
    route: Route
    known: Known
    by: By
    action: Action
    place: Place | None = None
    app: App | None = None
    """The product that asks, by its secret."""
    brand: "Brand | None" = None
    """page: the product whose face it wears."""
    dues: "tuple[Due, ...]" = ()
    """page: what the person has yet to set up, for the banner."""
    form: Mapping[str, str] = field(default_factory=dict)
    """page, POST: the fields, the CSRF value taken out and checked."""
    form_read: bool = False
    """The body was read, and can be read only once."""
    refill: Mapping[str, str] = field(default_factory=dict)
    """page, GET: the fields of a form that the gate caught here before."""
    caught: str = ""
    """page, GET: where that form goes to."""
    browser: str | None = None
    """The browser's own cookie, made fresh where it had none."""
    new_browser: bool = False
    session_token: Token | None = None
    """A fresh session token to hand over with the answer."""
    ends_session: bool = False
    refused_inside: Refused | None = None
    """What an action refused, whatever the page made of it."""
    denial_noted: bool = False
    """The log has its line already (web/denials.py)."""

    # --- where and who ---

    @property
    def facts(self) -> Facts:
        """The facts that the gate decided on."""
        return self.known.facts

    @property
    def now(self) -> Instant:
        """The moment of those facts."""
        return self.known.facts.now

    @property
    def workspace_id(self) -> WorkspaceId:
        """The workspace in the path."""
        if self.place is None:
            raise not_found()
        return self.place.id

    @property
    def asking(self) -> App:
        """The product that asks; the gate let nobody else in here."""
        if self.app is None:
            raise not_found()
        return self.app

    @property
    def open(self) -> bool:
        """Whether the account is open to this session."""
        return self.facts.account is not None and isinstance(decide_account(self.facts), Allow)

    def id(self, name: str = "id") -> int:
        """An id in the path. Anything that is none is not found."""
        value = from_text(self.request.path_params[name])
        if value is None:
            raise not_found()
        return value

    def url(self, path: str) -> str:
        """A path with the configured prefix."""
        return self.front.url(path)

    def query(self, name: str) -> str:
        """A query parameter, or the empty text."""
        return self.request.query_params.get(name, "")

    def may(self, action: Action, workspace_id: WorkspaceId | None = None) -> bool:
        """Whether something else would be allowed now: for showing, never instead of the gate."""
        return isinstance(decide(self.facts, action.at(workspace_id)), Allow)

    # --- working ---

    async def read(self, body: Body[T]) -> T:
        """A short read."""
        return await self.front.house.store.read(body)

    async def query_store(self, body: Body[T]) -> T:
        """A longer read."""
        return await self.front.house.store.query(body)

    async def write(self, body: Body[T]) -> T:
        """A write. Where it has queued mail, the drain is woken."""

        def noted(tx: Transaction) -> tuple[T, bool]:
            return body(tx), tx.mail

        try:
            result, mail = await self.front.house.store.write(noted)
        except Refused as refused:
            self.refused_inside = refused
            raise
        if mail:
            self.front.wake_mail()
        return result

    @property
    def session_kind(self) -> Credential:
        """What a sign-in in this request makes: pages hold cookies, other clients bearer tokens."""
        if self.route.kind == "page" or self.by.credential is Credential.COOKIE:
            return Credential.COOKIE
        return Credential.COOKIE if from_page(self.request.scope["headers"]) else Credential.BEARER

    def deliver(self, token: Token) -> str | None:
        """Hand a fresh session token over: as a cookie to pages (then None), else as text for the answer's body."""
        if self.session_kind is Credential.COOKIE:
            self.session_token = token
            return None
        return token.text

    async def pool(self, work: Callable[[], T]) -> T:
        """Slow computation (argon2, QR) off the event loop, in a bounded pool; 503 past its bound."""
        return await self.front.pool.run(work)

    async def outside(self, work: Callable[[], T]) -> T:
        """Something that waits for another machine (DNS), off the event loop and apart from what signing in needs."""
        return await self.front.outside.run(work)

    # --- forms ---

    @property
    def csrf(self) -> str:
        """The value that forms of this page carry, bound to this browser and session."""
        tag = self.front.house.keys.tag("csrf", _csrf_subject(self.browser, self.known))
        return base64.urlsafe_b64encode(tag).decode()

    def csrf_matches(self, value: str) -> bool:
        """Whether a form came from a page of ours in this browser and session."""
        try:
            tag = base64.urlsafe_b64decode(value.encode("ascii"))
        except (ValueError, binascii.Error):
            return False
        return self.front.house.keys.tag_matches("csrf", _csrf_subject(self.browser, self.known), tag)

    @property
    def next_path(self) -> str:
        """Where to go afterwards: a path of our own, or the start (no open redirect, F42)."""
        return safe_next(self.form.get("next") or self.query("next"))


def _csrf_subject(browser: str | None, known: Known) -> bytes:
    session = to_text(known.session.id) if known.session is not None else "-"
    return f"{browser or ''} {session}".encode("utf-8", "surrogatepass")


def safe_next(text: str) -> str:
    """A path of our own, without prefix; "" for anything else: other hosts, `//`, `/\\`, control characters."""
    if not text.startswith("/") or text[1:2] in ("/", "\\") or len(text) > 2000:
        return ""
    if any(ord(letter) < 33 or ord(letter) == 127 or letter == "\\" for letter in text):
        return ""
    return quote(text, safe="/?&=%:@!$'()*+,;~-._#")


def with_query(path: str, **values: str) -> str:
    """A path with query parameters, empty ones left out."""
    kept = {name: value for name, value in values.items() if value}
    if not kept:
        return path
    return f"{path}{'&' if '?' in path else '?'}{urlencode(kept)}"


def parse_form(body: bytes) -> dict[str, str]:
    """The fields of an urlencoded form, the last of each name. Raises Refused for NUL, surrogates, too many fields."""
    try:
        text = body.decode("ascii")
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=600, errors="strict")
    except (ValueError, UnicodeDecodeError):
        raise Refused(Code.MALFORMED, "This form could not be read.") from None
    if any("\0" in value or "\0" in name for name, value in pairs):
        raise Refused(Code.MALFORMED, "This form has characters that cannot be kept.")
    fields = dict(pairs)
    if "ids" in fields:  # boxes of one name: all that are ticked
        fields["ids"] = ",".join(value for name, value in pairs if name == "ids")
    return fields
