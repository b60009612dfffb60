"""The journal: format of its lines, its lock, its writer and its reader."""

import fcntl
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loadbench.engine.hardware.revision import Revision
from loadbench.engine.journal.codec import FILE_NAME, VERSION
from loadbench.engine.journal.events import (
    MAX_VALUE,
    CellPhase,
    CellsPlanned,
    Container,
    Containers,
    Event,
    Note,
    Phase,
    Result,
    RunFinished,
    RunLabelled,
    RunResumed,
    RunStarted,
    Sample,
)
from loadbench.engine.journal.label import clean_label
from loadbench.engine.journal.lock import is_held
from loadbench.engine.journal.reader import JournalReader
from loadbench.engine.journal.state import EMPTY, fold
from loadbench.engine.journal.writer import RESERVE_BYTES, RESERVE_NAME, JournalWriter
from loadbench.engine.profile.levels import Closed
from loadbench.engine.profile.plan import Cell
from loadbench.engine.run_reader import read_run
from loadbench.errors import DiskFullError, JournalError
from tests.support.builders import (
    cell_failed,
    cell_finished,
    cell_skipped,
    cell_started,
    make_profile,
    requests,
    run_started,
    sample,
    write_journal,
)

KINDS = get_args(Event)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
objects = st.dictionaries(st.text(), json_values, max_size=3)
st.register_type_strategy(float, st.floats(1, MAX_VALUE))
st.register_type_strategy(int, st.integers(1, 2**31 - 1))

levels = st.builds(Closed, users=st.integers(1, 10**9), spawn_rate=st.floats(0.001, 10**9))
numbers = st.integers(1, 10**6)
cells = st.lists(
    st.builds(Cell, models=numbers, level=levels, repeat=numbers, recheck=st.booleans()),
    max_size=3,
).map(tuple)


def any_event(kind: type) -> st.SearchStrategy[Event]:
    """Generate events of a type with any valid field values."""
    special: dict[str, st.SearchStrategy[Any]] = {}
    if kind is RunStarted:
        special = {"v": st.just(VERSION), "profile": objects, "hardware": objects, "cells": cells}
    elif kind is RunResumed:
        special = {"hardware": objects, "added": cells}
    elif kind is CellsPlanned:
        special = {"cells": cells}
    if kind in (RunStarted, RunLabelled):
        special["label"] = st.text().map(clean_label)
    return st.builds(kind, **special)


def events_of(folder: Path) -> list[Event]:
    """Return the events that a new viewer reads."""
    return [entry.event for entry in JournalReader(folder).poll()]


def append_raw(folder: Path, data: bytes) -> None:
    """Append bytes to a journal, bypassing its writer."""
    with (folder / FILE_NAME).open("ab") as file:
        file.write(data)


# Lines


def test_an_event_is_one_line_that_starts_with_its_type(tmp_path: Path) -> None:
    write_journal(tmp_path, run_started(), Note(text="two\nlines"))
    first, second = (tmp_path / FILE_NAME).read_text(encoding="utf-8").splitlines()
    assert list(json.loads(first))[:5] == ["type", "seq", "at", "elapsed_s", "v"]
    assert list(json.loads(second)) == ["type", "seq", "at", "elapsed_s", "text"]
    assert second.startswith('{"type":"note","seq":2,')


def test_unknown_values_of_containers_are_omitted_and_zeros_are_kept(tmp_path: Path) -> None:
    unknown = Container(name="a", service="a", state="running")
    known = replace(unknown, received_bytes=0)
    rounded = replace(unknown, received_bytes=4700, received_error_bytes=5)
    write_journal(tmp_path, Containers(containers=(unknown, known, rounded)))

    [line] = (tmp_path / FILE_NAME).read_text(encoding="utf-8").splitlines()

    fields = json.loads(line)["containers"]
    names = ("received_bytes", "received_error_bytes")
    assert [[one.get(name) for name in names] for one in fields] == [
        [None, None],
        [0, None],
        [4700, 5],
    ]
    assert not set(names) & set(fields[0])


