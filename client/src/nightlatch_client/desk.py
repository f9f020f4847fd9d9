"""What the gate and the pages of the way back share: the browser's cookies, the questions, the refusals."""

from collections.abc import Callable

from nightlatch_client import pages
from nightlatch_client.answers import Answer, WayOut, problem, redirect
from nightlatch_client.cookies import FORM_SECONDS, WAY_SECONDS, Jar, Names
from nightlatch_client.errors import Refused, Unavailable
from nightlatch_client.forms import Caught, seal_form
from nightlatch_client.grants import Kept, open_grants, seal_grants
from nightlatch_client.sealed import Box
from nightlatch_client.settings import Settings
from nightlatch_client.steps import Steps, ask_form, ask_server
from nightlatch_client.urls import with_query
from nightlatch_client.values import Check, Person, Proof
from nightlatch_client.view import View
from nightlatch_client.ways import FormFate, Way, Ways, open_ways, seal_ways
from nightlatch_client.wire import Wire

UNKNOWN = "not_a_teammate"


class Desk:
    """The tools of one app's gate."""

    def __init__(self, settings: Settings, box: Callable[[], Box], now: Callable[[], float]) -> None:
        self.settings = settings
        self.names = Names(settings)
        self.wire = Wire(settings)
        self.now = now
        self._box = box

    @property
    def box(self) -> Box:
        """What seals cookies."""
        return self._box()

    # --- cookies ---

    def jar(self) -> Jar:
        """The cookies that one answer sets."""
        return Jar(secure=self.settings.secure)

    def kept(self, view: View) -> Kept | None:
        """The grants that the browser keeps."""
        return open_grants(self.box, self.names.grants, view.cookies.get(self.names.grants))

    def keep(self, kept: Kept, jar: Jar) -> None:
        """Give the browser its grants."""
        jar.set(self.names.grants, seal_grants(self.box, self.names.grants, kept))

    def ways(self, view: View) -> Ways:
        """The ways that the browser has been sent."""
        return open_ways(self.box, self.names.way, view.cookies.get(self.names.way), self.now())

    def set_ways(self, ways: Ways, jar: Jar) -> None:
        """Give the browser its ways."""
        if ways:
            jar.set(self.names.way, seal_ways(self.box, self.names.way, ways), WAY_SECONDS)
        else:
            jar.drop(self.names.way)

    def drop_form(self, jar: Jar) -> None:
        """Forget the form that was kept."""
        for name in self.names.form:
            jar.drop(name)

    # --- asking ---

    def ask(self, person: Person, kept: Kept | None) -> Steps[tuple[Check, str | None]]:
        """May this person come in, and the grant that was shown for it. A token has no grant, but a standing."""
        if not person.token:
            grant = kept.best(person.workspace) if kept is not None else None
            return (yield from ask_server(self.wire.check(person, grant=grant))), grant
        standing = yield from ask_server(self.wire.standing(person.id, person.workspace))
        if standing.reason == UNKNOWN:  # seen for the first time: a check makes the person known
            check = yield from ask_server(self.wire.check(person))
            if check.decision == "deny":
                return check, None
            standing = yield from ask_server(self.wire.standing(person.id, person.workspace))
        proof = Proof(0, (), None, person.workspace)
        return Check(standing.decision, standing.reason, proof, due=standing.due), None

    def end(self, kept: Kept) -> Steps[None]:
        """End the grants of somebody who is signed out of the product here; without an answer they die by age."""
        for grant in kept.grants.values():
            try:
                yield from ask_server(self.wire.end(grant))
            except Refused:
                continue
            except Unavailable:
                return

    # --- refusing ---

    def refuse(
        self, view: View, person: Person, check: Check, jar: Jar, *, max_age: int | None = None
    ) -> Steps[Answer]:
        """The answer to a request that may not pass."""
        if check.decision == "deny":
            return self.denied(view, check)
        if person.token and max_age is not None:
            text = "An API token cannot prove a second step. Do this in the browser."
            return problem(403, "not_permitted", text, reason=check.reason)
        if check.start is None or person.token or not (view.is_form or self._is_navigation(view)):
            return self._unproved(view, check, max_age)
        if self._is_navigation(view):
            self.send_off(view, person, check, view.back, jar)
            return self.leave(view, check.start, 302)
        path, form = yield from self._catch(view, person, jar)
        self.send_off(view, person, check, path, jar, form=form)
        return self.leave(view, check.start)

    def leave(self, view: View, start: str, status: int = 303) -> Answer:
        """On to Nightlatch: by a redirect, or by a page where a redirect could break at the product's own CSP."""
        if self.settings.server_origin == self.settings.origin or not view.may_follow_form:
            return redirect(start, status)
        return pages.way_on(start, name=self.settings.name)

    def send_off(
        self,
        view: View,
        person: Person,
        check: Check,
        path: str,
        jar: Jar,
        *,
        form: FormFate = "none",
    ) -> None:
        """Note in the browser which way it is sent, so that nobody else's way is ever taken for its own."""
        way = Way(check.state or "", person.id, path, int(self.now()), form)
        self.set_ways(self.ways(view).waiting(None, 0).with_way(way), jar)

    def denied(self, view: View, check: Check) -> Answer:
        """Not here, whatever is proved."""
        name = self.settings.name
        text = f"{name} is closed to you in this workspace. Its admins can tell you more."
        if view.wants_page:
            way = ("Sign in as somebody else", view.root + self.settings.sign_in)
            return pages.page(403, "You may not open this", [text], name=name, way=way)
        return problem(403, "not_permitted", text, reason=check.reason)

    def down(self, view: View, down: Unavailable) -> Answer:
        """Nightlatch does not answer: closed, and says so."""
        name, text = self.settings.name, self.settings.down_message
        if view.wants_page:
            if self._is_navigation(view):
                more, way = "Nothing is lost meanwhile.", ("Try again", view.back)
            else:
                more, way = (
                    "What you sent was not taken. Go back in your browser and send it again then.",
                    None,
                )
            title = "Not available for a moment"
            return pages.page(503, title, [text, more], name=name, way=way, retry_after=down.retry_after)
        return problem(503, "unavailable", text, retry_after=down.retry_after)

    def sign_in(self, view: View, back: str) -> Answer:
        """Nobody is signed in to the product: its own sign-in comes first."""
        path = view.root + self.settings.sign_in
        if view.wants_page:
            return redirect(self.settings.origin + with_query(path, next=back))
        text = "Sign in first."
        return problem(401, "sign_in_required", text, way_out=WayOut(text, path), origin=self.settings.origin)

    def way_back(self, view: View) -> str:
        """The page to come back to: this one, or the one that a form or a script's request came from."""
        if self._is_navigation(view):
            return view.back
        return view.referring_path(self.settings.origin)

    def _is_navigation(self, view: View) -> bool:
        return view.wants_page and view.method in ("GET", "HEAD")

    def _unproved(self, view: View, check: Check, max_age: int | None) -> Answer:
        """A program is told what lacks, and which page of the product leads a person there."""
        if check.decision == "enrol":
            code, text = "enrolment_required", "This workspace requires 2FA, and it is not set up yet."
            way = "Open this page in a browser to set up 2FA."
        elif max_age is not None:
            code, text = "step_up_required", "This needs a fresh second step."
            way = "Open this page in a browser to show it."
        else:
            code, text = "second_factor_required", "The second step is missing."
            way = "Open this page in a browser to show it."
        query = {"back": self.way_back(view)} | ({"max_age": str(max_age)} if max_age is not None else {})
        path = with_query(f"{view.root}{self.settings.prefix}/start", **query)
        return problem(
            401,
            code,
            text,
            way_out=WayOut(way, path),
            origin=self.settings.origin,
            max_age=max_age,
            reason=check.reason,
        )

    def _catch(self, view: View, person: Person, jar: Jar) -> Steps[tuple[str, FormFate]]:
        """Keep a form of the product's own pages. The way back, and what became of the form."""
        lost: tuple[str, FormFate] = (view.referring_path(self.settings.origin), "lost")
        if not view.came_from(self.settings.origin):
            return lost  # kept, it would come back as if the person had filled it in here
        form = yield from ask_form()
        target = view.back
        if form is None or target != view.target:
            return lost
        values = seal_form(self.box, self.names, Caught(form, target, person.id, int(self.now())))
        if values is None:
            return lost
        self.drop_form(jar)
        for name, value in zip(self.names.form, values, strict=False):
            jar.set(name, value, FORM_SECONDS)
        return f"{view.root}{self.settings.prefix}/form", "kept"
