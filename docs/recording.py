"""Record the demo of the README and the screenshots: `make recording`.

Runs `loadbench-tui` with the demo profile in a pseudo-terminal, presses keys as a user would, and
records the screen in docs/demo.svg, a sped-up animated SVG without scripts. The last frames of some
scenes are also saved as still pictures in docs/screenshots.
"""

import string
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from docs.animated_svg import Char, Frame, Row, animated_svg
from loadbench.engine.journal.commands import send_command
from loadbench.engine.journal.events import Phase
from loadbench.engine.journal.lock import is_held
from loadbench.engine.run_reader import Run, RunReader, RunStatus
from loadbench.workspace import create_workspace
from tests.support.pty_harness import Terminal

PICTURE = Path(__file__).parent / "demo.svg"
SCREENSHOTS = PICTURE.parent / "screenshots"
TITLE = "loadbench-tui"
CHOOSE, FORM, RUN, CELL, REPORTS = (
    "Choose a profile",
    "Enter: change it for this run",
    "Enter: start · the live run",
    "Enter: one cell",
    "v: reports",
)
"""Captions of scenes."""
STILLS = {CHOOSE: "profiles", FORM: "new-run", RUN: "run", CELL: "cell", REPORTS: "reports"}
"""Names of the screenshots, by the caption of their scene."""
SIZE = (120, 40)
SHOWN_FOLDER = "~/loadbench"
"""Replaces the path of the temporary workspace."""
QUIET_S = 1.0
"""Seconds without output after which a screen counts as complete."""
_PATH_CHARACTERS = string.ascii_letters + string.digits + "/._-"


