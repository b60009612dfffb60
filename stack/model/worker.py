"""A worker takes jobs from the broker, runs inference on them and sends the replies.

Start it with `python -m model.worker`. Exit codes: 0 after SIGTERM or SIGINT, 2 for an invalid
setting, 3 for an unusable device, 1 for any other error.
"""

import logging
import signal
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import FrameType

from common.config import BAD_CONFIG_EXIT, WorkerConfig, read_or_exit
from common.errors import BrokerError, ConfigError, DeviceError
from common.inbox import Inbox
from common.messages import Job, Reply, WorkerInfo, WorkerStatus
from model.batch import Decoded, infer
from model.batcher import Batcher
from model.classifier import Classifier
from model.consumer import DEADLINE_PASSED, JobConsumer
from model.heartbeat import Heartbeat

DEVICE_EXIT = 3
CRASH_EXIT = 1

log = logging.getLogger("worker")


class Worker:
    """Runs inference on one batch after another.

    The main thread loads the model and runs it. One thread takes jobs (`JobConsumer`),
    DECODE_THREADS threads decode them, one sends replies and one sends heartbeats (`Heartbeat`).
    """

    def __init__(self, config: WorkerConfig) -> None:
        """Create the worker without loading the model or connecting to the broker."""
        self._config = config
        self._inbox = Inbox(config.broker_url, config.worker_id, password=config.broker_password)
        self._batcher = Batcher(
            config.batch_size,
            fill_s=config.batch_wait_ms / 1000 if config.batch_size > 1 else 0.0,
            ahead=max(config.batch_size, config.decode_threads),
        )
        self._heartbeat = Heartbeat(
            self._inbox,
            self._status,
            config.heartbeat_file,
            stopping=lambda: self._stopping,
            failed=self._fail,
        )
        self._replies = ThreadPoolExecutor(1, thread_name_prefix="replies")
        self._images = self._batches = 0
        self._infer_s = 0.0
        self._has_send_failed = False
        self._stopping = False
        self._error: BaseException | None = None

    def stop(self, _signal: int = 0, _frame: FrameType | None = None) -> None:
        """Make `run` finish the current jobs and return."""
        self._stopping = True

    def run(self) -> None:
        """Load the model, then process jobs until `stop` is called."""
        classifier = Classifier(self._config)
        consumer = JobConsumer(
            self._inbox,
            self._batcher,
            classifier.preprocess,
            decode_threads=self._config.decode_threads,
            send=self._send,
        )
        self._heartbeat.start()
        if not self._stopping:
            log.info(_ready_line(self._config))
        consumer_thread = threading.Thread(target=self._consume, args=[consumer], name="consumer")
        consumer_thread.start()
        try:
            while batch := self._batcher.next():
                self._process(batch, classifier)
                if self._batcher.done():
                    consumer.wake()
        finally:
            self.stop()
            self._batcher.close()
            consumer_thread.join()
            self._replies.shutdown()
            self._heartbeat.stop()
        if self._error:
            raise self._error

    def _consume(self, consumer: JobConsumer) -> None:
        try:
            consumer.run(self._heartbeat, lambda: self._stopping)
        except Exception as error:  # noqa: BLE001  # raised again when the worker exits
            self._fail(error)
        self._batcher.close()

    def _process(self, batch: Sequence[Decoded], classifier: Classifier) -> None:
        now_s = time.time()
        expired = [item.job for item in batch if item.job.deadline_s <= now_s]
        if expired:
            self._send([(job, DEADLINE_PASSED) for job in expired])
        if wanted := [item for item in batch if item.job.deadline_s > now_s]:
            started = time.perf_counter()
            self._send(infer(wanted, classifier.classify))
            self._infer_s += time.perf_counter() - started
            self._images += len(wanted)
            self._batches += 1

    def _send(self, replies: Sequence[tuple[Job, Reply]]) -> None:
        """Send replies from another thread, so that no caller waits for the broker."""
        self._replies.submit(self._finish, replies).add_done_callback(self._check_sent)

    def _finish(self, replies: Sequence[tuple[Job, Reply]]) -> None:
        if self._stopping and self._has_send_failed:
            return  # a hung broker must not delay the exit
        try:
            self._inbox.finish(replies)
        except BrokerError:
            # Drop the replies: the requests have failed, or another worker will redo the jobs.
            self._has_send_failed = True
            self._inbox.rename()
        else:
            self._has_send_failed = False

    def _check_sent(self, sent: "Future[None]") -> None:
        if error := sent.exception():
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        self._error = error
        self.stop()

    def _status(self) -> WorkerStatus:
        return WorkerStatus(
            info=_info(self._config),
            images=self._images,
            batches=self._batches,
            infer_s=self._infer_s,
        )


def _info(config: WorkerConfig) -> WorkerInfo:
    return WorkerInfo(
        id=config.worker_id,
        device=config.device,
        model=config.model_name,
        batch_size=config.batch_size,
    )


def _ready_line(config: WorkerConfig) -> str:
    return (
        f"ready: device={config.device} batch_size={config.batch_size} "
        f"threads={config.model_threads} model={config.model_name} "
        f"batch_wait_ms={config.batch_wait_ms} decode_threads={config.decode_threads}"
    )


def _log_failure(code: int, reason: str) -> int:
    log.error(" ".join(reason.split()))
    return code


def main() -> int:
    """Run a worker with settings from the environment and return its exit code."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    worker = Worker(read_or_exit(WorkerConfig.read))
    signal.signal(signal.SIGTERM, worker.stop)
    signal.signal(signal.SIGINT, worker.stop)
    try:
        worker.run()
    except DeviceError as error:
        return _log_failure(DEVICE_EXIT, str(error))
    except ConfigError as error:
        return _log_failure(BAD_CONFIG_EXIT, str(error))
    except Exception as error:  # noqa: BLE001  # outermost handler: log the error on one line
        return _log_failure(CRASH_EXIT, f"internal error: {type(error).__name__}: {error}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