def test_revisions_are_recorded_unless_there_are_none(tmp_path: Path) -> None:
    revision = Revision(folder="/project", commit="0123456789" * 4)
    for folder, revisions in ((tmp_path / "none", ()), (tmp_path / "one", (revision,))):
        write_journal(folder, replace(run_started(), revisions=revisions))
        line = (folder / FILE_NAME).read_text(encoding="utf-8")
        assert ("revisions" in json.loads(line)) == bool(revisions)
        started = read_run(folder).state.started
        assert started is not None
        assert started.revisions == revisions


def test_times_are_utc_in_milliseconds_and_seconds_since_the_writer_was_opened(
    tmp_path: Path,
) -> None:
    clock = iter((100.0, 100.0, 101.23456))
    writer = JournalWriter(tmp_path, clock=lambda: next(clock))
    first, second = writer.append(Note(text="a")), writer.append(Note(text="b"))
    writer.close()
    assert (first.elapsed_s, second.elapsed_s) == (0.0, 1.235)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", first.at)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.type)
@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_events_survive_a_round_trip(kind: type, data: st.DataObject) -> None:
    event = data.draw(any_event(kind))
    with tempfile.TemporaryDirectory() as name:
        writer = JournalWriter(Path(name))
        written = writer.append(event)
        writer.close()
        assert JournalReader(Path(name)).poll() == [written]
    assert written.event == event


def test_a_lone_surrogate_is_replaced(tmp_path: Path) -> None:
    write_journal(tmp_path, Note(text="a\ud800b"))
    assert events_of(tmp_path) == [Note(text="a?b")]


# Reading


def test_an_incomplete_line_is_not_read(tmp_path: Path) -> None:
    write_journal(tmp_path, run_started())
    append_raw(tmp_path, b'{"type":"note","se')
    assert events_of(tmp_path) == [run_started()]


def test_a_reader_continues_where_it_stopped(tmp_path: Path) -> None:
    writer = JournalWriter(tmp_path)
    reader = JournalReader(tmp_path)
    assert reader.poll() == []
    for text in ("a", "b"):
        written = writer.append(Note(text=text))
        assert reader.poll() == [written]
        assert reader.poll() == []
    writer.close()


def test_a_reader_skips_a_torn_line_that_the_next_writer_removes(tmp_path: Path) -> None:
    write_journal(tmp_path, Note(text="a"))
    append_raw(tmp_path, b'{"type":"note","seq":2,"text":"never whole')
    reader = JournalReader(tmp_path)
    assert [entry.event for entry in reader.poll()] == [Note(text="a")]
    write_journal(tmp_path, Note(text="b"))
    assert [entry.event for entry in reader.poll()] == [Note(text="b")]


def test_unknown_types_and_fields_are_skipped(tmp_path: Path) -> None:
    write_journal(tmp_path, Note(text="a"))
    stamp = '"seq":2,"at":"2026-11-22T07:21:00.000Z","elapsed_s":1'
    append_raw(tmp_path, f'{{"type":"weather",{stamp},"sun":true}}\n'.encode())
    append_raw(tmp_path, f'{{"type":"note",{stamp},"text":"b","mood":"good"}}\n'.encode())
    assert events_of(tmp_path) == [Note(text="a"), Note(text="b")]


def test_an_unsupported_major_version_is_an_error_with_advice(tmp_path: Path) -> None:
    write_journal(tmp_path, run_started())
    file = tmp_path / FILE_NAME
    file.write_text(file.read_text().replace(f'"v":{VERSION},', '"v":9,'))
    with pytest.raises(JournalError, match=r"version 9 .*reads 1.* newer one"):
        JournalReader(tmp_path).poll()


@pytest.mark.parametrize(
    "line",
    [
        b"no json",
        b"[]",
        b"5",
        b'{"seq":1}',
        b'{"type":"note"}',
        b'{"type":"cell_finished","seq":1}',
    ],
)
def test_an_invalid_line_is_skipped(tmp_path: Path, line: bytes) -> None:
    write_journal(tmp_path, run_started())
    append_raw(tmp_path, line + b"\n")
    assert events_of(tmp_path) == [run_started()]


