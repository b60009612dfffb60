"""Profile files on disk: atomic saving, creation, renaming, and deletion into a trash folder."""

import errno
import os
import re
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from loadbench.engine.bounds.files import read_file
from loadbench.engine.bounds.parsing import BadInputError
from loadbench.engine.disk import full_reason
from loadbench.engine.profile.loading import SUFFIXES
from loadbench.engine.profile.source import MAX_BYTES
from loadbench.errors import ProfileChangedError, ProfileError, WorkspaceError

TRASH = ".trash"
"""Folder of deleted profiles, inside the folder of the profiles."""

TRASH_DAYS = 7
"""Number of days for which deleted profiles are kept."""

_NEW_MODE = 0o666
_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK)
"""Errors of file systems without hard links."""

MAX_NAME_BYTES = 100
"""Maximum length of a profile's name. Names of run folders and trashed files are longer."""

_TIME_FORMAT = "%Y%m%dT%H%M%S%fZ"
_TRASHED = re.compile(r".+\.(\d{8}T\d{12}Z)")


@dataclass(frozen=True, slots=True)
class ProfileFile:
    """A profile file as it was read."""

    path: Path
    data: bytes

    def save(self, data: bytes) -> "ProfileFile":
        """Replace the contents of the file atomically.

        The file keeps its permissions. A symbolic link stays, and its target is replaced. Another
        process that writes the file between the last comparison and the replacement is not noticed.

        Args:
            data: The new contents.

        Returns:
            The file as it is now.

        Raises:
            ProfileChangedError: The file was changed or deleted since it was read.
            WorkspaceError: The file cannot be written. It is unchanged.
        """
        with _workspace_errors(self.path):
            target = Path(os.path.realpath(self.path))
            self._check_unchanged()
            mode = stat.S_IMODE(target.stat().st_mode)
            if not os.access(target, os.W_OK):
                raise WorkspaceError(f"{self.path}: the file is read-only")
            with _temporary_file(target.parent, data, mode) as part:
                self._check_unchanged()
                part.replace(target)
            _sync_folder(target.parent)
        return ProfileFile(self.path, data)

    def _check_unchanged(self) -> None:
        try:
            current = read_file(self.path, max_bytes=MAX_BYTES)
        except FileNotFoundError:
            message = f"{self.path}: the file was deleted since it was opened"
            raise ProfileChangedError(message, data=None) from None
        except BadInputError as error:
            message = f"{self.path}: another program changed the file: {error}"
            raise WorkspaceError(message) from error
        if current != self.data:
            message = f"{self.path}: another program changed the file since it was opened"
            raise ProfileChangedError(message, data=current)


@dataclass(frozen=True, slots=True)
class Deleted:
    """A deleted profile, which `restore` can bring back."""

    path: Path
    """Where the file was."""
    trashed: Path
    """Where the file is now."""


def read_profile_file(path: Path) -> ProfileFile:
    """Read a profile file.

    Raises:
        ProfileError: The file cannot be read.
    """
    try:
        return ProfileFile(path, read_file(path, max_bytes=MAX_BYTES))
    except OSError as error:
        raise ProfileError(f"{path}: {error.strerror or error}") from error
    except BadInputError as error:
        raise ProfileError(f"{path}: {error}") from error


def create_profile_file(path: Path, data: bytes) -> ProfileFile:
    """Create a profile file atomically.

    Args:
        path: The new file, with one of the suffixes of profiles.
        data: Its contents.

    Raises:
        ProfileError: The name is invalid or in use.
        WorkspaceError: The file cannot be written. Nothing was created.
    """
    check_new_file(path)
    with _workspace_errors(path), _temporary_file(path.parent, data, None) as part:
        _move(part, path)
        _sync_folder(path.parent)
    return ProfileFile(path, data)


def check_new_file(path: Path) -> None:
    """Check that a profile file can be created.

    Raises:
        ProfileError: The name is invalid or in use.
    """
    _check_name(path)
    _check_unused(path)


def rename_profile(path: Path, new_name: str) -> Path:
    """Rename a profile. Its runs stay in the reports folder of the old name.

    Args:
        path: The profile file.
        new_name: The new name; a suffix of profiles is ignored.

    Returns:
        The new path.

    Raises:
        ProfileError: The name is invalid or in use.
        WorkspaceError: The file cannot be renamed.
    """
    if not new_name or "/" in new_name or "\0" in new_name:
        raise ProfileError(f"{new_name!r} is not a valid name: expected a name without /")
    name = Path(new_name).stem if Path(new_name).suffix in SUFFIXES else new_name
    target = path.with_name(name + path.suffix)
    if target == path:
        return path
    _check_name(target)
    _check_unused(target, ignored=path)
    with _workspace_errors(path):
        _move(path, target)
        _sync_folder(path.parent)
    return target


