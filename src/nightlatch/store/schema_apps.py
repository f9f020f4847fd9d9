"""The tables of what plugs in: apps, their secrets and origins, and what leads a browser to and fro."""

from sqlalchemy import Index, Table, UniqueConstraint, text

from nightlatch.store.schema import big, binary, id_column, txt
from nightlatch.store.schema import metadata as metadata

apps = Table(
    "apps",
    metadata,
    id_column(),
    txt("handle"),
    txt("name"),
    big("workspace_id", null=True),
    big("managed_by", null=True, index=True),
    txt("return_url"),
    txt("roles", null=True),
    txt("role_map"),
    txt("colour", null=True),
    binary("logo", null=True),
    txt("logo_type", null=True),
    big("created_at"),
    big("removed_at", null=True),
    Index(
        "uq_apps_handle",
        "handle",
        unique=True,
        sqlite_where=text("removed_at IS NULL"),
        postgresql_where=text("removed_at IS NULL"),
    ),
)
"""Registered products. One with a `workspace_id` has no users of its own: it stands behind a proxy check and belongs to
that workspace, open to the `roles` named (None: to all). One without keeps its own people and brings its workspaces.
`managed_by`: the workspace whose owners see and change the registration (None: the operator alone).
`role_map`: JSON, the product's own words for our roles."""

app_origins = Table(
    "app_origins",
    metadata,
    txt("origin", key=True),
    big("app_id", index=True),
    sqlite_with_rowid=False,
)
"""Where apps are reached, as browsers write origins; each belongs to one app."""

app_secrets = Table(
    "app_secrets",
    metadata,
    id_column(),
    big("app_id", index=True),
    binary("secret_hash", unique=True),
    big("created_at"),
    big("ended_at", null=True),
)
"""Two may be valid at a time, so that a secret is changed without a gap."""

spent_starts = Table(
    "spent_starts",
    metadata,
    binary("nonce", key=True),
    big("expires_at", index=True),
    sqlite_with_rowid=False,
)
"""Start links that were used. The links themselves are sealed and kept nowhere."""

handoffs = Table(
    "handoffs",
    metadata,
    id_column(),
    big("session_id", index=True),
    big("app_id"),
    big("workspace_id"),
    txt("state"),
    txt("return_to"),
    big("max_age", null=True),
    binary("browser", null=True),
    big("created_at"),
)
"""A session's way back to an app, once its workspace is open to it. `state` is the app's; `browser` ties a protected
host's way back to the browser that asked."""

app_codes = Table(
    "app_codes",
    metadata,
    id_column(),
    binary("code_hash", unique=True),
    big("app_id"),
    big("session_id"),
    big("account_id"),
    big("workspace_id"),
    binary("state_hash"),
    big("expires_at", index=True),
    big("spent_at", null=True),
    big("grant_id", null=True),
)
"""One-time codes: 60 seconds, once, for the app and the state they were made for."""

grants = Table(
    "grants",
    metadata,
    id_column(),
    binary("token_hash"),
    txt("kind"),
    big("app_id"),
    big("session_id", index=True),
    big("account_id", index=True),
    big("workspace_id"),
    txt("host", null=True),
    big("created_at"),
    big("expires_at", index=True),
    big("ended_at", null=True),
    UniqueConstraint("token_hash"),
)
"""Children of a session, which die with it: `app` for a product's server, `host` for the cookie of a protected host."""

signing_keys = Table(
    "signing_keys",
    metadata,
    id_column(),
    binary("sealed"),
    txt("public"),
    big("created_at"),
    big("signs_from"),
    big("ended_at", null=True),
)
"""The keys that assertions are signed with; `public` is the JWK (RFC 7517) that /.well-known/jwks.json shows."""
