"""A worker: takes jobs from the broker, runs the network on them, sends the replies.

Started as `python -m model.worker`. Exits with 0 after SIGTERM or SIGINT, 2 on a bad setting,
3 where the device cannot be used, and 1 on anything else.
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
from model.intake import LATE, Intake
from model.presence import Presence

DEVICE_EXIT = 3
CRASH_EXIT = 1

log = logging.getLogger("worker")


class Worker:
    """Runs the network on one batch after the other; other threads bring jobs and take replies.

    The main thread loads the model and runs it. One thread takes jobs (`Intake`), DECODE_THREADS
    decode them, one sends replies, and one says that the worker lives (`Presence`).
    """

    def __init__(self, config: WorkerConfig) -> None:
        """Nothing is loaded or connected yet."""
        self._config = config
        self._inbox = Inbox(config.broker_url, config.worker_id)
        self._batcher = Batcher(
            config.batch_size,
            fill_s=config.batch_wait_ms / 1000 if config.batch_size > 1 else 0.0,
            ahead=max(config.batch_size, config.decode_threads),
        )
        self._presence = Presence(
            self._inbox,
            self._status,
            config.heartbeat_file,
            stopping=lambda: self._stopping,
            failed=self._fail,
        )
        self._replies = ThreadPoolExecutor(1, thread_name_prefix="replies")
        self._images = self._batches = 0
        self._infer_s = 0.0
        self._unsent = False
        self._stopping = False
        self._bug: BaseException | None = None

    def stop(self, _signal: int = 0, _frame: FrameType | None = None) -> None:
        """Finish the jobs in hand and end."""
        self._stopping = True

    def run(self) -> None:
        """Load the model, then work until `stop`."""
        classifier = Classifier(self._config)
        intake = Intake(
            self._inbox,
            self._batcher,
            classifier.preprocess,
            decode_threads=self._config.decode_threads,
            send=self._send,
        )
        self._presence.enter()
        if not self._stopping:
            log.info(_ready_line(self._config))
        taking = threading.Thread(target=self._take_in, args=[intake], name="intake")
        taking.start()
        try:
            while batch := self._batcher.next():
                self._work(batch, classifier)
                if self._batcher.done():
                    intake.wake()
        finally:
            self.stop()
            self._batcher.close()
            taking.join()
            self._replies.shutdown()
            self._presence.leave()
        if self._bug:
            raise self._bug

    def _take_in(self, intake: Intake) -> None:
        try:
            intake.run(self._presence, lambda: self._stopping)
        except Exception as error:  # noqa: BLE001  # raised again where the worker ends
            self._fail(error)
        self._batcher.close()

    def _work(self, batch: Sequence[Decoded], classifier: Classifier) -> None:
        now_s = time.time()
        if late := [(one.job, LATE) for one in batch if one.job.deadline_s <= now_s]:
            self._send(late)
        if wanted := [one for one in batch if one.job.deadline_s > now_s]:
            started = time.perf_counter()
            self._send(infer(wanted, classifier.classify))
            self._infer_s += time.perf_counter() - started
            self._images += len(wanted)
            self._batches += 1

    def _send(self, replies: Sequence[tuple[Job, Reply]]) -> None:
        """Send replies from another thread, so that nothing waits for the broker."""
        self._replies.submit(self._finish, replies).add_done_callback(self._note)

    def _finish(self, replies: Sequence[tuple[Job, Reply]]) -> None:
        if self._stopping and self._unsent:
            return  # a broker that hangs must not keep a worker that is to end
        try:
            self._inbox.finish(replies)
        except BrokerError:
            # Nobody will fetch them, or others will do the jobs again: these are let go of.
            self._unsent = True
            self._inbox.rename()
        else:
            self._unsent = False

    def _note(self, sent: "Future[None]") -> None:
        if error := sent.exception():
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        self._bug = error
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
