"""Cell diff: the same screen as Textual's own output, with fewer bytes."""

from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.color import ColorSystem
from rich.segment import Segment
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.geometry import Region, Size
from textual.pilot import Pilot
from textual.screen import Screen
from textual.strip import Strip

from loadbench.engine.requests.launch import RunPlan, RunRequest
from loadbench.errors import RefusedError
from loadbench.ui import app as app_module
from loadbench.ui.app import LoadbenchApp
from loadbench.ui.catch_up.seen import Seen, remember
from loadbench.ui.terminal.capabilities import Terminal
from loadbench.ui.terminal.cell_diff import (
    BLANK,
    SWITCH,
    Canvas,
    CellDriver,
    Pen,
    ScreenCell,
    _cells,
    _draw,
    _is_outdated,
    cell_driver,
)
from tests.support.pty_harness import Emulator
from tests.support.ui_harness import (
    BROKEN,
    DEMO,
    Stage,
    drive,
    held,
    lines_until,
    press,
    replace_runner,
    settled,
)

COLUMNS, ROWS = 12, 3
PENS = (
    Pen(),
    Pen(attributes="1"),
    Pen(colour="38;5;80"),
    Pen("1;7", "38;5;80", "48;5;16"),
    Pen(background="48;5;16"),
)


# The canvas


@st.composite
def puts(draw: st.DrawFn) -> tuple[int, int, list[ScreenCell]]:
    row = draw(st.integers(0, ROWS - 1))
    column = draw(st.integers(0, COLUMNS - 1))
    cells: list[ScreenCell] = []
    for _ in range(draw(st.integers(1, COLUMNS))):
        character, pen = draw(st.sampled_from("ab 漢│⣿")), draw(st.sampled_from(PENS))
        cells += [(character, pen)] + [("", pen)] * (character == "漢")
    cells = cells[: COLUMNS - column]
    if cells[-1][0] == "漢":
        cells[-1] = BLANK
    return row, column, cells


def whole(row: list[ScreenCell]) -> list[ScreenCell]:
    """Return the row with incomplete wide characters blanked, as in Textual's rows."""
    repaired = list(row)
    for column, (text, _) in enumerate(row):
        if text == "漢" and (column + 1 == len(row) or row[column + 1][0]):
            repaired[column] = BLANK
        if not text and (not column or row[column - 1][0] != "漢"):
            repaired[column] = BLANK
    return repaired


@given(frames=st.lists(st.lists(puts(), max_size=4), min_size=1, max_size=6))
@settings(max_examples=60, deadline=None)
def test_terminal_shows_every_frame_correctly(
    frames: list[list[tuple[int, int, list[ScreenCell]]]],
) -> None:
    canvas, expected = Canvas(), [[BLANK] * COLUMNS for _ in range(ROWS)]
    canvas.resize(COLUMNS, ROWS)
    terminal = Emulator(COLUMNS, ROWS)
    for frame in frames:
        for row, column, cells in frame:
            expected[row][column : column + len(cells)] = cells
            expected[row] = whole(expected[row])
            canvas.put(row, 0, expected[row])
        terminal.feed(canvas.take().encode())
        other, fresh = Emulator(COLUMNS, ROWS), Canvas()
        fresh.resize(COLUMNS, ROWS)
        for row, cells in enumerate(expected):
            fresh.put(row, 0, cells)
        other.feed(fresh.take().encode())
        texts = ["".join(text for text, _ in row).rstrip() for row in expected]
        assert terminal.text.split("\n") == texts
        assert terminal.cells == other.cells


def filled(rows: list[str]) -> Canvas:
    canvas = Canvas()
    canvas.resize(len(rows[0]), len(rows))
    for row, text in enumerate(rows):
        canvas.put(row, 0, [(character, Pen()) for character in text])
    return canvas


def test_unchanged_cells_are_not_sent() -> None:
    canvas = filled(["latency 41 ms", "users      10"])
    canvas.take()
    canvas.put(0, 8, [("4", Pen()), ("2", Pen())])

    assert canvas.take() == "\x1b[1;10H\x1b[0m2\x1b[0m\x1b[1;1H"
    assert canvas.take() == ""


