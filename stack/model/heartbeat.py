"""The heartbeat registers a worker with the broker, and touches a file for health checks."""

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path

from common.errors import BrokerError
from common.inbox import Inbox
from common.messages import WorkerStatus

HEARTBEAT_INTERVAL_S = 1.0
RECONNECT_S = 0.5
"""Seconds between attempts to reach the broker."""

log = logging.getLogger("worker")


class Heartbeat:
    """Announces a worker to the broker every second, from a separate thread, until it stops."""

    def __init__(
        self,
        inbox: Inbox,
        status: Callable[[], WorkerStatus],
        heartbeat_file: Path | None,
        *,
        stopping: Callable[[], bool],
        failed: Callable[[BaseException], None],
    ) -> None:
        """Create the heartbeat without contacting the broker.

        Args:
            inbox: The worker's access to the queue.
            status: Returns the current status of the worker.
            heartbeat_file: File to touch with every heartbeat, or None for no file.
            stopping: Returns whether the worker is stopping and must not wait for the broker.
            failed: Called when the heartbeat fails permanently; the worker should then exit.
        """
        self._inbox = inbox
        self._status = status
        self._heartbeat_file = heartbeat_file
        self._stopping = stopping
        self._failed = failed
        self._is_disconnected = False
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Wait for the broker, register the worker and start the heartbeat."""
        self._connect()
        self._thread.start()

    def reconnect_after(self, error: BrokerError) -> None:
        """Wait for the broker and register the worker as a new consumer."""
        log.info("lost connection to the broker: %s", error)
        self._inbox.rename()
        self._is_disconnected = True
        self._connect()
        if not self._is_disconnected:
            log.info("reconnected to the broker")

    def stop(self) -> None:
        """Stop the heartbeat and unregister the worker."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()
        if self._is_disconnected:
            return  # a hung broker must not delay the exit
        try:
            self._inbox.leave()
        except BrokerError as error:
            log.info("could not unregister from the broker: %s", error)

    def _connect(self) -> None:
        is_logged = False
        while not self._stopping():
            try:
                self._announce()
            except BrokerError as error:
                if not is_logged:
                    log.info("waiting for the broker: %s", error)
                is_logged = True
                time.sleep(RECONNECT_S)
            else:
                self._is_disconnected = False
                return

    def _run(self) -> None:
        while not self._stopped.wait(HEARTBEAT_INTERVAL_S):
            try:
                self._announce()
            except BrokerError:
                continue
            except Exception as error:  # noqa: BLE001  # raised again when the worker exits
                self._failed(error)
                return

    def _announce(self) -> None:
        self._inbox.announce(self._status())
        if self._heartbeat_file:
            self._heartbeat_file.touch()
