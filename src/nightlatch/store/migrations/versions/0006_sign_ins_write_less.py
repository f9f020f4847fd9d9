"""A sign-in writes less: a session's token names its row, and the last sign-in is kept in one place"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Tokens of the form before name no session: what is alive ends, and its people sign in anew.
    sessions = sa.table("sessions", sa.column("ended_at"), sa.column("last_seen_at"))
    op.execute(
        sessions.update().where(sessions.c.ended_at.is_(None)).values(ended_at=sessions.c.last_seen_at)
    )
    with op.batch_alter_table("sessions", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("uq_sessions_token_hash"), type_="unique")

    op.drop_column("teammates", "last_sign_in_at")
