"""Runs the migrations on either database, in one transaction."""

from typing import Any

from alembic import context
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.pool import NullPool

from nightlatch.store.migrate import is_sqlite, sqlite_path
from nightlatch.store.schema_ways import metadata


def _engine(url: str) -> Engine:
    if not is_sqlite(url):
        return create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1), poolclass=NullPool)
    import pysqlite3

    engine = create_engine(f"sqlite:///{sqlite_path(url)}", module=pysqlite3, poolclass=NullPool)

    @event.listens_for(engine, "connect")
    def _settings(connection: Any, _: Any) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


engine = _engine(context.config.attributes["url"])
with engine.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=is_sqlite(context.config.attributes["url"]),
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()
engine.dispose()
