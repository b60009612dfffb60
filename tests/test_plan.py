"""The cells of a profile: their order, their names, the time they take."""

from dataclasses import replace
from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import make_cell, make_profile
from loadbench.engine.plan import (
    SCALING_S,
    estimate_cell_s,
    estimate_s,
    is_recheck,
    plan_cells,
    warnings,
)
from loadbench.engine.profile import Profile

axes = st.lists(st.integers(1, 60), min_size=1, max_size=3, unique=True)
rates = st.lists(st.sampled_from((0.1, 0.5, 1.0, 2.5, 10.0)), min_size=1, unique=True)
profiles = st.builds(
    make_profile, models=axes, users=axes, spawn_rates=rates, repeats=st.integers(1, 3)
)
rechecked = st.builds(
    make_profile, models=axes, users=axes, spawn_rates=rates, recheck_first=st.just(True)
)


@given(profiles)
def test_every_point_of_the_grid_is_a_cell_with_a_key_and_a_report_of_its_own(
    profile: Profile,
) -> None:
    cells = plan_cells(profile)
    size = len(profile.models) * len(profile.users) * len(profile.spawn_rates) * profile.repeats
    assert len({cell.key for cell in cells}) == size
    assert len({cell.report_name for cell in cells}) == size


@given(profiles)
def test_the_stack_is_rescaled_once_for_each_number_of_models(profile: Profile) -> None:
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
def test_the_first_cell_may_be_measured_once_more_at_the_very_end(profile: Profile) -> None:
    first, *_, last = cells = plan_cells(profile)

    assert cells[:-1] == plan_cells(profile.model_copy(update={"recheck_first": False}))
    assert last == replace(first, recheck=True)
    assert last.key == f"{first.key}_recheck"
    assert last.report_name == first.report_name.replace(".html", "_recheck.html")
    assert [it for it in cells if is_recheck(it.key)] == [last]


@pytest.mark.parametrize(("models", "scalings"), [([1], 0), ([1, 2], 1)])
def test_measuring_the_first_cell_again_takes_its_time_and_scales_back_to_it(
    models: list[int], scalings: int
) -> None:
    profile = make_profile(models=models, recheck_first=True)
    *swept, last = cells = plan_cells(profile)

    more = estimate_s(profile, cells) - estimate_s(profile, tuple(swept))

    assert more == estimate_cell_s(profile, last) + scalings * SCALING_S


def test_cells_are_measured_in_the_order_the_profile_gives() -> None:
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
def test_a_report_is_named_as_by_the_original_script(rate: float, repeat: int, name: str) -> None:
    assert make_cell(models=2, users=50, spawn_rate=rate, repeat=repeat).report_name == name


@pytest.mark.parametrize(
    ("users", "rate", "seconds"), [(50, 10, 4), (5, 10, 0), (11, 10, 1), (5, 0.5, 9), (1, 1, 0)]
)
def test_the_ramp_lasts_from_the_first_user_to_the_last(
    users: int, rate: float, seconds: float
) -> None:
    assert make_cell(users=users, spawn_rate=rate).ramp_s == seconds


def test_a_cell_takes_its_ramp_the_settling_and_the_window() -> None:
    profile = make_profile(users=[50], spawn_rates=[10], run_time="1m")
    (cell,) = plan_cells(profile)
    assert estimate_cell_s(profile, cell) == 4 + 15 + 60 + 1


def test_settling_that_is_switched_off_takes_no_time() -> None:
    waits = make_profile(settle={"max": "30s", "window": "5s"})
    waits_not = make_profile(settle={"max": "0s", "window": "5s"})
    (cell,) = plan_cells(waits)
    assert estimate_cell_s(waits, cell) - estimate_cell_s(waits_not, cell) == 15


@given(profiles)
def test_a_sweep_takes_its_cells_and_a_scaling_for_each_number_of_models(profile: Profile) -> None:
    cells = plan_cells(profile)
    measured = sum(estimate_cell_s(profile, cell) for cell in cells)
    assert estimate_s(profile, cells) == measured + SCALING_S * len(profile.models)


def test_more_model_threads_than_cores_are_warned_about() -> None:
    (warning,) = warnings(make_profile(models=[1, 3], stack={"model_threads": 2}), cores=4)
    assert "3 models × 2 threads" in warning
    assert "4 cores" in warning


def test_as_many_model_threads_as_cores_are_not_warned_about() -> None:
    assert warnings(make_profile(models=[1, 2], stack={"model_threads": 2}), cores=4) == []


def test_models_on_a_gpu_are_not_counted_against_the_cores() -> None:
    assert warnings(make_profile(models=[8], device="gpu"), cores=1) == []


def test_settling_that_is_switched_off_is_warned_about() -> None:
    (warning,) = warnings(make_profile(settle={"max": "0s"}), cores=8)
    assert "settle.max" in warning
