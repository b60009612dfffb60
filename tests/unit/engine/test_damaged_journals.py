"""Damaged journals: bad lines are skipped and counted, and no view fails."""

import errno
import json
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from loadbench.cli.report.result import damage_message
from loadbench.engine.bounds.lines import MAX_LINE_BYTES
from loadbench.engine.catalog import CatalogReader
from loadbench.engine.journal.codec import FILE_NAME, Entry
from loadbench.engine.journal.events import Note, Result, RunFinished
from loadbench.engine.journal.lock import is_held
from loadbench.engine.journal.reader import read_attempt
from loadbench.engine.journal.state import CellStatus, RunState
from loadbench.engine.requests.labelling import set_label
from loadbench.engine.run_lookup import find_run
from loadbench.engine.run_reader import RunReader, read_run
from loadbench.errors import JournalError
from loadbench.wording import outcome_line, short_outcome
from tests.support.all_views import derive_all
from tests.support.builders import (
    cell_finished,
    cell_started,
    run_started,
    sample,
    write_journal,
)
from tests.support.golden import JOURNALS
from tests.support.ui_harness import Stage

GOLDEN = ("demo", "faults", "containers", "interrupted")
HEAD = '"seq":9,"at":"2026-11-22T07:21:00.000Z","elapsed_s":1'
DONE = RunFinished(result=Result.DONE, reason="1 of 1 cell measured")
NASTY: tuple[Any, ...] = (
    *(None, True, -1, 0, 0.0, -0.5, 1e-300, 1e300, 10**400, "", "x", "\x1b[2J", [], {}, [[]]),
    *([[1, 2, 3]], {"a": {"b": []}}, "9" * 5000, 2**63, "1e400", "0001-01-01T00:00:00+14:00"),
)
"""Values that are invalid, extreme or of another type. `1e400` is infinite once it is a number."""


def append_raw(folder: Path, *lines: bytes) -> None:
    with (folder / FILE_NAME).open("ab") as file:
        file.write(b"".join(line + b"\n" for line in lines))


def finished_line(**changes: Any) -> bytes:
    """Return the line of a finished cell with changed fields."""
    fields = {
        "type": "cell_finished",
        "seq": 9,
        "at": "2026-11-22T07:21:00.000Z",
        "elapsed_s": 1.0,
        "cell": "m1_u2_s2",
        "attempt": 1,
        "verdict": "valid",
        "findings": [],
        "measured_s": 10.0,
        "completed": 400,
        "requests": [{"method": "POST", "name": "/", "successes": [[10.0, 400]]}],
        "aborted": 0,
        "errors": [],
        "stages": {},
        "settled": True,
        "fewest_users": 2,
        "client_cpu_cores": 0.1,
    }
    return json.dumps({**fields, **changes}).replace('"1e400"', "1e400").encode()


DAMAGED = {
    "no JSON": b"\x00\xff garbage",
    "no event": b"[1, 2]",
    "nested": b"[" * 100_000,
    "nested value": f'{{"type":"note",{HEAD},"text":{"[" * 5000}'.encode(),
    "too large": b'{"type":"note","text":"' + b"x" * MAX_LINE_BYTES,
    "missing field": f'{{"type":"note",{HEAD}}}'.encode(),
    "invalid time": b'{"type":"note","seq":9,"at":["x"],"elapsed_s":1,"text":""}',
    "time that no zone can show": finished_line(at="0001-01-01T00:00:00+14:00"),
    "infinite time": finished_line(elapsed_s="1e400"),
    "no number": finished_line(seq="9"),
    "window of zero length": finished_line(measured_s=0),
    "infinite window": finished_line(measured_s="1e400"),
    "giant integer": finished_line(completed=10**400),
    "negative count": finished_line(requests=[{"method": "", "name": "", "successes": [[1, -5]]}]),
    "cell that never starts all users": (
        f'{{"type":"command",{HEAD},"id":"a","command":"add","accepted":true,"message":"",'
        '"added":[{"models":1,"users":5,"spawn_rate":0}]}'
    ).encode(),
    "process id of all processes": (
        f'{{"type":"run_resumed",{HEAD},"pid":-1,"retry":[],"hardware":{{}},"versions":{{}}}}'
    ).encode(),
}


