"""Describes what a run measures: address, scaled service, files, and services left out."""

from collections import defaultdict
from typing import NamedTuple

from loadbench.engine.profile.target import Balance, Target

_BALANCE = {
    Balance.CLIENTS: "Locust assigns its users to the replicas in turn",
    Balance.FRONT: "the service distributes the requests",
}


class Fact(NamedTuple):
    """A labelled line."""

    label: str
    text: str


def target_facts(target: Target) -> list[Fact]:
    """Return what a run measures, the most important first."""
    reason = f" ({target.reason})" if target.reason else ""
    facts = [Fact("Requests to", f"{target.address}{reason}")]
    if target.scaled:
        balance = f"; {_BALANCE[target.balance]}" if target.balance else ""
        facts.append(Fact("Scaled", f"{target.scaled}{balance}"))
    facts.append(Fact("Locustfile", target.locustfile))
    if target.files:
        facts.append(Fact("Compose", ", ".join(target.files)))
    if target.left_out:
        facts.append(Fact("Left out", _left_out(target)))
    if target.changes:
        facts.append(Fact("Changed", "; ".join(target.changes)))
    return facts


def _left_out(target: Target) -> str:
    """Return the services that are left out, grouped by reason."""
    by_reason: defaultdict[str, list[str]] = defaultdict(list)
    for one in target.left_out:
        by_reason[one.reason].append(one.service)
    return "; ".join(f"{', '.join(names)} ({reason})" for reason, names in by_reason.items())