def test_only_the_newest_frame_is_sent() -> None:
    canvas = filled(["0000"])
    canvas.take()
    for number in range(1000):
        canvas.put(0, 0, [(digit, Pen()) for digit in f"{number:04}"])

    assert canvas.take().count("999") == 1
    canvas.put(0, 0, [("1", Pen())])
    canvas.put(0, 0, [("0", Pen())])
    assert canvas.take() == ""


def test_forget_resends_all_cells() -> None:
    canvas = filled(["same"])
    first = canvas.take()
    canvas.forget()

    assert canvas.take() == first


@pytest.mark.parametrize("text", ["disk ⚠\ufe0f low", "ok ✔\ufe0f done", "❤\ufe0f"])
def test_cut_wide_character_does_not_shift_the_rest(text: str) -> None:
    strip = Strip([Segment(text)])
    for begin in range(strip.cell_length):
        for end in range(begin + 1, strip.cell_length + 1):
            part = strip.crop(begin, end)
            canvas = Canvas()
            _draw(LayoutUpdate([[part]], Region(0, 0, COLUMNS, 1)), canvas, ColorSystem.STANDARD)
            assert len(_cells(part, ColorSystem.STANDARD)) == part.cell_length


def test_cells_beyond_the_edge_are_rejected() -> None:
    with pytest.raises(ValueError, match="columns up to 5 of 4"):
        filled(["same"]).put(0, 3, [BLANK, BLANK])


def test_text_after_a_character_of_ambiguous_width_is_positioned_correctly() -> None:
    # A joined emoji: two columns in Textual, four in this emulator.
    strip = Strip([Segment("a 👩\u200d🔬 ☂\ufe0f|")])
    canvas, terminal = Canvas(), Emulator(COLUMNS, 1)
    _draw(LayoutUpdate([[strip]], Region(0, 0, COLUMNS, 1)), canvas, ColorSystem.STANDARD)
    terminal.feed(canvas.take().encode())

    assert terminal.screen.buffer[0][7].data == "|"


def test_only_changed_parts_of_a_style_are_sent() -> None:
    red = Pen("1", "31", "40")

    assert red.after(None) == "\x1b[0;1;31;40m"
    assert red._replace(colour="32").after(red) == "\x1b[32m"
    assert red._replace(background="").after(red) == "\x1b[49m"
    assert red._replace(attributes="").after(red) == "\x1b[0;31;40m"
    linked = red._replace(link="id=1;https://x")
    assert linked.after(red) == "\x1b]8;id=1;https://x\x1b\\"
    assert red.after(linked) == "\x1b]8;;\x1b\\"


# The switch


def test_switch_disables_the_cell_driver() -> None:
    assert cell_driver({}) is CellDriver
    assert cell_driver({SWITCH: "0"}) is None
    assert cell_driver({"TEXTUAL_DRIVER": "some:Driver"}) is None


