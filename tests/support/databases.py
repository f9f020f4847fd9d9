"""Fresh databases for tests, cheaply: each is a copy of one that was migrated once."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nightlatch.store import migrate
from tests.support.postgres import Cluster

TEMPLATE = "migrated"


def sqlite_template(folder: Path) -> Path:
    """A migrated SQLite file, which nobody has open."""
    path = folder / "migrated.sqlite"
    migrate.upgrade(f"sqlite:///{path}")
    left = [str(beside) for beside in folder.iterdir() if beside != path]
    if left:
        raise AssertionError(f"the migration left {left} beside its file: a connection is still open")
    return path


def sqlite_copy(template: Path, folder: Path, name: str = "nightlatch.sqlite") -> str:
    """A copy of the template; its address."""
    shutil.copyfile(template, folder / name)
    return f"sqlite:///{folder / name}"


def postgres_template(cluster: Cluster) -> str:
    """A migrated database of the cluster; its name."""
    cluster.create(name=TEMPLATE)
    migrate.upgrade(cluster.url(TEMPLATE))
    return TEMPLATE


@contextmanager
def postgres_copy(cluster: Cluster, template: str = "template1") -> Iterator[str]:
    """A copy of the template, dropped afterwards; its address."""
    name = cluster.create(template=template)
    try:
        yield cluster.url(name)
    finally:
        cluster.drop(name)
