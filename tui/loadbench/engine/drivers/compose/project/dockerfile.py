"""Reads what a Dockerfile declares: base image, ports, command and health check."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from loadbench.engine.bounds.files import read_file
from loadbench.engine.profile.fields import MAX_PORT

MAX_BYTES = 1_000_000
MAX_VALUE_CHARACTERS = 1_000
"""Limit of the value of a variable, which may repeat others."""

_INSTRUCTION = re.compile(
    r"^\s*(FROM|ARG|ENV|EXPOSE|HEALTHCHECK|CMD|ENTRYPOINT)\s+(.*)$", re.IGNORECASE
)
_VARIABLE = re.compile(r"\$\{?(\w+)(?::?-([^}]*))?\}?")


@dataclass(frozen=True, slots=True)
class Dockerfile:
    """What the last stage of a Dockerfile declares. Empty if the file cannot be read."""

    base_image: str = ""
    """Image of the last stage or, if it builds on another stage, of that one."""
    ports: tuple[int, ...] = ()
    """TCP ports from `EXPOSE`."""
    health: str = ""
    """The command of `HEALTHCHECK`."""
    entrypoint: str = ""
    arguments: str = ""
    """What `CMD` adds to the entrypoint, or executes if there is none."""

    @property
    def command(self) -> str:
        """What a container executes, as one line without the notation of lists."""
        return " ".join(re.sub(r"[\[\]\",']", " ", f"{self.entrypoint} {self.arguments}").split())


def read_dockerfile(build: Mapping[str, Any]) -> Dockerfile:
    """Read the Dockerfile of a service.

    Args:
        build: The key `build` of the service, as printed by `docker compose config`.
    """
    if text := build.get("dockerfile_inline"):
        return parse_dockerfile(str(text), str(build.get("target") or ""))
    context = Path(str(build.get("context") or "."))
    file = context / str(build.get("dockerfile") or "Dockerfile")
    return _read(file, str(build.get("target") or ""))


def parse_dockerfile(text: str, target: str = "") -> Dockerfile:
    """Parse a Dockerfile.

    Args:
        text: Its text.
        target: Name of the stage to build. Empty for the last one.
    """
    stages: dict[str, Dockerfile] = {}
    variables: dict[str, str] = {}
    current = Dockerfile()
    name = ""
    for line in re.sub(r"\\\s*\n", " ", text).splitlines():
        match = _INSTRUCTION.match(line)
        if not match:
            continue
        keyword, rest = match[1].upper(), _replaced(match[2].split(" #")[0].strip(), variables)
        if keyword == "FROM":
            if target and name == target.lower():
                break
            words = [word for word in rest.split() if not word.startswith("--")]
            image = words[0] if words else ""
            name = words[2].lower() if len(words) > 2 and words[1].lower() == "as" else ""
            current = stages.get(image.lower(), Dockerfile(base_image=image))
        elif keyword in ("ARG", "ENV"):
            key, _, value = rest.partition("=" if "=" in rest else " ")
            variables[key.strip()] = value.strip().strip("\"'")[:MAX_VALUE_CHARACTERS]
        elif keyword == "EXPOSE":
            ports = (*current.ports, *_exposed(rest))
            current = replace(current, ports=tuple(dict.fromkeys(ports)))
        elif keyword == "HEALTHCHECK":
            current = replace(current, health=rest)
        elif keyword == "ENTRYPOINT":
            # It resets the command of the base image.
            current = replace(current, entrypoint=rest, arguments="")
        else:
            current = replace(current, arguments=rest)
        stages[name] = current
    return current


def _exposed(text: str) -> list[int]:
    found = []
    for word in text.split():
        port, _, protocol = word.partition("/")
        is_port = port.isascii() and port.isdigit() and 0 < int(port[:6]) <= MAX_PORT
        if is_port and protocol.lower() in ("", "tcp"):
            found.append(int(port[:6]))
    return found


def _replaced(text: str, variables: Mapping[str, str]) -> str:
    return _VARIABLE.sub(lambda found: variables.get(found[1]) or found[2] or "", text)


def _read(file: Path, target: str) -> Dockerfile:
    try:
        data = read_file(file, max_bytes=MAX_BYTES)
    except (OSError, ValueError):
        # A ValueError is raised for a path with NUL, too.
        return Dockerfile()
    return parse_dockerfile(data.decode("utf-8", "replace"), target)
