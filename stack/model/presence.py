"""A worker's sign of life: what the broker, and a health check, know of it."""

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path

from common.errors import BrokerError
from common.inbox import Inbox
from common.messages import WorkerStatus

BEAT_S = 1.0
RECONNECT_S = 0.5

log = logging.getLogger("worker")


class Presence:
    """Announces a worker every second, from a thread of its own, until it leaves."""

    def __init__(
        self,
        inbox: Inbox,
        status: Callable[[], WorkerStatus],
        heartbeat_file: Path | None,
        *,
        stopping: Callable[[], bool],
        failed: Callable[[BaseException], None],
    ) -> None:
        """Announce nothing yet.

        Args:
            inbox: Who is announced.
            status: What is told about the worker.
            heartbeat_file: Touched with every announcement; None: no file.
            stopping: Whether the worker was asked to end, and need not find the broker.
            failed: Called when the worker can be announced no more; it should end then.
        """
        self._inbox = inbox
        self._status = status
        self._heartbeat_file = heartbeat_file
        self._stopping = stopping
        self._failed = failed
        self._lost = False
        self._left = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)

    def enter(self) -> None:
        """Announce the worker once the broker is there, and from then on."""
        self._reach_broker()
        self._thread.start()

    def return_after(self, error: BrokerError) -> None:
        """Announce the worker as a new consumer once the broker is back."""
        log.info("lost the broker: %s", error)
        self._inbox.rename()
        self._lost = True
        self._reach_broker()
        if not self._lost:
            log.info("the broker is back")

    def leave(self) -> None:
        """Say that the worker is gone."""
        self._left.set()
        if self._thread.is_alive():
            self._thread.join()
        if self._lost:
            return  # a broker that hangs must not hold up the end
        try:
            self._inbox.leave()
        except BrokerError as error:
            log.info("ended without telling the broker: %s", error)

    def _reach_broker(self) -> None:
        told = False
        while not self._stopping():
            try:
                self._announce()
            except BrokerError as error:
                if not told:
                    log.info("waiting for the broker: %s", error)
                told = True
                time.sleep(RECONNECT_S)
            else:
                self._lost = False
                return

    def _beat(self) -> None:
        while not self._left.wait(BEAT_S):
            try:
                self._announce()
            except BrokerError:
                continue
            except Exception as error:  # noqa: BLE001  # raised again where the worker ends
                self._failed(error)
                return

    def _announce(self) -> None:
        self._inbox.announce(self._status())
        if self._heartbeat_file:
            self._heartbeat_file.touch()
