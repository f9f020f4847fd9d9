"""The first schema"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("email", TEXT, nullable=False),
        sa.Column("email_key", TEXT, nullable=False),
        sa.Column("locale", TEXT, nullable=True),
        sa.Column("password_hash", TEXT, nullable=True),
        sa.Column("password_changed_at", BIG, nullable=True),
        sa.Column("created_at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
    )
    with op.batch_alter_table("accounts", schema=None) as batch_op:
        batch_op.create_index("ix_accounts_email_key", ["email_key"], unique=False)

    op.create_table(
        "audit_events",
        sa.Column("sequence", BIG, autoincrement=False, nullable=False),
        sa.Column("id", BIG, nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.Column("event", TEXT, nullable=False),
        sa.Column("actor_kind", TEXT, nullable=False),
        sa.Column("actor_id", BIG, nullable=True),
        sa.Column("actor_name", TEXT, nullable=False),
        sa.Column("actor_key", TEXT, nullable=False),
        sa.Column("subject_kind", TEXT, nullable=False),
        sa.Column("subject_id", BIG, nullable=True),
        sa.Column("subject_name", TEXT, nullable=False),
        sa.Column("workspace_id", BIG, nullable=True),
        sa.Column("ip", TEXT, nullable=False),
        sa.Column("user_agent", TEXT, nullable=False),
        sa.Column("detail", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_audit_events")),
    )
    with op.batch_alter_table("audit_events", schema=None) as batch_op:
        batch_op.create_index(
            "ix_audit_events_event",
            ["workspace_id", "event", "sequence"],
            unique=False,
            sqlite_where=sa.text("workspace_id IS NOT NULL"),
            postgresql_where=sa.text("workspace_id IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_audit_events_workspace",
            ["workspace_id", "sequence"],
            unique=False,
            sqlite_where=sa.text("workspace_id IS NOT NULL"),
            postgresql_where=sa.text("workspace_id IS NOT NULL"),
        )

    op.create_table(
        "authenticator_workspaces",
        sa.Column("authenticator_id", BIG, autoincrement=False, nullable=False),
        sa.Column("workspace_id", BIG, autoincrement=False, nullable=False),
        sa.Column("reached_at", BIG, nullable=True),
        sa.Column("void_at", BIG, nullable=True),
        sa.Column("accepted_at", BIG, nullable=True),
        sa.Column("suspended_at", BIG, nullable=True),
        sa.PrimaryKeyConstraint("authenticator_id", "workspace_id", name=op.f("pk_authenticator_workspaces")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "authenticators",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("account_id", BIG, nullable=False),
        sa.Column("method", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("bound_at", BIG, nullable=False),
        sa.Column("last_used_at", BIG, nullable=True),
        sa.Column("highest_step", BIG, nullable=True),
        sa.Column("everywhere_at", BIG, nullable=True),
        sa.Column("suspended_at", BIG, nullable=True),
        sa.Column("limited_until", BIG, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_authenticators")),
    )
    with op.batch_alter_table("authenticators", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_authenticators_account_id"), ["account_id"], unique=False)

    op.create_table(
        "browsers",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("account_id", BIG, autoincrement=False, nullable=False),
        sa.Column("last_at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("token_hash", "account_id", name=op.f("pk_browsers")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "campaigns",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("workspace_id", BIG, nullable=False),
        sa.Column("revision", BIG, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("by_name", TEXT, nullable=False),
        sa.Column("required_from", BIG, nullable=True),
        sa.Column("after_id", BIG, nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("done_at", BIG, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaigns")),
    )
    with op.batch_alter_table("campaigns", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_campaigns_workspace_id"), ["workspace_id"], unique=False)

    op.create_table(
        "caught_forms",
        sa.Column("session_id", BIG, autoincrement=False, nullable=False),
        sa.Column("account_id", BIG, nullable=False),
        sa.Column("path", TEXT, nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("session_id", name=op.f("pk_caught_forms")),
    )
    op.create_table(
        "email_changes",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("account_id", BIG, nullable=False),
        sa.Column("old_email", TEXT, nullable=False),
        sa.Column("new_email", TEXT, nullable=False),
        sa.Column("new_key", TEXT, nullable=False),
        sa.Column("requested_at", BIG, nullable=False),
        sa.Column("confirmed_at", BIG, nullable=True),
        sa.Column("undone_at", BIG, nullable=True),
        sa.Column("ended_at", BIG, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_email_changes")),
    )
    with op.batch_alter_table("email_changes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_email_changes_account_id"), ["account_id"], unique=False)

    op.create_table(
        "enrolments",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("session_id", BIG, nullable=False),
        sa.Column("account_id", BIG, nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("replaces", BIG, nullable=True),
        sa.Column("workspace_id", BIG, nullable=True),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("expires_at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enrolments")),
        sa.UniqueConstraint("session_id", name=op.f("uq_enrolments_session_id")),
    )
    with op.batch_alter_table("enrolments", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_enrolments_account_id"), ["account_id"], unique=False)

    op.create_table(
        "former_roles",
        sa.Column("teammate_id", BIG, autoincrement=False, nullable=False),
        sa.Column("until", BIG, autoincrement=False, nullable=False),
        sa.Column("role", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("teammate_id", "until", name=op.f("pk_former_roles")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "guesses",
        sa.Column("door", TEXT, nullable=False),
        sa.Column("subject", TEXT, nullable=False),
        sa.Column("failures", BIG, nullable=False),
        sa.Column("last_at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("door", "subject", name=op.f("pk_guesses")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "identities",
        sa.Column("source", TEXT, nullable=False),
        sa.Column("subject", TEXT, nullable=False),
        sa.Column("account_id", BIG, nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("source", "subject", name=op.f("pk_identities")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("identities", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_identities_account_id"), ["account_id"], unique=False)

    op.create_table(
        "invitations",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("workspace_id", BIG, nullable=False),
        sa.Column("email", TEXT, nullable=False),
        sa.Column("email_key", TEXT, nullable=False),
        sa.Column("role", TEXT, nullable=False),
        sa.Column("invited_by", BIG, nullable=True),
        sa.Column("inviter", TEXT, nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("former_hash", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("sent_at", BIG, nullable=False),
        sa.Column("sends", BIG, nullable=False),
        sa.Column("expires_at", BIG, nullable=False),
        sa.Column("accepted_at", BIG, nullable=True),
        sa.Column("revoked_at", BIG, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitations")),
        sa.UniqueConstraint("former_hash", name=op.f("uq_invitations_former_hash")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_invitations_token_hash")),
    )
    with op.batch_alter_table("invitations", schema=None) as batch_op:
        batch_op.create_index("ix_invitations_email_key", ["email_key", "sent_at"], unique=False)
        batch_op.create_index(
            "uq_invitations_pending",
            ["workspace_id", "email_key"],
            unique=True,
            sqlite_where=sa.text("accepted_at IS NULL AND revoked_at IS NULL"),
            postgresql_where=sa.text("accepted_at IS NULL AND revoked_at IS NULL"),
        )

    op.create_table(
        "links",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("purpose", TEXT, nullable=False),
        sa.Column("account_id", BIG, nullable=True),
        sa.Column("email_key", TEXT, nullable=True),
        sa.Column("reference", BIG, nullable=True),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("expires_at", BIG, nullable=False),
        sa.Column("spent_at", BIG, nullable=True),
        sa.Column("ended_at", BIG, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_links")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_links_token_hash")),
    )
    with op.batch_alter_table("links", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_links_account_id"), ["account_id"], unique=False)

    op.create_table(
        "meta",
        sa.Column("name", TEXT, nullable=False),
        sa.Column("value", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_meta")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "outbox",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("address", TEXT, nullable=False),
        sa.Column("address_key", TEXT, nullable=False),
        sa.Column("account_id", BIG, nullable=True),
        sa.Column("workspace_id", BIG, nullable=True),
        sa.Column("message_id", TEXT, nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("next_at", BIG, nullable=True),
        sa.Column("attempts", BIG, nullable=False),
        sa.Column("leased_until", BIG, nullable=True),
        sa.Column("sent_at", BIG, nullable=True),
        sa.Column("failed_at", BIG, nullable=True),
        sa.Column("error", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("message_id", name=op.f("uq_outbox_message_id")),
    )
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.create_index("ix_outbox_address_key", ["address_key", "created_at"], unique=False)
        batch_op.create_index(
            "ix_outbox_invitations",
            ["workspace_id", "created_at"],
            unique=False,
            sqlite_where=sa.text("kind = 'invitation'"),
            postgresql_where=sa.text("kind = 'invitation'"),
        )
        batch_op.create_index("ix_outbox_next_at", ["next_at"], unique=False)

    op.create_table(
        "proofs",
        sa.Column("session_id", BIG, autoincrement=False, nullable=False),
        sa.Column("sequence", BIG, autoincrement=False, nullable=False),
        sa.Column("method", TEXT, nullable=False),
        sa.Column("authenticator_id", BIG, nullable=True),
        sa.Column("workspace_id", BIG, nullable=True),
        sa.Column("reset_id", BIG, nullable=True),
        sa.Column("at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("session_id", "sequence", name=op.f("pk_proofs")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "recovery_codes",
        sa.Column("authenticator_id", BIG, autoincrement=False, nullable=False),
        sa.Column("selector", TEXT, nullable=False),
        sa.Column("hash", TEXT, nullable=False),
        sa.Column("used_at", BIG, nullable=True),
        sa.PrimaryKeyConstraint("authenticator_id", "selector", name=op.f("pk_recovery_codes")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "resets",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("workspace_id", BIG, nullable=False),
        sa.Column("account_id", BIG, nullable=False),
        sa.Column("requested_by", BIG, nullable=True),
        sa.Column("requester", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("recognised_by", TEXT, nullable=False),
        sa.Column("number_tag", sa.LargeBinary(), nullable=False),
        sa.Column("number_failures", BIG, nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("effective_at", BIG, nullable=False),
        sa.Column("completed_at", BIG, nullable=True),
        sa.Column("ended_at", BIG, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_resets")),
    )
    with op.batch_alter_table("resets", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_resets_account_id"), ["account_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_resets_workspace_id"), ["workspace_id"], unique=False)

    op.create_table(
        "sequences",
        sa.Column("name", TEXT, nullable=False),
        sa.Column("value", BIG, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_sequences")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "sessions",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("account_id", BIG, nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("authenticated_at", BIG, nullable=False),
        sa.Column("last_seen_at", BIG, nullable=False),
        sa.Column("expires_at", BIG, nullable=False),
        sa.Column("pending_until", BIG, nullable=True),
        sa.Column("ended_at", BIG, nullable=True),
        sa.Column("ip", TEXT, nullable=False),
        sa.Column("user_agent", TEXT, nullable=False),
        sa.Column("recent_kind", TEXT, nullable=True),
        sa.Column("recent_at", BIG, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_sessions_token_hash")),
    )
    with op.batch_alter_table("sessions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sessions_account_id"), ["account_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_sessions_last_seen_at"), ["last_seen_at"], unique=False)

    op.create_table(
        "standing",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("workspace_id", BIG, nullable=False),
        sa.Column("account_id", BIG, nullable=True),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("email", TEXT, nullable=False),
        sa.Column("role", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("methods", TEXT, nullable=False),
        sa.Column("recovery_left", BIG, nullable=True),
        sa.Column("since", BIG, nullable=True),
        sa.Column("last_sign_in_at", BIG, nullable=True),
        sa.Column("joined_at", BIG, nullable=False),
        sa.Column("email_key", TEXT, nullable=False),
        sa.Column("search_key", TEXT, nullable=False),
        sa.Column("role_order", BIG, nullable=False),
        sa.Column("sign_in_key", BIG, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_standing")),
    )
    with op.batch_alter_table("standing", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_standing_account_id"), ["account_id"], unique=False)
        batch_op.create_index(
            "ix_standing_counts", ["workspace_id", "status", "state", "role_order"], unique=False
        )
        batch_op.create_index("ix_standing_email", ["workspace_id", "email_key", "id"], unique=False)
        batch_op.create_index(
            "ix_standing_role", ["workspace_id", "role_order", "search_key", "id"], unique=False
        )
        batch_op.create_index(
            "ix_standing_search",
            ["workspace_id", "search_key", "id", "status", "state", "role_order"],
            unique=False,
        )
        batch_op.create_index(
            "ix_standing_sign_in", ["workspace_id", "sign_in_key", "search_key", "id"], unique=False
        )
        batch_op.create_index(
            "ix_standing_state", ["workspace_id", "status", "state", "search_key", "id"], unique=False
        )

    op.create_table(
        "teammates",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("workspace_id", BIG, nullable=False),
        sa.Column("account_id", BIG, nullable=False),
        sa.Column("role", TEXT, nullable=False),
        sa.Column("joined_at", BIG, nullable=False),
        sa.Column("removed_at", BIG, nullable=True),
        sa.Column("valid_after", BIG, nullable=False),
        sa.Column("reset_id", BIG, nullable=True),
        sa.Column("last_sign_in_at", BIG, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_teammates")),
        sa.UniqueConstraint("workspace_id", "account_id", name=op.f("uq_teammates_workspace_id_account_id")),
    )
    with op.batch_alter_table("teammates", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_teammates_account_id"), ["account_id"], unique=False)

    op.create_table(
        "tickets",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("account_id", BIG, nullable=False),
        sa.Column("purpose", TEXT, nullable=False),
        sa.Column("workspace_id", BIG, nullable=True),
        sa.Column("reset_id", BIG, nullable=True),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("expires_at", BIG, nullable=False),
        sa.Column("redeemed_at", BIG, nullable=True),
        sa.Column("ended_at", BIG, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tickets")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_tickets_token_hash")),
    )
    with op.batch_alter_table("tickets", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_tickets_account_id"), ["account_id"], unique=False)

    op.create_table(
        "workspaces",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("slug", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("required_from", BIG, nullable=True),
        sa.Column("managed_by", TEXT, nullable=False),
        sa.Column("revision", BIG, nullable=False),
        sa.Column("policy_changed_at", BIG, nullable=True),
        sa.Column("policy_changed_by", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workspaces")),
        sa.UniqueConstraint("slug", name=op.f("uq_workspaces_slug")),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute("CREATE SEQUENCE nightlatch_order INCREMENT BY 8 START WITH 8")
    else:
        op.execute("INSERT INTO sequences (name, value) VALUES ('order', 0)")
