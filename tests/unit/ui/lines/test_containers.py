"""The table of a run's containers."""

import dataclasses
from collections.abc import Iterable
from typing import Any

import pytest

from loadbench.engine.journal.events import Container, Event
from loadbench.engine.report.running_totals import Accumulator
from loadbench.ui.lines.cell import CellView
from loadbench.ui.lines.charts.usage import MIB, UsageHistory
from loadbench.ui.lines.containers import (
    container_entries,
    container_line,
    container_lines,
    container_state,
)
from loadbench.ui.lines.glyphs import UNICODE
from loadbench.ui.lines.text import Line, Tone, plain, width
from tests.support.builders import (
    make_profile,
    run_started,
    state_after,
)

FIRST, SECOND, THIRD = "m1_u2_s2", "m2_u2_s2", "m3_u2_s2"


PROFILE = make_profile(models=[1, 2, 3], run_time="10s", settle={"max": "15s", "window": "5s"})


STARTED = run_started(PROFILE)


def texts(lines: Iterable[Line]) -> list[str]:
    """The text of the lines."""
    return [plain(one).rstrip() for one in lines]


def tone_of(one: Line, text: str) -> Tone:
    """The tone of the first piece that contains a text."""
    return next(piece.tone for piece in one if text in piece.text)


def shown(*events: Event, totals: bool = True, attempt: bool = True) -> CellView:
    """The first cell, its attempt added up where it has one."""
    state = state_after(STARTED, *events)
    return CellView(
        state.cells[FIRST],
        state if attempt else None,
        Accumulator().of(state) if totals and state.samples else None,
    )


def container(name: str = "model-1", **fields: Any) -> Container:
    """A running container."""
    return Container(name=name, **{"service": "model", "state": "running", **fields})


@pytest.mark.parametrize(
    ("fields", "text", "tone"),
    [
        ({}, "running", Tone.GOOD),
        ({"health": "healthy"}, "healthy", Tone.GOOD),
        ({"health": "starting"}, "starting", Tone.WARN),
        ({"health": "unhealthy"}, "unhealthy", Tone.BAD),
        ({"state": "paused"}, "paused", Tone.WARN),
        ({"state": "exited", "exit_code": 1}, "exited, code 1", Tone.BAD),
        ({"state": "exited"}, "exited", Tone.BAD),
        ({"state": "exited", "exit_code": -9}, "killed by signal 9", Tone.BAD),
        (
            {"state": "exited", "exit_code": 137, "oom_killed": True},
            "exited, code 137 (out of memory)",
            Tone.BAD,
        ),
        ({"state": "dead", "exit_code": 0}, "dead, code 0", Tone.BAD),
        ({"state": "exited", "exit_code": 0, "health": "healthy"}, "exited, code 0", Tone.BAD),
        ({"oom_killed": True, "health": "healthy"}, "healthy", Tone.GOOD),
    ],
)
def test_each_state_has_its_text_and_tone(fields: dict[str, Any], text: str, tone: Tone) -> None:
    one = container(**fields)

    assert container_state(one) == (text, tone)
    _, row = container_lines([one], UNICODE)
    sign = {Tone.GOOD: "●", Tone.WARN: "○", Tone.BAD: "✖"}[tone]
    assert plain(row).startswith(f"{sign} model-1  {text}")
    assert row[0].tone is tone


def test_column_heads_stand_above_the_usage() -> None:
    one = container(health="healthy", cpu_cores=1.25, memory_bytes=210 * MIB)

    assert texts(container_lines([one], UNICODE)) == [
        "  name     state       CPU memory",
        "● model-1  healthy    125%   210M",
    ]


def test_unknown_usage_is_blank() -> None:
    assert texts(container_lines([container()], UNICODE))[1] == "● model-1  running"


def test_an_exited_container_has_no_usage() -> None:
    one = container(state="exited", exit_code=1, cpu_cores=0.5, memory_bytes=MIB)

    assert texts(container_lines([one], UNICODE))[1] == "✖ model-1  exited, code 1"


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        (0, "0M"),
        (MIB // 3, "0M"),
        (9999 * MIB, "9999M"),
        (10_000 * MIB, "9.8G"),
        (80 * 1024 * MIB, "80.0G"),
    ],
)
def test_memory_is_in_mib_or_in_gib_if_that_is_too_long(size: int, shown: str) -> None:
    _, one = texts(container_lines([container(memory_bytes=size)], UNICODE))

    assert one.split()[-1] == shown


