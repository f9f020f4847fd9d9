"""The one schema, for both databases.

Portable on purpose: ids and instants are integers, hashes and ciphertexts bytes, and an instant that may be missing
stands where others keep a boolean, so that a row says since when. Keys to search and sort by are made in Python and
compared by code point ("C" on PostgreSQL, BINARY on SQLite), so that both databases agree.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.types import TypeEngine

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_BIG: TypeEngine[int] = BigInteger().with_variant(Integer(), "sqlite")
_TEXT: TypeEngine[str] = Text().with_variant(Text(collation="C"), "postgresql")
_BYTES = LargeBinary()


def id_column(name: str = "id") -> Column[int]:
    return Column(name, _BIG, primary_key=True, autoincrement=False)


def big(name: str, *, null: bool = False, index: bool = False) -> Column[int]:
    return Column(name, _BIG, nullable=null, index=index)


def txt(name: str, *, null: bool = False, key: bool = False) -> Column[str]:
    return Column(name, _TEXT, nullable=null, primary_key=key)


def binary(name: str, *, null: bool = False, unique: bool = False, key: bool = False) -> Column[bytes]:
    return Column(name, _BYTES, nullable=null, unique=unique, primary_key=key)


meta = Table("meta", metadata, txt("name", key=True), txt("value"), sqlite_with_rowid=False)
"""Facts about this installation: the demo mark, the key check, the high-water mark of the clock."""

sequences = Table("sequences", metadata, txt("name", key=True), big("value"), sqlite_with_rowid=False)
"""SQLite's stand-in for a sequence (one writer, so one row is enough); PostgreSQL has a real one."""

# --- accounts -------------------------------------------------------------------------------------------------------

accounts = Table(
    "accounts",
    metadata,
    id_column(),
    txt("name"),
    txt("email"),
    txt("email_key"),
    txt("locale", null=True),
    txt("password_hash", null=True),
    big("password_changed_at", null=True),
    big("created_at"),
    big("app_id", null=True),
    binary("user_handle", null=True),
    Index("ix_accounts_email_key", "email_key"),
    UniqueConstraint("user_handle"),
)
"""`user_handle`: 64 random bytes by which passkeys know the account (WebAuthn section 14.6.1), never anything else."""

identities = Table(
    "identities",
    metadata,
    txt("source", key=True),
    txt("subject", key=True),
    big("account_id", index=True),
    big("created_at"),
    sqlite_with_rowid=False,
)
"""How an account is known: (source, subject). The source `local` has the canonical e-mail as its subject; a product's
is `app:` and its id, with the product's own id of the person. They are never joined by e-mail."""

email_changes = Table(
    "email_changes",
    metadata,
    id_column(),
    big("account_id", index=True),
    txt("old_email"),
    txt("new_email"),
    txt("new_key"),
    big("requested_at"),
    big("confirmed_at", null=True),
    big("undone_at", null=True),
    big("ended_at", null=True),
)

authenticators = Table(
    "authenticators",
    metadata,
    id_column(),
    big("account_id", index=True),
    txt("method"),
    txt("name"),
    binary("sealed", null=True),
    big("bound_at"),
    big("last_used_at", null=True),
    big("highest_step", null=True),
    big("everywhere_at", null=True),
    big("suspended_at", null=True),
    big("limited_until", null=True),
    big("contested_at", null=True),
)

authenticator_workspaces = Table(
    "authenticator_workspaces",
    metadata,
    id_column("authenticator_id"),
    id_column("workspace_id"),
    big("reached_at", null=True),
    big("void_at", null=True),
    big("accepted_at", null=True),
    big("suspended_at", null=True),
    big("valid_after", null=True),
    sqlite_with_rowid=False,
)
"""Where an authenticator that does not reach everywhere reaches, and what single workspaces made of one: void by a
reset, accepted, suspended. `valid_after`: proofs given with it before do not count there (it was lost or contested)."""

recovery_codes = Table(
    "recovery_codes",
    metadata,
    id_column("authenticator_id"),
    txt("selector", key=True),
    txt("hash"),
    big("used_at", null=True),
    sqlite_with_rowid=False,
)

# --- workspaces -----------------------------------------------------------------------------------------------------

