"""A mandate that a whole team survives: notices, exceptions, help, resets by rank, tokens"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "declined_addresses",
        sa.Column("email_key", TEXT, nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("email_key", name=op.f("pk_declined_addresses")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "exceptions",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("workspace_id", BIG, nullable=False),
        sa.Column("account_id", BIG, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("requested_by", BIG, nullable=True),
        sa.Column("requester", TEXT, nullable=False),
        sa.Column("requested_at", BIG, nullable=False),
        sa.Column("ends_at", BIG, nullable=False),
        sa.Column("approved_by", BIG, nullable=True),
        sa.Column("approver", TEXT, nullable=True),
        sa.Column("approved_at", BIG, nullable=True),
        sa.Column("ended_at", BIG, nullable=True),
        sa.Column("ended_by", TEXT, nullable=True),
        sa.Column("ended_why", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exceptions")),
    )
    with op.batch_alter_table("exceptions", schema=None) as batch_op:
        batch_op.create_index(
            "ix_exceptions_person", ["workspace_id", "account_id", "requested_at"], unique=False
        )
        batch_op.create_index("ix_exceptions_list", ["workspace_id", "requested_at", "id"], unique=False)

    op.create_table(
        "help_requests",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("workspace_id", BIG, nullable=False),
        sa.Column("account_id", BIG, nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("ip", TEXT, nullable=False),
        sa.Column("user_agent", TEXT, nullable=False),
        sa.Column("closed_at", BIG, nullable=True),
        sa.Column("closed_by", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_help_requests")),
    )
    with op.batch_alter_table("help_requests", schema=None) as batch_op:
        batch_op.create_index(
            "ix_help_requests_open",
            ["workspace_id", "created_at"],
            unique=False,
            sqlite_where=sa.text("closed_at IS NULL"),
            postgresql_where=sa.text("closed_at IS NULL"),
        )
        batch_op.create_index(
            "ix_help_requests_person", ["account_id", "workspace_id", "created_at"], unique=False
        )

    op.create_table(
        "notices",
        sa.Column("workspace_id", BIG, autoincrement=False, nullable=False),
        sa.Column("revision", BIG, autoincrement=False, nullable=False),
        sa.Column("account_id", BIG, autoincrement=False, nullable=False),
        sa.Column("stage", TEXT, nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "revision", "account_id", "stage", name=op.f("pk_notices")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "notification_addresses",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("account_id", BIG, nullable=False),
        sa.Column("email", TEXT, nullable=False),
        sa.Column("email_key", TEXT, nullable=False),
        sa.Column("added_at", BIG, nullable=False),
        sa.Column("confirmed_at", BIG, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notification_addresses")),
        sa.UniqueConstraint(
            "account_id", "email_key", name=op.f("uq_notification_addresses_account_id_email_key")
        ),
    )
    op.create_table(
        "progress",
        sa.Column("workspace_id", BIG, autoincrement=False, nullable=False),
        sa.Column("day", BIG, autoincrement=False, nullable=False),
        sa.Column("set_up", BIG, nullable=False),
        sa.Column("teammates", BIG, nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "day", name=op.f("pk_progress")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "service_accounts",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("workspace_id", BIG, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("sponsor_id", BIG, nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("created_by", TEXT, nullable=False),
        sa.Column("suspended_at", BIG, nullable=True),
        sa.Column("removed_at", BIG, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service_accounts")),
    )
    with op.batch_alter_table("service_accounts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_service_accounts_sponsor_id"), ["sponsor_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_service_accounts_workspace_id"), ["workspace_id"], unique=False)

    op.create_table(
        "tokens",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("account_id", BIG, nullable=True),
        sa.Column("service_id", BIG, nullable=True),
        sa.Column("workspace_id", BIG, nullable=True),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("scopes", TEXT, nullable=False),
        sa.Column("sequence", BIG, nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("expires_at", BIG, nullable=False),
        sa.Column("last_used_at", BIG, nullable=True),
        sa.Column("ended_at", BIG, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tokens")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_tokens_token_hash")),
    )
    with op.batch_alter_table("tokens", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_tokens_account_id"), ["account_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_tokens_service_id"), ["service_id"], unique=False)

    op.create_table(
        "token_workspaces",
        sa.Column("token_id", BIG, autoincrement=False, nullable=False),
        sa.Column("workspace_id", BIG, autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("token_id", "workspace_id", name=op.f("pk_token_workspaces")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("authenticator_workspaces", schema=None) as batch_op:
        batch_op.add_column(sa.Column("valid_after", BIG, nullable=True))

    with op.batch_alter_table("authenticators", schema=None) as batch_op:
        batch_op.add_column(sa.Column("contested_at", BIG, nullable=True))

    with op.batch_alter_table("campaigns", schema=None) as batch_op:
        batch_op.add_column(sa.Column("stage", TEXT, nullable=True))
        batch_op.add_column(sa.Column("due_at", BIG, nullable=True))

    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.add_column(sa.Column("revision", BIG, nullable=True))
        batch_op.add_column(sa.Column("unasked_at", BIG, nullable=True))
        batch_op.create_index(
            "ix_outbox_person",
            ["workspace_id", "account_id", "created_at"],
            unique=False,
            sqlite_where=sa.text("workspace_id IS NOT NULL"),
            postgresql_where=sa.text("workspace_id IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_outbox_unasked",
            ["address_key", "unasked_at"],
            unique=False,
            sqlite_where=sa.text("unasked_at IS NOT NULL"),
            postgresql_where=sa.text("unasked_at IS NOT NULL"),
        )

    with op.batch_alter_table("resets", schema=None) as batch_op:
        batch_op.add_column(sa.Column("rank", BIG, nullable=True))
        batch_op.add_column(sa.Column("done_at", BIG, nullable=True))
        batch_op.add_column(sa.Column("approved_by", BIG, nullable=True))
        batch_op.add_column(sa.Column("approver", TEXT, nullable=True))
        batch_op.add_column(sa.Column("approved_at", BIG, nullable=True))
        batch_op.add_column(sa.Column("ended_by", TEXT, nullable=True))
        batch_op.add_column(sa.Column("held_at", BIG, nullable=True))
        batch_op.create_index(
            "ix_resets_waiting",
            ["effective_at"],
            unique=False,
            sqlite_where=sa.text("done_at IS NULL AND ended_at IS NULL"),
            postgresql_where=sa.text("done_at IS NULL AND ended_at IS NULL"),
        )

    with op.batch_alter_table("sessions", schema=None) as batch_op:
        batch_op.add_column(sa.Column("alerted_at", BIG, nullable=True))
        batch_op.add_column(sa.Column("browser", sa.LargeBinary(), nullable=True))

    with op.batch_alter_table("browsers", schema=None) as batch_op:
        batch_op.create_index("ix_browsers_account_id", ["account_id"], unique=False)

    with op.batch_alter_table("standing", schema=None) as batch_op:
        batch_op.add_column(sa.Column("exempt_until", BIG, nullable=True))
        batch_op.add_column(sa.Column("mail_failed_at", BIG, nullable=True))
        for name in ("search", "state", "counts"):
            batch_op.drop_index(f"ix_standing_{name}")

    with op.batch_alter_table("standing", schema=None) as batch_op:
        shown = ["recovery_left", "joined_at", "exempt_until", "mail_failed_at"]
        kind = ["workspace_id", "status", "state"]
        key = ["search_key", "id"]
        batch_op.create_index(
            "ix_standing_search",
            ["workspace_id", *key, "status", "state", "role_order", *shown],
            unique=False,
        )
        batch_op.create_index("ix_standing_state", [*kind, *key, "joined_at", "exempt_until"], unique=False)
        batch_op.create_index(
            "ix_standing_late", [*kind, "joined_at", *key, "role_order", "exempt_until"], unique=False
        )
        batch_op.create_index("ix_standing_counts", [*kind, "role_order", "recovery_left"], unique=False)
        batch_op.create_index(
            "ix_standing_exempt",
            ["workspace_id", "exempt_until"],
            unique=False,
            sqlite_where=sa.text("exempt_until IS NOT NULL"),
            postgresql_where=sa.text("exempt_until IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_standing_bouncing",
            ["workspace_id", *key],
            unique=False,
            sqlite_where=sa.text("mail_failed_at IS NOT NULL"),
            postgresql_where=sa.text("mail_failed_at IS NOT NULL"),
        )

    with op.batch_alter_table("teammates", schema=None) as batch_op:
        batch_op.add_column(sa.Column("exempt_until", BIG, nullable=True))
        batch_op.add_column(sa.Column("snoozed_until", BIG, nullable=True))
        batch_op.add_column(sa.Column("reminded_at", BIG, nullable=True))
        batch_op.add_column(sa.Column("waiting_reset_id", BIG, nullable=True))
        batch_op.add_column(sa.Column("brought_in_by", BIG, nullable=True))
        batch_op.add_column(sa.Column("role_given_by", BIG, nullable=True))

    with op.batch_alter_table("workspaces", schema=None) as batch_op:
        batch_op.add_column(sa.Column("announced_at", BIG, nullable=True))
        batch_op.add_column(sa.Column("turned_off_at", BIG, nullable=True))

    op.execute("UPDATE resets SET rank = 1, done_at = created_at")
    op.execute(
        "UPDATE teammates SET brought_in_by = (SELECT max(invitations.invited_by) FROM invitations"
        " JOIN accounts ON accounts.email_key = invitations.email_key"
        " WHERE accounts.id = teammates.account_id AND invitations.workspace_id = teammates.workspace_id"
        " AND invitations.accepted_at IS NOT NULL)"
    )
    op.execute("UPDATE workspaces SET announced_at = policy_changed_at WHERE required_from IS NOT NULL")
