"""What Locust executes, from the section `load` of a profile."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from loadbench.engine.load.source.files import Locustfiles, find_locustfiles
from loadbench.engine.profile.sections.load import LoadSection
from loadbench.engine.profile.sections.locust_options import passed_variables, variable_notes

DEFAULT_START_TIMEOUT_S = 60.0

_SHARED_VARIABLES = {
    "LOCUST_TAGS": "tags",
    "LOCUST_EXCLUDE_TAGS": "exclude_tags",
    "LOCUST_USER_CLASSES": "user_classes",
}
"""Variables of Locust that are passed, and the keys of `load` with the same effect."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """The locustfiles of a run, and how Locust executes them."""

    files: Locustfiles
    options: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    exclude_tags: tuple[str, ...] = ()
    user_classes: tuple[str, ...] = ()
    keep_host: tuple[str, ...] = ()
    measurements: tuple[str, ...] = ()
    main: str | None = None
    start_timeout_s: float = DEFAULT_START_TIMEOUT_S

    @classmethod
    def of(cls, root: Path, load: LoadSection) -> "Scenario":
        """Return the scenario of a profile.

        Args:
            root: Folder of the workspace.
            load: The section `load` of the profile, with its references resolved.

        Raises:
            ProfileError: The locustfiles or the working folder do not exist.
        """
        return cls(
            files=find_locustfiles(root, load),
            options=load.options,
            environment=load.environment,
            tags=load.tags,
            exclude_tags=load.exclude_tags,
            user_classes=load.user_classes,
            keep_host=load.keep_host,
            measurements=load.measurements,
            main=load.main,
            start_timeout_s=load.start_timeout,
        )

    def variables(self, environ: Mapping[str, str]) -> dict[str, str]:
        """Return the environment of Locust.

        Args:
            environ: The environment of this process.
        """
        replaced = self._overridden(environ)
        kept = {name: value for name, value in environ.items() if name not in replaced}
        return passed_variables(kept, self.environment)

    def settings(self) -> dict[str, Any]:
        """Return what the Locust process needs to know, as JSON data."""
        return {
            "files": [str(path) for path in self.files.paths],
            "options": dict(self.options),
            "tags": self.tags,
            "exclude_tags": self.exclude_tags,
            "user_classes": self.user_classes,
            "keep_host": self.keep_host,
            "measurements": self.measurements,
            "main": self.main,
        }

    def notes(self, environ: Mapping[str, str]) -> list[str]:
        """Return messages about the working folder and about variables of Locust.

        Args:
            environ: The environment of this process.
        """
        found = []
        if self.files.reason:
            found.append(f"Locust runs in {self.files.folder}: {self.files.reason}")
        found += variable_notes(environ)
        for name, key in _SHARED_VARIABLES.items():
            if name not in environ:
                continue
            if getattr(self, key):
                found.append(f"environment variable {name} is ignored: load.{key} is set")
            else:
                found.append(
                    f"environment variable {name}={environ[name]} applies to Locust. To make it "
                    f"part of the profile, set load.{key}"
                )
        return found

    def _overridden(self, environ: Mapping[str, str]) -> set[str]:
        """Return the variables that a key of the profile replaces."""
        shared = _SHARED_VARIABLES.items()
        return {name for name, key in shared if name in environ and getattr(self, key)}


def scenario_of_file(file: Path) -> Scenario:
    """Return a scenario of one locustfile, in its own folder, without options."""
    path = Path(os.path.abspath(file))  # noqa: PTH100  # keeps symbolic links
    return Scenario(files=Locustfiles((path,), path.parent))
