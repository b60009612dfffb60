"""The cells of a profile: order and names."""

from dataclasses import replace
from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadbench.engine.profile.model import Point, Profile
from loadbench.engine.profile.plan import cells_at, insert_cells, plan_cells, warnings
from tests.support.builders import make_cell, make_profile

axes = st.lists(st.integers(1, 60), min_size=1, max_size=3, unique=True)
rates = st.lists(st.sampled_from((0.1, 0.5, 1.0, 2.5, 10.0)), min_size=1, unique=True)
profiles = st.builds(
    make_profile, models=axes, users=axes, spawn_rates=rates, repeats=st.integers(1, 3)
)
rechecked = st.builds(
    make_profile, models=axes, users=axes, spawn_rates=rates, recheck_first=st.just(True)
)


@given(profiles)
def test_every_grid_point_is_a_cell_with_unique_key_and_report_name(
    profile: Profile,
) -> None:
    cells = plan_cells(profile)
    size = len(profile.models) * len(profile.users) * len(profile.spawn_rates) * profile.repeats
    assert len({cell.key for cell in cells}) == size
    assert len({cell.report_name for cell in cells}) == size


@given(profiles)
def test_service_is_scaled_once_per_number_of_models(profile: Profile) -> None:
    scaled = [models for models, _ in groupby(plan_cells(profile), key=lambda cell: cell.models)]
    assert tuple(scaled) == profile.models


def test_repeats_are_interleaved_within_a_number_of_models() -> None:
    cells = plan_cells(make_profile(models=[1, 2], users=[5, 10], spawn_rates=[5], repeats=2))
    assert [cell.key for cell in cells] == [
        "m1_u5_s5",
        "m1_u10_s5",
        "m1_u5_s5_r2",
        "m1_u10_s5_r2",
        "m2_u5_s5",
        "m2_u10_s5",
        "m2_u5_s5_r2",
        "m2_u10_s5_r2",
    ]


@given(rechecked)
def test_recheck_first_adds_the_first_cell_at_the_end(profile: Profile) -> None:
    first, *_, last = cells = plan_cells(profile)

    assert cells[:-1] == plan_cells(profile.model_copy(update={"recheck_first": False}))
    assert last == replace(first, recheck=True)
    assert last.key == f"{first.key}_recheck"
    assert last.report_name == first.report_name.replace(".html", "_recheck.html")
    assert [cell for cell in cells if cell.recheck] == [last]


# Added cells


def order(profile: Profile, models: int, users: int, *, ended: int = 0) -> list[str]:
    """Return the keys of a plan with an added grid point; the first `ended` cells have ended."""
    cells = plan_cells(profile)
    added = cells_at(profile, Point(models=models, users=users, spawn_rate=2))
    return [cell.key for cell in insert_cells(cells, added, cells[ended:])]


def test_added_cell_joins_cells_with_the_same_number_of_models() -> None:
    profile = make_profile(models=[1, 2], users=[5, 10])

    assert order(profile, 1, 7, ended=1) == [
        *("m1_u5_s2", "m1_u10_s2", "m1_u7_s2", "m2_u5_s2", "m2_u10_s2")
    ]


@pytest.mark.parametrize(("models", "ended"), [(3, 0), (1, 2)])
def test_added_cell_goes_last_if_no_cell_with_its_number_of_models_is_outstanding(
    models: int, ended: int
) -> None:
    profile = make_profile(models=[1, 2], users=[5, 10])

    assert order(profile, models, 7, ended=ended)[-2:] == ["m2_u10_s2", f"m{models}_u7_s2"]


@pytest.mark.parametrize("ended", [0, 2, 4])
def test_recheck_stays_last_when_cells_are_added(ended: int) -> None:
    profile = make_profile(models=[1, 2], users=[5, 10], recheck_first=True)

    for models in (1, 2, 3):
        assert order(profile, models, 7, ended=ended)[-1] == "m1_u5_s2_recheck"


def test_added_repeats_are_interleaved() -> None:
    profile = make_profile(models=[1, 2], users=[5, 10], repeats=2)

    assert order(profile, 1, 7)[:6] == [
        *("m1_u5_s2", "m1_u10_s2", "m1_u7_s2"),
        *("m1_u5_s2_r2", "m1_u10_s2_r2", "m1_u7_s2_r2"),
    ]
    # The first repeats have ended, so the added cell follows the running one.
    assert order(profile, 1, 7, ended=2)[2:6] == [
        *("m1_u5_s2_r2", "m1_u7_s2", "m1_u10_s2_r2", "m1_u7_s2_r2")
    ]
    assert order(profile, 3, 7)[-2:] == ["m3_u7_s2", "m3_u7_s2_r2"]


@given(profiles, st.integers(1, 60), st.integers(0, 30))
def test_added_cell_causes_at_most_one_more_scaling(
    profile: Profile, models: int, ended: int
) -> None:
    cells = plan_cells(profile)
    added = cells_at(profile, Point(models=models, users=999, spawn_rate=0.5))
    left = cells[ended:]

    plan = insert_cells(cells, added, left)

    assert [cell for cell in plan if cell not in added] == list(cells)
    assert [cell for cell in plan if cell in added] == list(added)
    assert plan[: len(cells) - len(left)] == cells[: len(cells) - len(left)]
    rescaled = [models for models, _ in groupby(plan, key=lambda cell: cell.models)]
    assert len(rescaled) <= len(profile.models) + 1


def test_cells_follow_the_order_of_the_profile() -> None:
    cells = plan_cells(make_profile(models=[2, 1], users=[10, 5], spawn_rates=[5, 1]))
    assert [cell.key for cell in cells][:4] == ["m2_u10_s5", "m2_u10_s1", "m2_u5_s5", "m2_u5_s1"]


@pytest.mark.parametrize(
    ("rate", "repeat", "name"),
    [
        (10, 1, "2_50_10.html"),
        (10.0, 2, "2_50_10_r2.html"),
        (0.5, 1, "2_50_0.5.html"),
        (2.50, 3, "2_50_2.5_r3.html"),
    ],
)
def test_report_name_contains_models_users_and_rate(rate: float, repeat: int, name: str) -> None:
    assert make_cell(models=2, users=50, spawn_rate=rate, repeat=repeat).report_name == name


@pytest.mark.parametrize(
    ("users", "rate", "seconds"), [(50, 10, 4), (5, 10, 0), (11, 10, 1), (5, 0.5, 9), (1, 1, 0)]
)
def test_ramp_lasts_from_the_first_user_to_the_last(
    users: int, rate: float, seconds: float
) -> None:
    assert make_cell(users=users, spawn_rate=rate).level.ramp_s == seconds


def test_more_model_threads_than_cores_cause_a_warning() -> None:
    (warning,) = warnings(make_profile(models=[1, 3], stack={"model_threads": 2}), cores=4)
    assert "3 models × 2 threads" in warning
    assert "4 available cores" in warning


def test_as_many_model_threads_as_cores_cause_no_warning() -> None:
    assert warnings(make_profile(models=[1, 2], stack={"model_threads": 2}), cores=4) == []


def test_models_on_a_gpu_are_not_counted_against_the_cores() -> None:
    assert warnings(make_profile(models=[8], device="gpu"), cores=1) == []


def test_disabled_settling_causes_a_warning() -> None:
    (warning,) = warnings(make_profile(settle={"max": "0s"}), cores=8)
    assert "settle.max" in warning
