"""What the files of a project reveal about its services: sources, commands and addresses."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from urllib.parse import urlsplit

from loadbench.engine.drivers.compose.first_profile.search import is_part, text_of, walk
from loadbench.engine.drivers.compose.project.files import ComposeFiles
from loadbench.engine.drivers.compose.project.receiver import HTTP_PORTS, published_at
from loadbench.engine.drivers.compose.project.services import Role, Service

SOURCE_SUFFIXES = (
    *(".py", ".js", ".mjs", ".cjs", ".ts", ".go", ".rs", ".java", ".kt", ".rb", ".php", ".cs"),
    *(".cpp", ".cc", ".sh"),
)
MAX_SOURCES = 400
"""Maximum number of source files that are read."""

_NOT_SOURCES = ("test", "tests", "docs", "examples", "migrations", "locust", "load_tests")
"""Folders whose files show nothing about the running service."""

_URL = re.compile(r"https?://[\w.-]+(?::\d{1,5})?")
_LOCUST_IMPORT = re.compile(r"^[ \t]*(?:from|import)[ \t]+locust\b", re.MULTILINE)
_DEFAULT = re.compile(r"\$\{\w+:?-([^{}]*)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """A value for a profile, and where it comes from."""

    value: str
    source: str
    """Where it was found, or why it was chosen."""
    is_found: bool = False
    """Whether the files state it. Otherwise it is plausible, but may be wrong."""

    @property
    def comment(self) -> str:
        """The text behind the key in the profile, on one line."""
        text = " ".join(self.source.split())
        return f"{'found' if self.is_found else 'guessed'}: {text}"


@dataclass(frozen=True)  # no slots: cached properties need a __dict__
class ProjectEvidence:
    """A project and the files next to its compose files."""

    files: ComposeFiles
    folder: Path
    """The folder of the project. Files outside it are not read."""
    locustfile: str = ""
    """Text of the locustfile."""

    @property
    def enabled(self) -> Mapping[str, Service]:
        """The services that are enabled without Compose profiles."""
        services = self.files.services
        return {name: one for name, one in services.items() if name in self.files.enabled}

    @cached_property
    def targets(self) -> tuple[tuple[str, int, str], ...]:
        """Where the project sends its own load: service, container port and scheme."""
        found = (self._place(url) for url in self._load_urls())
        return tuple(dict.fromkeys(place for place in found if place))

    def command(self, service: Service) -> str:
        """Return what a service executes, as one line: its own command or that of its image."""
        return plain_command(service.command or service.dockerfile.command)

    def sources(self, service: Service) -> Iterator[tuple[Path, str]]:
        """Yield the source files of a service with their texts, within a limit."""
        seen = set[Path]()
        for place in self._places(service):
            for path in [place] if place.is_file() else walk(place, _is_source_folder):
                if path.suffix not in SOURCE_SUFFIXES or path in seen:
                    continue
                seen.add(path)
                if len(seen) > MAX_SOURCES:
                    return
                text = text_of(path)
                if not _LOCUST_IMPORT.search(text):
                    yield path, text

    def shown(self, path: Path, text: str = "", offset: int = 0) -> str:
        """Return the place of an offset in a file, such as `app/main.py:12`."""
        name = path.relative_to(self.folder) if path.is_relative_to(self.folder) else path
        return f"{name}:{text.count(chr(10), 0, offset) + 1}" if text else str(name)

    def _places(self, service: Service) -> Iterator[Path]:
        """Yield the files and folders that a service mounts or is built from."""
        build = service.config.get("build") or {}
        mounts = (
            str(mount.get("source"))
            for mount in service.config.get("volumes") or ()
            if mount.get("type") == "bind"
        )
        for name in (*mounts, *filter(None, [str(build.get("context") or "")])):
            place = Path(name)
            if place.is_relative_to(self.folder):
                yield place

    def _load_urls(self) -> Iterator[str]:
        yield from _URL.findall(self.locustfile)
        for service in self.files.services.values():
            if service.role is Role.LOAD_GENERATOR:
                environment = service.config.get("environment") or {}
                for text in (service.command, *map(str, environment.values())):
                    yield from _URL.findall(text)

    def _place(self, url: str) -> tuple[str, int, str] | None:
        try:
            parts = urlsplit(url)
            port = parts.port or HTTP_PORTS[parts.scheme]
        except ValueError:
            return None
        services = self.files.services
        names = {str(one.config.get("container_name")): name for name, one in services.items()}
        host = parts.hostname or ""
        service = host if host in services else names.get(host)
        place = (service, port) if service else published_at(services, url)
        if place is None or services[place[0]].role is Role.LOAD_GENERATOR:
            return None
        return (*place, parts.scheme)


def plain_command(text: str) -> str:
    """Return a command without the notation of lists, and with the defaults of its variables."""
    return " ".join(re.sub(r"[\[\]\",']", " ", _DEFAULT.sub(r"\1", text)).split())


def words(name: str) -> set[str]:
    """Return the words of the name of a service in lower case, without numbers."""
    return set(filter(None, re.split(r"[^a-z]+", name.lower())))


def listed(names: Iterable[str], *, most: int = 5) -> str:
    """Return names as a list, with the number of those that are not listed."""
    found = list(names)
    more = f" and {len(found) - most} more" if len(found) > most else ""
    return ", ".join(found[:most]) + more


def _is_source_folder(folder: Path) -> bool:
    return is_part(folder) and folder.name.lower() not in _NOT_SOURCES
