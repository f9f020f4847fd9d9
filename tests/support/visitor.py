"""Somebody at the pages without a browser: opens them, follows redirects, fills in forms, keeps cookies."""

import base64
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlsplit

from nightlatch.authenticators.password import Pepper, hash_password
from nightlatch.web.app import App
from tests.support.asgi import ORIGIN, Client, Got
from tests.support.world import PASSWORD, Person, World

_VOID = {"input", "meta", "link", "hr", "br", "img", "use", "path", "rect"}


@dataclass
class Form:
    """A form that posts: where to, and its fields as they stand."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: list[str] = field(default_factory=list)


class _Reader(HTMLParser):
    """The forms, links and words of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: dict[str, str] = {}
        self.words: list[str] = []
        self.title = ""
        self.heading = ""
        self._form: Form | None = None
        self._link: str | None = None
        self._inside: list[str] = []
        self._area: str | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        got = {name: value or "" for name, value in attrs}
        if tag not in _VOID:
            self._inside.append(tag)
        if tag == "form" and got.get("method") == "post":
            self._form = Form(got["action"])
            self.forms.append(self._form)
        elif tag == "a":
            self._link = got.get("href")
        elif tag == "button" and self._form is not None:
            self._form.buttons.append("")
        elif tag == "textarea" and self._form is not None:
            self._area = got["name"]
            self._form.fields[self._area] = ""
        elif tag == "input" and self._form is not None and "name" in got and _is_sent(got):
            self._form.fields[got["name"]] = got.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag in self._inside:
            while self._inside.pop() != tag:
                pass
        if tag == "form":
            self._form = None
        elif tag == "a":
            self._link = None
        elif tag == "textarea":
            self._area = None

    def handle_data(self, data: str) -> None:
        text = " ".join(data.split())
        if "title" in self._inside:
            self.title += text
        elif "h1" in self._inside:
            self.heading = f"{self.heading} {text}".strip()
        if self._area is not None and self._form is not None:
            self._form.fields[self._area] += data.strip()
        if text and self._form is not None and self._form.buttons and "button" in self._inside:
            self._form.buttons[-1] = f"{self._form.buttons[-1]} {text}".strip()
        if text and self._link is not None:
            self.links[text] = self._link
        if text and "title" not in self._inside:
            self.words.append(text)


def _is_sent(field: dict[str, str]) -> bool:
    return field.get("type") not in ("checkbox", "radio") or "checked" in field


@dataclass
class Page:
    """A page that was opened."""

    path: str
    got: Got
    read: _Reader

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.got.status

    @property
    def heading(self) -> str:
        """The h1."""
        return self.read.heading

    @property
    def text(self) -> str:
        """All its words."""
        return " ".join(self.read.words)

    @property
    def actions(self) -> list[str]:
        """Where its forms post to."""
        return [each.action for each in self.read.forms]

    def form(self, action: str) -> Form:
        """The form that posts there; of several the last, since a page's head comes before what it is about."""
        for each in reversed(self.read.forms):
            if each.action == action:
                return each
        raise AssertionError(f"no form posts to {action} on {self.path} ({self.heading}): {self.actions}")


class Visitor:
    """One browser."""

    def __init__(self, app: App, agent: str = "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0") -> None:
        self.client = Client(app)
        self.agent = agent
        self.page: Page | None = None
        self.trail: list[str] = []
        self.elsewhere = ""
        """Where it stopped because the way leads to another host, where it may leave."""
        self.may_leave = False

    def open(self, path: str) -> Page:
        """Open a path (or a whole address of ours) and follow where it leads."""
        return self._follow("GET", path.removeprefix(ORIGIN), None)

    def submit(self, action: str, **fields: str) -> Page:
        """Send the form of the page that posts to `action`, with these fields filled in."""
        assert self.page is not None
        form = self.page.form(action)
        return self._follow("POST", action, {**form.fields, **fields})

    def post(self, path: str, fields: dict[str, str]) -> Page:
        """Send any form, without looking at the page."""
        return self._follow("POST", path, fields)

    def _follow(self, method: str, path: str, form: dict[str, str] | None) -> Page:
        self.trail = []
        for _ in range(10):
            self.trail.append(path)
            got = self.client.ask(method, path, form=form, headers={"user-agent": self.agent})
            if got.status not in (302, 303):
                self.page = Page(path, got, _Reader(got.text if _is_text(got) else ""))
                return self.page
            target = urlsplit(got.header("location"))
            if self.may_leave and target.netloc:
                self.elsewhere = got.header("location")
                self.page = Page(path, got, _Reader(""))
                return self.page
            assert not target.netloc, f"leads to another host: {got.header('location')}"
            path = target.path + (f"?{target.query}" if target.query else "")
            method, form = "GET", None
        raise AssertionError(f"an endless way: {self.trail}")


def _is_text(got: Got) -> bool:
    return got.header("content-type").startswith("text/")


def resident(world: World, name: str) -> Person:
    """A person with a password that the sign-in page takes: PASSWORD."""
    pepper = Pepper(world.keys.current_id, world.keys.subkeys("password"))
    return world.person(name, password_hash=hash_password(PASSWORD, pepper))


def signed_in(app: App, person: Person, *, code: str | None = None, agent: str | None = None) -> Visitor:
    """That person's browser, after the sign-in pages; `code`: where a second step is asked for."""
    visitor = Visitor(app) if agent is None else Visitor(app, agent)
    visitor.open("/sign-in")
    page = visitor.submit("/sign-in", email=person.email, password=PASSWORD)
    if code is not None:
        assert page.path.startswith("/sign-in/second-step"), page.path
        page = visitor.submit("/sign-in/second-step", code=code)
    assert page.status == 200, page.text
    return visitor


def seed_shown(page: Page) -> bytes:
    """The seed that a set-up page shows as its key."""
    match = re.search(r'data-text="([A-Z2-7]{32})"', page.got.text)
    assert match is not None, page.text
    return base64.b32decode(match[1])


def codes_shown(page: Page) -> list[str]:
    """The recovery codes that a page shows."""
    return re.findall(r"<code>([0-9a-z-]{24})</code>", page.got.text)
