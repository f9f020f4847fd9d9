"""The client's own paths below `prefix`: where browsers come back to, where programs send them, the caught form."""

import logging

from nightlatch_client import pages
from nightlatch_client.answers import Answer, redirect
from nightlatch_client.cookies import Jar
from nightlatch_client.desk import Desk
from nightlatch_client.errors import Refused
from nightlatch_client.forms import Caught, open_form
from nightlatch_client.grants import Kept
from nightlatch_client.replies import STATE
from nightlatch_client.settings import safe_path
from nightlatch_client.steps import Steps, ask_person, ask_server
from nightlatch_client.urls import with_query
from nightlatch_client.values import Grant, Person
from nightlatch_client.view import View
from nightlatch_client.ways import Way
from nightlatch_client.wire import OPEN

log = logging.getLogger("nightlatch_client")
_AGES = range(60, 86401)


class Returns:
    """Serves the client's own paths."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self._prefix = desk.settings.prefix
        self.paths = {
            f"{self._prefix}/callback": self._callback,
            f"{self._prefix}/start": self._start,
            f"{self._prefix}/form": self._form,
        }

    def is_ours(self, path: str) -> bool:
        """Whether a path belongs to the client."""
        return path == self._prefix or path.startswith(f"{self._prefix}/")

    def serve(self, view: View, jar: Jar) -> Steps[Answer]:
        """Answer one of them."""
        handler = self.paths.get(view.path)
        if handler is None or view.kind != "http":
            return self._page(view, 404, "There is nothing here", "This page does not exist.")
        if view.method != "GET":
            return self._page(
                view, 405, "That does not work here", "Open this page in your browser."
            ).with_headers([("allow", "GET")])
        return (yield from handler(view, jar))

    def open(
        self, view: View, person: Person | None, name: str, jar: Jar, back: str | None = None
    ) -> Steps[Answer]:
        """On to a page of Nightlatch, for whoever is signed in to the product.

        `back` is where it leads back to; None: to the page that linked to it.
        """
        desk = self.desk
        if not OPEN.fullmatch(name) or len(name) > 100:
            return self._unknown(view)
        if person is None:
            desk.set_ways(desk.ways(view).waiting(name, desk.now()), jar)
            return desk.sign_in(view, with_query(f"{view.root}{self._prefix}/callback", open=name))
        ways = desk.ways(view)
        if ways.open is not None:
            desk.set_ways(ways.waiting(None, 0), jar)
        kept = desk.kept(view)
        grant = kept.best(person.workspace) if kept is not None and kept.person == person.id else None
        try:
            check = yield from ask_server(desk.wire.check(person, grant=grant, open=name))
        except Refused:
            return self._unknown(view)
        if check.start is None:
            return desk.denied(view, check)
        desk.send_off(view, person, check, back or self._back_from(view), jar)
        return self.desk.leave(view, check.start)

    # --- the three paths ---

    def _callback(self, view: View, jar: Jar) -> Steps[Answer]:
        """`?code&state`: proof given in this browser. `?open`: the product's own sign-in has to come first."""
        code, state = view.query.get("code"), view.query.get("state", "")
        if code is None and "open" in view.query:
            person = yield from ask_person()
            # Not to the page that linked to it: that may be the product's sign-in, which is done.
            return (yield from self.open(view, person, view.query["open"], jar, back=f"{view.root}/"))
        way, left = self.desk.ways(view).take(state)
        if way is None or not code or len(code) > 512 or not STATE.fullmatch(state):
            log.info("a browser came back with a state that is not its own")
            return self._elsewhere(view)
        try:
            grant = yield from ask_server(self.desk.wire.redeem(code, state))
        except Refused:
            self.desk.set_ways(left, jar)
            return self._over(view, way)
        self.desk.set_ways(left, jar)
        return (yield from self._take(view, way, grant, jar))

    def _start(self, view: View, jar: Jar) -> Steps[Answer]:
        """Where the page of a product sends the browser after a 401 that its script got: `?back=&max_age=`."""
        root = view.root + "/"
        back = safe_path(view.query.get("back", root)) or root
        said = view.query.get("max_age", "")
        age = int(said) if said.isascii() and said.isdecimal() and len(said) < 6 else 0
        person = yield from ask_person()
        if person is None:
            return self.desk.sign_in(view, view.back)
        kept = self.desk.kept(view)
        grant = kept.best(person.workspace) if kept is not None and kept.person == person.id else None
        max_age = age if age in _AGES else None
        check = yield from ask_server(self.desk.wire.check(person, grant=grant, max_age=max_age))
        if check.decision == "deny":
            return self.desk.denied(view, check)
        if check.decision == "allow" or check.start is None:
            return self._home(back)
        self.desk.send_off(view, person, check, back, jar)
        return self.desk.leave(view, check.start)

    def _form(self, view: View, jar: Jar) -> Steps[Answer]:
        """The form that was on its way."""
        person = yield from ask_person()
        if person is None:
            return self.desk.sign_in(view, view.back)
        caught = self._caught(view, person)
        if caught is None:
            self.desk.drop_form(jar)
            return self._lost(view, view.query.get("back", ""))
        return pages.form_page(caught, name=self.desk.settings.name, home=view.root + "/")

    # --- coming back ---

    def _take(self, view: View, way: Way, grant: Grant, jar: Jar) -> Steps[Answer]:
        """Keep the grant, if it is for whoever sits here now, and lead back to where they were going."""
        person = yield from ask_person()
        if person is None or not person.id == grant.person == way.person:
            yield from self.desk.end(Kept(grant.person, {grant.workspace: grant.grant}))
            if person is None:
                return self.desk.sign_in(view, way.path)
            text = "The second step was done by somebody else than the one who is signed in here, so it does not count."
            return self._page(view, 400, "That was for somebody else", text)
        kept = self.desk.kept(view)
        if kept is None or kept.person != person.id:
            kept = Kept(person.id)
        self.desk.keep(kept.with_grant(grant.workspace, grant.grant), jar)
        form_path = f"{view.root}{self._prefix}/form"
        if way.form == "lost":
            return self._home(with_query(form_path, back=way.path))
        if way.form == "none" and way.path == view.root + "/" and self._caught(view, person) is not None:
            return self._home(form_path)  # its own way back took too long
        return self._home(way.path)

    def _caught(self, view: View, person: Person) -> Caught | None:
        """The form that this browser keeps, if it is this person's."""
        caught = open_form(self.desk.box, self.desk.names, view.cookies, self.desk.now())
        return caught if caught is not None and caught.person == person.id else None

    def _home(self, path: str) -> Answer:
        return redirect(self.desk.settings.origin + (safe_path(path) or "/"))

    def _back_from(self, view: View) -> str:
        """Where a page of Nightlatch leads back to: the page that linked to it, unless that is one of these."""
        path = view.referring_path(self.desk.settings.origin)
        return view.root + "/" if path.startswith(f"{view.root}{self._prefix}/") else path

    # --- pages ---

    def _page(
        self, view: View, status: int, title: str, *text: str, way: tuple[str, str] | None = None
    ) -> Answer:
        name = self.desk.settings.name
        way = way or (f"Go to {name}", f"{self.desk.settings.origin}{view.root}/")
        return pages.page(status, title, text, name=name, way=way)

    def _unknown(self, view: View) -> Answer:
        return self._page(
            view, 404, "There is nothing here", "The link may be damaged, or older than what it led to."
        )

    def _elsewhere(self, view: View) -> Answer:
        return self._page(
            view,
            400,
            "This was started in another browser",
            "The second step counts only in the browser in which it was begun, and only for a quarter of an hour.",
            "If you did not begin it yourself, somebody sent you a link that you should not follow. "
            "Nothing was opened.",
        )

    def _over(self, view: View, way: Way) -> Answer:
        text = "This step was used already, or took too long. Nothing is lost: begin it again."
        return self._page(
            view, 400, "That is over", text, way=("Begin again", self.desk.settings.origin + way.path)
        )

    def _lost(self, view: View, back: str) -> Answer:
        path = self.desk.settings.origin + (safe_path(back) or view.root + "/")
        text = (
            "Your second step is done. What you had filled in could not be kept: it was too long, it held files, "
            "or it has been too long ago. Nothing was sent. Please fill it in again."
        )
        return self._page(view, 200, "Please fill in the form again", text, way=("Open the page again", path))
