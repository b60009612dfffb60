"""What Prometheus is told at `GET /metrics`."""

from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from api.timing import Stages
from common.errors import BrokerError
from common.messages import Look, Prediction

BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
BATCH_BUCKETS = (1, 2, 4, 8, 16, 32, 64, 128)


class Metrics:
    """Counts requests; the broker is asked for the rest whenever somebody looks."""

    def __init__(self, look: Callable[[], Look]) -> None:
        """`look` tells of the queue and the workers; it may raise BrokerError."""
        self._registry = CollectorRegistry()
        self._registry.register(ServiceCollector(look))
        self._requests = Counter(
            "loadbench_requests",
            "Answers of POST /predict by status code.",
            ["status"],
            registry=self._registry,
        )
        self._seconds = Histogram(
            "loadbench_request_seconds",
            "Time from the head of a request to its answer, predictions alone.",
            buckets=BUCKETS_S,
            registry=self._registry,
        )
        self._stages = Histogram(
            "loadbench_stage_seconds",
            "Where the time of predictions went: queue, decode, infer, api (the rest).",
            ["stage"],
            buckets=BUCKETS_S,
            registry=self._registry,
        )
        self._batches = Histogram(
            "loadbench_batch_size",
            "Pictures in the batch of each prediction, so a batch of 8 counts 8 times.",
            buckets=BATCH_BUCKETS,
            registry=self._registry,
        )

    def count(self, status: int) -> None:
        """Count an answer of `POST /predict`."""
        self._requests.labels(status).inc()

    def observe(self, prediction: Prediction, stages: Stages) -> None:
        """Take in the times of a prediction."""
        self._seconds.observe(stages.total / 1000)
        for stage, dur_ms in stages.shares().items():
            self._stages.labels(stage).observe(dur_ms / 1000)
        self._batches.observe(prediction.batch_size)

    def text(self) -> bytes:
        """Everything in the text format of Prometheus."""
        return generate_latest(self._registry)


class ServiceCollector(Collector):
    """The queue and the workers at the moment somebody looks."""

    def __init__(self, look: Callable[[], Look]) -> None:
        """`look` may raise BrokerError."""
        self._look = look

    def collect(self) -> Iterator[GaugeMetricFamily | CounterMetricFamily]:
        """Give what there is; without a broker, that there is none."""
        up = GaugeMetricFamily("loadbench_broker_up", "1 while the broker answers.")
        try:
            look = self._look()
        except BrokerError:
            up.add_metric([], 0)
            yield up
            return
        up.add_metric([], 1)
        yield up
        yield GaugeMetricFamily(
            "loadbench_queue_length", "Jobs that no worker has taken.", look.waiting
        )
        yield GaugeMetricFamily(
            "loadbench_jobs_held", "Jobs that workers have taken and not finished.", look.held
        )
        ready = sum(status.info.ready for status in look.workers)
        yield GaugeMetricFamily("loadbench_workers", "Workers that are ready.", ready)
        yield from _work(look)


def _work(look: Look) -> Iterator[CounterMetricFamily]:
    images = CounterMetricFamily(
        "loadbench_worker_images", "Pictures a worker has classified.", labels=["worker"]
    )
    batches = CounterMetricFamily(
        "loadbench_worker_batches", "Times a worker has run the network.", labels=["worker"]
    )
    seconds = CounterMetricFamily(
        "loadbench_worker_infer_seconds", "Time a worker's network ran.", labels=["worker"]
    )
    for status in look.workers:
        images.add_metric([status.info.id], status.images)
        batches.add_metric([status.info.id], status.batches)
        seconds.add_metric([status.info.id], status.infer_s)
    yield from (images, batches, seconds)