def test_a_damaged_first_line_is_an_error_with_its_line_and_advice(tmp_path: Path) -> None:
    append_raw(tmp_path, b'{"type":"run_started","v":1}\n')
    write_journal(tmp_path, Note(text="a"))
    expected = r"journal\.jsonl:1: damaged line \(seq: .*\)\. .*Restore the file"
    with pytest.raises(JournalError, match=expected):
        read_run(tmp_path)


def test_a_missing_journal_is_an_error_with_its_path(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match=r"journal\.jsonl: cannot be read: No such file"):
        JournalReader(tmp_path).poll()


def test_a_long_journal_is_streamed(tmp_path: Path) -> None:
    long = requests(tuple((float(ms), 1) for ms in range(1, 1001)))
    write_journal(tmp_path, run_started(), *(sample(second=i, requests=long) for i in range(400)))
    append_raw(tmp_path, b'{"type":"sample","torn')
    reader = JournalReader(tmp_path)

    tracemalloc.start()
    read = sum(isinstance(entry.event, Sample) for entry in reader.decode_all(reader.wanted()))
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert read == 400
    assert peak_bytes < (tmp_path / FILE_NAME).stat().st_size / 4
    write_journal(tmp_path, Note(text="after the torn line"))
    assert [entry.event for entry in reader.poll()] == [Note(text="after the torn line")]


def test_unconsumed_lines_are_returned_by_the_next_call(tmp_path: Path) -> None:
    write_journal(tmp_path, *(Note(text=str(number)) for number in range(4)))
    reader = JournalReader(tmp_path)

    first = next(reader.lines())

    assert [reader.decode(line) for line in [first, *reader.lines()]] == [
        *JournalReader(tmp_path).poll()
    ]


# Samples of ended cells


@pytest.mark.parametrize("end", [cell_finished(), cell_failed(), cell_started(attempt=2)])
def test_samples_of_an_ended_cell_are_dropped(tmp_path: Path, end: Event) -> None:
    write_journal(tmp_path, run_started(), cell_started(), sample(second=0), end)
    assert events_of(tmp_path) == [run_started(), cell_started(), end]


def test_samples_of_the_current_cell_are_read(tmp_path: Path) -> None:
    current: list[Event] = [cell_started("m2_u2_s2"), sample("m2_u2_s2", 0), sample("m2_u2_s2", 1)]
    write_journal(tmp_path, run_started(), cell_started(), sample(), cell_finished(), *current)
    assert events_of(tmp_path)[-3:] == current


def test_skipping_another_cell_keeps_the_samples_of_the_current_cell(tmp_path: Path) -> None:
    write_journal(tmp_path, run_started(), cell_started(), sample(), cell_skipped("m2_u2_s2"))
    assert sample() in events_of(tmp_path)


def test_samples_are_read_one_by_one(tmp_path: Path) -> None:
    writer = JournalWriter(tmp_path)
    reader = JournalReader(tmp_path)
    for second in range(3):
        written = writer.append(sample(second=second))
        assert reader.poll() == [written]
    writer.close()


PROFILE = make_profile(models=[1, 2, 3])
KEYS = ("m1_u2_s2", "m2_u2_s2", "m3_u2_s2")


