"""Signing up: links for addresses that have no account yet"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.add_column("links", sa.Column("email", TEXT, nullable=True))
    op.create_index("ix_links_email_key", "links", ["email_key", "purpose"], unique=False)