def test_there_is_a_vram_column_if_any_container_uses_vram() -> None:
    both = [
        container(memory_bytes=MIB, vram_bytes=2048 * MIB),
        container("api-1", memory_bytes=3 * MIB),
    ]

    heads, first, second = container_lines(both, UNICODE)

    assert plain(heads).endswith(" CPU memory  VRAM")
    assert plain(first).endswith("    1M 2048M")
    assert plain(second).rstrip().endswith("    3M")
    assert width(heads) == width(first) == width(second)
    assert plain(container_lines(both[1:], UNICODE)[0]).endswith(" CPU memory")


def test_restarts_are_highlighted() -> None:
    _, one = container_lines([container(restarts=3)], UNICODE)

    assert plain(one).endswith("  3 restarts")
    assert tone_of(one, "restarts") is Tone.WARN


def test_states_are_aligned_behind_the_longest_name() -> None:
    names = [container("a"), container("model-10")]

    heads, first, second = texts(container_lines(names, UNICODE))

    assert heads.index("state") == first.index("running") == second.index("running")


def test_without_containers_there_is_no_entry() -> None:
    assert container_entries([], UNICODE, 40) == []


def test_entries_start_with_the_heads_and_wrap_the_state_of_an_exited_container() -> None:
    killed = container(state="exited", exit_code=137, oom_killed=True)

    heads, running, exited = container_entries([container("api-1"), killed], UNICODE, 37)

    assert (heads.key, running.key, exited.key) == ("", "api-1", "model-1")
    assert texts(exited.lines) == ["✖ model-1  exited, code 137 (out of", "    memory)"]


def test_a_single_container_is_described_in_a_phrase() -> None:
    one = container(cpu_cores=0.5, memory_bytes=70 * MIB, vram_bytes=MIB, restarts=1)

    assert plain(container_line(one, UNICODE)) == (
        "● running, CPU 50 % of a core, memory 70 MiB, VRAM 1 MiB, 1 restart"
    )


HISTORY = {
    name: UsageHistory(cpu_cores=[0.0, 1.0] * 10, memory_bytes=[MIB, 9 * MIB] * 10)
    for name in ("model-1", "broker-1")
}


def rows(columns: int, *containers: Container) -> list[str]:
    """The table of containers with their usage."""
    return texts(container_lines(containers, UNICODE, columns, HISTORY))


RUNNING = container(cpu_cores=0.98, memory_bytes=126 * MIB, health="healthy")
STARTING = container("broker-1", cpu_cores=0.07, memory_bytes=9 * MIB, health="starting")


def test_a_wide_table_has_states_and_sparklines() -> None:
    heads, first = rows(76, RUNNING)

    assert heads.split() == ["name", "state", "CPU", "memory"]
    assert first.split() == ["●", "model-1", "healthy", "▁█" * 6, "98%", "▁█" * 6, "126M"]
    assert len(first) == len(heads) <= 76


def test_a_narrow_table_has_sparklines_instead_of_good_states() -> None:
    heads, first, second = rows(37, RUNNING, STARTING)

    assert heads.split() == ["name", "CPU", "memory"]
    assert first == "● model-1   █▁█▁█   98% █▁█▁█   126M"
    assert second == "○ broker-1  starting 7% █▁█▁█     9M"


def test_usage_that_does_not_fit_beside_a_state_leaves_its_columns_blank() -> None:
    busy = dataclasses.replace(STARTING, cpu_cores=1.23)

    _, first, second = rows(37, RUNNING, busy)

    assert second == "○ broker-1  starting    █▁█▁█     9M"
    assert len(second) == len(first)


@pytest.mark.parametrize("columns", [10, 30, 37, 50, 76, 200])
def test_a_table_with_sparklines_is_not_wider_than_without(columns: int) -> None:
    without = container_lines((RUNNING, STARTING), UNICODE)
    widest = max(columns, *(width(one) for one in without))

    lines = container_lines((RUNNING, STARTING), UNICODE, columns, HISTORY)

    assert all(width(one) <= widest for one in lines)


def test_a_table_that_is_too_narrow_has_states_and_no_sparklines() -> None:
    assert rows(30, RUNNING) == texts(container_lines((RUNNING,), UNICODE))
