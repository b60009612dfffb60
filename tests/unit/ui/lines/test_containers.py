"""The containers of a run, a line each."""

from collections.abc import Iterable
from typing import Any

import pytest

from loadbench.engine.journal.events import Container, Event
from loadbench.engine.report.running_totals import Accumulator
from loadbench.ui.lines.cell import CellView
from loadbench.ui.lines.containers import (
    MIB,
    container_header,
    container_lines,
    standing,
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


BEGUN = run_started(PROFILE)


def texts(lines: Iterable[Line]) -> list[str]:
    """What stands on the lines."""
    return [plain(one).rstrip() for one in lines]


def tone_of(one: Line, text: str) -> Tone:
    """The tone of the first piece with this text in it."""
    return next(piece.tone for piece in one if text in piece.text)


def shown(*events: Event, totals: bool = True, attempt: bool = True) -> CellView:
    """The first cell, its attempt added up where it has one."""
    state = state_after(BEGUN, *events)
    return CellView(
        state.cells[FIRST],
        state if attempt else None,
        Accumulator().of(state) if totals and state.samples else None,
    )


def container(name: str = "model-1", **fields: Any) -> Container:
    """A container that runs."""
    return Container(name=name, **{"service": "model", "state": "running", **fields})


@pytest.mark.parametrize(
    ("fields", "words", "tone"),
    [
        ({}, "running", Tone.GOOD),
        ({"health": "healthy"}, "healthy", Tone.GOOD),
        ({"health": "starting"}, "starting", Tone.WARN),
        ({"health": "unhealthy"}, "unhealthy", Tone.BAD),
        ({"state": "paused"}, "paused", Tone.WARN),
        ({"state": "exited", "exit_code": 1}, "exited (1)", Tone.BAD),
        ({"state": "exited"}, "exited", Tone.BAD),
        ({"state": "exited", "exit_code": -9}, "killed by signal 9", Tone.BAD),
        (
            {"state": "exited", "exit_code": 137, "oom_killed": True},
            "out of memory (137)",
            Tone.BAD,
        ),
        ({"state": "dead", "exit_code": 0}, "dead (0)", Tone.BAD),
        ({"state": "exited", "exit_code": 0, "health": "healthy"}, "exited (0)", Tone.BAD),
        ({"oom_killed": True, "health": "healthy"}, "healthy", Tone.GOOD),
    ],
)
def test_how_a_container_is(fields: dict[str, Any], words: str, tone: Tone) -> None:
    one = container(**fields)

    assert standing(one) == (words, tone)
    (shown,) = container_lines([one], UNICODE)
    sign = {Tone.GOOD: "●", Tone.WARN: "○", Tone.BAD: "✖"}[tone]
    assert plain(shown).startswith(f"{sign} model-1  {words}")
    assert shown[0].tone is tone


def test_a_container_shows_what_it_uses() -> None:
    one = container(health="healthy", cpu_cores=1.25, memory_bytes=210 * MIB)

    assert texts(container_lines([one], UNICODE)) == ["● model-1  healthy    125%  210M"]


def test_what_is_not_known_yet_is_empty() -> None:
    assert texts(container_lines([container()], UNICODE)) == ["● model-1  running"]


def test_a_container_that_has_ended_uses_nothing() -> None:
    one = container(state="exited", exit_code=1, cpu_cores=0.5, memory_bytes=MIB)

    assert texts(container_lines([one], UNICODE)) == ["✖ model-1  exited (1)"]


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
def test_memory_is_in_mib_and_in_gib_where_that_is_too_long(size: int, shown: str) -> None:
    (one,) = texts(container_lines([container(memory_bytes=size)], UNICODE))

    assert one.split()[-1] == shown


def test_a_column_of_vram_stands_there_when_one_container_uses_any() -> None:
    both = [
        container(memory_bytes=MIB, vram_bytes=2048 * MIB),
        container("api-1", memory_bytes=3 * MIB),
    ]

    first, second = container_lines(both, UNICODE)

    assert plain(first).endswith("    1M 2048M")
    assert plain(second).rstrip().endswith("    3M")
    assert width(first) == width(second)
    assert container_header(both) == "% of a core, memory, VRAM"
    assert container_header(both[1:]) == "% of a core, memory"


def test_restarts_are_a_warning() -> None:
    (one,) = container_lines([container(restarts=3)], UNICODE)

    assert plain(one).endswith("  3 restarts")
    assert tone_of(one, "restarts") is Tone.WARN


def test_names_are_as_wide_as_the_longest() -> None:
    first, second = texts(container_lines([container("a"), container("model-10")], UNICODE))

    assert first.index("running") == second.index("running")


def test_without_containers_there_is_no_line() -> None:
    assert container_lines([], UNICODE) == []
