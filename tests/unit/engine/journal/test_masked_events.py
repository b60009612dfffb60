"""Events are written and kept without secret values."""

from pathlib import Path

from loadbench.engine.journal.codec import FILE_NAME
from loadbench.engine.journal.events import CellFailed, ErrorCount, Event, Note, Requests
from loadbench.engine.journal.reader import JournalReader
from loadbench.engine.journal.state import fold
from loadbench.engine.journal.writer import JournalWriter
from loadbench.engine.masking import MASK, Masker
from loadbench.engine.report.export.summary import summary_csv, summary_json
from tests.support.builders import cell_finished, cell_started, make_profile, run_started

SECRET = 's3cret "pass"\\w/örd'


def test_an_event_with_a_secret_is_masked_in_the_journal_and_in_the_entry(tmp_path: Path) -> None:
    writer = JournalWriter(tmp_path, masker=Masker([SECRET]))
    requests = (Requests(method="GET", name=f"/x?key={SECRET}", successes=((10.0, 300),)),)
    finished = cell_finished(
        requests=requests,
        errors=(ErrorCount(error=f"wrong {SECRET}", count=3),),
        exceptions=(ErrorCount(error=repr(SECRET), count=1),),
    )
    events: list[Event] = [
        run_started(make_profile()),
        cell_started(),
        Note(text=f"a note with {SECRET}"),
        finished,
        CellFailed(cell="m1_u2_s2", attempt=2, reason=SECRET, log_lines=("x", SECRET)),
    ]

    entries = [writer.append(event) for event in events]

    writer.close()
    data = (tmp_path / FILE_NAME).read_bytes()
    assert b"s3cret" not in data
    assert JournalReader(tmp_path).poll() == entries
    state = fold(entries)
    assert state.messages[0].text == f"a note with {MASK}"
    assert "s3cret" not in summary_csv(state) + summary_json(state)
    assert data.count(MASK.encode()) == 6


def test_a_secret_in_an_identifier_does_not_break_the_run(tmp_path: Path) -> None:
    writer = JournalWriter(
        tmp_path, masker=Masker(["measuring", "m1_u2", "valid", "model", "demo"])
    )
    events: list[Event] = [run_started(make_profile()), cell_started(), cell_finished()]

    entries = [writer.append(event) for event in events]

    writer.close()
    state = fold(entries)
    assert list(state.cells) == ["m1_u2_s2"]
    assert state.profile == make_profile()


def test_events_without_secrets_are_the_same_object(tmp_path: Path) -> None:
    writer = JournalWriter(tmp_path, masker=Masker([SECRET]))
    event = cell_finished()

    assert writer.append(event).event is event
    writer.close()
