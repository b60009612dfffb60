"""Sparklines, and the usage of containers over time."""

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from loadbench.engine.journal.events import Container, Sample
from loadbench.engine.report.slices import Slices
from loadbench.ui.lines.charts.sparkline import condensed, sparkline
from loadbench.ui.lines.charts.usage import (
    MIB,
    UsageHistory,
    recent_usage,
    usage_in_slices,
    usage_line,
)
from loadbench.ui.lines.containers import RECENT_S, SPARK_COLUMNS
from loadbench.ui.lines.glyphs import ASCII, UNICODE
from loadbench.ui.lines.text import plain, width
from tests.support.builders import sample, samples_of


def second(number: int, *containers: Container) -> Sample:
    return sample(second=number, containers=containers)


def container(
    name: str, cpu: float | None, mib: float | None, vram: int | None = None
) -> Container:
    memory = None if mib is None else int(mib * MIB)
    return Container(
        name=name,
        service="model",
        state="running",
        cpu_cores=cpu,
        memory_bytes=memory,
        vram_bytes=vram,
    )


def test_a_sparkline_has_a_bar_per_value_and_a_blank_per_unknown_one() -> None:
    values = [0.0, 0.5, None, 1.0]

    assert sparkline(values, 4, UNICODE, low=0, high=1) == "▁▅ █"
    assert sparkline(values, 4, ASCII, low=0, high=1) == "_= #"


def test_a_sparkline_ends_with_the_newest_value_at_the_right() -> None:
    assert sparkline([0.0, 1.0], 5, UNICODE, low=0, high=1) == "   ▁█"
    assert sparkline([0.0, 0.0, 1.0], 2, UNICODE, low=0, high=1) == "▁█"
    assert sparkline([1.0], 0, UNICODE, low=0, high=1) == ""


@example([1.0], 1, 0.0, 5e-324)
@given(
    st.lists(st.none() | st.floats(-10, 1e9)), st.integers(0, 60), st.floats(0, 9), st.floats(0, 9)
)
def test_a_sparkline_of_any_values_has_its_width(
    values: list[float | None], columns: int, low: float, high: float
) -> None:
    text = sparkline(values, columns, UNICODE, low=low, high=high)

    assert len(text) == columns
    assert set(text) <= {" ", *UNICODE.bars}


@given(st.lists(st.none() | st.floats(0, 9)), st.integers(1, 60))
def test_condensed_values_fit_and_keep_the_maximum(
    values: list[float | None], columns: int
) -> None:
    short = condensed(values, columns)

    known = [[value for value in part if value is not None] for part in (values, short)]
    assert len(short) <= columns
    assert max(known[0], default=None) == max(known[1], default=None)


def test_usage_has_the_maximum_of_each_container_in_every_two_seconds() -> None:
    usage = recent_usage(
        [
            second(3, container("api", 0.5, 50)),
            second(4, container("api", None, 51)),
            second(5, container("api", 0.2, 49), container("model-1", 1.0, 90, 7)),
        ]
    )

    assert list(usage["api"].cpu_cores) == [0.5, 0.2]
    assert list(usage["api"].memory_bytes) == [50 * MIB, 51 * MIB]
    assert list(usage["model-1"].cpu_cores) == [None, 1.0]
    assert list(usage["model-1"].vram_bytes) == [None, 7]


def test_a_new_second_moves_no_finished_bar() -> None:
    seconds = [second(at, container("api", at / 100, 50)) for at in range(60)]
    recent = [recent_usage(seconds[at - RECENT_S : at])["api"].cpu_cores for at in range(30, 60)]

    bars = [sparkline(one, SPARK_COLUMNS, UNICODE, low=0, high=1) for one in recent]
    for before, after in pairwise(bars):
        assert after[:-1] in (before[1:], before[:-1])


def test_the_highest_bar_of_cpu_is_a_whole_number_of_cores() -> None:
    assert UsageHistory(cpu_cores=[0.5, 1.0]).cpu_line(2, UNICODE) == "▅█"
    assert UsageHistory(cpu_cores=[0.5, 1.5]).cpu_line(2, UNICODE) == "▃▇"


def test_small_changes_of_memory_are_flat_and_growth_is_not() -> None:
    flat = UsageHistory(memory_bytes=[100 * MIB, 100.5 * MIB, 100 * MIB])
    growing = UsageHistory(memory_bytes=[100 * MIB, 150 * MIB, 200 * MIB])

    assert flat.memory_line(3, UNICODE) == "▁▁▁"
    assert growing.memory_line(3, UNICODE) == "▁▅█"


def test_usage_over_a_cell_has_the_maximum_of_each_slice_also_of_older_seconds() -> None:
    seconds = [second(at, container("api", at / 1000, at)) for at in range(900)]
    slices = Slices().of(samples_of(seconds, whole_s=100))

    usage = usage_in_slices(slices, "api")

    assert len(usage.cpu_cores) == len(slices) == 90
    assert list(usage.cpu_cores) == [(10 * at + 9) / 1000 for at in range(90)]
    assert usage_in_slices(slices, "gone").cpu_cores == [None] * 90


def test_the_usage_line_has_a_sparkline_and_the_maximum_of_each_known_quantity() -> None:
    usage = UsageHistory(cpu_cores=[0.2, 0.98], memory_bytes=[90 * MIB, 126 * MIB])

    assert plain(usage_line(usage, UNICODE, 80)) == "  CPU ▂█ max 98 %  memory ▁█ max 126 MiB"
    vram = UsageHistory(vram_bytes=[None, 2048 * MIB])
    assert plain(usage_line(vram, UNICODE, 80)) == "  VRAM  ▁ max 2048 MiB"
    assert usage_line(UsageHistory(), UNICODE, 80) == ()


@pytest.mark.parametrize("columns", [45, 60, 80, 120, 200])
def test_the_usage_line_fits_its_width(columns: int) -> None:
    values = [float(at) for at in range(120)]
    usage = UsageHistory(cpu_cores=values, memory_bytes=values)

    assert width(usage_line(usage, UNICODE, columns)) <= columns
