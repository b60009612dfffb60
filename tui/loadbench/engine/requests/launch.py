"""Starting a runner: always a process in a session of its own, whoever looks at it."""

import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from loadbench import errors
from loadbench.engine.profile.changes import digest_of
from loadbench.engine.profile.model import Profile
from loadbench.engine.requests.preflight import Preflight
from loadbench.errors import LoadbenchError
from loadbench.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """Which run to start, or to go on with. Plain data, so that it crosses to the runner.

    What was looked at is what is started: a request carries the profile itself, not where to read
    it. The runner looks at the file again only to refuse where it has changed meanwhile.
    """

    workspace_root: str
    reports: str
    bundled: bool
    profile_name: str = ""
    """Reports go to the folder of this name."""
    profile_file: str = ""
    """Where the profile was read from."""
    profile: Mapping[str, Any] = field(default_factory=dict)
    """Every key with its value, overrides included."""
    digest: str = ""
    """Of the profile, as `digest_of` gives it."""
    overrides: tuple[str, ...] = ()
    """The `KEY=VALUE` texts that were given with the file."""
    resume: str | None = None
    """The folder of the run to go on with, which has its own profile; None: a new run."""
    retry_failed: bool = False
    """With `resume`: measure failed cells again too."""

    @property
    def workspace(self) -> Workspace:
        """The workspace that it is about."""
        return Workspace(Path(self.workspace_root), Path(self.reports), self.bundled)

    @classmethod
    def to_run(
        cls, workspace: Workspace, file: Path, profile: Profile, overrides: Sequence[str] = ()
    ) -> "RunRequest":
        """Return the request for a new run.

        Args:
            workspace: Where the stack, the locustfile and the images are.
            file: Where the profile was read from.
            profile: What was read, overrides included.
            overrides: The `KEY=VALUE` texts that were given with the file.
        """
        resolved = profile.resolved()
        return cls(
            workspace_root=str(workspace.root),
            reports=str(workspace.reports),
            bundled=workspace.bundled,
            profile_name=file.stem,
            profile_file=str(file),
            profile=resolved,
            digest=digest_of(resolved),
            overrides=tuple(overrides),
        )

    @classmethod
    def to_resume(
        cls, workspace: Workspace, folder: Path, *, retry_failed: bool = False
    ) -> "RunRequest":
        """Return the request for going on with a run.

        Args:
            workspace: Where its profile came from.
            folder: The run's folder.
            retry_failed: Measure its failed cells again too.
        """
        return cls(
            workspace_root=str(workspace.root),
            reports=str(workspace.reports),
            bundled=workspace.bundled,
            resume=str(folder),
            retry_failed=retry_failed,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPlan:
    """What a run would be, as far as only its own process can tell."""

    preflight: Preflight
    needed_bytes: int
    """What the run may leave on the disk."""
    free_bytes: int


def start_runner(request: RunRequest) -> Path:
    """Start a runner and return once its run has begun.

    Returns:
        The run's folder, in which its journal can be followed.

    Raises:
        LoadbenchError: The run was refused; nothing was started.
    """
    return Path(_ask(request)["folder"])


def preview(request: RunRequest) -> RunPlan:
    """Ask the runner's program what it would do; start nothing.

    Docker is asked whether it answers, so this may take seconds.

    Raises:
        LoadbenchError: The run would be refused.
    """
    return TypeAdapter(RunPlan).validate_python(_ask(request, "preview"))


def _ask(request: RunRequest, *arguments: str) -> dict[str, Any]:
    """Start the runner's program with a request, and return its one answer."""
    with tempfile.TemporaryFile() as stray:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "loadbench.engine.run", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stray,
            start_new_session=True,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        with process.stdin:
            process.stdin.write(json.dumps(asdict(request)).encode())
        with process.stdout:
            said = process.stdout.read()
        stray.seek(0)
        words = stray.read().decode("utf-8", "replace").strip().splitlines()
    # Somebody must take note of its end, hours later, or it stays in the table of processes.
    threading.Thread(target=process.wait, daemon=True).start()
    try:
        answer: dict[str, Any] = json.loads(said)
    except ValueError:
        last = words[-1] if words else "it said nothing"
        raise LoadbenchError(f"the runner ended before the run began: {last}") from None
    if "refused" in answer:
        raise _error_named(answer["refused"])(answer["message"])
    return answer


def _error_named(name: str) -> type[LoadbenchError]:
    found = getattr(errors, name, LoadbenchError)
    known = isinstance(found, type) and issubclass(found, LoadbenchError)
    return found if known else LoadbenchError
