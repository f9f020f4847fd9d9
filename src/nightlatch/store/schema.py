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


def _id(name: str = "id") -> Column[int]:
    return Column(name, _BIG, primary_key=True, autoincrement=False)


def _big(name: str, *, null: bool = False, index: bool = False) -> Column[int]:
    return Column(name, _BIG, nullable=null, index=index)


def _txt(name: str, *, null: bool = False, key: bool = False) -> Column[str]:
    return Column(name, _TEXT, nullable=null, primary_key=key)


def _bytes(name: str, *, null: bool = False, unique: bool = False) -> Column[bytes]:
    return Column(name, _BYTES, nullable=null, unique=unique)


meta = Table("meta", metadata, _txt("name", key=True), _txt("value"), sqlite_with_rowid=False)
"""Facts about this installation: the demo mark, the key check, the high-water mark of the clock."""

sequences = Table("sequences", metadata, _txt("name", key=True), _big("value"), sqlite_with_rowid=False)
"""SQLite's stand-in for a sequence (one writer, so one row is enough); PostgreSQL has a real one."""

# --- accounts -------------------------------------------------------------------------------------------------------

accounts = Table(
    "accounts",
    metadata,
    _id(),
    _txt("name"),
    _txt("email"),
    _txt("email_key"),
    _txt("locale", null=True),
    _txt("password_hash", null=True),
    _big("password_changed_at", null=True),
    _big("created_at"),
    Index("ix_accounts_email_key", "email_key"),
)

identities = Table(
    "identities",
    metadata,
    _txt("source", key=True),
    _txt("subject", key=True),
    _big("account_id", index=True),
    _big("created_at"),
    sqlite_with_rowid=False,
)
"""How an account is known: (source, subject). The source `local` has the canonical e-mail as its subject."""

email_changes = Table(
    "email_changes",
    metadata,
    _id(),
    _big("account_id", index=True),
    _txt("old_email"),
    _txt("new_email"),
    _txt("new_key"),
    _big("requested_at"),
    _big("confirmed_at", null=True),
    _big("undone_at", null=True),
    _big("ended_at", null=True),
)

authenticators = Table(
    "authenticators",
    metadata,
    _id(),
    _big("account_id", index=True),
    _txt("method"),
    _txt("name"),
    _bytes("sealed", null=True),
    _big("bound_at"),
    _big("last_used_at", null=True),
    _big("highest_step", null=True),
    _big("everywhere_at", null=True),
    _big("suspended_at", null=True),
    _big("limited_until", null=True),
)

authenticator_workspaces = Table(
    "authenticator_workspaces",
    metadata,
    _id("authenticator_id"),
    _id("workspace_id"),
    _big("reached_at", null=True),
    _big("void_at", null=True),
    _big("accepted_at", null=True),
    _big("suspended_at", null=True),
    sqlite_with_rowid=False,
)

recovery_codes = Table(
    "recovery_codes",
    metadata,
    _id("authenticator_id"),
    _txt("selector", key=True),
    _txt("hash"),
    _big("used_at", null=True),
    sqlite_with_rowid=False,
)

# --- workspaces -----------------------------------------------------------------------------------------------------

workspaces = Table(
    "workspaces",
    metadata,
    _id(),
    _txt("slug"),
    _txt("name"),
    _big("created_at"),
    _big("required_from", null=True),
    _txt("managed_by"),
    _big("revision"),
    _big("policy_changed_at", null=True),
    _txt("policy_changed_by", null=True),
    UniqueConstraint("slug"),
)

teammates = Table(
    "teammates",
    metadata,
    _id(),
    _big("workspace_id"),
    _big("account_id", index=True),
    _txt("role"),
    _big("joined_at"),
    _big("removed_at", null=True),
    _big("valid_after"),
    _big("reset_id", null=True),
    _big("last_sign_in_at", null=True),
    UniqueConstraint("workspace_id", "account_id"),
)

former_roles = Table(
    "former_roles",
    metadata,
    _id("teammate_id"),
    _id("until"),
    _txt("role"),
    sqlite_with_rowid=False,
)
"""Roles that a teammate no longer holds: rank is the highest of the last 7 days."""

standing = Table(
    "standing",
    metadata,
    _id(),
    _big("workspace_id"),
    _big("account_id", null=True, index=True),
    _txt("status"),
    _txt("name"),
    _txt("email"),
    _txt("role"),
    _txt("state"),
    _txt("methods"),
    _big("recovery_left", null=True),
    _big("since", null=True),
    _big("last_sign_in_at", null=True),
    _big("joined_at"),
    _txt("email_key"),
    _txt("search_key"),
    _big("role_order"),
    _big("sign_in_key"),
    # The filters stand in the first one too, so that SQLite searches without touching the table.
    Index("ix_standing_search", "workspace_id", "search_key", "id", "status", "state", "role_order"),
    Index("ix_standing_email", "workspace_id", "email_key", "id"),
    Index("ix_standing_role", "workspace_id", "role_order", "search_key", "id"),
    Index("ix_standing_sign_in", "workspace_id", "sign_in_key", "search_key", "id"),
    Index("ix_standing_state", "workspace_id", "status", "state", "search_key", "id"),
    Index("ix_standing_counts", "workspace_id", "status", "state", "role_order"),
)
"""The Teammates table, one row a teammate or pending invitation (by its id): a projection for lists, written in the
transaction of the change and recomputable. `access.decide` never reads it."""

