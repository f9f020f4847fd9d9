"""`make bench` measures what it says: every load is answered with success. What it took is no test's business."""

import pytest

from bench import __main__ as bench
from bench.report import Row, table


@pytest.mark.parametrize("rows", [bench._hot_paths, bench._product, bench._hosts])
def test_every_load_is_answered(rows) -> None:
    measured: list[Row] = rows(40, 1)
    told = table(measured)
    assert all(each.what in told for each in measured)
    statuses = [each.more.rpartition("status ")[2] for each in measured if "status" in each.more]
    assert statuses
    assert set(statuses) == {"200"}