@st.composite
def runs(draw: st.DrawFn) -> list[Event]:
    """Generate events that a runner may write: successive attempts with other events between."""
    written: list[Event] = [run_started(PROFILE)]
    for attempt, key in enumerate(draw(st.lists(st.sampled_from(KEYS), max_size=5)), start=1):
        written += [cell_started(key, attempt), CellPhase(cell=key, phase=Phase.MEASURING)]
        for second in range(draw(st.integers(0, 3))):
            written.append(sample(key, second, requests=requests(((float(second + 1), 1),))))
            others = [cell_skipped(other) for other in KEYS if other != key]
            written += draw(st.sampled_from([[], [], [Note(text="n")], others[:1], others]))
        resumed = RunResumed(pid=1, retry=KEYS[:1], hardware={}, versions={})
        ends = [cell_finished(key, attempt), cell_failed(key, attempt), cell_skipped(key, attempt)]
        written += draw(st.sampled_from([[], [resumed], *[[end] for end in ends]]))
    return written


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(written=runs(), cuts=st.lists(st.floats(0, 1)))
def test_following_and_reading_once_give_the_same_run(
    written: list[Event], cuts: list[float]
) -> None:
    with tempfile.TemporaryDirectory() as name:
        whole = write_journal(Path(name) / "whole", *written)
        data = (whole / FILE_NAME).read_bytes()
        followed = Path(name)
        (followed / FILE_NAME).touch()
        reader, state, size = JournalReader(followed), EMPTY, 0
        for end in sorted(int(cut * len(data)) for cut in [*cuts, 1.0]):
            append_raw(followed, data[size:end])
            state, size = fold(reader.poll(), state), end
        assert state == fold(JournalReader(whole).poll())
        complete = fold(reader.decode_all(data.splitlines()))
        assert (state.cells, state.samples) == (complete.cells, complete.samples)


# Writing


def test_the_next_writer_removes_a_torn_line_and_continues_the_numbering(
    tmp_path: Path,
) -> None:
    write_journal(tmp_path, Note(text="a"), Note(text="b"))
    append_raw(tmp_path, b'{"type":"note","text":"' + 100_000 * b"x")
    write_journal(tmp_path, Note(text="c"))
    found = JournalReader(tmp_path).poll()
    assert [entry.event for entry in found] == [Note(text="a"), Note(text="b"), Note(text="c")]
    assert [entry.seq for entry in found] == [1, 2, 3]


def test_a_journal_with_only_a_torn_line_is_emptied(tmp_path: Path) -> None:
    append_raw(tmp_path, b'{"type":"run_st')
    write_journal(tmp_path, Note(text="a"))
    assert [entry.seq for entry in JournalReader(tmp_path).poll()] == [1]


def test_a_second_writer_is_refused_while_the_first_is_open(tmp_path: Path) -> None:
    first = JournalWriter(tmp_path)
    first.append(Note(text="a"))
    with pytest.raises(JournalError, match="another process is executing this run"):
        JournalWriter(tmp_path)
    first.append(Note(text="b"))
    first.close()
    write_journal(tmp_path, Note(text="c"))
    assert events_of(tmp_path) == [Note(text="a"), Note(text="b"), Note(text="c")]


def test_a_refused_writer_changes_nothing(tmp_path: Path) -> None:
    first = JournalWriter(tmp_path)
    append_raw(tmp_path, b"half a li")
    with pytest.raises(JournalError):
        JournalWriter(tmp_path)
    assert (tmp_path / FILE_NAME).read_bytes() == b"half a li"
    assert (tmp_path / RESERVE_NAME).stat().st_size == RESERVE_BYTES
    first.close()


