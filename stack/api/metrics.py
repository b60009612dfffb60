"""Metrics exposed at `GET /metrics`, in the Prometheus text format."""

from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from api.timing import Stages
from common.errors import BrokerError
from common.messages import Prediction, QueueStatus

BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
BATCH_BUCKETS = (1, 2, 4, 8, 16, 32, 64, 128)


class Metrics:
    """Request metrics, and metrics of the queue and the workers, which come from the broker."""

    def __init__(self, queue_status: Callable[[], QueueStatus]) -> None:
        """Create the metrics.

        Args:
            queue_status: Returns the status of the queue and the workers. May raise BrokerError.
        """
        self._registry = CollectorRegistry()
        self._registry.register(ServiceCollector(queue_status))
        self._requests = Counter(
            "loadbench_requests",
            "Responses of POST /predict by status code.",
            ["status"],
            registry=self._registry,
        )
        self._seconds = Histogram(
            "loadbench_request_seconds",
            "Time from receiving the request headers to the response, for predictions.",
            buckets=BUCKETS_S,
            registry=self._registry,
        )
        self._stages = Histogram(
            "loadbench_stage_seconds",
            "Time of predictions by stage: queue, decode, infer, api (the rest).",
            ["stage"],
            buckets=BUCKETS_S,
            registry=self._registry,
        )
        self._batches = Histogram(
            "loadbench_batch_size",
            "Batch size of each prediction; a batch of 8 counts 8 times.",
            buckets=BATCH_BUCKETS,
            registry=self._registry,
        )

    def count(self, status: int) -> None:
        """Count a response of `POST /predict`."""
        self._requests.labels(status).inc()

    def observe(self, prediction: Prediction, stages: Stages) -> None:
        """Record the times and the batch size of a prediction."""
        self._seconds.observe(stages.total / 1000)
        for stage, dur_ms in stages.shares().items():
            self._stages.labels(stage).observe(dur_ms / 1000)
        self._batches.observe(prediction.batch_size)

    def text(self) -> bytes:
        """Return all metrics in the Prometheus text format."""
        return generate_latest(self._registry)


class ServiceCollector(Collector):
    """Collects the metrics of the queue and the workers at each scrape."""

    def __init__(self, queue_status: Callable[[], QueueStatus]) -> None:
        """Create a collector that calls `queue_status`, which may raise BrokerError."""
        self._queue_status = queue_status

    def collect(self) -> Iterator[GaugeMetricFamily | CounterMetricFamily]:
        """Yield all metrics, or only `loadbench_broker_up` if the broker does not respond."""
        up = GaugeMetricFamily("loadbench_broker_up", "1 if the broker responds, else 0.")
        try:
            status = self._queue_status()
        except BrokerError:
            up.add_metric([], 0)
            yield up
            return
        up.add_metric([], 1)
        yield up
        yield GaugeMetricFamily(
            "loadbench_queue_length", "Jobs waiting for a worker.", status.waiting
        )
        yield GaugeMetricFamily(
            "loadbench_jobs_held", "Jobs that workers have taken but not finished.", status.held
        )
        ready = sum(worker.info.ready for worker in status.workers)
        yield GaugeMetricFamily("loadbench_workers", "Ready workers.", ready)
        yield from _worker_counters(status)


def _worker_counters(status: QueueStatus) -> Iterator[CounterMetricFamily]:
    images = CounterMetricFamily(
        "loadbench_worker_images", "Images classified by a worker.", labels=["worker"]
    )
    batches = CounterMetricFamily(
        "loadbench_worker_batches", "Batches processed by a worker.", labels=["worker"]
    )
    seconds = CounterMetricFamily(
        "loadbench_worker_infer_seconds",
        "Inference time of a worker in seconds.",
        labels=["worker"],
    )
    for worker in status.workers:
        images.add_metric([worker.info.id], worker.images)
        batches.add_metric([worker.info.id], worker.batches)
        seconds.add_metric([worker.info.id], worker.infer_s)
    yield from (images, batches, seconds)
