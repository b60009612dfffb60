"""What Compose says, made shorter for people, and its failures explained. Pure."""

import re

from loadbench.engine.drivers.compose.client import Failure
from loadbench.engine.drivers.docker.client import Docker, DockerCallError
from loadbench.engine.drivers.protocol import LOG_LINES
from loadbench.errors import StackError

_MAX_STEP_CHARACTERS = 70
_NUMBERED = re.compile(r"^#(\d+) (.+)")
_BUILD_STEP = re.compile(r"^(\[(?!internal|\S+ internal)[^]]*\d+/\d+\] .+)")
_CLASSIC_STEP = re.compile(r"^(Step \d+/\d+ : .+)")
_STARTED = re.compile(r"Container (\S+)\s+(Started|Recreated|Removed|Healthy|Exited|Error.*)$")
_PULLED = re.compile(r"^\s*\S+ (Pulling|Pulled|Error.*)\s*$")
_LAYER = re.compile(r"^\s*[0-9a-f]{12} ")

_PORT_TAKEN = re.compile(
    r"Bind for (\S+) failed: port is already allocated|"
    r"listen tcp\d? (\S+): bind: address already in use|"
    r"exposing port TCP (\S+) -> "
)
_NO_NVIDIA = ("could not select device driver", "nvidia-container-cli", "unknown runtime")


class ProgressReporter:
    """Turns what Compose says while it does a step into what people are told.

    Args:
        step: build, pull or start.
        project: The project's name, which is the same in all lines.
    """

    def __init__(self, step: str, project: str) -> None:
        self._step = step
        self._project = project
        self._begun: dict[str, str] = {}

    def tell(self, line: str) -> str | None:
        """Return what a line tells of progress; None: stack.log alone needs it."""
        match self._step:
            case "build":
                return self._tell_build(line)
            case "pull":
                found = _PULLED.search(line)
                return line.strip() if found and not _LAYER.search(line) else None
            case _:
                return self._tell_start(line)

    def _tell_build(self, line: str) -> str | None:
        if classic := _CLASSIC_STEP.search(line):
            return _short(classic[1])
        numbered = _NUMBERED.search(line)
        if not numbered:
            return None
        number, rest = numbered.groups()
        if step := _BUILD_STEP.search(rest):
            self._begun[number] = _short(step[1])
            return None
        # Only its next line says whether a step is done anew or taken from the cache.
        begun = self._begun.pop(number, None)
        return None if rest.startswith("CACHED") else begun

    def _tell_start(self, line: str) -> str | None:
        if match := _STARTED.search(line):
            return f"{match[1].removeprefix(f'{self._project}-')} {match[2].lower()}"
        return None


def _short(step: str) -> str:
    text = " ".join(step.split())
    return text if len(text) <= _MAX_STEP_CHARACTERS else f"{text[:_MAX_STEP_CHARACTERS]}…"


def explain(step: str, docker: Docker, failure: Failure, within_s: float) -> StackError:
    """Return the error for a step that Compose could not do within its time."""
    lines = failure.lines
    if failure.overdue:
        return StackError(
            f"Compose took longer than {within_s:g} s for this step ({step}); stack.log says more",
            log_lines=lines[-LOG_LINES:],
        )
    error = docker.error(lines)
    if not isinstance(error, DockerCallError):
        return StackError(str(error))
    whole = "\n".join(lines)
    tail = lines[-LOG_LINES:]
    last = lines[-1] if lines else "Compose said nothing"
    if taken := _PORT_TAKEN.search(whole):
        port = next(group for group in taken.groups() if group)
        return StackError(
            f"port {port} is taken: publish another one, or a free one as docs/profiles.md says",
            log_lines=tail,
        )
    if any(words in whole for words in _NO_NVIDIA):
        return StackError(
            f"the engine cannot give a container a GPU ({last}): install the NVIDIA Container "
            "Toolkit there, or --set device=cpu",
            log_lines=tail,
        )
    if step == "build":
        return StackError(
            f"the image cannot be built: {last}; stack.log has it all", log_lines=tail
        )
    if step == "pull":
        return StackError(
            f"an image is missing and cannot be pulled: {last}; check its name, or "
            "`docker login` where it is kept",
            log_lines=tail,
        )
    return StackError(f"Compose cannot start the service: {last}", log_lines=tail)
