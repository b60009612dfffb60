"""Goals and metrics on the screens: colours of the themes, the key %, maximised sweep, tables."""

import re
from typing import Any

import pytest
from rich.color import Color as RichColor
from rich.style import Style
from textual.color import Color
from textual.pilot import Pilot

from loadbench.engine.journal.events import CellPhase, Phase
from loadbench.engine.report.metrics import Metric
from loadbench.ui.lines.glyphs import ASCII, UNICODE
from loadbench.ui.lines.text import Tone
from loadbench.ui.reports.cell_table import CellTable
from loadbench.ui.reports.lines import COLUMNS
from loadbench.ui.run.matrix import MatrixView
from loadbench.ui.terminal.capabilities import Terminal
from loadbench.ui.terminal.themes import DARK, LIGHT, THEMES
from tests.support.builders import cell_started, requests, run_started, sample, write_journal
from tests.support.goal_cells import (
    FAILED,
    FAILING,
    INVALID,
    MISSED,
    NEAR,
    PASSED,
    PROFILE,
    SUSPECT,
    UNDECIDED,
    add_goal_run,
)
from tests.support.ui_harness import (
    NARROW,
    WIDE,
    Stage,
    drive,
    held,
    offered,
    press,
    screen_text,
    settled,
)

TOKENS = {
    PASSED: [("50.0✓", "success")],
    NEAR: [("95.0≈", "near")],
    MISSED: [("150✗", "error")],
    UNDECIDED: [("50.0?", "faint")],
    SUSPECT: [("60.0✓", "success"), ("!", "warning")],
    INVALID: [("50.0!!", "error")],
    FAILING: [("40.0", "success"), ("✗", "error")],
    FAILED: [("fail✖", "error")],
}
"""The texts of a cell in the sweep, with the names of their colours in the themes."""
MIN_CONTRAST = 4.5
"""Minimum contrast of text according to WCAG 2.2, success criterion 1.4.3."""


def sweep(pilot: "Pilot[Any]") -> MatrixView:
    return pilot.app.screen.query_one(MatrixView)


def shown_pieces(pilot: "Pilot[Any]", key: str) -> list[tuple[str, RichColor | None]]:
    """Return the texts of a cell on the screen, with their colours."""
    view = sweep(pilot)
    row, column = view._grid.place(key) or (0, 0)
    begin = view._grid.label_columns + column * view._layout.columns
    strip = view.render_line(row + view._layout.header_rows)
    cell = strip.crop(begin, begin + view._layout.columns)
    return [
        (segment.text.strip(), segment.style.color if segment.style else None)
        for segment in cell
        if segment.text.strip()
    ]


def token_colour(pilot: "Pilot[Any]", token: str) -> RichColor:
    return Color.parse(pilot.app.get_css_variables()[token]).rich_color


def note(pilot: "Pilot[Any]", panel: str = "#sweep") -> str:
    return str(pilot.app.screen.query_one(panel).border_subtitle)


# Colours


@pytest.mark.parametrize("theme", [theme.name for theme in THEMES])
def test_cells_have_the_signs_and_the_colours_of_their_goals(stage: Stage, theme: str) -> None:
    folder = add_goal_run(stage.root)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        pilot.app.theme = theme
        await press(pilot, "end")
        for key, pieces in TOKENS.items():
            expected = [(text, token_colour(pilot, token)) for text, token in pieces]
            assert shown_pieces(pilot, key) == expected

    drive(stage.app(folder=folder), script)


@pytest.mark.parametrize("theme", [theme.name for theme in THEMES])
def test_the_colours_of_goals_and_verdicts_differ(stage: Stage, theme: str) -> None:
    async def script(pilot: "Pilot[Any]") -> None:
        pilot.app.theme = theme
        await settled(pilot)
        tokens = ("success", "near", "error", "warning", "faint")
        assert len({token_colour(pilot, token) for token in tokens}) == len(tokens)

    drive(stage.app(), script)


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
@pytest.mark.parametrize("token", ["success", "near", "error", "warning", "faint"])
def test_the_colours_of_goals_are_readable(theme: Any, token: str) -> None:
    colour = Color.parse(theme.variables.get(token) or getattr(theme, token))
    background = Color.parse(theme.background)

    assert contrast(colour, background) >= MIN_CONTRAST