def delete_profile(path: Path, *, now: datetime | None = None) -> Deleted:
    """Move a profile into the trash folder next to it, and remove old entries from the trash.

    Args:
        path: The profile file. Of a symbolic link, only the link is moved.
        now: Current time; default: the clock.

    Raises:
        WorkspaceError: The file cannot be moved.
    """
    current = now or datetime.now(UTC)
    trash = path.parent / TRASH
    trashed = trash / f"{path.name}.{current.strftime(_TIME_FORMAT)}"
    with _workspace_errors(path):
        trash.mkdir(exist_ok=True)
        _move(path, trashed)
        _sync_folder(trash)
        _sync_folder(path.parent)
    _remove_old(trash, current)
    return Deleted(path, trashed)


def restore(deleted: Deleted) -> Path:
    """Move a deleted profile back to where it was.

    Raises:
        ProfileError: Its name is in use again, or it is no longer in the trash.
        WorkspaceError: The file cannot be moved.
    """
    _check_unused(deleted.path)
    if not os.path.lexists(deleted.trashed):
        raise ProfileError(f"{deleted.trashed}: the profile is no longer in the trash")
    with _workspace_errors(deleted.path):
        _move(deleted.trashed, deleted.path)
        _sync_folder(deleted.path.parent)
    return deleted.path


def deleted_profiles(folder: Path) -> list[Deleted]:
    """Return the deleted profiles of a folder that can be restored, the newest last.

    Args:
        folder: The folder of the profiles.
    """
    found = []
    with suppress(OSError):
        for entry in (folder / TRASH).iterdir():
            if match := _TRASHED.fullmatch(entry.name):
                name = entry.name.removesuffix(f".{match[1]}")
                found.append((match[1], Deleted(folder / name, entry)))
    return [deleted for _, deleted in sorted(found, key=lambda pair: pair[0])]


def name_problem(name: str) -> str:
    """Return why a profile cannot have a name, or an empty text.

    Args:
        name: The name, without the extension of its file.
    """
    if not name:
        return "enter a name, such as my_profile"
    if name != name.strip() or name.startswith((".", "-")):
        return "it must not start with a dot, dash or space, or end with a space"
    if not name.isprintable() or "/" in name:
        return "it must not contain slashes or control characters"
    if name.endswith(SUFFIXES):
        return "leave out the extension"
    if len(name.encode("utf-8", "replace")) > MAX_NAME_BYTES:
        return f"it is longer than {MAX_NAME_BYTES} bytes"
    return ""


def _check_name(path: Path) -> None:
    if path.suffix not in SUFFIXES:
        raise ProfileError(f"{path.name}: expected a file name ending in {' or '.join(SUFFIXES)}")
    if problem := name_problem(path.stem):
        raise ProfileError(f"{path.stem!r} is not a valid name: {problem}")


def _check_unused(path: Path, *, ignored: Path | None = None) -> None:
    """Check that no profile has the name of a file, with any suffix."""
    for suffix in SUFFIXES:
        existing = path.with_name(path.stem + suffix)
        if existing != ignored and os.path.lexists(existing):
            raise ProfileError(f"{existing}: the name {path.stem!r} is in use. Choose another one")


def _move(source: Path, target: Path) -> None:
    """Move a file within a file system, without overwriting.

    Raises:
        ProfileError: The target exists.
    """
    try:
        # Unlike a rename, a link fails if the target exists.
        os.link(source, target, follow_symlinks=False)
    except FileExistsError:
        raise ProfileError(f"{target}: the name {target.stem!r} is in use") from None
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        if os.path.lexists(target):
            raise ProfileError(f"{target}: the name {target.stem!r} is in use") from None
        source.rename(target)
        return
    try:
        source.unlink()
    except OSError:
        target.unlink()
        raise


@contextmanager
def _temporary_file(folder: Path, data: bytes, mode: int | None) -> Iterator[Path]:
    """Write a hidden file, which is removed at the end of the block unless it was moved.

    Args:
        folder: Its folder.
        data: Its contents.
        mode: Its permission bits; None: those of new files.
    """
    part = folder / f".{secrets.token_hex(8)}.part"
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _NEW_MODE)
    try:
        with open(descriptor, "wb") as file:  # noqa: PTH123  # opens a descriptor
            if mode is not None:
                os.fchmod(descriptor, mode)
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        yield part
    finally:
        part.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    """Write a folder's entries to the disk, if its file system supports that."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _remove_old(trash: Path, now: datetime) -> None:
    """Remove expired entries. Errors are ignored, since the next deletion tries again."""
    oldest = (now - timedelta(days=TRASH_DAYS)).strftime(_TIME_FORMAT)
    with suppress(OSError):
        for entry in list(trash.iterdir()):
            match = _TRASHED.fullmatch(entry.name)
            if match and match[1] < oldest:
                entry.unlink(missing_ok=True)


@contextmanager
def _workspace_errors(path: Path) -> Iterator[None]:
    """Convert an `OSError` raised inside the block.

    Raises:
        WorkspaceError: With the path and the reason.
    """
    try:
        yield
    except OSError as error:
        reason = full_reason(error, path) or error.strerror or str(error)
        raise WorkspaceError(f"{path}: {reason}. Nothing was changed") from error
