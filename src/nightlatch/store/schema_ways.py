"""The tables of the ways in beside the password: passkeys, single sign-on, remembered browsers."""

from sqlalchemy import Index, Table, UniqueConstraint, text

from nightlatch.store.schema import big, binary, id_column, txt
from nightlatch.store.schema_team import metadata as metadata

passkeys = Table(
    "passkeys",
    metadata,
    id_column("authenticator_id"),
    big("account_id", index=True),
    binary("credential_id", unique=True),
    binary("public_key"),
    big("sign_count"),
    txt("aaguid"),
    txt("transports"),
    big("verified_at", null=True),
    big("backup_eligible_at", null=True),
    big("backed_up_at", null=True),
    big("count_fell_at", null=True),
)
"""What is kept of a bound passkey (WebAuthn section 4, "credential record"); its name and last use stand in
`authenticators`. `public_key`: COSE; `transports`: names, by spaces. `verified_at`: it has shown that it verifies its
user. `count_fell_at`: its counter went back once, as a copied one's would."""

passkey_challenges = Table(
    "passkey_challenges",
    metadata,
    id_column(),
    binary("challenge_hash", unique=True),
    txt("purpose"),
    big("session_id", null=True, index=True),
    big("account_id", null=True),
    binary("browser", null=True),
    txt("detail"),
    big("created_at"),
    big("expires_at", index=True),
    big("spent_at", null=True),
)
"""Challenges that were given out, each for one answer: to one session, or (for signing in) to one browser."""

connections = Table(
    "connections",
    metadata,
    id_column(),
    big("workspace_id", index=True),
    txt("kind"),
    txt("name"),
    txt("issuer"),
    txt("client_id"),
    binary("sealed", null=True),
    txt("settings"),
    txt("rule"),
    txt("accepted"),
    big("max_age", null=True),
    big("exempt_until", null=True),
    txt("exempt_by", null=True),
    big("joins_from", null=True),
    big("created_at"),
    big("changed_at"),
    big("removed_at", null=True),
)
"""A workspace's identity providers. `kind`: `oidc` or `saml`; `sealed`: the client's secret; `settings`: JSON, what its
kind needs (endpoints that were typed, certificates). `issuer` never changes: who somebody is, is told by it.
`rule`: `ask`, `accept` or `exempt`; `accepted`: JSON, the values of `acr` and `amr` that count as a second factor, and
those that count as phishing-resistant; `max_age`: for how long after the provider's sign-in. `exempt_until`,
`exempt_by`: for `exempt`, until when, and which owner said so. `joins_from`: since when strangers from its proved
domains become members by signing in."""

domains = Table(
    "domains",
    metadata,
    id_column(),
    big("workspace_id", index=True),
    txt("domain"),
    txt("proof"),
    big("created_at"),
    big("proved_at", null=True),
    big("checked_at", null=True),
    big("missing_since", null=True),
    big("removed_at", null=True),
    Index(
        "uq_domains_proved",
        "domain",
        unique=True,
        sqlite_where=text("proved_at IS NOT NULL AND removed_at IS NULL"),
        postgresql_where=text("proved_at IS NOT NULL AND removed_at IS NULL"),
    ),
)
"""Domains of e-mail addresses, proved by a DNS record that holds `proof`: one workspace's each. `checked_at`: when the
record was last looked for; `missing_since`: since when, proved once, it was not there."""

sso_flows = Table(
    "sso_flows",
    metadata,
    id_column(),
    binary("state_hash", unique=True),
    big("connection_id", index=True),
    txt("purpose"),
    big("session_id", null=True),
    binary("browser"),
    binary("sealed"),
    big("created_at"),
    big("expires_at", index=True),
    big("spent_at", null=True),
)
"""Ways to a provider and back, each once and in the browser that began it. `purpose`: `sign_in`, `step_up`, `link` or
`test`; `sealed`: nonce, PKCE verifier, where to go afterwards."""

sso_spent = Table(
    "sso_spent",
    metadata,
    id_column("connection_id"),
    binary("assertion_hash", key=True),
    big("expires_at", index=True),
    sqlite_with_rowid=False,
)
"""Assertions (SAML) and codes that were used, until they would have expired by themselves."""

remembered_browsers = Table(
    "remembered_browsers",
    metadata,
    id_column(),
    big("account_id", index=True),
    big("workspace_id"),
    binary("browser"),
    txt("ip"),
    txt("user_agent"),
    big("created_at"),
    big("last_used_at", null=True),
    big("expires_at"),
    UniqueConstraint("account_id", "workspace_id", "browser"),
)
"""Browsers in which a workspace that does not require 2FA does not ask a person for the second step again. `browser`:
the hash of the browser's own cookie. A row that is gone counts no more: proofs of this kind are looked up by it."""