def contrast(one: Color, other: Color) -> float:
    """Return the contrast of two colours according to WCAG, from 1 to 21."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: Color) -> float:
    """Return the relative luminance of a colour according to WCAG."""
    linear = [
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4
        for part in colour.normalized
    ]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize(
    ("terminal", "glyphs"),
    [
        (Terminal(signs=True), UNICODE),
        (Terminal(ascii=True, signs=True, few_colours=True), ASCII),
    ],
)
def test_goals_are_readable_without_colour(stage: Stage, terminal: Terminal, glyphs: Any) -> None:
    folder = add_goal_run(stage.root)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        text = screen_text(pilot.app)
        for sign, value in (
            (glyphs.passed, "50.0"),
            (glyphs.near, "95.0"),
            (glyphs.missed, "150"),
            (glyphs.undecided, "50.0"),
            (f"{glyphs.passed}!", "60.0"),
        ):
            assert f"{value}{sign}" in text
        signs = f"{glyphs.passed}pass {glyphs.near}near {glyphs.missed}miss"
        assert signs in note(pilot)
        assert not glyphs.ascii or all(map(str.isascii, (signs, note(pilot))))

    drive(stage.app(folder=folder, terminal=terminal), script)


# The key %


def test_the_key_shows_the_next_metric_in_the_sweep(stage: Stage) -> None:
    folder = add_goal_run(stage.root)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        assert offered(pilot)["percent_sign"] == "metric"
        notes = [note(pilot)]
        for _ in Metric:
            await press(pilot, "percent_sign")
            notes.append(note(pilot))
        heads = ["p95 ≤ 100 ms", "p99 (ms)", "req/s", "failures ≤ 2 %", "bottleneck", "p50 (ms)"]
        for text, head in zip(notes, [*heads, "p90 (ms)", heads[0]], strict=True):
            assert text.startswith(head)

    drive(stage.app(folder=folder), script, size=NARROW)


def test_the_metric_is_kept_for_all_runs_while_the_app_runs(stage: Stage) -> None:
    stage.save_profile("demo")
    add_goal_run(stage.root)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "o", "percent_sign")
        assert sweep(pilot).metric is Metric.P99
        await press(pilot, "escape", "o")
        assert sweep(pilot).metric is Metric.P99
        await press(pilot, "v")
        assert "─ p95 (ms) " in screen_text(pilot.app)

    drive(stage.app(), script)


def test_without_a_goal_the_sweep_starts_with_p90(stage: Stage) -> None:
    folder = stage.add_run("verdicts/valid")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        assert sweep(pilot).metric is Metric.P90
        assert note(pilot) == "p90 (ms) · ! suspect · !! invalid"

    drive(stage.app(folder=folder), script)


def test_the_running_cell_shows_the_metric_of_its_newest_second(stage: Stage) -> None:
    newest = sample(PASSED, requests=requests(((10.0, 18), (99.0, 2)), ((1.0, 5),)))
    started = run_started(PROFILE, run="20261122-111101")
    folder = write_journal(
        stage.root / "reports" / "demo" / started.run,
        *(started, cell_started(PASSED), CellPhase(cell=PASSED, phase=Phase.MEASURING), newest),
    )

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        shown = []
        for _ in range(5):
            (piece,) = shown_pieces(pilot, PASSED)
            shown.append(piece[0].strip("[] "))
            await press(pilot, "percent_sign")
        assert shown == ["▶99.0", "▶99.0", "▶20.0", "▶20%", "▶"]

    with held(folder):
        drive(stage.app(folder=folder), script)


def test_the_key_shows_the_next_metric_in_the_chart_of_the_reports(stage: Stage) -> None:
    add_goal_run(stage.root)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "v")
        seen = []
        for _ in range(6):
            title = re.search(r"╭─ ([\w%() ]+) ─ 1 ─ 2 ─ 3 models", screen_text(pilot.app))
            seen.append((title and title[1].strip(), note(pilot, "#latency")))
            await press(pilot, "percent_sign")
        assert seen == [
            ("p95 (ms)", "┈ goal 100"),
            ("p99 (ms)", ""),
            ("failures (%)", "┈ goal 2"),
            ("p50 (ms)", ""),
            ("p90 (ms)", ""),
            ("p95 (ms)", "┈ goal 100"),
        ]

    drive(stage.app(), script)


def test_there_is_no_metric_to_switch_without_a_run_and_on_the_screen_of_a_cell(
    stage: Stage,
) -> None:
    async def without(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "v")
        assert "percent_sign" not in offered(pilot)
        await press(pilot, "percent_sign")

    async def cell(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "enter")
        assert "percent_sign" not in offered(pilot)

    drive(stage.app(), without)
    drive(stage.app(folder=add_goal_run(stage.root)), cell)


# The maximised sweep


@pytest.mark.parametrize("size", [WIDE, NARROW, (60, 15), (200, 60)])
def test_the_maximised_sweep_shows_more_and_is_restored(
    stage: Stage, size: tuple[int, int]
) -> None:
    folder = stage.add_run("decisions/linear")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "end")
        small = screen_text(pilot.app)
        await press(pilot, "z", "home")
        text = screen_text(pilot.app)
        assert "p95   req/s" in text
        assert "p95   req/s" not in small
        if size != (60, 15):
            assert "✓ passed: p95 " in text
            assert "Bottleneck: the model" in text
        for _ in range(9):
            await press(pilot, "down", "right")
        assert "[" in text
        assert "m4_u128_s50" in screen_text(pilot.app) or size == (60, 15)
        await press(pilot, "z", "end")
        if size != (60, 15):
            assert screen_text(pilot.app) == small

    drive(stage.app(folder=folder), script, size=size)


def test_a_click_selects_a_cell_of_the_maximised_sweep(stage: Stage) -> None:
    folder = stage.add_run("decisions/linear")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "z")
        lines = screen_text(pilot.app).splitlines()
        y = next(i for i, line in enumerate(lines) if line.startswith("│    16"))
        x = lines[y].index("≈") if "≈" in lines[y] else lines[y].rindex("✓")
        await pilot.click(offset=(x, y))
        await settled(pilot)
        assert "m4_u16_s50  " in screen_text(pilot.app)
        # The description below the grid is no cell.
        await pilot.click(offset=(x, y + 6))
        await settled(pilot)
        assert "m4_u16_s50  " in screen_text(pilot.app)

    drive(stage.app(folder=folder), script)


def test_the_maximised_sweep_describes_a_running_cell_by_its_phase(stage: Stage) -> None:
    started = run_started(PROFILE, run="20261122-111101")
    folder = write_journal(
        stage.root / "reports" / "demo" / started.run,
        *(started, cell_started(PASSED), CellPhase(cell=PASSED, phase=Phase.MEASURING)),
    )

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "z")
        assert f"{PASSED}  measuring" in screen_text(pilot.app)
        await press(pilot, "right")
        assert f"{NEAR}  pending" in screen_text(pilot.app)

    with held(folder):
        drive(stage.app(folder=folder), script)


# The table of the reports


def shown_columns(pilot: "Pilot[Any]") -> list[str]:
    return [str(key.value) for key in pilot.app.screen.query_one(CellTable).columns]


@pytest.mark.parametrize(
    ("size", "omitted"),
    [
        (WIDE, set()),
        (NARROW, set()),
        ((100, 30), {"p99.9", "max", "rate", "p90"}),
        ((60, 20), {"p99.9", "max", "rate", "p90"}),
    ],
)
def test_a_narrow_table_omits_columns_instead_of_the_verdict(
    stage: Stage, size: tuple[int, int], omitted: set[str]
) -> None:
    stage.add_run("decisions/linear")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "v", "2")
        names = [name for name, _ in COLUMNS if name != "rep"]
        assert set(names) - set(shown_columns(pilot)) == omitted
        text = screen_text(pilot.app)
        for verdict in (" verdict ", " pass valid ", " miss valid "):
            assert verdict in text
        await pilot.resize_terminal(160, 50)
        await settled(pilot)
        assert shown_columns(pilot) == names

    drive(stage.app(), script, size=size)


def test_the_sorted_column_is_not_omitted(stage: Stage) -> None:
    stage.add_run("decisions/linear")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "v", "2")
        names = shown_columns(pilot)
        await press(pilot, *("s" for _ in range(names.index("max") + 1)))
        assert "sorted by max" in screen_text(pilot.app)
        await pilot.resize_terminal(60, 20)
        await settled(pilot)
        assert "max" in shown_columns(pilot)
        assert "p99.9" not in shown_columns(pilot)

    drive(stage.app(), script)


@pytest.mark.parametrize("theme", [theme.name for theme in THEMES])
def test_the_table_has_the_colours_of_goals(stage: Stage, theme: str) -> None:
    add_goal_run(stage.root)
    tones = {
        (PASSED, "p95"): Tone.GOOD,
        (NEAR, "p95"): Tone.NEAR,
        (MISSED, "goal"): Tone.BAD,
        (UNDECIDED, "goal"): Tone.DIM,
        (FAILING, "p95"): Tone.GOOD,
        (FAILING, "fails"): Tone.BAD,
        (SUSPECT, "goal"): Tone.GOOD,
        (SUSPECT, "verdict"): Tone.WARN,
    }

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "v")
        pilot.app.theme = theme
        await settled(pilot)
        screen, table = pilot.app.screen, pilot.app.screen.query_one(CellTable)
        for (key, name), tone in tones.items():
            cell = table.get_cell(key, name)
            expected = screen.get_component_rich_style(f"tone--{tone.value}", partial=True)
            assert expected in (cell.style, *(span.style for span in cell.spans))
        assert table.get_cell(INVALID, "p95").style == Style()
        assert str(table.get_cell(INVALID, "goal")).strip() == "-"

    drive(stage.app(), script)
