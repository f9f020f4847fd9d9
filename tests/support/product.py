"""A product that keeps its own users, as its server speaks to us: plain HTTP, without the client."""

import json
import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from nightlatch.actions.tokens import hash_token
from nightlatch.facts import AppId
from nightlatch.store import apps
from nightlatch.store.engine import Transaction
from nightlatch.web.app import App
from tests.support.asgi import Client, Got
from tests.support.visitor import Visitor
from tests.support.world import World

ORIGIN = "https://app.acme.example"
RETURN_URL = f"{ORIGIN}/nightlatch/callback"


def register(
    world: World,
    handle: str = "acme",
    *,
    name: str = "Acme Notes",
    origin: str = ORIGIN,
    roles: dict[str, str] | None = None,
) -> tuple[AppId, str]:
    """An app straight in the database: its id and secret."""
    secret = f"nla_{secrets.token_urlsafe(32)}"

    def body(tx: Transaction) -> AppId:
        app_id = apps.create(
            tx,
            handle=handle,
            name=name,
            workspace_id=None,
            managed_by=None,
            return_url=f"{origin}/nightlatch/callback",
            roles=None,
            role_map=json.dumps(roles or {}),
            colour=None,
        )
        apps.set_origins(tx, app_id, [origin])
        apps.add_secret(tx, app_id, hash_token(secret))
        return app_id

    return world.write(body), secret


@dataclass
class Product:
    """One product's server. `grants` are what its people's browsers brought back, by person and workspace."""

    world: World
    app: App
    id: AppId
    secret: str
    grants: dict[tuple[str, str], str] = field(default_factory=dict)

    @classmethod
    def of(cls, world: World, app: App, handle: str = "acme", **more: Any) -> "Product":
        """Registered, and ready to ask."""
        return cls(world, app, *register(world, handle, **more))

    def call(self, method: str, path: str, body: Any = None, **more: Any) -> Got:
        """One request with the secret."""
        return Client(self.app, bearer=self.secret).ask(method, f"/api/v1{path}", json_body=body, **more)

    def person(
        self, id: str = "ana", workspace: str = "w1", role: str = "member", **more: Any
    ) -> dict[str, Any]:
        """Somebody in the product's words."""
        return {
            "id": id,
            "email": f"{id}@people.example",
            "name": id.title(),
            "workspace": workspace,
            "workspace_name": f"Team {workspace}",
            "role": role,
            **more,
        }

    def check(self, person: dict[str, Any], **more: Any) -> dict[str, Any]:
        """Ask about a person, with the grant that their browser brought."""
        body = {"person": person, **more}
        grant = self.grants.get((person["id"], person["workspace"]))
        if grant is not None:
            body.setdefault("grant", grant)
        got = self.call("POST", "/app/check", body)
        assert got.status == 200, got.text
        answer: dict[str, Any] = got.json
        return answer

    def came_back(self, visitor: Visitor) -> dict[str, str]:
        """The code and state that a browser was sent back with; exchanged and kept as its person's grant."""
        back = visitor.elsewhere
        assert back.startswith(RETURN_URL), back
        query = {name: values[0] for name, values in parse_qs(urlsplit(back).query).items()}
        got = self.call("POST", "/app/grants", {"code": query["code"], "state": query["state"]})
        assert got.status == 200, got.text
        self.grants[got.json["person"], got.json["workspace"]] = got.json["grant"]
        return query

    def browser(self) -> Visitor:
        """A browser that may be sent back to the product."""
        visitor = Visitor(self.app)
        visitor.may_leave = True
        return visitor
