"""Make the journal of a new verdict rule, for tests/journals/verdicts.

    .venv/bin/python -m bench.verdict_journal RULE [KEY=VALUE...] [--journal FILE]

Copies the journal of a run, by default tests/journals/verdicts/valid.jsonl, changes fields of its
last `cell_finished`, and writes tests/journals/verdicts/RULE.jsonl with the verdict and the
findings of the current rules. KEY is a path such as `circumstances.clock_jump_ms` or
`requests.0.method`, VALUE is JSON. `samples.KEY` changes that field of every sample instead: the
conditions of containers, service and machine must follow from the samples.

Where the fault can be caused, prefer the journal of a real run with that single fault, without
changes: `--journal reports/PROFILE/RUN/journal.jsonl`. The path of its workspace is replaced;
check the file for other names of your machine.
"""

import argparse
import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from loadbench.engine.measure.rules.registry import RULES
from loadbench.engine.report.verdicts import judge_in_run
from loadbench.engine.run_reader import read_run
from tests.support.golden import VERDICTS
from tests.support.harness import REPOSITORY

SHOWN_WORKSPACE = "/workspace"
"""Replaces the path of the workspace."""
SAMPLES = "samples."

Entry = dict[str, Any]
"""A line of a journal."""


def main() -> None:
    """Write the journal, print its findings, and exit with 1 if they are not only the rule's."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("rule", choices=sorted(RULES), metavar="RULE")
    parser.add_argument("changes", nargs="*", metavar="KEY=VALUE")
    parser.add_argument("--journal", type=Path, default=VERDICTS / "valid.jsonl", metavar="FILE")
    options = parser.parse_intermixed_args()
    try:
        entries = [json.loads(line) for line in options.journal.read_text("utf-8").splitlines()]
    except (OSError, ValueError) as error:
        parser.error(f"{options.journal}: {error}")
    finished = [entry for entry in entries if entry["type"] == "cell_finished"]
    samples = [entry for entry in entries if entry["type"] == "sample"]
    if not finished:
        parser.error(f"{options.journal} has no cell_finished")
    for change in options.changes:
        key, _, value = change.partition("=")
        try:
            for entry in samples if key.startswith(SAMPLES) else finished[-1:]:
                set_field(entry, key.removeprefix(SAMPLES), json.loads(value))
        except (ValueError, LookupError, TypeError) as error:
            parser.error(f"{change}: {type(error).__name__}: {error}")
    rules = judge_last_cell(entries)
    print(f"{finished[-1]['cell']}: {finished[-1]['verdict']}")
    for reason in finished[-1]["reasons"]:
        print(f"  {reason}")
    if rules != [options.rule]:
        print(f"Only {options.rule} may apply, not {', '.join(rules) or 'no rule'}: change more")
        sys.exit(1)
    file = VERDICTS / f"{options.rule}.jsonl"
    file.write_text(_journal(entries), encoding="utf-8")
    print(f"Written to {file.relative_to(REPOSITORY)}")


def set_field(entry: Entry, key: str, value: Any) -> None:
    """Set a field of an entry.

    Args:
        entry: A line of a journal.
        key: Names and indexes, separated by dots.
        value: The new value.

    Raises:
        LookupError: A name or an index does not exist.
    """
    *path, last = key.split(".")
    target: Any = entry
    for part in path:
        target = target[int(part)] if isinstance(target, list) else target[part]
    place: Any = int(last) if isinstance(target, list) else last
    if isinstance(target, dict) and place not in target:
        raise KeyError(place)
    target[place] = value


def judge_last_cell(entries: list[Entry]) -> list[str]:
    """Set verdict, findings and reasons of the last measured cell by the current rules.

    Returns:
        The ids of the rules that apply.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "bench" / "20261127-010009"
        folder.mkdir(parents=True)
        (folder / "journal.jsonl").write_text(_journal(entries), encoding="utf-8")
        state = read_run(folder).state
    [*_, finished] = [entry for entry in entries if entry["type"] == "cell_finished"]
    cell = state.cells[finished["cell"]]
    assert cell.finished is not None
    verdict, findings = judge_in_run(state, cell.cell, cell.finished)
    finished["verdict"] = verdict.value
    finished["findings"] = [asdict(finding) for finding in findings]
    finished["reasons"] = [finding.text for finding in findings]
    return [finding.rule for finding in findings]


def _journal(entries: list[Entry]) -> str:
    lines = (json.dumps(entry, separators=(",", ":"), ensure_ascii=False) for entry in entries)
    text = "".join(f"{line}\n" for line in lines)
    return text.replace(entries[0]["workspace"], SHOWN_WORKSPACE)


if __name__ == "__main__":
    main()