HOLD = """
import sys
from pathlib import Path
from loadbench.engine.profile.levels import Closed
from loadbench.engine.profile.plan import Cell
from loadbench.engine.journal.writer import JournalWriter
writer = JournalWriter(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


def test_the_lock_is_released_when_its_process_is_killed(tmp_path: Path) -> None:
    argv = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"held\n"
        assert is_held(tmp_path)
        child.kill()
    assert not is_held(tmp_path)
    write_journal(tmp_path, Note(text="a"))


def test_the_lock_is_held_while_the_writer_is_open(tmp_path: Path) -> None:
    assert not is_held(tmp_path)
    for _ in range(2):
        writer = JournalWriter(tmp_path)
        assert is_held(tmp_path)
        writer.close()
        assert not is_held(tmp_path)


def test_the_lock_of_an_unreadable_journal_is_unknown(tmp_path: Path) -> None:
    assert not is_held(tmp_path / "missing", if_unreadable=True)
    (tmp_path / FILE_NAME).symlink_to(FILE_NAME)  # a loop, which even root cannot open
    assert is_held(tmp_path, if_unreadable=True)
    assert not is_held(tmp_path)


def test_two_viewers_can_probe_the_lock_at_the_same_time(
    tmp_path: Path,
) -> None:
    write_journal(tmp_path, Note(text="a"))
    with (tmp_path / FILE_NAME).open() as other:
        fcntl.flock(other, fcntl.LOCK_SH)
        assert not is_held(tmp_path)


def test_the_writer_follows_a_renamed_folder(tmp_path: Path) -> None:
    hidden, folder = tmp_path / ".run.new", tmp_path / "run"
    hidden.mkdir()
    writer = JournalWriter(hidden)
    hidden.rename(folder)
    writer.moved_to(folder)
    writer.append(Note(text="a"))
    writer.close()
    assert events_of(folder) == [Note(text="a")]
    assert [path.name for path in folder.iterdir()] == [FILE_NAME]


def test_a_missing_folder_is_a_journal_error(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="gone"):
        JournalWriter(tmp_path / "gone")


# A full disk


@contextmanager
def max_file_size(size: int) -> Iterator[None]:
    """Limit the file size of this process: a write is cut short at the limit, then fails."""
    former = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, former[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, former)


def test_a_partly_written_line_is_removed(tmp_path: Path) -> None:
    writer = JournalWriter(tmp_path)
    writer.append(Note(text="a"))
    with (
        max_file_size((tmp_path / FILE_NAME).stat().st_size + 20),
        pytest.raises(DiskFullError, match="no space left on the disk"),
    ):
        writer.append(Note(text="b"))
    assert (tmp_path / FILE_NAME).read_bytes().endswith(b'"text":"a"}\n')
    assert writer.append(Note(text="c")).seq == 2
    writer.close()


def test_a_journal_without_space_for_its_reserve_is_refused(tmp_path: Path) -> None:
    with max_file_size(RESERVE_BYTES // 2), pytest.raises(DiskFullError):
        JournalWriter(tmp_path)
    assert not (tmp_path / RESERVE_NAME).exists()
    assert not is_held(tmp_path)


FILL = """
import shutil, sys
from pathlib import Path
from loadbench.engine.journal.events import Note, Result, RunFinished
from loadbench.engine.profile.levels import Closed
from loadbench.engine.profile.plan import Cell
from loadbench.engine.journal.writer import JournalWriter
from loadbench.errors import DiskFullError
disk, copies = Path(sys.argv[1]), Path(sys.argv[2])
end = RunFinished(result=Result.ABORTED, reason=500 * "y")
writer = JournalWriter(disk)
try:
    while True:
        writer.append(Note(text=300 * "x"))
except DiskFullError:
    shutil.copy(disk / "journal.jsonl", copies / "full.jsonl")
try:
    writer.append(end)
except DiskFullError:
    print("no room before the reserve is released")
writer.release_reserve()
writer.append(end)
writer.close()
shutil.copy(disk / "journal.jsonl", copies / "journal.jsonl")
"""
SMALL_DISK = 'mount -t tmpfs -o size=256k tmpfs "$0" && exec "$@"'
NAMESPACE = ("unshare", "--map-root-user", "--mount", "sh", "-c", SMALL_DISK)


def test_the_end_of_the_run_is_written_even_on_a_full_disk(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if not shutil.which("unshare") or subprocess.run([*NAMESPACE, disk, "true"]).returncode:
        pytest.skip("cannot mount a small file system here")
    argv = [*NAMESPACE, str(disk), sys.executable, "-c", FILL, str(disk), str(tmp_path)]
    out = subprocess.run(argv, check=True, capture_output=True, text=True).stdout
    assert out == "no room before the reserve is released\n"
    full = (tmp_path / "full.jsonl").read_bytes()
    assert full.endswith(b'x"}\n')
    *notes, last = events_of(tmp_path)
    assert last == RunFinished(result=Result.ABORTED, reason=500 * "y")
    assert notes == full.count(b"\n") * [Note(text=300 * "x")]


def test_other_write_errors_are_journal_errors(tmp_path: Path) -> None:
    writer = JournalWriter(tmp_path)
    os.close(writer._fd)
    writer._fd = os.open(tmp_path / FILE_NAME, os.O_RDONLY)
    with pytest.raises(JournalError, match="Bad file descriptor"):
        writer.append(Note(text="a"))
    writer.close()