workspaces = Table(
    "workspaces",
    metadata,
    id_column(),
    txt("slug"),
    txt("name"),
    big("created_at"),
    big("required_from", null=True),
    txt("managed_by"),
    big("revision"),
    big("policy_changed_at", null=True),
    txt("policy_changed_by", null=True),
    big("announced_at", null=True),
    big("turned_off_at", null=True),
    big("resistant_from", null=True),
    big("resistant_announced_at", null=True),
    big("resistant_ended_at", null=True),
    big("sso_required_at", null=True),
    big("remember_for", null=True),
    big("app_id", null=True),
    txt("app_key", null=True),
    UniqueConstraint("slug"),
    Index(
        "uq_workspaces_app",
        "app_id",
        "app_key",
        unique=True,
        sqlite_where=text("app_id IS NOT NULL"),
        postgresql_where=text("app_id IS NOT NULL"),
    ),
)
"""`resistant_from`: while the mandate is in force, from when it asks for phishing-resistant proof;
`resistant_ended_at`: when it last ceased to, having done so. `sso_required_at`:
since when only its provider's sign-in is a first factor there, owners apart. `remember_for`: for how long browsers may
be remembered where nothing is required."""

teammates = Table(
    "teammates",
    metadata,
    id_column(),
    big("workspace_id"),
    big("account_id", index=True),
    txt("role"),
    big("joined_at"),
    big("removed_at", null=True),
    big("valid_after"),
    big("reset_id", null=True),
    txt("given_role", null=True),
    big("exempt_until", null=True),
    big("snoozed_until", null=True),
    big("reminded_at", null=True),
    big("waiting_reset_id", null=True),
    big("brought_in_by", null=True),
    big("role_given_by", null=True),
    big("sso_connection_id", null=True),
    UniqueConstraint("workspace_id", "account_id"),
)
"""`sso_connection_id`: by which connection they came last, where what it proved was enough there.
`reset_id`: the reset after which they have not set up again; `waiting_reset_id`: one that is not done yet.
`brought_in_by`, `role_given_by`: the accounts that invited them and gave them their present role, where known: whoever
somebody brought in is no second person beside them (design section 6)."""

former_roles = Table(
    "former_roles",
    metadata,
    id_column("teammate_id"),
    id_column("until"),
    txt("role"),
    sqlite_with_rowid=False,
)
"""Roles that a teammate no longer holds: rank is the highest of the last 7 days."""

standing = Table(
    "standing",
    metadata,
    id_column(),
    big("workspace_id"),
    big("account_id", null=True, index=True),
    txt("status"),
    txt("name"),
    txt("email"),
    txt("role"),
    txt("state"),
    txt("methods"),
    big("recovery_left", null=True),
    big("since", null=True),
    big("last_sign_in_at", null=True),
    big("joined_at"),
    txt("email_key"),
    txt("search_key"),
    big("role_order"),
    big("sign_in_key"),
    big("exempt_until", null=True),
    big("mail_failed_at", null=True),
    # The filters stand in the first one too, so that SQLite searches without touching the table.
    Index(
        "ix_standing_search",
        *("workspace_id", "search_key", "id", "status", "state", "role_order"),
        *("recovery_left", "joined_at", "exempt_until", "mail_failed_at"),
    ),
    Index("ix_standing_email", "workspace_id", "email_key", "id"),
    Index("ix_standing_role", "workspace_id", "role_order", "search_key", "id"),
    Index("ix_standing_sign_in", "workspace_id", "sign_in_key", "search_key", "id"),
    Index(
        "ix_standing_state",
        *("workspace_id", "status", "state", "search_key", "id", "joined_at", "exempt_until"),
    ),
    Index(
        "ix_standing_late",
        *("workspace_id", "status", "state", "joined_at", "search_key", "id", "role_order", "exempt_until"),
    ),
    Index(
        "ix_standing_counts",
        *("workspace_id", "status", "state", "role_order", "recovery_left"),
    ),
    Index(
        "ix_standing_exempt",
        "workspace_id",
        "exempt_until",
        sqlite_where=text("exempt_until IS NOT NULL"),
        postgresql_where=text("exempt_until IS NOT NULL"),
    ),
    Index(
        "ix_standing_bouncing",
        "workspace_id",
        "search_key",
        "id",
        sqlite_where=text("mail_failed_at IS NOT NULL"),
        postgresql_where=text("mail_failed_at IS NOT NULL"),
    ),
)
"""The Teammates table, one row a teammate or pending invitation (by its id): a projection for lists, written in the
transaction of the change and recomputable. `access.decide` never reads it."""