@pytest.mark.parametrize("missing", ["strip.Strip.cell_length", "_compositor.LayoutUpdate"])
def test_changed_textual_internals_disable_the_cell_driver(
    monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    name = missing.rpartition(".")[2]
    if name == "LayoutUpdate":
        monkeypatch.setattr("loadbench.ui.terminal.cell_diff.LayoutUpdate", object)
    else:
        monkeypatch.delattr(f"textual.{missing}")

    assert cell_driver({}) is None


@pytest.mark.parametrize(
    ("in_band", "current", "expected"),
    [(False, (80, 24), False), (False, (100, 30), True), (True, (100, 30), False)],
)
def test_sizes_that_the_terminal_no_longer_has_are_outdated(
    in_band: bool, current: tuple[int, int], expected: bool
) -> None:
    driver: Any = SimpleNamespace(
        _in_band_window_resize=in_band, _get_terminal_size=lambda: current
    )

    assert _is_outdated(Size(80, 24), driver) is expected


def test_sizes_are_never_outdated_without_a_terminal() -> None:
    assert not _is_outdated(Size(80, 24), None)


# The same screen as Textual's own output


class Twin(LoadbenchApp):
    """Draw every update twice: as Textual does, and through the cell diff."""

    CSS_PATH = str(Path(app_module.__file__).with_name("app.tcss"))

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.written = [0, 0]
        self._canvas = Canvas()
        self.stock, self.ours = Emulator(1, 1), Emulator(1, 1)

    def _display(self, screen: Screen[Any], renderable: Any) -> None:
        if isinstance(renderable, LayoutUpdate | ChopsUpdate) and not self._batch_count:
            size = self.size
            if (self.stock.screen.columns, self.stock.screen.lines) != size:
                self.stock, self.ours = Emulator(*size), Emulator(*size)
            colours = self.console._color_system or ColorSystem.TRUECOLOR
            if not _draw(renderable, self._canvas, colours):
                self.call_later(self.refresh, layout=True)
            outputs = renderable.render_segments(self.console), self._canvas.take()
            for index, terminal in enumerate((self.stock, self.ours)):
                self.written[index] += len(outputs[index])
                terminal.feed(outputs[index].encode())
        super()._display(screen, renderable)

    def assert_same(self, after: str) -> None:
        assert self.ours.text == self.stock.text, after
        cells = zip(chain(*self.ours.cells), chain(*self.stock.cells), strict=True)
        assert not [(index, *pair) for index, pair in enumerate(cells) if pair[0] != pair[1]], after


WIDE_WORDS = "広い文字, a cafe\u0301, 🔬 and more"
TOURS = {
    "profiles": (
        ("j", "k", "d", "escape", "n", "escape", "slash", "d", "escape", "question_mark", "G"),
        ("escape", "t", "t", "ctrl+p", *"rep", "escape", "enter", "escape", "v", "escape"),
    ),
    "run": (
        ("k", "h", "j", "l", "2", "3", "4", "5", "n", "1", "tab", "tab", "y", "o"),
        ("s", "escape", "x", "escape", "ctrl+c", "n", "question_mark", "pagedown", "escape"),
        ("ctrl+p", *"pause", "escape", "t", "v", "tab", "j", "tab", "S", "s", "escape"),
    ),
    "forms": (
        ("k", "enter", "right", "down", "0", "down", "9", "ctrl+r", "pagedown", "pagedown"),
        ("enter", "down", "x", "ctrl+s", "enter", "escape", "escape", "e", "down", "4", "ctrl+s"),
        ("escape", "n", "down", "enter", *"mine", "enter", "down", "ctrl+n", "escape", "d", "m"),
    ),
    "depth": (
        ("escape", "enter", "right_square_bracket", "2", "3", "z", "tab", "z", "escape"),
        ("plus", "1", "escape", "w", "down", "escape", "tab", "enter", "slash", "m", "escape"),
        ("enter", "z", "4", "escape", "escape"),
    ),
}


@pytest.mark.parametrize("tour", TOURS)
def test_every_screen_matches_textuals_output(
    stage: Stage, tour: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: RunRequest) -> RunPlan:
        raise RefusedError(WIDE_WORDS)

    replace_runner(monkeypatch, preview=refuse)
    monkeypatch.delenv("DISPLAY", raising=False)
    stage.save_profile("demo", f"description: {WIDE_WORDS}\n{DEMO.partition('Docker')[2]}")
    stage.save_profile("broken", BROKEN)
    stage.add_run("faults")
    live = stage.add_run(
        "containers", run="20261129-111101", lines=lines_until("containers", '"second":5,')
    )
    left = datetime(2026, 11, 22, 11, 12, 7, tzinfo=UTC)
    if tour == "depth":
        remember(live, Seen(seq=10, live=True, at=left))
    app = Twin(
        stage.workspace,
        Terminal(refresh_hz=20.0),
        folder=None if tour in ("profiles", "forms") else live,
        clock=lambda: 100.0,
        now=lambda: left,
    )

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        app.assert_same("start")
        for keys, size in zip(TOURS[tour], ((80, 24), (60, 15), (200, 60)), strict=False):
            for key in keys:
                await press(pilot, key)
                app.assert_same(key)
            await pilot.resize_terminal(*size)
            app.notify(WIDE_WORDS, title=WIDE_WORDS)
            await settled(pilot)
            app.assert_same(f"resize to {size}")

    with held(live):
        drive(app, script)
    assert app._exception is None
    stock, ours = app.written
    assert ours < stock / 5
