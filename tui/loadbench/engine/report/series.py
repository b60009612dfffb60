"""A run second by second: one row of numbers per sample."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, fields
from typing import TextIO

from loadbench.engine.journal.codec import Entry
from loadbench.engine.journal.events import CellPhase, Phase, Sample
from loadbench.engine.measure.buckets import num_failures, num_successes, percentile, successes
from loadbench.engine.measure.conditions import cpu_cores, max_lag_ms
from loadbench.engine.measure.main_request import of_name, stages_of_name
from loadbench.engine.measure.stages import stage_means
from loadbench.engine.report.rows import PERCENTILES


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesRow:
    """Results of one second of a cell. Fields without a value are None."""

    cell: str
    attempt: int
    second: int
    """Seconds since the ramp began."""
    phase: str
    users: int
    rps: int
    """Number of successful requests completed in this second."""
    failures: int
    p50_ms: float | None
    """This field and the next five cover the successes of this second that have a latency, even if
    there are few."""
    p90_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    p999_ms: float | None
    max_ms: float | None
    queue_ms: float | None
    """This field and the next four are means, as in the summary."""
    decode_ms: float | None
    infer_ms: float | None
    api_ms: float | None
    network_ms: float | None
    queue_length: float | None
    workers: int | None
    client_cpu_cores: float
    client_lag_ms: float
    containers: str
    """Name, CPU cores and memory in bytes of each container: `api-1:0.21:75497472`."""


_STAGES = ("queue_ms", "decode_ms", "infer_ms", "api_ms", "network_ms")


def seconds(entries: Iterable[Entry], main: str | None = None) -> Iterator[SeriesRow]:
    """Yield one row per second of a run.

    Args:
        entries: All entries of its journal.
        main: Name of the requests that the rows cover; see `of_name`. None: all requests.
    """
    phase = Phase.RAMPING
    for entry in entries:
        match entry.event:
            case CellPhase(phase=phase):
                pass
            case Sample() as sample:
                yield _second(sample, phase, main)


def write_series(entries: Iterable[Entry], out: TextIO, main: str | None = None) -> None:
    """Write one CSV row per second of a run, see `seconds`. Missing values are empty."""
    writer = csv.DictWriter(out, [field.name for field in fields(SeriesRow)], lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(second) for second in seconds(entries, main))


def _second(sample: Sample, phase: Phase, main: str | None) -> SeriesRow:
    requests, service = of_name(sample.requests, main), sample.service
    good = successes(requests)
    means = stage_means(stages_of_name(sample.requests, sample.stages, main))
    return SeriesRow(
        cell=sample.cell,
        attempt=sample.attempt,
        second=sample.second,
        phase=phase.value,
        users=sample.users,
        rps=num_successes(requests),
        failures=num_failures(requests),
        **{name: percentile(good, fraction) for name, fraction in PERCENTILES.items()},
        **{name: means.get(name) for name in _STAGES},
        queue_length=service.queue_length if service else None,
        workers=service.workers if service else None,
        client_cpu_cores=cpu_cores(sample.clients),
        client_lag_ms=max_lag_ms(sample.clients),
        containers=" ".join(
            f"{container.name}:{container.cpu_cores or 0:g}:{container.memory_bytes or 0}"
            for container in sample.containers
        ),
    )