@pytest.mark.parametrize("line", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_line_is_skipped_counted_and_shown(tmp_path: Path, line: bytes) -> None:
    folder = write_journal(tmp_path / "demo" / "run", run_started(), cell_started())
    append_raw(folder, line)
    write_journal(folder, cell_finished(), DONE)
    events: list[str] = []

    def keep(entry: Entry, _state: RunState) -> None:
        events.append(entry.event.text if isinstance(entry.event, Note) else entry.event.type)

    run = RunReader(folder, on_entry=keep).poll()

    assert run.state.damaged_lines == 1
    assert run.state.count(CellStatus.FINISHED) == 1
    [message] = [message.text for message in run.state.messages]
    assert message.startswith(f"warning: line 3 of {FILE_NAME} is damaged and was skipped: ")
    assert len(message) < 200
    assert events == ["run_started", "cell_started", message, "cell_finished", "run_finished"]
    assert outcome_line(run.state) == "1 cell: 1 measured, 1 damaged line"
    assert short_outcome(run.state) == "1 of 1, 1 damaged line"
    assert damage_message(run) == f"{folder / FILE_NAME}: 1 damaged line"
    assert derive_all(folder) is not None


def test_lines_of_newer_versions_are_not_damaged(tmp_path: Path) -> None:
    folder = write_journal(tmp_path, run_started())
    append_raw(folder, f'{{"type":"weather",{HEAD}}}'.encode())
    append_raw(folder, f'{{"type":"note",{HEAD},"text":"a","mood":1}}'.encode())
    state = read_run(folder).state
    assert (state.damaged_lines, [message.text for message in state.messages]) == (0, ["a"])


def test_many_damaged_lines_are_counted_but_only_the_first_are_described(tmp_path: Path) -> None:
    folder = write_journal(tmp_path, run_started())
    append_raw(folder, *[b"?"] * 100)
    state = read_run(folder).state
    assert (state.damaged_lines, len(state.messages)) == (100, 3)


def test_damage_of_a_growing_journal_is_counted_once(tmp_path: Path) -> None:
    folder = write_journal(tmp_path, run_started())
    append_raw(folder, b"?")
    reader = RunReader(folder)
    assert reader.poll().state.damaged_lines == 1
    append_raw(folder, b"?", b"?")
    run = reader.poll()
    assert run.state.damaged_lines == 3
    assert "line 3 " in run.state.messages[1].text
    assert reader.poll() is run


@pytest.mark.parametrize("end", [(), (DONE,)], ids=["killed", "done"])
def test_a_cell_whose_only_result_is_damaged_is_remaining(
    tmp_path: Path, end: tuple[RunFinished, ...]
) -> None:
    folder = write_journal(tmp_path / "demo" / "run", run_started(), cell_started())
    append_raw(folder, finished_line(measured_s=None))
    write_journal(folder, *end)

    run = read_run(folder)

    assert [cell.cell.key for cell in run.state.outstanding] == ["m1_u2_s2"]
    assert damage_message(run) == (
        f"{folder / FILE_NAME}: 1 damaged line; m1_u2_s2 has no readable result. To measure: "
        "loadbench-tui run --resume demo/run"
    )


def test_an_attempt_with_damaged_lines_can_be_read(tmp_path: Path) -> None:
    folder = write_journal(tmp_path, run_started(), cell_started(), sample())
    append_raw(folder, b'{"type":"sample"', f'{{"type":"cell_started",{HEAD}}}'.encode())
    write_journal(folder, sample(second=1))
    kinds = [entry.event.type for entry in read_attempt(folder, "m1_u2_s2")]
    assert kinds == ["run_started", "cell_started", "sample"]


def test_a_second_first_line_does_not_discard_the_results(tmp_path: Path) -> None:
    events = (run_started(), cell_started(), cell_finished(), DONE)
    folder = write_journal(tmp_path, *events, *reversed(events), DONE, cell_finished())
    run = read_run(folder)
    assert run.state.count(CellStatus.FINISHED) == 1
    assert run.status.value == "done"


def test_a_damaged_run_can_be_labelled_and_found_by_its_label(tmp_path: Path) -> None:
    folder = write_journal(tmp_path / "demo" / "20261122-072100", run_started())
    append_raw(folder, b"[" * 100_000)
    set_label(folder, "mine")
    assert find_run("mine", tmp_path).folder == folder


# Unreadable journals


def make_folder(path: Path) -> None:
    path.mkdir()


def make_loop(path: Path) -> None:
    path.symlink_to(path)


def make_damaged(path: Path) -> None:
    path.write_bytes(b'{"type":"run_started"}\n')


UNREADABLE: dict[str, tuple[Callable[[Path], object], str]] = {
    "folder": (make_folder, os.strerror(errno.EISDIR)),
    "FIFO": (os.mkfifo, "Not a regular file"),
    "link to itself": (make_loop, os.strerror(errno.ELOOP)),
    "device": (lambda path: path.symlink_to("/dev/zero"), "Not a regular file"),
    "broken link": (lambda path: path.symlink_to("nothing"), os.strerror(errno.ENOENT)),
    "damaged first line": (make_damaged, r":1: damaged line \(v: not a number\)"),
    "empty file": (lambda path: path.touch(), "no run_started event found"),
}


@pytest.mark.timeout(30)
@pytest.mark.parametrize(("make", "reason"), UNREADABLE.values(), ids=UNREADABLE)
def test_an_unreadable_journal_has_a_message_and_hides_no_other_run(
    stage: Stage, make: Callable[[Path], object], reason: str
) -> None:
    stage.add_run("demo")
    folder = stage.root / "reports" / "demo" / "20261125-000000"
    folder.mkdir()
    make(folder / FILE_NAME)

    assert not is_held(folder)
    with pytest.raises(JournalError, match=reason) as caught:
        read_run(folder)
    assert str(caught.value).startswith(str(folder / FILE_NAME))
    assert "Restore the file" in str(caught.value)
    catalog = CatalogReader(stage.workspace).read()
    assert catalog is not None
    assert len(catalog.runs) == 1
    assert catalog.unreadable == (str(caught.value),)


# Fuzzing


def mutated(value: Any, chance: random.Random) -> Any:
    """Return a JSON value with one nasty value, a missing key or a duplicate somewhere in it."""
    if isinstance(value, dict) and value and chance.random() < 0.9:
        key = chance.choice(list(value))
        if chance.random() < 0.1:
            return {name: value[name] for name in value if name != key}
        return {**value, key: mutated(value[key], chance)}
    if isinstance(value, list) and value and chance.random() < 0.8:
        index = chance.randrange(len(value))
        if chance.random() < 0.1:
            return value * 2
        return [*value[:index], mutated(value[index], chance), *value[index + 1 :]]
    return chance.choice(NASTY)


def damaged(lines: list[bytes], chance: random.Random) -> list[bytes]:
    """Return the lines of a journal with up to three damages."""
    lines = list(lines)
    for _ in range(chance.randint(1, 3)):
        # The first line, which most of the others depend on, more often than others.
        index = 0 if chance.random() < 0.1 else chance.randrange(len(lines))
        match chance.randrange(8):
            case 0:
                cut = chance.randrange(len(lines[index]) + 1)
                lines[index] = lines[index][:cut]
            case 1:
                lines.insert(chance.randrange(len(lines)), lines[index])
            case 2:
                del lines[index]
            case _:
                try:
                    fields = mutated(json.loads(lines[index]), chance)
                except ValueError:
                    continue
                lines[index] = json.dumps(fields).replace('"1e400"', "1e400").encode()
        if not lines:
            break
    return lines


EXAMPLES = int(os.environ.get("LOADBENCH_FUZZ", "30"))


@pytest.mark.parametrize("name", GOLDEN)
def test_no_damage_makes_a_view_fail(tmp_path: Path, name: str) -> None:
    golden = (JOURNALS / f"{name}.jsonl").read_bytes().splitlines()
    short = [line for line in golden if b'"sample"' not in line[:20]]
    for seed in range(EXAMPLES):
        chance = random.Random(f"{name}{seed}")
        lines = damaged(golden if seed % 10 == 0 else short, chance)
        (tmp_path / FILE_NAME).write_bytes(b"".join(line + b"\n" for line in lines))
        try:
            derive_all(tmp_path)
        except Exception as error:  # noqa: BLE001  # name the seed
            pytest.fail(f"seed {seed}: {error!r}")
