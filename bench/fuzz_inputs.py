"""Feed random and hostile input to everything that reads input, and print counts and failures.

    .venv/bin/python -m bench.fuzz_inputs [--seed 20] [--count 50000] [--only KIND]

The inputs depend only on the seed. The first inputs of each kind are those that once broke the
program. An input fails if it raises an undocumented exception, takes too much time or memory,
prints a traceback or control characters, ends with an undocumented exit code, hides other runs or
loses cells of a summary. `--plant NAME` removes a limit from the program, which must be found.
Exits with 1 if an input failed.

To check another version of the program, put its `tui` folder first in PYTHONPATH.
"""

import argparse
import importlib
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import loadbench
from bench.fuzz.answers import Health, Metrics, ServerTiming
from bench.fuzz.arguments import Arguments
from bench.fuzz.commands import Commands
from bench.fuzz.harness import Kind, Tally
from bench.fuzz.journals import Journals
from bench.fuzz.pool import run_all
from bench.fuzz.profiles import Profiles, Settings

DEFAULT_SEED = 20
KINDS: tuple[type[Kind], ...] = (
    Profiles,
    Settings,
    Arguments,
    Commands,
    Journals,
    Metrics,
    ServerTiming,
    Health,
)
LIMITS = {
    "stage limit": ("loadbench.engine.measure.server_timing", "MAX_STAGE_MS", float("inf")),
    "metric limit": ("loadbench.engine.drivers.metrics", "_MAX_VALUE", float("inf")),
}
"""Module, name and wrong value of a limit."""
PARSER = "parser"
PLANTS = (PARSER, *LIMITS)


def main() -> None:
    """Read all inputs, print the results, and exit with 1 if an input failed."""
    names = [kind.name for kind in KINDS]
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED)
    parser.add_argument("--count", type=int, default=50_000, help="number of inputs")
    parser.add_argument("--only", choices=names, action="append", help="read only this kind")
    parser.add_argument("--workers", type=int, default=2, help="number of processes")
    parser.add_argument("--plant", choices=PLANTS, help="remove a limit, which must be found")
    options = parser.parse_args()
    kinds = [kind for kind in KINDS if kind.name in (options.only or names)]
    counts = shares(kinds, options.count)
    print(f"seed {options.seed}, {sum(counts.values())} inputs, {Path(loadbench.__file__).parent}")
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        tempfile.tempdir = folder
        tallies = run_all(kinds, counts, options.seed, options.workers, plant(options.plant))
        tempfile.tempdir = None
        shutil.rmtree(folder, ignore_errors=True)
        Path(folder).mkdir()
    report(tallies)
    print(f"\n{time.monotonic() - started:.0f} s")
    sys.exit(any(tally.failures for tally in tallies.values()))


def shares(kinds: list[type[Kind]], count: int) -> dict[str, int]:
    """Return the number of inputs of each kind."""
    total = sum(kind.share for kind in kinds)
    counts = {kind.name: round(count * kind.share / total) for kind in kinds}
    counts[kinds[0].name] += count - sum(counts.values())
    return counts


def plant(name: str | None) -> Callable[[], object]:
    """Return a function that removes a limit, or does nothing without a name."""

    def remove_limit() -> None:
        if name == PARSER:
            remove_parser_guard()
        elif name is not None:
            module, attribute, value = LIMITS[name]
            setattr(importlib.import_module(module), attribute, value)

    return remove_limit


def remove_parser_guard() -> None:
    """Let parsers raise their own exceptions, in all modules that use `bounds.parsing.parse`."""
    guarded = importlib.import_module("loadbench.engine.bounds.parsing").parse

    def parse(data: Any, parser: Callable[[Any], Any], *, max_bytes: int) -> Any:
        del max_bytes
        return parser(data)

    modules = [module for name, module in sys.modules.items() if name.startswith("loadbench.")]
    for module in modules:
        for attribute, value in list(vars(module).items()):
            if value is guarded:
                setattr(module, attribute, parse)


def report(tallies: dict[str, Tally]) -> None:
    """Print the counts, the known findings and each distinct failure."""
    head = ("kind", "inputs", "accepted", "refused", "failed", "distinct", "seconds")
    rows: list[tuple[str, ...]] = [head]
    for name, tally in tallies.items():
        failed = sum(tally.failures.values())
        numbers = (tally.inputs, tally.accepted, tally.refused, failed, len(tally.failures))
        rows.append((name, *map(str, numbers), f"{tally.seconds:.1f}"))
    for row in rows:
        print(f"{row[0]:<14}" + "".join(f"{value:>10}" for value in row[1:]))
    for name, tally in tallies.items():
        if failing := [known for known, failure in tally.known.items() if failure]:
            print(f"\n{name}: {len(failing)} of {len(tally.known)} known inputs fail:")
            print(f"  {', '.join(failing)}")
    for tally in tallies.values():
        for failure, number in tally.failures.most_common():
            print(f"\n{failure.kind}: {failure.error} in {failure.place} ({number} times)")
            print(f"  {failure.message!r}")
            print(f"  input {failure.number}: {failure.reproducer}")


if __name__ == "__main__":
    main()
