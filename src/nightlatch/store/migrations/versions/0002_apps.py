"""Products plug in: apps, and what leads a browser to and fro"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "app_codes",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("app_id", BIG, nullable=False),
        sa.Column("session_id", BIG, nullable=False),
        sa.Column("account_id", BIG, nullable=False),
        sa.Column("workspace_id", BIG, nullable=False),
        sa.Column("state_hash", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", BIG, nullable=False),
        sa.Column("spent_at", BIG, nullable=True),
        sa.Column("grant_id", BIG, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_app_codes")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_app_codes_code_hash")),
    )
    with op.batch_alter_table("app_codes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_app_codes_expires_at"), ["expires_at"], unique=False)

    op.create_table(
        "app_origins",
        sa.Column("origin", TEXT, nullable=False),
        sa.Column("app_id", BIG, nullable=False),
        sa.PrimaryKeyConstraint("origin", name=op.f("pk_app_origins")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("app_origins", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_app_origins_app_id"), ["app_id"], unique=False)

    op.create_table(
        "app_secrets",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("app_id", BIG, nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("ended_at", BIG, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_app_secrets")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_app_secrets_secret_hash")),
    )
    with op.batch_alter_table("app_secrets", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_app_secrets_app_id"), ["app_id"], unique=False)

    op.create_table(
        "apps",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("handle", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("workspace_id", BIG, nullable=True),
        sa.Column("managed_by", BIG, nullable=True),
        sa.Column("return_url", TEXT, nullable=False),
        sa.Column("roles", TEXT, nullable=True),
        sa.Column("role_map", TEXT, nullable=False),
        sa.Column("colour", TEXT, nullable=True),
        sa.Column("logo", sa.LargeBinary(), nullable=True),
        sa.Column("logo_type", TEXT, nullable=True),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("removed_at", BIG, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_apps")),
    )
    with op.batch_alter_table("apps", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_apps_managed_by"), ["managed_by"], unique=False)
        batch_op.create_index(
            "uq_apps_handle",
            ["handle"],
            unique=True,
            sqlite_where=sa.text("removed_at IS NULL"),
            postgresql_where=sa.text("removed_at IS NULL"),
        )

    op.create_table(
        "grants",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("app_id", BIG, nullable=False),
        sa.Column("session_id", BIG, nullable=False),
        sa.Column("account_id", BIG, nullable=False),
        sa.Column("workspace_id", BIG, nullable=False),
        sa.Column("host", TEXT, nullable=True),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("expires_at", BIG, nullable=False),
        sa.Column("ended_at", BIG, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grants")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_grants_token_hash")),
    )
    with op.batch_alter_table("grants", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_grants_account_id"), ["account_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_grants_expires_at"), ["expires_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_grants_session_id"), ["session_id"], unique=False)

    op.create_table(
        "handoffs",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("session_id", BIG, nullable=False),
        sa.Column("app_id", BIG, nullable=False),
        sa.Column("workspace_id", BIG, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("return_to", TEXT, nullable=False),
        sa.Column("max_age", BIG, nullable=True),
        sa.Column("browser", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handoffs")),
    )
    with op.batch_alter_table("handoffs", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_handoffs_session_id"), ["session_id"], unique=False)

    op.create_table(
        "signing_keys",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("public", TEXT, nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("signs_from", BIG, nullable=False),
        sa.Column("ended_at", BIG, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signing_keys")),
    )
    op.create_table(
        "spent_starts",
        sa.Column("nonce", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("nonce", name=op.f("pk_spent_starts")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("spent_starts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_spent_starts_expires_at"), ["expires_at"], unique=False)

    with op.batch_alter_table("accounts", schema=None) as batch_op:
        batch_op.add_column(sa.Column("app_id", BIG, nullable=True))

    with op.batch_alter_table("teammates", schema=None) as batch_op:
        batch_op.add_column(sa.Column("given_role", TEXT, nullable=True))

    with op.batch_alter_table("workspaces", schema=None) as batch_op:
        batch_op.add_column(sa.Column("app_id", BIG, nullable=True))
        batch_op.add_column(sa.Column("app_key", TEXT, nullable=True))
        batch_op.create_index(
            "uq_workspaces_app",
            ["app_id", "app_key"],
            unique=True,
            sqlite_where=sa.text("app_id IS NOT NULL"),
            postgresql_where=sa.text("app_id IS NOT NULL"),
        )
