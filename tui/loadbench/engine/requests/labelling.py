"""Change the label of a run, live or not."""

import time
from dataclasses import dataclass
from pathlib import Path

from loadbench.engine.journal.codec import Entry
from loadbench.engine.journal.commands import new_identity, send_command
from loadbench.engine.journal.events import CommandAnswered, RunLabelled
from loadbench.engine.journal.label import read_label
from loadbench.engine.journal.lock import is_held
from loadbench.engine.journal.state import RunState
from loadbench.engine.journal.writer import JournalWriter
from loadbench.engine.report.export.summary import JSON_NAME, write_summary
from loadbench.engine.run_reader import RunReader
from loadbench.errors import JournalError, SummaryKeptError
from loadbench.paths import is_file

ANSWER_TIMEOUT_S = 10.0
"""Maximum seconds to wait for the runner, which does not answer while it removes containers."""
_POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class Labelled:
    """A run has a new label."""

    label: str
    warning: str = ""
    """Why `summary.json` still has the previous label. Empty if it does not."""


def set_label(folder: Path, text: str) -> Labelled:
    """Change the label of a run.

    The runner of a live run writes the change. For any other run, this process writes it to the
    journal and to an existing `summary.json`. Can take seconds.

    Args:
        folder: The run's folder.
        text: The label. An empty text removes it.

    Raises:
        UsageError: The label is invalid; see `read_label`.
        JournalError: The journal cannot be read or written, or the runner does not answer.
    """
    label = read_label(text)
    if is_held(folder) and _is_set_by_runner(folder, label):
        return Labelled(label)
    return Labelled(label, _write(folder, label))


def _is_set_by_runner(folder: Path, label: str) -> bool:
    """Send the label to the runner, and return whether it has set the label.

    Returns False once there is no runner, because the run has ended meanwhile.
    """
    identity, answers = new_identity(), list[CommandAnswered]()

    def keep_answer(entry: Entry, _state: RunState) -> None:
        if isinstance(entry.event, CommandAnswered) and entry.event.id == identity:
            answers.append(entry.event)

    reader = RunReader(folder, max_samples=0, on_entry=keep_answer)
    reader.poll()
    send_command(folder, "label", args={"text": label}, identity=identity)
    deadline = time.monotonic() + ANSWER_TIMEOUT_S
    while True:
        run = reader.poll()
        if answers and answers[0].accepted:
            return True
        if not run.is_held:
            return False
        if time.monotonic() > deadline:
            reason = answers[0].message if answers else "the runner does not respond"
            raise JournalError(f"cannot change the label of {run.name}: {reason}. Try again later")
        time.sleep(_POLL_S)


def _write(folder: Path, label: str) -> str:
    """Write the label, and return a warning if the summary is kept."""
    reader = RunReader(folder, max_samples=0)
    # Read first: the writer would create a missing journal, and truncate one that is no journal.
    reader.poll()
    writer = JournalWriter(folder)
    try:
        writer.append(RunLabelled(label=label))
        if is_file(folder / JSON_NAME):
            # Under the lock, so that a resumed run does not write its summary at the same time.
            write_summary(reader.poll().state, folder)
    except SummaryKeptError as error:
        return str(error)
    finally:
        writer.close()
    return ""
