"""Events of a run with four cells, which are valid, failed, skipped and suspect."""

from loadbench.engine.journal.events import Event, Verdict
from tests.support.builders import (
    cell_failed,
    cell_finished,
    cell_skipped,
    cell_started,
    make_profile,
    requests,
    run_started,
)

BEGUN = run_started(make_profile(models=[1, 2, 3, 4], batch_size=10))
SUSPECT = cell_finished(
    "m4_u2_s2",
    verdict=Verdict.SUSPECT,
    reasons=("9.1 % of the requests failed: a, b", "not settled"),
    requests=requests(((10.0, 5), (20.0, 4), (900.0, 1)), failures=((3.0, 1),)),
    completed=12,
    measured_s=8.0,
    aborted=2,
)
SWEEP: tuple[Event, ...] = (
    BEGUN,
    cell_started("m1_u2_s2"),
    cell_finished("m1_u2_s2"),
    cell_started("m2_u2_s2"),
    cell_failed("m2_u2_s2"),
    cell_started("m3_u2_s2"),
    cell_skipped("m3_u2_s2"),
    cell_started("m4_u2_s2"),
    SUSPECT,
)
