"""Shortens the output of Compose to progress lines and explains its failures."""

import re

from loadbench.engine.bounds.texts import shortened
from loadbench.engine.drivers.compose.client import Failure
from loadbench.engine.drivers.docker.client import Docker, DockerCommandError
from loadbench.engine.drivers.protocol import MAX_LOG_LINES
from loadbench.errors import StackError

_MAX_STEP_CHARACTERS = 70
_NUMBERED = re.compile(r"^#(\d+) (.+)")
_BUILD_STEP = re.compile(r"^(\[(?!internal|\S+ internal)[^]]*\d+/\d+\] .+)")
_CLASSIC_STEP = re.compile(r"^(Step \d+/\d+ : .+)")
_STARTED = re.compile(r"Container (\S+)\s+(Started|Recreated|Removed|Healthy|Exited|Error.*)$")
_PULLED = re.compile(r"^\s*(\S+) (Pulling|Pulled|Error.*)\s*$")
_LAYER = re.compile(r"^\s*[0-9a-f]{12} ")

_PORT_IN_USE = re.compile(
    r"Bind for (\S+) failed: port is already allocated|"
    r"listen tcp\d? (\S+): bind: address already in use|"
    r"exposing port TCP (\S+) -> "
)
_NO_NVIDIA = ("could not select device driver", "nvidia-container-cli", "unknown runtime")


_WARNING = re.compile(r'level=warning msg="((?:[^"\\]|\\.)*)"')
_HARMLESS = ("the attribute `version` is obsolete",)
"""Parts of warnings from Compose that say nothing about a run."""

MAX_WARNINGS = 10
_MAX_WARNING_CHARACTERS = 300


def compose_warnings(text: str) -> tuple[str, ...]:
    """Return the warnings in the error output of Compose, such as about variables that are not set.

    Further ones after `MAX_WARNINGS` are counted.
    """
    found = (
        match[1].replace('\\"', '"').replace("\\\\", "\\") for match in _WARNING.finditer(text)
    )
    lines = dict.fromkeys(shortened(line, _MAX_WARNING_CHARACTERS) for line in found)
    listed = [f"compose: {line}" for line in lines if not any(one in line for one in _HARMLESS)]
    more = len(listed) - MAX_WARNINGS
    rest = [f"compose: {more} more warnings, see `docker compose config`"] if more > 0 else []
    return (*listed[:MAX_WARNINGS], *rest)


class ProgressReporter:
    """Converts the output of one step of Compose to progress lines.

    Args:
        step: `build`, `pull` or `start`.
        project: Name of the Compose project, removed from container names.
    """

    def __init__(self, step: str, project: str) -> None:
        self._step = step
        self._project = project
        self._build_steps: dict[str, str] = {}

    def progress(self, line: str) -> str | None:
        """Return the progress line for a line of output, or None if it reports no progress."""
        match self._step:
            case "build":
                return self._build_progress(line)
            case "pull":
                return self._pull_progress(line)
            case _:
                return self._start_progress(line)

    def _build_progress(self, line: str) -> str | None:
        if classic := _CLASSIC_STEP.search(line):
            return f"Building: {_shorten(classic[1])}"
        numbered = _NUMBERED.search(line)
        if not numbered:
            return None
        number, rest = numbered.groups()
        if step := _BUILD_STEP.search(rest):
            self._build_steps[number] = _shorten(step[1])
            return None
        # Cached steps are not reported. The second line of a step shows whether it is cached.
        text = self._build_steps.pop(number, None)
        return None if text is None or rest.startswith("CACHED") else f"Building: {text}"

    def _pull_progress(self, line: str) -> str | None:
        match = _PULLED.search(line)
        return _status_line(*match.groups()) if match and not _LAYER.search(line) else None

    def _start_progress(self, line: str) -> str | None:
        match = _STARTED.search(line)
        if not match:
            return None
        name, status = match.groups()
        return _status_line(name.removeprefix(f"{self._project}-"), status)


def _status_line(name: str, status: str) -> str:
    """Return a line such as `Started model-1` or `model-1: healthy`."""
    if status in ("Pulling", "Pulled", "Started", "Recreated", "Removed"):
        return f"{status} {name}"
    return f"{name}: {status[0].lower()}{status[1:]}"


def _shorten(step: str) -> str:
    return shortened(" ".join(step.split()), _MAX_STEP_CHARACTERS)


def explain(step: str, docker: Docker, failure: Failure, timeout_s: float) -> StackError:
    """Return the error for a failed or timed-out step of Compose."""
    lines = failure.lines
    if failure.timed_out:
        return StackError(
            f"Docker Compose timed out after {timeout_s:g} s (step: {step}); see stack.log",
            log_lines=lines[-MAX_LOG_LINES:],
        )
    error = docker.error(lines)
    if not isinstance(error, DockerCommandError):
        return StackError(str(error))
    text = "\n".join(lines)
    tail = lines[-MAX_LOG_LINES:]
    last = lines[-1] if lines else "no error message"
    if in_use := _PORT_IN_USE.search(text):
        port = next(group for group in in_use.groups() if group)
        return StackError(
            f"port {port} is already in use: publish another port, or let Docker choose a free "
            "one (see docs/profiles.md)",
            log_lines=tail,
        )
    if any(phrase in text for phrase in _NO_NVIDIA):
        return StackError(
            f"the Docker engine cannot provide a GPU ({last}): install the NVIDIA Container "
            "Toolkit on its machine, or use --set device=cpu",
            log_lines=tail,
        )
    if step == "build":
        return StackError(f"cannot build the image: {last}; see stack.log", log_lines=tail)
    if step == "pull":
        return StackError(
            f"an image is missing and cannot be pulled: {last}. Check its name, or log in to its "
            "registry with `docker login`",
            log_lines=tail,
        )
    return StackError(f"Docker Compose cannot start the service: {last}", log_lines=tail)
