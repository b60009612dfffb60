"""What Compose says, made shorter for people, and its failures explained. Pure."""

import re
from collections.abc import Sequence

from loadbench.engine.stack.docker import Docker, DockerCallError
from loadbench.errors import EngineError, StackError

LOG_LINES = 15
_BUILD_STEP = re.compile(r"#\d+ \[(?!internal)|Step \d+/\d+ :")
_STARTED = re.compile(r"Container (\S+)\s+(Started|Recreated|Removed|Healthy|Exited|Error.*)$")
_PULLED = re.compile(r"^\s*\S+ (Pulling|Pulled|Error.*)\s*$")
_LAYER = re.compile(r"^\s*[0-9a-f]{12} ")

_PORT_TAKEN = re.compile(
    r"Bind for (\S+) failed: port is already allocated|"
    r"listen tcp\d? (\S+): bind: address already in use|"
    r"exposing port TCP (\S+) -> "
)
_NO_NVIDIA = ("could not select device driver", "nvidia-container-cli", "unknown runtime")


def worth_saying(step: str, line: str) -> bool:
    """Whether a line tells of progress; stack.log has the others too."""
    match step:
        case "build":
            return bool(_BUILD_STEP.search(line))
        case "pull":
            return bool(_PULLED.search(line)) and not _LAYER.search(line)
        case _:
            return bool(_STARTED.search(line))


def told_of(line: str, project: str) -> str:
    """Return a line as people are told it: without what is the same in all of them."""
    if match := _STARTED.search(line):
        return f"{match[1].removeprefix(f'{project}-')} {match[2].lower()}"
    return re.sub(r"^#\d+ ", "", line).strip()


def explain(step: str, docker: Docker, lines: Sequence[str]) -> StackError | EngineError:
    """Return the error for a step that Compose could not do, from what it said last."""
    error = docker.error(lines)
    if not isinstance(error, DockerCallError):
        return error
    whole = "\n".join(lines)
    tail = tuple(lines[-LOG_LINES:])
    last = lines[-1] if lines else "Compose said nothing"
    if taken := _PORT_TAKEN.search(whole):
        port = next(group for group in taken.groups() if group)
        return StackError(
            f"port {port} is taken: end what listens there, or publish another one", log_lines=tail
        )
    if any(words in whole for words in _NO_NVIDIA):
        return StackError(
            f"the engine cannot give a container a GPU ({last}): install the NVIDIA Container "
            "Toolkit there, or --set device=cpu",
            log_lines=tail,
        )
    if step == "build":
        return StackError(f"the image cannot be built: {last}; stack.log has it all", log_lines=tail)
    if step == "pull":
        return StackError(
            f"an image is missing and cannot be pulled: {last}; check its name, or "
            "`docker login` where it is kept",
            log_lines=tail,
        )
    return StackError(f"Compose cannot start the service: {last}", log_lines=tail)
