"""The decision of `compare --max-regression`: its messages, its JUnit file and its exit code."""

from collections.abc import Sequence
from pathlib import Path

from loadbench.cli import output
from loadbench.cli.exit_codes import Exit, most_important
from loadbench.cli.report.junit import JUnitFile
from loadbench.engine.comparison.gating.gate import GateResult
from loadbench.engine.comparison.gating.junit import suite_of_gate, suite_of_missing
from loadbench.engine.comparison.gating.sentences import gate_sentences


def decide(results: Sequence[GateResult], missing: Sequence[str], junit: Path | None) -> Exit:
    """Print what the gates found, write it as JUnit XML, and return the exit code.

    Args:
        results: The decision on each comparison.
        missing: Members of studies that cannot be compared, as sentences.
        junit: The JUnit XML file. None for none.
    """
    file = JUnitFile(junit)
    exits = []
    for result in results:
        before, after = result.comparison.before.name, result.comparison.after.name
        if len(results) > 1:
            output.message(f"{after} against {before}:")
        for sentence in gate_sentences(result):
            output.message(sentence)
        exits += [exit_for_gate(result), file.add(suite_of_gate(result))]
    if missing:
        exits += [Exit.NOT_COMPARABLE, file.add(suite_of_missing(missing))]
    return most_important(exits)


def exit_for_gate(result: GateResult) -> Exit:
    """Return the exit code of a gate that compares two runs."""
    if not result.is_comparable:
        return Exit.NOT_COMPARABLE
    if result.is_untested:
        return Exit.TOO_FEW_REPEATS
    return Exit.GATE_FAILED if result.regressions else Exit.DONE
