"""Statistics of measurements."""

import pytest

from loadbench.engine.report.measurements.statistics import (
    cell_measurements,
    measurement_record,
    measurement_statistics,
)
from tests.support.builders import cell_finished, measurement


def test_measurements_are_merged_by_type_name_and_unit_and_sorted_by_name() -> None:
    found = measurement_statistics(
        [
            measurement("tokens", "METRIC", "tokens"),
            measurement(failures=1),
            measurement("tokens", "METRIC", "tokens"),
            measurement("tokens", "METRIC", ""),
        ],
        seconds=10.0,
    )

    assert [(one.name, one.kind, one.unit, one.count, one.failures) for one in found] == [
        ("first token", "TTFT", "ms", 40, 1),
        ("tokens", "METRIC", "", 40, 0),
        ("tokens", "METRIC", "tokens", 80, 0),
    ]


def test_a_finished_cell_has_the_statistics_of_its_measurements() -> None:
    [found] = cell_measurements(cell_finished(measurements=(measurement(),)))

    assert measurement_record(found) == {
        "kind": "TTFT",
        "name": "first token",
        "unit": "ms",
        "count": 40,
        "failures": 0,
        "mean": 45.75,
        "per_s": None,
        "p1": 40.0,
        "p5": 40.0,
        "p10": 40.0,
        "p50": 40.0,
        "p90": 50.0,
        "p95": 50.0,
        "p99": 80.0,
        "max": 80.0,
        "few_samples": "p1 p5 p10 p90 p95 p99",
    }


@pytest.mark.parametrize(
    ("unit", "per_s"),
    [("tokens", 12.0), ("B", 12.0), *((unit, None) for unit in ("", "ms", "s", "tokens/s", "%"))],
)
def test_only_amounts_have_a_sum_per_second(unit: str, per_s: float | None) -> None:
    [found] = measurement_statistics([measurement(unit=unit, values=((60.0, 2),))], seconds=10.0)

    assert found.per_s == per_s


def test_low_percentiles_need_ten_values_below_them() -> None:
    [found] = measurement_statistics([measurement(values=((1.0, 200),))], seconds=1.0)

    assert found.few_samples == "p1 p99"


def test_values_may_be_negative() -> None:
    [found] = measurement_statistics([measurement(values=((-3.0, 1), (-1.0, 1)))], seconds=1.0)

    assert (found.mean, found.percentile("max").text) == (-2.0, "-1.00")