class Recorder:
    """Press keys in the app, and keep a frame for each change of its screen.

    Args:
        terminal: The terminal that the app runs in.
        workspace: The app's workspace. Its path is replaced by `SHOWN_FOLDER`.
    """

    def __init__(self, terminal: Terminal, workspace: Path) -> None:
        self.frames: list[Frame] = []
        self._terminal = terminal
        self._workspace = str(workspace)
        self._scene: list[tuple[Row, ...]] = []

    def wait(self, condition: Callable[[], object], *, within_s: float = 60.0) -> None:
        """Record changes until a condition is true.

        Raises:
            TimeoutError: The condition did not become true in time. The message includes the
                screen.
        """
        deadline = time.monotonic() + within_s
        while not condition():
            if time.monotonic() > deadline or self._terminal.ended:
                raise TimeoutError(f"unexpected screen:\n{self._terminal.text}")
            self._terminal.read(within_s=0.1)
            self._take()

    def wait_until_quiet(self) -> None:
        """Record changes until the screen is complete."""
        while self._terminal.read(within_s=QUIET_S):
            self._take()

    def wait_for_path(self, path: str) -> None:
        """Record changes until the screen shows a path of the workspace."""
        self.wait(lambda: path in self._terminal.text)

    def press(self, key: str) -> None:
        """Press a key."""
        self._terminal.press(key)

    def shows(self, text: str) -> bool:
        """Return whether the screen shows a text."""
        return text in self._terminal.text

    def end_scene(self, caption: str, *, frames: int, frame_s: float, hold_s: float) -> None:
        """End a scene, and keep some of its frames.

        Args:
            caption: Text above all frames of the scene.
            frames: Maximum number of frames to keep, evenly spaced.
            frame_s: Duration of each frame but the last, in seconds.
            hold_s: Duration of the last frame, in seconds.
        """
        self._take()
        screens, self._scene = self._scene, []
        last = len(screens) - 1
        count = min(frames, len(screens))
        chosen = [screens[last - last * i // max(1, count - 1)] for i in range(count)][::-1]
        seconds = [*[frame_s] * (count - 1), hold_s]
        self.frames += [
            Frame(caption, rows, shown_s) for rows, shown_s in zip(chosen, seconds, strict=True)
        ]

    def drop_scene(self) -> None:
        """Discard the changes since the last scene."""
        self._scene = []

    def _take(self) -> None:
        rows = tuple(self._row(number) for number in range(SIZE[1]))
        if not self._scene or rows != self._scene[-1]:
            self._scene.append(rows)

    def _row(self, number: int) -> Row:
        cells = self._terminal.screen.buffer[number]
        row = [_char(cells[column]) for column in range(SIZE[0])]
        text = "".join(char.text for char in row)
        start = text.find(self._workspace)
        if start < 0 or len(text) != len(row):
            return tuple(row)
        end = start + len(self._workspace)
        border = len(row) - len(text[end:].lstrip(_PATH_CHARACTERS))
        shown = (SHOWN_FOLDER + text[end:border]).ljust(border - start)[: border - start]
        for column, character in zip(range(start, border), shown, strict=True):
            row[column] = row[column]._replace(text=character)
        return tuple(row)


def main() -> None:
    """Record the demo, and write the SVG."""
    # The path is short, so that the panels do not wrap it.
    with tempfile.TemporaryDirectory(prefix="lb") as folder:
        workspace = Path(folder) / "w"
        create_workspace(workspace)
        terminal = Terminal(
            [sys.executable, "-m", "loadbench", "--refresh", "2", "--no-alerts"],
            workspace,
            size=SIZE,
            environment={
                "COLORTERM": "truecolor",
                "LOADBENCH_WORKSPACE": str(workspace),
                "XDG_STATE_HOME": str(Path(folder) / "state"),
            },
        )
        try:
            frames = _record(Recorder(terminal, workspace), workspace)
        finally:
            terminal.close()
    _write(PICTURE, frames)
    SCREENSHOTS.mkdir(exist_ok=True)
    last = {frame.caption: frame for frame in frames}
    for caption, name in STILLS.items():
        _write(SCREENSHOTS / f"{name}.svg", [replace(last[caption], caption="")])


def _write(file: Path, frames: list[Frame]) -> None:
    file.write_text(animated_svg(TITLE, SIZE, frames), encoding="utf-8")
    print(f"{file.name}: {len(frames)} frames, {file.stat().st_size // 1024} KB")


def _record(recorder: Recorder, workspace: Path) -> list[Frame]:
    recorder.wait_for_path("profiles/")
    for _ in range(10):
        recorder.wait_until_quiet()
        if recorder.shows("profiles/demo.yaml"):
            break
        recorder.press("j")
    recorder.drop_scene()
    recorder.end_scene(CHOOSE, frames=1, frame_s=0.0, hold_s=2.5)

    recorder.press("\r")
    recorder.wait(lambda: recorder.shows(" GB"))
    recorder.wait_until_quiet()
    recorder.drop_scene()
    recorder.end_scene(FORM, frames=1, frame_s=0.0, hold_s=2.5)

    recorder.press("\r")
    journal = _Journal(workspace / "reports" / "demo")
    recorder.wait(lambda: journal.is_measuring(1, seconds=6))
    recorder.end_scene(RUN, frames=17, frame_s=0.5, hold_s=0.6)

    recorder.press("\r")
    recorder.wait(lambda: journal.is_measuring(1, seconds=13))
    recorder.end_scene(CELL, frames=8, frame_s=0.5, hold_s=0.8)

    recorder.press("\x1b")
    try:
        recorder.wait(journal.is_finished, within_s=180)
    finally:
        journal.stop()
    recorder.wait_until_quiet()
    recorder.end_scene("Esc: back to the run", frames=14, frame_s=0.4, hold_s=2.0)

    recorder.press("v")
    recorder.wait_until_quiet()
    recorder.drop_scene()
    recorder.end_scene(REPORTS, frames=1, frame_s=0.0, hold_s=3.5)

    recorder.press("q")
    return recorder.frames


class _Journal:
    """Reads the journal of the run that the recorded app has started.

    Args:
        reports: The folder that contains the profile's runs.
    """

    def __init__(self, reports: Path) -> None:
        self._reports = reports
        self._reader: RunReader | None = None

    def is_measuring(self, cell: int, *, seconds: int) -> bool:
        """Return whether a cell has been measured for some seconds, or the run is past it.

        Args:
            cell: Index of the cell in the plan.
            seconds: Minimum number of measured seconds.
        """
        run = self._poll()
        if run is None or not run.state.current:
            return False
        current = list(run.state.cells).index(run.state.current)
        samples = run.state.samples_in(Phase.MEASURING)
        return current > cell or (current == cell and len(samples) >= seconds)

    def is_finished(self) -> bool:
        """Return whether the run is done."""
        run = self._poll()
        return run is not None and run.status is RunStatus.DONE

    def stop(self) -> None:
        """Stop the run if it is still live, and wait until it has ended."""
        run = self._poll()
        if run is None or not is_held(run.folder):
            return
        send_command(run.folder, "stop")
        while is_held(run.folder):
            time.sleep(0.2)

    def _poll(self) -> Run | None:
        if self._reader is None:
            folders = sorted(self._reports.glob("2*/"))
            if not folders:
                return None
            self._reader = RunReader(folders[0])
        return self._reader.poll()


def _char(cell: Any) -> Char:
    fg, bg = cell.fg, cell.bg
    if cell.reverse:
        fg, bg = ("inverse" if bg == "default" else bg), ("white" if fg == "default" else fg)
    return Char(cell.data, fg, bg, cell.bold, cell.italics, cell.underscore, cell.strikethrough)


if __name__ == "__main__":
    main()
