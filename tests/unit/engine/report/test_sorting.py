"""Sorting the cells of a run."""

import pytest

from loadbench.engine.report.rows import rows
from loadbench.engine.report.sorting import SortKey, has_repeats, sort_rows
from tests.support.builders import make_profile, run_started, state_after, swept


@pytest.mark.parametrize("key", SortKey)
def test_every_key_sorts_cells_with_and_without_results(key: SortKey) -> None:
    measured = rows(swept(make_profile(models=[1, 2], repeats=2, recheck_first=True)))
    pending = rows(state_after(run_started(make_profile(models=[3]))))

    for is_descending in (False, True):
        ordered = sort_rows((*pending, *measured), key, is_descending=is_descending)
        assert sorted(row.cell for row in ordered) == sorted(
            row.cell for row in (*measured, *pending)
        )


@pytest.mark.parametrize(("is_descending", "models"), [(False, [1, 2, 3]), (True, [2, 1, 3])])
def test_cells_without_the_value_come_last(is_descending: bool, models: list[int]) -> None:
    pending = rows(state_after(run_started(make_profile(models=[3]))))
    measured = rows(swept(make_profile(models=[1, 2]), m1_u2_s2={"completed": 10}))

    ordered = sort_rows((*pending, *measured), SortKey.RPS, is_descending=is_descending)

    assert [row.models for row in ordered] == models


def test_the_recheck_sorts_after_the_repeats() -> None:
    repeated = rows(swept(make_profile(repeats=2, recheck_first=True)))

    assert [row.cell for row in sort_rows(repeated, SortKey.REPEAT, is_descending=True)] == [
        "m1_u2_s2_recheck",
        "m1_u2_s2_r2",
        "m1_u2_s2",
    ]
    assert has_repeats(repeated[-1:])
    assert not has_repeats(repeated[:1])