invitations = Table(
    "invitations",
    metadata,
    id_column(),
    big("workspace_id"),
    txt("email"),
    txt("email_key"),
    txt("role"),
    big("invited_by", null=True),
    txt("inviter"),
    binary("token_hash", unique=True),
    binary("former_hash", null=True, unique=True),
    big("created_at"),
    big("sent_at"),
    big("sends"),
    big("expires_at"),
    big("accepted_at", null=True),
    big("revoked_at", null=True),
    Index(
        "uq_invitations_pending",
        "workspace_id",
        "email_key",
        unique=True,
        sqlite_where=text("accepted_at IS NULL AND revoked_at IS NULL"),
        postgresql_where=text("accepted_at IS NULL AND revoked_at IS NULL"),
    ),
    Index("ix_invitations_email_key", "email_key", "sent_at"),
)

resets = Table(
    "resets",
    metadata,
    id_column(),
    big("workspace_id", index=True),
    big("account_id", index=True),
    big("requested_by", null=True),
    txt("requester"),
    txt("reason"),
    txt("recognised_by"),
    binary("number_tag"),
    big("number_failures"),
    big("created_at"),
    big("effective_at"),
    big("completed_at", null=True),
    big("ended_at", null=True),
    big("rank", null=True),
    big("done_at", null=True),
    big("approved_by", null=True),
    txt("approver", null=True),
    big("approved_at", null=True),
    txt("ended_by", null=True),
    big("held_at", null=True),
    Index(
        "ix_resets_waiting",
        "effective_at",
        sqlite_where=text("done_at IS NULL AND ended_at IS NULL"),
        postgresql_where=text("done_at IS NULL AND ended_at IS NULL"),
    ),
)
"""`rank` is the target's, the highest of the 7 days before. A reset waits until `effective_at`, is done at `done_at`
(from then on its ticket works) and completed when the person has set up again. `held_at`: time alone does not do this
one, a second owner has to approve it, and at `effective_at` it lapses. `ended_by`, why one ended before it was done:
`second_step` (the target showed it), `mail` (the mailed page), `withdrawn`, `owner`, `replaced`, `removed`, `requester`
(who asked may not any more), `role` (the target ranks higher now), `last_owner`, `nothing` (nothing left to turn off),
`lapsed`."""

# --- sessions -------------------------------------------------------------------------------------------------------

sessions = Table(
    "sessions",
    metadata,
    id_column(),
    binary("token_hash"),
    txt("kind"),
    big("account_id", index=True),
    big("created_at"),
    big("authenticated_at"),
    big("last_seen_at", index=True),
    big("expires_at"),
    big("pending_until", null=True),
    big("ended_at", null=True),
    txt("ip"),
    txt("user_agent"),
    txt("recent_kind", null=True),
    big("recent_at", null=True),
    big("alerted_at", null=True),
    binary("browser", null=True),
)
"""`token_hash`: the id, and the hash of the secret in its present token (actions/tokens.py). `alerted_at`: it stopped
half-way, and was looked at for that. `browser`: the hash of its browser's own cookie."""

proofs = Table(
    "proofs",
    metadata,
    id_column("session_id"),
    id_column("sequence"),
    txt("method"),
    big("authenticator_id", null=True),
    big("workspace_id", null=True),
    big("reset_id", null=True),
    big("at"),
    big("connection_id", null=True),
    txt("evidence", null=True),
    big("unverified_at", null=True),
    sqlite_with_rowid=False,
)
"""`connection_id`, `evidence`: of a sign-in at a workspace's provider, which one, and (JSON) the `acr` and `amr` that
it told; `at` is then when the person signed in there. `unverified_at`: a passkey that was touched, and did not verify
its user."""

browsers = Table(
    "browsers",
    metadata,
    id_column("account_id"),
    Column("token_hash", _BYTES, primary_key=True),
    big("last_at"),
    sqlite_with_rowid=False,
)
"""Browsers that have signed in fully to an account (or opened a mailed link for it); programs by network and name."""

enrolments = Table(
    "enrolments",
    metadata,
    id_column(),
    big("session_id"),
    big("account_id", index=True),
    binary("sealed"),
    txt("name"),
    big("replaces", null=True),
    big("workspace_id", null=True),
    big("created_at"),
    big("expires_at"),
    UniqueConstraint("session_id"),
)
"""Pending enrolments: one a session, nobody else's, gone when it is confirmed."""

