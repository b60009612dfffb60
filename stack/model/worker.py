"""A worker: takes jobs from the broker, runs the network on them, sends the replies.

Started as `python -m model.worker`. Exits with 0 after SIGTERM or SIGINT, 2 on a bad setting,
3 where the device cannot be used, and 1 on anything else.
"""

import logging
import signal
import sys
import threading
import time
from types import FrameType

from common.config import BAD_CONFIG_EXIT, WorkerConfig, read_or_exit
from common.errors import BrokerError, ConfigError, DeviceError
from common.inbox import Inbox
from common.messages import Failure, WorkerInfo
from model.batch import answer
from model.classifier import Classifier

DEVICE_EXIT = 3
CRASH_EXIT = 1
MOST_DELIVERIES = 3
BEAT_S = 1.0
RESCUE_S = 1.0
IDLE_MS = 500
RECONNECT_S = 0.5

log = logging.getLogger("worker")


class Worker:
    """The loop of one worker, and the thread that says it lives."""

    def __init__(self, config: WorkerConfig) -> None:
        """Nothing is loaded or connected yet."""
        self._config = config
        self._inbox = Inbox(config.broker_url, _info(config))
        self._fill_ms = config.batch_wait_ms if config.batch_size > 1 else 0
        self._next_rescue_s = 0.0
        self._stopping = False
        self._stopped = threading.Event()

    def stop(self, _signal: int = 0, _frame: FrameType | None = None) -> None:
        """Finish the batch in hand and end."""
        self._stopping = True

    def run(self) -> None:
        """Load the model, then work until `stop`."""
        classifier = Classifier(self._config)
        self._reach_broker()
        if not self._stopping:
            log.info(_ready_line(self._config))
        beat = threading.Thread(target=self._beat, daemon=True)
        beat.start()
        try:
            while not self._stopping:
                self._work(classifier)
        finally:
            self._stopped.set()
            beat.join()
            self._leave()

    def _work(self, classifier: Classifier) -> None:
        try:
            self._rescue_when_due(classifier)
            jobs = self._inbox.take(self._config.batch_size, idle_ms=IDLE_MS, fill_ms=self._fill_ms)
            if jobs:
                self._inbox.finish(answer(jobs, classifier.classify))
        except BrokerError as error:
            log.info("lost the broker: %s", error)
            self._inbox.rename()
            self._reach_broker()
            if not self._stopping:
                log.info("the broker is back")

    def _rescue_when_due(self, classifier: Classifier) -> None:
        if time.monotonic() < self._next_rescue_s:
            return
        while not self._stopping and (job := self._inbox.rescue()):
            if job.deliveries > MOST_DELIVERIES:
                log.info("gave up on job %s: %d workers died with it", job.id, MOST_DELIVERIES)
                reason = "Every worker that took this picture died."
                self._inbox.finish([(job, Failure(fault="service", reason=reason))])
            else:
                log.info("took over job %s from a dead worker", job.id)
                self._inbox.finish(answer([job], classifier.classify))
        self._next_rescue_s = time.monotonic() + RESCUE_S

    def _reach_broker(self) -> None:
        told = False
        while not self._stopping:
            try:
                self._announce()
            except BrokerError as error:
                if not told:
                    log.info("waiting for the broker: %s", error)
                told = True
                time.sleep(RECONNECT_S)
            else:
                return

    def _beat(self) -> None:
        while not self._stopped.wait(BEAT_S):
            try:
                self._announce()
            except BrokerError:
                continue

    def _announce(self) -> None:
        self._inbox.announce()
        if self._config.heartbeat_file:
            self._config.heartbeat_file.touch()

    def _leave(self) -> None:
        try:
            self._inbox.leave()
        except BrokerError as error:
            log.info("left without telling: %s", error)


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
        f"threads={config.model_threads} model={config.model_name}"
    )


def _failed(code: int, reason: str) -> int:
    log.error(" ".join(reason.split()))
    return code


def main() -> int:
    """Run a worker with the settings of the environment; returns the exit code."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    worker = Worker(read_or_exit(WorkerConfig.read))
    signal.signal(signal.SIGTERM, worker.stop)
    signal.signal(signal.SIGINT, worker.stop)
    try:
        worker.run()
    except DeviceError as error:
        return _failed(DEVICE_EXIT, str(error))
    except ConfigError as error:
        return _failed(BAD_CONFIG_EXIT, str(error))
    except Exception as error:  # noqa: BLE001  # the outermost loop: it says why in one line
        return _failed(CRASH_EXIT, f"stopped: {type(error).__name__}: {error}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
