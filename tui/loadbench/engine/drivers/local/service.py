"""One supervised process of the local driver, with its log output and resource use."""

import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from subprocess import PIPE

import psutil

from loadbench.engine.bounds.lines import MAX_OUTPUT_LINE_BYTES, bounded_lines
from loadbench.engine.drivers.protocol import MAX_LOG_LINES
from loadbench.engine.drivers.stack_log import StackLog
from loadbench.engine.journal.events import Container
from loadbench.engine.process import SupervisedProcess, describe_exit
from loadbench.errors import StackError

_LOG_DRAIN_S = 1.0
_CHILD_SEARCH_INTERVAL_S = 10.0
_MIN_USAGE_INTERVAL_S = 0.5


class LocalProcess:
    """A running process of the stack.

    Args:
        name: Unique name, such as `model-2`.
        service: Name of the service, such as `model`.
        argv: Command line.
        cwd: Working directory.
        environment: Complete environment.
        log: Destination of its output.
        pass_fds: File descriptors to inherit.
        remove: A folder to remove after the process has exited.
    """

    def __init__(
        self,
        name: str,
        service: str,
        argv: Sequence[str],
        *,
        cwd: Path,
        environment: Mapping[str, str],
        log: StackLog,
        pass_fds: Sequence[int] = (),
        remove: Path | None = None,
    ) -> None:
        self.name = name
        self.service = service
        self._tail: deque[str] = deque(maxlen=MAX_LOG_LINES)
        self._process = SupervisedProcess(
            argv,
            cwd=cwd,
            environment=environment,
            stdout=PIPE,
            pass_fds=pass_fds,
            remove=remove,
        )
        self._reader = threading.Thread(target=self._copy_output, args=(log,), daemon=True)
        self._reader.start()
        self._supervisor = psutil.Process(self._process.pid)
        self._children: list[psutil.Process] = []
        self._children_found_at = 0.0
        self._cpu_s = 0.0
        self._updated_at = time.monotonic()
        self._cores: float | None = None
        self._memory_bytes: int | None = None

    @property
    def is_running(self) -> bool:
        """Whether the process is still running."""
        return self._process.poll() is None

    def fault(self) -> StackError:
        """Return an error with the exit code and the last log lines."""
        code = self._process.poll()
        self._reader.join(_LOG_DRAIN_S)
        return StackError(
            f"{self.name} {describe_exit(code)}",
            container=self.name,
            exit_code=code,
            log_lines=tuple(self._tail),
        )

    def snapshot(self) -> Container:
        """Return the state of the process, and the resource use of its whole process tree."""
        code = self._process.poll()
        if code is None:
            self._update_usage()
        return Container(
            name=self.name,
            service=self.service,
            state="running" if code is None else "exited",
            exit_code=code,
            cpu_cores=self._cores if code is None else None,
            memory_bytes=self._memory_bytes if code is None else None,
        )

    def terminate(self) -> None:
        """Request termination, without waiting for it."""
        self._process.terminate()

    def stop(self) -> None:
        """Terminate the process, wait for its exit and read the rest of its output."""
        self._process.stop()
        self._reader.join(_LOG_DRAIN_S)

    def _copy_output(self, log: StackLog) -> None:
        output = self._process.output
        assert output is not None
        with output:
            for raw, _ in bounded_lines(output, MAX_OUTPUT_LINE_BYTES, with_last=True):
                line = raw.decode("utf-8", "replace").rstrip()
                self._tail.append(line)
                log.write(self.name, line)

    def _update_usage(self) -> None:
        now = time.monotonic()
        elapsed = now - self._updated_at
        if elapsed < _MIN_USAGE_INTERVAL_S:
            return
        cpu_s, memory_bytes = 0.0, 0
        for process in self._descendants():
            with suppress(psutil.Error):
                times = process.cpu_times()
                cpu_s += times.user + times.system
                memory_bytes += process.memory_info().rss
        self._cores = round(max(0.0, cpu_s - self._cpu_s) / elapsed, 3)
        self._memory_bytes = memory_bytes
        self._cpu_s, self._updated_at = cpu_s, now

    def _descendants(self) -> list[psutil.Process]:
        # The search reads every process on the machine, so it is not repeated for every reading.
        now = time.monotonic()
        if not self._children or now - self._children_found_at > _CHILD_SEARCH_INTERVAL_S:
            with suppress(psutil.Error):
                self._children = self._supervisor.children(recursive=True)
            self._children_found_at = now
        return self._children