tickets = Table(
    "tickets",
    metadata,
    id_column(),
    binary("token_hash", unique=True),
    big("account_id", index=True),
    txt("purpose"),
    big("workspace_id", null=True),
    big("reset_id", null=True),
    big("created_at"),
    big("expires_at"),
    big("redeemed_at", null=True),
    big("ended_at", null=True),
)

links = Table(
    "links",
    metadata,
    id_column(),
    binary("token_hash", unique=True),
    txt("purpose"),
    big("account_id", null=True, index=True),
    txt("email_key", null=True),
    big("reference", null=True),
    big("created_at"),
    big("expires_at"),
    big("spent_at", null=True),
    big("ended_at", null=True),
    txt("email", null=True),
    Index("ix_links_email_key", "email_key", "purpose"),
)
"""Mailed single-use links beside tickets and invitations: password reset, e-mail confirm and undo, unblock, lift; and
sign-up, where `email` is the address, as it was written, that will have the account."""

guesses = Table(
    "guesses",
    metadata,
    txt("door", key=True),
    txt("subject", key=True),
    big("failures"),
    big("last_at"),
    sqlite_with_rowid=False,
)

caught_forms = Table(
    "caught_forms",
    metadata,
    id_column("session_id"),
    big("account_id"),
    txt("path"),
    binary("sealed"),
    big("created_at"),
)
"""A form that the gate caught on its way: it comes back filled in, to the same person, once."""

# --- mail and audit -------------------------------------------------------------------------------------------------

outbox = Table(
    "outbox",
    metadata,
    id_column(),
    txt("kind"),
    txt("address"),
    txt("address_key"),
    big("account_id", null=True),
    big("workspace_id", null=True),
    txt("message_id"),
    binary("sealed", null=True),
    big("created_at"),
    big("next_at", null=True),
    big("attempts"),
    big("leased_until", null=True),
    big("sent_at", null=True),
    big("failed_at", null=True),
    txt("error", null=True),
    big("revision", null=True),
    big("unasked_at", null=True),
    UniqueConstraint("message_id"),
    Index(
        "ix_outbox_unasked",
        "address_key",
        "unasked_at",
        sqlite_where=text("unasked_at IS NOT NULL"),
        postgresql_where=text("unasked_at IS NOT NULL"),
    ),
    Index(
        "ix_outbox_person",
        "workspace_id",
        "account_id",
        "created_at",
        sqlite_where=text("workspace_id IS NOT NULL"),
        postgresql_where=text("workspace_id IS NOT NULL"),
    ),
    Index("ix_outbox_next_at", "next_at"),
    Index("ix_outbox_address_key", "address_key", "created_at"),
    Index(
        "ix_outbox_invitations",
        "workspace_id",
        "created_at",
        sqlite_where=text("kind = 'invitation'"),
        postgresql_where=text("kind = 'invitation'"),
    ),
)

campaigns = Table(
    "campaigns",
    metadata,
    id_column(),
    big("workspace_id", index=True),
    big("revision"),
    txt("kind"),
    txt("by_name"),
    big("required_from", null=True),
    big("after_id"),
    big("created_at"),
    big("done_at", null=True),
    txt("stage", null=True),
    big("due_at", null=True),
)
"""A mail to every teammate, expanded in batches after the switch has answered, or from `due_at` on. `stage`: which
notice before a mandate it is."""

audit_events = Table(
    "audit_events",
    metadata,
    id_column("sequence"),
    big("id"),
    big("at"),
    txt("event"),
    txt("actor_kind"),
    big("actor_id", null=True),
    txt("actor_name"),
    txt("actor_key"),
    txt("subject_kind"),
    big("subject_id", null=True),
    txt("subject_name"),
    big("workspace_id", null=True),
    txt("ip"),
    txt("user_agent"),
    txt("detail"),
    Index(
        "ix_audit_events_workspace",
        "workspace_id",
        "sequence",
        sqlite_where=text("workspace_id IS NOT NULL"),
        postgresql_where=text("workspace_id IS NOT NULL"),
    ),
    Index(
        "ix_audit_events_event",
        "workspace_id",
        "event",
        "sequence",
        sqlite_where=text("workspace_id IS NOT NULL"),
        postgresql_where=text("workspace_id IS NOT NULL"),
    ),
)
