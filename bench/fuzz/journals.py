"""Journals: recorded runs with damaged, moved, repeated or changed lines."""

import json
import tempfile
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from bench.fuzz import screens, views
from bench.fuzz.harness import Input, Kind, require
from bench.fuzz.values import DEEP, changed_json, damaged, moved, text, token
from bench.fuzz.workspace import (
    JOURNALS,
    add_run,
    call_here,
    check_printed,
    make_workspace,
    prepare_commands,
)
from loadbench import wording
from loadbench.engine.catalog import Catalog, CatalogReader
from loadbench.engine.journal.codec import SAMPLE_PREFIX, Entry
from loadbench.engine.journal.state import RunState
from loadbench.engine.report.export.summary import JSON_NAME, summary_json, write_summary
from loadbench.engine.run_reader import Run, RunReader
from loadbench.errors import JournalError

PROFILE, RUN_ID = "fuzz", "20260101-000000"
HEALTHY = "healthy/20251231-235959"
"""Another run, which all views must show."""
HEALTHY_NEW = "healthy/20260202-000000"
MAIN = ("demo", "faults", "interrupted")
"""Runs with events of all types, used more often than the others."""
LONG = "long"
LONG_S = 700
"""Length of a run with merged samples in seconds."""
MAX_SAMPLES = 2
"""Maximum number of successive samples, which make up most of a journal."""
MAX_BUCKETS = 12
"""Maximum number of buckets of a histogram."""
COMMANDS = {
    "runs": ("runs",),
    "report": ("report", f"{PROFILE}/{RUN_ID}"),
    "json": ("report", f"{PROFILE}/{RUN_ID}", "--json"),
    "series": ("report", f"{PROFILE}/{RUN_ID}", "--series"),
    "attach": ("attach", f"{PROFILE}/{RUN_ID}", "--plain"),
    "stop": ("stop", f"{PROFILE}/{RUN_ID}"),
    "label": ("label", f"{PROFILE}/{RUN_ID}", "a label"),
    "resume": ("run", "--resume", f"{PROFILE}/{RUN_ID}", "--plain"),
    "plan": ("plan", "demo"),
    "profiles": ("profiles",),
    "by label": ("report", "no such label"),
}
SHORT_PROFILE = "models: [1]\nusers: [2]\nspawn_rates: [1]\n"
NUMBERS = ("requests", "failures", "rps", "p95_ms", "verdict")
"""Columns that damage to other lines must not change."""


@cache
def recorded(name: str) -> tuple[bytes, ...]:
    """Return the lines of a recorded run, with few samples and short histograms."""
    if name == LONG:
        return _long_run()
    lines, samples = [], 0
    for line in (JOURNALS / f"{name}.jsonl").read_bytes().splitlines():
        samples = samples + 1 if line.startswith(SAMPLE_PREFIX) else 0
        if samples <= MAX_SAMPLES:
            lines.append(_thinned(line))
    return tuple(lines)


def _long_run() -> tuple[bytes, ...]:
    """Return the lines of a run whose last cell has so many samples that they are merged."""
    lines = recorded("interrupted")
    last = max(number for number, line in enumerate(lines) if line.startswith(SAMPLE_PREFIX))
    sample = json.loads(lines[last])
    samples = (
        json.dumps({**sample, "second": second}, separators=(",", ":")).encode()
        for second in range(sample["second"] + 1, LONG_S)
    )
    return (*lines[: last + 1], *samples, *lines[last + 1 :])


