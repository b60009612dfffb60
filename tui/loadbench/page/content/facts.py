"""What was measured, where and with which software."""

from collections.abc import Sequence
from dataclasses import dataclass

from loadbench.engine.hardware.description import hardware_facts, hardware_line
from loadbench.engine.hardware.revision import revision_text
from loadbench.engine.journal.state import RunState
from loadbench.engine.report.target.facts import Fact, target_facts


@dataclass(frozen=True, slots=True, kw_only=True)
class FactGroup:
    """A heading with labelled lines."""

    heading: str
    facts: tuple[Fact, ...]


def fact_groups(state: RunState) -> tuple[FactGroup, ...]:
    """Return target, machine, versions and images of a run. Groups without a fact are left out."""
    started = state.started
    if started is None:
        return ()
    reason = f" ({started.driver_reason})" if started.driver_reason else ""
    driver = Fact("Driver", f"{started.driver}{reason}")
    target = [driver, *(target_facts(started.target) if started.target else ())]
    target += [Fact("Revision", revision_text(one)) for one in started.revisions]
    machine = [Fact(label, text) for label, text in hardware_facts(started.hardware)]
    machine += [
        Fact("Resumed on", hardware_line(hardware))
        for hardware in state.resumed_hardware
        if hardware_line(hardware) != hardware_line(started.hardware)
    ]
    return _groups(
        ("Target", target),
        ("Machine", machine),
        ("Versions", [Fact(name, text) for name, text in started.versions.items()]),
        ("Images", [Fact(service, digest) for service, digest in state.images.items()]),
    )


def _groups(*groups: tuple[str, Sequence[Fact]]) -> tuple[FactGroup, ...]:
    return tuple(FactGroup(heading=head, facts=tuple(facts)) for head, facts in groups if facts)
