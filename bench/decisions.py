"""Check the recommendation of planted runs: capacity, "stop at N", knee, next step and doubts.

    .venv/bin/python -m bench.decisions [--seed 18] [--write FOLDER]

Prints one line per shape and whether all of it is right. Seven planted wrong expectations, one for
each field, must be refused. `--write` saves each run as a journal, which is how
`tests/journals/decisions` was made.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.decision_shapes import SHAPES, WRONG, Expected, events_of
from loadbench.engine.journal.codec import Entry, encode
from loadbench.engine.journal.events import Event
from loadbench.engine.journal.state import RunState, fold
from loadbench.engine.report.recommendation.recommend import Recommendation, recommendation_of
from loadbench.engine.report.recommendation.sentences import sentences

DEFAULT_SEED = 18


def main() -> None:
    """Check all shapes, and exit with 1 if one is wrong or a planted one is accepted."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED)
    parser.add_argument("--write", type=Path, metavar="FOLDER", help="save the journals")
    options = parser.parse_args()
    print(f"seed {options.seed}, {len(SHAPES)} shapes")
    wrong = 0
    for name, shape in SHAPES.items():
        entries = entries_of(events_of(name, shape, options.seed))
        if options.write:
            options.write.mkdir(parents=True, exist_ok=True)
            (options.write / f"{name}.jsonl").write_bytes(b"".join(map(encode, entries)))
        errors = check(fold(entries), shape.expected)
        wrong += bool(errors)
        print(f"{name:17} {'; '.join(errors) or 'right'}")
    linear = fold(entries_of(events_of("linear", SHAPES["linear"], options.seed)))
    accepted = [name for name, expected in WRONG.items() if len(check(linear, expected)) != 1]
    planted = f"planted wrong ones: {len(WRONG) - len(accepted)} of {len(WRONG)} refused"
    print(f"{len(SHAPES) - wrong} of {len(SHAPES)} right, {planted}")
    sys.exit(bool(wrong or accepted))


def entries_of(events: Sequence[Event]) -> list[Entry]:
    """Return events as journal entries, one second apart."""
    return [
        Entry(
            seq=seq,
            at=f"2026-11-30T{12 + seq // 3600:02}:{seq // 60 % 60:02}:{seq % 60:02}.000Z",
            elapsed_s=float(seq),
            event=event,
        )
        for seq, event in enumerate(events, start=1)
    ]


def check(state: RunState, expected: Expected) -> list[str]:
    """Return how the recommendation of a run differs from the expected one."""
    found = recommendation_of(state)
    assert found is not None
    errors = []
    for name, actual, wanted in (
        ("best", found.best.models if found.best else None, expected.best),
        ("capacity", _capacities(found), dict(expected.capacity)),
        ("stop at", found.scaling.stop_at, expected.stop_at),
        ("knee", _knees(found), dict(expected.knee)),
    ):
        if actual != wanted:
            errors.append(f"{name} {actual}, expected {wanted}")
    if expected.next_step not in found.next_step or (not expected.next_step and found.next_step):
        errors.append(f"next step {found.next_step!r}, expected {expected.next_step!r}")
    unexpected = [
        doubt for doubt in found.doubts if not any(text in doubt for text in expected.doubts)
    ]
    missing = [text for text in expected.doubts if not any(text in doubt for doubt in found.doubts)]
    errors += [f"unexpected doubt {doubt!r}" for doubt in unexpected]
    errors += [f"missing doubt {text!r}" for text in missing]
    full = " ".join(sentences(found))
    errors += [f"{text!r} is not in {full!r}" for text in expected.sentences if text not in full]
    return errors


def _capacities(found: Recommendation) -> dict[int, int | None]:
    if not found.has_goals:
        return {}
    return {
        one.models: int(one.capacity.amount) if one.capacity else None
        for one in found.configurations
    }


def _knees(found: Recommendation) -> dict[int, int | None]:
    return {
        step.models: int(step.knee.amount) if step.knee else None for step in found.scaling.steps
    }


if __name__ == "__main__":
    main()
