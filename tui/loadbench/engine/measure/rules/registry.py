"""Rules that determine a cell's verdict. Each checks the evidence for one violation.

To add a rule: write a function from `Case` to `Violation`, add it to `RULES` under its id, define
its limit in `limits.py`, explain it in docs/measurement.md, and record a journal that violates only
this rule as tests/journals/verdicts/ID.jsonl.
"""

from loadbench.engine.journal.events import Verdict
from loadbench.engine.measure.rules import load_generator, machine, names, requests
from loadbench.engine.measure.rules.case import Rule

CLIENT_BOUND = "client_bound"
"""Id of the rule that the load generator must not be the bottleneck."""

IDLE_REPLICA = "idle_replica"
"""Id of the rule that every replica must get work."""

RULES: dict[str, Rule] = {
    "no_success": Rule(Verdict.INVALID, requests.no_success),
    "users_missing": Rule(Verdict.INVALID, load_generator.users_missing),
    "user_classes": Rule(Verdict.SUSPECT, load_generator.user_classes),
    "containers": Rule(Verdict.INVALID, machine.containers),
    "exceptions": Rule(Verdict.SUSPECT, load_generator.exceptions),
    "failures": Rule(Verdict.SUSPECT, requests.failures),
    "mixed_requests": Rule(Verdict.SUSPECT, names.mixed_requests),
    "mixed_events": Rule(Verdict.SUSPECT, names.mixed_events),
    "setup_failures": Rule(Verdict.SUSPECT, requests.setup_failures),
    IDLE_REPLICA: Rule(Verdict.INVALID, requests.idle_replica),
    "elsewhere": Rule(Verdict.SUSPECT, requests.elsewhere),
    "aborted": Rule(Verdict.SUSPECT, requests.aborted),
    "not_settled": Rule(Verdict.SUSPECT, requests.not_settled),
    "few_samples": Rule(Verdict.SUSPECT, requests.few_samples),
    CLIENT_BOUND: Rule(Verdict.SUSPECT, load_generator.client_bound),
    "client_stalled": Rule(Verdict.SUSPECT, load_generator.client_stalled),
    "stalls": Rule(Verdict.SUSPECT, requests.stalls),
    "throttled": Rule(Verdict.SUSPECT, machine.throttled),
    "swap": Rule(Verdict.SUSPECT, machine.swap),
    "clock": Rule(Verdict.SUSPECT, machine.clock),
    "stolen": Rule(Verdict.SUSPECT, machine.stolen),
    "neighbours": Rule(Verdict.SUSPECT, machine.neighbours),
    "drifted": Rule(Verdict.SUSPECT, machine.drifted),
}
"""Rules by id, in the order in which findings are listed."""
