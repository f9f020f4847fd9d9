"""Every way in: passkeys, single sign-on, remembered browsers, phishing-resistant mandates"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    # By account first: then one clustered key answers "in this browser?" and "in any browser?", without an index.
    with op.batch_alter_table("browsers", table_kwargs={"sqlite_with_rowid": False}) as batch_op:
        batch_op.drop_index("ix_browsers_account_id")
        batch_op.drop_constraint("pk_browsers", type_="primary")
        batch_op.create_primary_key("pk_browsers", ["account_id", "token_hash"])

    op.create_table(
        "connections",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("workspace_id", BIG, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("issuer", TEXT, nullable=False),
        sa.Column("client_id", TEXT, nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("settings", TEXT, nullable=False),
        sa.Column("rule", TEXT, nullable=False),
        sa.Column("accepted", TEXT, nullable=False),
        sa.Column("max_age", BIG, nullable=True),
        sa.Column("exempt_until", BIG, nullable=True),
        sa.Column("exempt_by", TEXT, nullable=True),
        sa.Column("joins_from", BIG, nullable=True),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("changed_at", BIG, nullable=False),
        sa.Column("removed_at", BIG, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_connections")),
    )
    with op.batch_alter_table("connections", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_connections_workspace_id"), ["workspace_id"], unique=False)

    op.create_table(
        "domains",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("workspace_id", BIG, nullable=False),
        sa.Column("domain", TEXT, nullable=False),
        sa.Column("proof", TEXT, nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("proved_at", BIG, nullable=True),
        sa.Column("checked_at", BIG, nullable=True),
        sa.Column("missing_since", BIG, nullable=True),
        sa.Column("removed_at", BIG, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_domains")),
    )
    with op.batch_alter_table("domains", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_domains_workspace_id"), ["workspace_id"], unique=False)
        batch_op.create_index(
            "uq_domains_proved",
            ["domain"],
            unique=True,
            sqlite_where=sa.text("proved_at IS NOT NULL AND removed_at IS NULL"),
            postgresql_where=sa.text("proved_at IS NOT NULL AND removed_at IS NULL"),
        )

    op.create_table(
        "passkey_challenges",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("challenge_hash", sa.LargeBinary(), nullable=False),
        sa.Column("purpose", TEXT, nullable=False),
        sa.Column("session_id", BIG, nullable=True),
        sa.Column("account_id", BIG, nullable=True),
        sa.Column("browser", sa.LargeBinary(), nullable=True),
        sa.Column("detail", TEXT, nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("expires_at", BIG, nullable=False),
        sa.Column("spent_at", BIG, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passkey_challenges")),
        sa.UniqueConstraint("challenge_hash", name=op.f("uq_passkey_challenges_challenge_hash")),
    )
    with op.batch_alter_table("passkey_challenges", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_passkey_challenges_expires_at"), ["expires_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_passkey_challenges_session_id"), ["session_id"], unique=False)

    op.create_table(
        "passkeys",
        sa.Column("authenticator_id", BIG, autoincrement=False, nullable=False),
        sa.Column("account_id", BIG, nullable=False),
        sa.Column("credential_id", sa.LargeBinary(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", BIG, nullable=False),
        sa.Column("aaguid", TEXT, nullable=False),
        sa.Column("transports", TEXT, nullable=False),
        sa.Column("verified_at", BIG, nullable=True),
        sa.Column("backup_eligible_at", BIG, nullable=True),
        sa.Column("backed_up_at", BIG, nullable=True),
        sa.Column("count_fell_at", BIG, nullable=True),
        sa.PrimaryKeyConstraint("authenticator_id", name=op.f("pk_passkeys")),
        sa.UniqueConstraint("credential_id", name=op.f("uq_passkeys_credential_id")),
    )
    with op.batch_alter_table("passkeys", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_passkeys_account_id"), ["account_id"], unique=False)

    op.create_table(
        "remembered_browsers",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("account_id", BIG, nullable=False),
        sa.Column("workspace_id", BIG, nullable=False),
        sa.Column("browser", sa.LargeBinary(), nullable=False),
        sa.Column("ip", TEXT, nullable=False),
        sa.Column("user_agent", TEXT, nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("last_used_at", BIG, nullable=True),
        sa.Column("expires_at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_remembered_browsers")),
        sa.UniqueConstraint(
            "account_id",
            "workspace_id",
            "browser",
            name=op.f("uq_remembered_browsers_account_id_workspace_id_browser"),
        ),
    )
    with op.batch_alter_table("remembered_browsers", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_remembered_browsers_account_id"), ["account_id"], unique=False)

    op.create_table(
        "sso_flows",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("state_hash", sa.LargeBinary(), nullable=False),
        sa.Column("connection_id", BIG, nullable=False),
        sa.Column("purpose", TEXT, nullable=False),
        sa.Column("session_id", BIG, nullable=True),
        sa.Column("browser", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("expires_at", BIG, nullable=False),
        sa.Column("spent_at", BIG, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sso_flows")),
        sa.UniqueConstraint("state_hash", name=op.f("uq_sso_flows_state_hash")),
    )
    with op.batch_alter_table("sso_flows", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sso_flows_connection_id"), ["connection_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_sso_flows_expires_at"), ["expires_at"], unique=False)

    op.create_table(
        "sso_spent",
        sa.Column("connection_id", BIG, autoincrement=False, nullable=False),
        sa.Column("assertion_hash", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("connection_id", "assertion_hash", name=op.f("pk_sso_spent")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("sso_spent", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sso_spent_expires_at"), ["expires_at"], unique=False)

    with op.batch_alter_table("accounts", schema=None) as batch_op:
        batch_op.add_column(sa.Column("user_handle", sa.LargeBinary(), nullable=True))
        batch_op.create_unique_constraint(batch_op.f("uq_accounts_user_handle"), ["user_handle"])

    with op.batch_alter_table("proofs", schema=None) as batch_op:
        batch_op.add_column(sa.Column("connection_id", BIG, nullable=True))
        batch_op.add_column(sa.Column("evidence", TEXT, nullable=True))
        batch_op.add_column(sa.Column("unverified_at", BIG, nullable=True))

    with op.batch_alter_table("teammates", schema=None) as batch_op:
        batch_op.add_column(sa.Column("sso_connection_id", BIG, nullable=True))

    with op.batch_alter_table("workspaces", schema=None) as batch_op:
        batch_op.add_column(sa.Column("resistant_from", BIG, nullable=True))
        batch_op.add_column(sa.Column("resistant_announced_at", BIG, nullable=True))
        batch_op.add_column(sa.Column("resistant_ended_at", BIG, nullable=True))
        batch_op.add_column(sa.Column("sso_required_at", BIG, nullable=True))
        batch_op.add_column(sa.Column("remember_for", BIG, nullable=True))