def _thinned(line: bytes) -> bytes:
    def thinned(value: Any) -> Any:
        match value:
            case dict():
                return {key: thinned(item) for key, item in value.items()}
            case [[int() | float(), int()], *_]:
                return value[:: 1 + len(value) // MAX_BUCKETS]
            case list():
                return [thinned(item) for item in value]
            case _:
                return value

    fields = thinned(json.loads(line))
    return json.dumps(fields, separators=(",", ":"), ensure_ascii=False).encode()


@cache
def names() -> tuple[str, ...]:
    """Return the names of all recorded runs."""
    files = sorted(JOURNALS.rglob("*.jsonl"))
    return (LONG, *(str(file.relative_to(JOURNALS).with_suffix("")) for file in files))


def joined(lines: "tuple[bytes, ...] | list[bytes]") -> bytes:
    """Return lines as the contents of a file."""
    return b"".join(line + b"\n" for line in lines)


class Journals(Kind):
    """Journals, read next to healthy ones by everything that shows runs."""

    name = "journals"
    share = 5.0

    def __init__(self) -> None:
        self._workspace = make_workspace(Path(tempfile.mkdtemp(prefix="fuzz-")) / "bench")
        # Reading YAML would take most of the time.
        for file in self._workspace.profiles.iterdir():
            file.write_text(SHORT_PROFILE, encoding="utf-8")
        for name in (HEALTHY, HEALTHY_NEW):
            profile, _, run = name.partition("/")
            add_run(self._workspace, profile, run, joined(recorded("verdicts/valid")))
        prepare_commands()

    def known(self) -> dict[str, Input]:  # noqa: D102
        demo = recorded("demo")
        last = max(n for n, line in enumerate(demo) if line.startswith(b'{"type":"cell_finished"'))
        huge = b'{"type":"note","seq":9,"at":"","elapsed_s":1,"text":"' + b"x" * 30_000_000 + b'"}'
        nested = {
            "nested line": b"[" * DEEP,
            "nested note": b'{"type":"note","seq":5,"at":"","elapsed_s":1,"text":' + b"[" * DEEP,
            "nested field": b'{"type":"note","seq":5,"at":"","elapsed_s":1,"text":"","x":'
            + b"[" * 150
            + b"]" * 150
            + b"}",
            "30 MB line": huge,
            "block of NUL bytes": b"\0" * 4096,
        }
        found = {
            f"{name} in {command or 'views'}": Input(
                joined([*demo[:5], line, *demo[5:]]), f"demo:free:{command}"
            )
            for name, line in nested.items()
            for command in ("", "runs", "report", "attach")
        }
        for command in ("report", "json"):
            cut = [*demo[:last], demo[last][:200], *demo[last + 1 :]]
            found[f"damaged cell_finished in {command}"] = Input(
                joined(cut), f"demo:damage:{command}"
            )
        return found

    def make(self, random: Random) -> Input:  # noqa: D102
        name = random.choice(names()) if random.random() < 0.3 else random.choice(MAIN)
        command = random.choice(list(COMMANDS)) if random.random() < 0.3 else ""
        lines = list(recorded(name))
        if random.random() < 0.25:
            for place in random.sample(
                range(len(lines)), min(len(lines), random.choice((1, 1, 3)))
            ):
                lines[place] = _unreadable(random, lines[place])
            return Input(joined(lines), f"{name}:damage:{command}")
        for _ in range(random.choice((1, 1, 1, 2, 4))):
            place = random.randrange(len(lines))
            match random.randrange(8):
                case 0:
                    lines[place] = damaged(random, lines[place])
                case 1:
                    others = recorded(random.choice(names()))
                    lines = moved(random, lines, others) or [b""]
                case 2:
                    lines.insert(place, token(random).encode("utf-8", "surrogatepass"))
                case _:
                    lines[place] = changed_json(random, lines[place])
        data = joined(lines)
        if random.random() < 0.1:
            data = damaged(random, data)
        return Input(data, f"{name}:free:{command}")

    def check(self, given: Input) -> bool:  # noqa: D102
        assert isinstance(given.data, bytes)
        name, change, command = given.mode.split(":")
        folder = add_run(self._workspace, PROFILE, RUN_ID, given.data)
        for file in folder.glob("summary.*"):
            file.unlink()
        if change == "damage":
            write_summary(_read(folder, joined(recorded(name))).state, folder)
            (folder / "journal.jsonl").write_bytes(given.data)
        if command:
            return self._check_command(name, change, command, folder)
        run = _watched(folder)
        catalog = self._catalog()
        shown = {one.name for one in catalog.runs}
        require({HEALTHY, HEALTHY_NEW} <= shown, "the catalogue shows other runs", shown)
        if run is None:
            return False
        views.look(run)
        screens.show(run, catalog)
        screens.show_cells(run)
        views.reopen(folder)
        if change == "damage":
            self._check_numbers(name, given.data, json.loads(summary_json(run.state)))
        return True

    def _catalog(self) -> Catalog:
        reader = CatalogReader(self._workspace)
        while True:
            catalog = reader.read()
            if catalog and catalog.complete:
                return catalog

    def _check_command(self, name: str, change: str, command: str, folder: Path) -> bool:
        arguments = ("--workspace", str(self._workspace.root), *COMMANDS[command])
        printed = call_here(arguments)
        check_printed(printed, arguments)
        if command == "runs":
            for other in (HEALTHY, HEALTHY_NEW):
                require(other in printed.out, "`runs` shows other runs", printed.err[-200:])
        if change == "damage" and command != "label":
            before = json.loads(_summary_of(name))
            after = views.strict_json((folder / JSON_NAME).read_text(encoding="utf-8"))
            lost = _measured(before).keys() - _measured(after).keys()
            require(not lost, "the saved summary keeps all measured cells", lost)
        return bool(printed.code == 0)

    def _check_numbers(self, name: str, data: bytes, summary: Any) -> None:
        """Check that the numbers of cells are unchanged, except where their lines are damaged."""
        before, after = _measured(json.loads(_summary_of(name))), _measured(summary)
        lines = data.split(b"\n")
        damaged_lines = [
            line for line, now in zip(recorded(name), lines, strict=False) if line != now
        ]
        for cell, numbers in before.items():
            if not any(f'"{cell}"'.encode() in line for line in damaged_lines):
                found = after.get(cell)
                require(found == numbers, "damage to other lines changes no cell", (cell, found))


def _watched(folder: Path) -> Run | None:
    """Read a run with its lines in the plain view. Return None if it is refused."""

    def on_entry(entry: Entry, state: RunState) -> None:
        wording.event_line(entry, state)
        screens.show_entry(entry, state)

    try:
        return RunReader(folder, on_entry=on_entry).poll()
    except JournalError as error:
        require(str(error), "a message about an unreadable journal")
        return None


def _read(folder: Path, data: bytes) -> Run:
    (folder / "journal.jsonl").write_bytes(data)
    return RunReader(folder).poll()


@cache
def _summary_of(name: str) -> str:
    with tempfile.TemporaryDirectory() as folder:
        return summary_json(_read(Path(folder), joined(recorded(name))).state)


def _measured(summary: Any) -> dict[str, tuple[Any, ...]]:
    """Return the numbers of the measured cells of a summary."""
    cells = (cell for cell in summary["cells"] if cell["requests"] is not None)
    return {cell["cell"]: tuple(cell[name] for name in NUMBERS) for cell in cells}


def _unreadable(random: Random, line: bytes) -> bytes:
    """Return a damaged line that is not JSON."""
    for _ in range(20):
        match random.randrange(6):
            case 0:
                changed = line[: random.randrange(len(line) + 1)]
            case 1:
                start = random.randrange(len(line) + 1)
                changed = line[:start] + b"\0" * 512 + line[start + 512 :]
            case 2:
                changed = random.choice((b"[", b'{"a":', b'{"type":')) * DEEP
            case 3:
                changed = b"garbage " + line
            case 4:
                changed = text(random).replace("\n", " ").encode("utf-8", "surrogatepass")
            case _:
                changed = random.randbytes(len(line) // 2).replace(b"\n", b" ")
        try:
            json.loads(changed)
        except (ValueError, RecursionError):
            return changed
    return b"{"
