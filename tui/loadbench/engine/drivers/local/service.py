"""One process of the local driver: started under a leash, listened to, weighed."""

import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from subprocess import PIPE

import psutil

from loadbench.engine.drivers.protocol import LOG_LINES
from loadbench.engine.drivers.stack_log import StackLog
from loadbench.engine.journal.events import Container
from loadbench.engine.process import SupervisedProcess, describe_exit
from loadbench.errors import StackError

_DRAIN_S = 1.0
_FIND_S = 10.0


class LocalProcess:
    """A running process of the stack.

    Args:
        name: Unique, as in `model-2`.
        service: What it is, as in `model`.
        argv: Its command.
        cwd: Its working directory.
        environment: Its whole environment.
        log: Where its words go.
        pass_fds: Descriptors that it inherits.
        remove: A folder to remove once it has ended.
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
        self._tail: deque[str] = deque(maxlen=LOG_LINES)
        self._process = SupervisedProcess(
            argv,
            cwd=cwd,
            environment=environment,
            stdout=PIPE,
            pass_fds=pass_fds,
            remove=remove,
        )
        self._reader = threading.Thread(target=self._listen, args=(log,), daemon=True)
        self._reader.start()
        self._holder = psutil.Process(self._process.pid)
        self._children: list[psutil.Process] = []
        self._found_at = 0.0
        self._cpu_s = 0.0
        self._weighed_at = time.monotonic()
        self._cores: float | None = None
        self._memory: int | None = None

    @property
    def running(self) -> bool:
        """Whether the process has not ended."""
        return self._process.poll() is None

    def fault(self) -> StackError:
        """Return the error that says how the process ended."""
        code = self._process.poll()
        self._reader.join(_DRAIN_S)
        return StackError(
            f"{self.name} {describe_exit(code)}",
            container=self.name,
            exit_code=code,
            log_lines=tuple(self._tail),
        )

    def look(self) -> Container:
        """Return the process's state, with what it and its children use."""
        code = self._process.poll()
        if code is None:
            self._weigh()
        return Container(
            name=self.name,
            service=self.service,
            state="running" if code is None else "exited",
            exit_code=code,
            cpu_cores=self._cores if code is None else None,
            memory_bytes=self._memory if code is None else None,
        )

    def let_go(self) -> None:
        """Ask the process to end, without waiting."""
        self._process.let_go()

    def end(self) -> None:
        """End the process, wait for it, and take down its last words."""
        self._process.end()
        self._reader.join(_DRAIN_S)

    def _listen(self, log: StackLog) -> None:
        output = self._process.output
        assert output is not None
        with output:
            for raw in output:
                line = raw.decode("utf-8", "replace").rstrip()
                self._tail.append(line)
                log.write(self.name, line)

    def _weigh(self) -> None:
        now = time.monotonic()
        elapsed = now - self._weighed_at
        if elapsed < 0.5:
            return
        cpu_s, memory = 0.0, 0
        for process in self._descendants():
            with suppress(psutil.Error):
                times = process.cpu_times()
                cpu_s += times.user + times.system
                memory += process.memory_info().rss
        self._cores = round(max(0.0, cpu_s - self._cpu_s) / elapsed, 3)
        self._memory = memory
        self._cpu_s, self._weighed_at = cpu_s, now

    def _descendants(self) -> list[psutil.Process]:
        # Finding children means reading every process of the machine: not every second.
        now = time.monotonic()
        if not self._children or now - self._found_at > _FIND_S:
            with suppress(psutil.Error):
                self._children = self._holder.children(recursive=True)
            self._found_at = now
        return self._children
