"""The tables of a mandate that a whole team lives with: notices, exceptions, help, tokens, who is not to be mailed."""

from sqlalchemy import Index, Table, UniqueConstraint, text

from nightlatch.store.schema import big, binary, id_column, txt
from nightlatch.store.schema_apps import metadata as metadata

notices = Table(
    "notices",
    metadata,
    id_column("workspace_id"),
    id_column("revision"),
    id_column("account_id"),
    txt("stage", key=True),
    big("at"),
    sqlite_with_rowid=False,
)
"""Which notice of a mandate was queued to whom: each once for a workspace, revision of its policy, person and stage."""

progress = Table(
    "progress",
    metadata,
    id_column("workspace_id"),
    id_column("day"),
    big("set_up"),
    big("teammates"),
    sqlite_with_rowid=False,
)
"""How many of a workspace's teammates had 2FA at the end of a day (UTC; the day's first instant), for the chart."""

exceptions = Table(
    "exceptions",
    metadata,
    id_column(),
    big("workspace_id"),
    big("account_id"),
    txt("reason"),
    big("requested_by", null=True),
    txt("requester"),
    big("requested_at"),
    big("ends_at"),
    big("approved_by", null=True),
    txt("approver", null=True),
    big("approved_at", null=True),
    big("ended_at", null=True),
    txt("ended_by", null=True),
    txt("ended_why", null=True),
    Index("ix_exceptions_person", "workspace_id", "account_id", "requested_at"),
    Index("ix_exceptions_list", "workspace_id", "requested_at", "id"),
)
"""Leave not to have 2FA for a while. `teammates.exempt_until` is what decisions read; this says why, and who agreed.
It waits until `approved_at`, and ends at `ends_at` by itself, or at `ended_at`: `ended_why` is `refused`, `withdrawn`,
`ended`, `replaced`, `set_up`, `role`, `gone` or `mandate_off`."""

help_requests = Table(
    "help_requests",
    metadata,
    id_column(),
    big("workspace_id"),
    big("account_id"),
    big("created_at"),
    txt("ip"),
    txt("user_agent"),
    big("closed_at", null=True),
    txt("closed_by", null=True),
    Index("ix_help_requests_person", "account_id", "workspace_id", "created_at"),
    Index(
        "ix_help_requests_open",
        "workspace_id",
        "created_at",
        sqlite_where=text("closed_at IS NULL"),
        postgresql_where=text("closed_at IS NULL"),
    ),
)
"""Somebody with a teammate's password says that the second factor is lost. `closed_by`: `used` (a second step of the
person's was shown), `contested`, `reset`, `dismissed`, `gone`."""

notification_addresses = Table(
    "notification_addresses",
    metadata,
    id_column(),
    big("account_id"),
    txt("email"),
    txt("email_key"),
    big("added_at"),
    big("confirmed_at", null=True),
    UniqueConstraint("account_id", "email_key"),
)
"""Further addresses that are told what happens to an account. Never a way in: no ticket, no reset goes there."""

declined_addresses = Table(
    "declined_addresses",
    metadata,
    txt("email_key", key=True),
    big("at"),
    sqlite_with_rowid=False,
)
"""Addresses whose holder said "never again": no workspace invites them any more."""

service_accounts = Table(
    "service_accounts",
    metadata,
    id_column(),
    big("workspace_id", index=True),
    txt("name"),
    big("sponsor_id", index=True),
    big("created_at"),
    txt("created_by"),
    big("suspended_at", null=True),
    big("removed_at", null=True),
)
"""Machines of a workspace: nobody signs in as one. The sponsor is the teammate who answers for it."""

tokens = Table(
    "tokens",
    metadata,
    id_column(),
    binary("token_hash", unique=True),
    big("account_id", null=True, index=True),
    big("service_id", null=True, index=True),
    big("workspace_id", null=True),
    txt("name"),
    txt("scopes"),
    big("sequence"),
    big("created_at"),
    big("expires_at"),
    big("last_used_at", null=True),
    big("ended_at", null=True),
)
"""API tokens: a person's (`account_id`, in all of the person's workspaces or in one), or a service account's.
`sequence`: when it was made, to compare with what ended in a workspace since."""

token_workspaces = Table(
    "token_workspaces",
    metadata,
    id_column("token_id"),
    id_column("workspace_id"),
    sqlite_with_rowid=False,
)
"""Where a person's token is good: the workspaces in which the second factor counted when it was made. None is added."""
