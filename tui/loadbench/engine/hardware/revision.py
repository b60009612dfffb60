"""The Git revisions of what a run measures, as recorded with it."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

TIMEOUT_S = 5.0
"""Maximum seconds for all revisions. A repository that takes longer is not recorded."""

_OPTIONS = (
    *("--no-pager", "--literal-pathspecs"),
    # No programs that the configuration of a repository names, except filters such as Git LFS.
    *("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null"),
)
_VARIABLES = {
    # Take no locks, which would disturb the user's own commands.
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "LC_ALL": "C",
}
_REPOSITORY_VARIABLES = (
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_COMMON_DIR",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
)
"""Variables that select a repository, such as in a Git hook. They are not passed on."""

_SHOWN_CHARACTERS = 10
"""Number of characters of a commit that are shown."""

_TRACKED = ("ls-files", "--error-unmatch", "--")
_COMPARED = (
    *("diff", "--quiet", "--no-ext-diff", "--no-textconv", "--ignore-submodules=dirty"),
    "HEAD",
)
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """The commit that is checked out in a repository."""

    folder: str
    """Top folder of the working tree."""
    commit: str
    """Full hash of the commit."""
    has_changes: bool | None = None
    """Whether tracked files differ from the commit. None if unknown."""


def find_revisions(paths: Iterable[Path], *, timeout_s: float = TIMEOUT_S) -> tuple[Revision, ...]:
    """Return the revisions of the distinct repositories that track any of the paths.

    A path is omitted if it is in no repository or not tracked, or if its repository cannot be read:
    without Git, without a commit, or if Git does not trust its owner.

    Args:
        paths: Files and folders.
        timeout_s: Maximum seconds for all of them.
    """
    git, found = _Git(time.monotonic() + timeout_s), dict[str, Revision]()
    for path in dict.fromkeys(map(_resolved, paths)):
        folder = path if path.is_dir() else path.parent
        top = git.output(folder, "rev-parse", "--show-toplevel")
        if not top or top in found or not git.is_success(folder, *_TRACKED, str(path)):
            continue
        commit = git.output(folder, "rev-parse", "--verify", "--quiet", "HEAD^{commit}") or ""
        if _COMMIT.fullmatch(commit):
            code = git.code(folder, *_COMPARED)
            has_changes = None if code not in (0, 1) else code == 1
            found[top] = Revision(folder=top, commit=commit, has_changes=has_changes)
    return tuple(found.values())


@dataclass(frozen=True, slots=True)
class _Git:
    """Runs Git commands until a deadline.

    Args:
        deadline: Time on the monotonic clock.
    """

    deadline: float

    def output(self, folder: Path, *arguments: str) -> str | None:
        """Return the output, or None if the command fails."""
        done = self._run(folder, *arguments, stdout=subprocess.PIPE)
        if done is None or done.returncode:
            return None
        return os.fsdecode(done.stdout).removesuffix("\n")

    def is_success(self, folder: Path, *arguments: str) -> bool:
        """Return whether the command succeeds."""
        return self.code(folder, *arguments) == 0

    def code(self, folder: Path, *arguments: str) -> int | None:
        """Return the exit code, or None if the command cannot be executed in time."""
        done = self._run(folder, *arguments, stdout=subprocess.DEVNULL)
        return done.returncode if done else None

    def _run(
        self, folder: Path, *arguments: str, stdout: int
    ) -> "subprocess.CompletedProcess[bytes] | None":
        inherited = {k: v for k, v in os.environ.items() if k not in _REPOSITORY_VARIABLES}
        command = ["git", "-C", str(folder), *_OPTIONS, *arguments]
        try:
            process = subprocess.Popen(
                command,
                env={**inherited, **_VARIABLES},
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except (OSError, ValueError):
            return None
        with process:
            try:
                output, _ = process.communicate(timeout=max(0.0, self.deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                # With the filters that it has started, such as that of Git LFS.
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                return None
        return subprocess.CompletedProcess(command, process.returncode, output)


def _resolved(path: Path) -> Path:
    return Path(os.path.realpath(path))


def revision_text(revision: Revision) -> str:
    """Return a revision on one line: `abc1234 (with uncommitted changes)`."""
    notes = {True: " (with uncommitted changes)", False: "", None: " (changes unknown)"}
    return revision.commit[:_SHOWN_CHARACTERS] + notes[revision.has_changes]
