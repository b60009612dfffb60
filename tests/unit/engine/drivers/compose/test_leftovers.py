"""Whether containers of other runs in a project may be removed."""

from pathlib import Path

from loadbench.engine.drivers.compose.leftovers import using_run
from loadbench.engine.journal.codec import FILE_NAME
from loadbench.engine.journal.writer import JournalWriter


def test_containers_of_runs_that_have_ended_may_be_removed(tmp_path: Path) -> None:
    (tmp_path / "ended").mkdir()
    JournalWriter(tmp_path / "ended").close()
    assert using_run("p", [tmp_path / "ended", tmp_path / "missing"]) is None


def test_containers_of_a_live_run_may_not_be_removed(tmp_path: Path) -> None:
    writer = JournalWriter(tmp_path)
    expected = f"the run {tmp_path} uses containers of p; stop that run first"
    assert using_run("p", [tmp_path / "missing", tmp_path]) == expected
    writer.close()


def test_a_run_whose_journal_cannot_be_read_may_be_live(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).symlink_to(FILE_NAME)  # a loop, which even root cannot open
    message = using_run("p", [tmp_path])
    assert message is not None
    assert "may use containers of p, but its journal cannot be read" in message
    assert "`docker compose -p p down`" in message