invitations = Table(
    "invitations",
    metadata,
    _id(),
    _big("workspace_id"),
    _txt("email"),
    _txt("email_key"),
    _txt("role"),
    _big("invited_by", null=True),
    _txt("inviter"),
    _bytes("token_hash", unique=True),
    _bytes("former_hash", null=True, unique=True),
    _big("created_at"),
    _big("sent_at"),
    _big("sends"),
    _big("expires_at"),
    _big("accepted_at", null=True),
    _big("revoked_at", null=True),
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
    _id(),
    _big("workspace_id", index=True),
    _big("account_id", index=True),
    _big("requested_by", null=True),
    _txt("requester"),
    _txt("reason"),
    _txt("recognised_by"),
    _bytes("number_tag"),
    _big("number_failures"),
    _big("created_at"),
    _big("effective_at"),
    _big("completed_at", null=True),
    _big("ended_at", null=True),
)

# --- sessions -------------------------------------------------------------------------------------------------------

sessions = Table(
    "sessions",
    metadata,
    _id(),
    _bytes("token_hash", unique=True),
    _txt("kind"),
    _big("account_id", index=True),
    _big("created_at"),
    _big("authenticated_at"),
    _big("last_seen_at", index=True),
    _big("expires_at"),
    _big("pending_until", null=True),
    _big("ended_at", null=True),
    _txt("ip"),
    _txt("user_agent"),
    _txt("recent_kind", null=True),
    _big("recent_at", null=True),
)

proofs = Table(
    "proofs",
    metadata,
    _id("session_id"),
    _id("sequence"),
    _txt("method"),
    _big("authenticator_id", null=True),
    _big("workspace_id", null=True),
    _big("reset_id", null=True),
    _big("at"),
    sqlite_with_rowid=False,
)

browsers = Table(
    "browsers",
    metadata,
    Column("token_hash", _BYTES, primary_key=True),
    _id("account_id"),
    _big("last_at"),
    sqlite_with_rowid=False,
)

enrolments = Table(
    "enrolments",
    metadata,
    _id(),
    _big("session_id"),
    _big("account_id", index=True),
    _bytes("sealed"),
    _txt("name"),
    _big("replaces", null=True),
    _big("workspace_id", null=True),
    _big("created_at"),
    _big("expires_at"),
    UniqueConstraint("session_id"),
)
"""Pending enrolments: one a session, nobody else's, gone when it is confirmed."""

tickets = Table(
    "tickets",
    metadata,
    _id(),
    _bytes("token_hash", unique=True),
    _big("account_id", index=True),
    _txt("purpose"),
    _big("workspace_id", null=True),
    _big("reset_id", null=True),
    _big("created_at"),
    _big("expires_at"),
    _big("redeemed_at", null=True),
    _big("ended_at", null=True),
)

links = Table(
    "links",
    metadata,
    _id(),
    _bytes("token_hash", unique=True),
    _txt("purpose"),
    _big("account_id", null=True, index=True),
    _txt("email_key", null=True),
    _big("reference", null=True),
    _big("created_at"),
    _big("expires_at"),
    _big("spent_at", null=True),
    _big("ended_at", null=True),
)
"""Mailed single-use links beside tickets and invitations: password reset, e-mail confirm and undo, unblock, lift."""

guesses = Table(
    "guesses",
    metadata,
    _txt("door", key=True),
    _txt("subject", key=True),
    _big("failures"),
    _big("last_at"),
    sqlite_with_rowid=False,
)

caught_forms = Table(
    "caught_forms",
    metadata,
    _id("session_id"),
    _big("account_id"),
    _txt("path"),
    _bytes("sealed"),
    _big("created_at"),
)
"""A form that the gate caught on its way: it comes back filled in, to the same person, once."""

# --- mail and audit -------------------------------------------------------------------------------------------------

outbox = Table(
    "outbox",
    metadata,
    _id(),
    _txt("kind"),
    _txt("address"),
    _txt("address_key"),
    _big("account_id", null=True),
    _big("workspace_id", null=True),
    _txt("message_id"),
    _bytes("sealed", null=True),
    _big("created_at"),
    _big("next_at", null=True),
    _big("attempts"),
    _big("leased_until", null=True),
    _big("sent_at", null=True),
    _big("failed_at", null=True),
    _txt("error", null=True),
    UniqueConstraint("message_id"),
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
    _id(),
    _big("workspace_id", index=True),
    _big("revision"),
    _txt("kind"),
    _txt("by_name"),
    _big("required_from", null=True),
    _big("after_id"),
    _big("created_at"),
    _big("done_at", null=True),
)
"""A mail to every teammate, expanded in batches after the switch has answered."""

audit_events = Table(
    "audit_events",
    metadata,
    _id("sequence"),
    _big("id"),
    _big("at"),
    _txt("event"),
    _txt("actor_kind"),
    _big("actor_id", null=True),
    _txt("actor_name"),
    _txt("actor_key"),
    _txt("subject_kind"),
    _big("subject_id", null=True),
    _txt("subject_name"),
    _big("workspace_id", null=True),
    _txt("ip"),
    _txt("user_agent"),
    _txt("detail"),
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
