"""Profile files on disk: saving, creation, renaming, deletion."""

import os
import resource
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from loadbench.engine.profile.editing.file import (
    TRASH,
    TRASH_DAYS,
    Deleted,
    create_profile_file,
    delete_profile,
    read_profile_file,
    rename_profile,
    restore,
)
from loadbench.engine.profile.loading import saved_profiles
from loadbench.errors import LoadbenchError, ProfileChangedError, ProfileError, WorkspaceError

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
NOBODY = 65534
OLD, NEW = b"users: [1]\n", b"users: [2]\n"


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    path = tmp_path / "mine.yaml"
    path.write_bytes(OLD)
    return path


@contextmanager
def full_disk() -> Iterator[None]:
    """Let every write of more than a byte fail, as on a full disk."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@contextmanager
def unprivileged_folder() -> Iterator[Path]:
    """Yield a folder of a user without privileges, and be that user: root may write anywhere."""
    is_root = os.geteuid() == 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if is_root:
            os.chown(folder, NOBODY, NOBODY)
            os.setresuid(NOBODY, NOBODY, 0)
        try:
            yield folder
        finally:
            if is_root:
                os.setresuid(0, 0, 0)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# Saving


def test_saved_file_keeps_its_permissions(profile: Path) -> None:
    profile.chmod(0o640)

    saved = read_profile_file(profile).save(NEW)

    assert (saved.path, saved.data, profile.read_bytes()) == (profile, NEW, NEW)
    assert stat.S_IMODE(profile.stat().st_mode) == 0o640
    assert names(profile.parent) == ["mine.yaml"]


def test_saved_file_can_be_saved_again(profile: Path) -> None:
    read_profile_file(profile).save(NEW).save(OLD)

    assert profile.read_bytes() == OLD


def test_symbolic_link_stays_and_its_target_is_saved(profile: Path) -> None:
    folder = profile.parent / "profiles"
    folder.mkdir()
    link = folder / "link.yaml"
    link.symlink_to("../mine.yaml")

    read_profile_file(link).save(NEW)

    assert link.is_symlink()
    assert profile.read_bytes() == NEW
    assert names(folder) == ["link.yaml"]


def test_file_changed_by_another_program_is_not_replaced(profile: Path) -> None:
    opened = read_profile_file(profile)
    profile.write_bytes(b"theirs")

    with pytest.raises(ProfileChangedError, match="another program changed the file") as raised:
        opened.save(NEW)

    assert raised.value.data == profile.read_bytes() == b"theirs"
    assert names(profile.parent) == ["mine.yaml"]


def test_file_deleted_by_another_program_is_not_created_again(profile: Path) -> None:
    opened = read_profile_file(profile)
    profile.unlink()

    with pytest.raises(ProfileChangedError, match="the file was deleted") as raised:
        opened.save(NEW)

    assert raised.value.data is None
    assert names(profile.parent) == []


def test_full_disk_leaves_the_file_unchanged(profile: Path) -> None:
    opened = read_profile_file(profile)

    with full_disk(), pytest.raises(WorkspaceError, match="largest size that is allowed"):
        opened.save(NEW)

    assert profile.read_bytes() == OLD
    assert names(profile.parent) == ["mine.yaml"]


def test_removed_folder_is_reported(profile: Path) -> None:
    opened = read_profile_file(profile)
    profile.rename(profile.parent.parent / "moved.yaml")
    profile.parent.rmdir()

    with pytest.raises(ProfileChangedError, match="the file was deleted"):
        opened.save(NEW)


def test_file_replaced_by_a_folder_is_reported(profile: Path) -> None:
    opened = read_profile_file(profile)
    profile.unlink()
    profile.mkdir()

    with pytest.raises(WorkspaceError, match="Is a directory"):
        opened.save(NEW)
    assert names(profile.parent) == ["mine.yaml"]


def test_read_only_file_and_folder_are_reported() -> None:
    with unprivileged_folder() as folder:
        profile = folder / "mine.yaml"
        profile.write_bytes(OLD)
        opened = read_profile_file(profile)
        profile.chmod(0o444)
        with pytest.raises(WorkspaceError, match="the file is read-only"):
            opened.save(NEW)
        profile.chmod(0o644)
        folder.chmod(0o555)
        actions: tuple[Callable[[], object], ...] = (
            lambda: opened.save(NEW),
            lambda: create_profile_file(profile.with_name("new.yaml"), NEW),
            lambda: rename_profile(profile, "new"),
            lambda: delete_profile(profile),
        )
        for action in actions:
            with pytest.raises(WorkspaceError, match="Permission denied"):
                action()
        assert names(folder) == ["mine.yaml"]
        folder.chmod(0o755)


def test_missing_file_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match="No such file"):
        read_profile_file(tmp_path / "none.yaml")


# Creation


def test_created_file_has_the_permissions_of_new_files(tmp_path: Path) -> None:
    created = create_profile_file(tmp_path / "a.b.yaml", NEW)
    (tmp_path / "other").touch()

    assert created.path.read_bytes() == created.data == NEW
    assert created.path.stat().st_mode == (tmp_path / "other").stat().st_mode
    assert names(tmp_path) == ["a.b.yaml", "other"]


@pytest.mark.parametrize("existing", ["new.yaml", "new.yml"])
def test_existing_profile_is_not_overwritten(tmp_path: Path, existing: str) -> None:
    (tmp_path / existing).write_bytes(OLD)

    with pytest.raises(ProfileError, match=f"{existing}: the name 'new' is in use"):
        create_profile_file(tmp_path / "new.yaml", NEW)

    assert names(tmp_path) == [existing]
    assert (tmp_path / existing).read_bytes() == OLD


def test_dangling_link_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "new.yaml").symlink_to("nowhere")

    with pytest.raises(ProfileError, match="in use"):
        create_profile_file(tmp_path / "new.yaml", NEW)

    assert names(tmp_path) == ["new.yaml"]


@pytest.mark.parametrize(
    "name",
    [
        *(".hidden.yaml", "-x.yaml", " x.yaml", "x .yaml", "a\nb.yaml", "x.txt"),
        f"{'x' * 300}.yaml",
    ],
)
def test_invalid_names_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ProfileError, match=r"not a valid name|expected a file name"):
        create_profile_file(tmp_path / name, NEW)

    assert names(tmp_path) == []


def test_failed_creation_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="Nothing was changed"):
        create_profile_file(tmp_path / "missing" / "x.yaml", NEW)

    assert names(tmp_path) == []


def test_full_disk_leaves_no_new_file(tmp_path: Path) -> None:
    with full_disk(), pytest.raises(WorkspaceError, match="largest size that is allowed"):
        create_profile_file(tmp_path / "new.yaml", NEW)

    assert names(tmp_path) == []


# Renaming


@pytest.mark.parametrize("name", ["new", "new.yaml", "new.yml"])
def test_renamed_profile_keeps_its_suffix_and_contents(profile: Path, name: str) -> None:
    renamed = rename_profile(profile, name)

    assert renamed == profile.with_name("new.yaml")
    assert renamed.read_bytes() == OLD
    assert names(profile.parent) == ["new.yaml"]


def test_renaming_to_the_same_name_changes_nothing(profile: Path) -> None:
    assert rename_profile(profile, "mine") == profile
    assert names(profile.parent) == ["mine.yaml"]


@pytest.mark.parametrize("existing", ["new.yaml", "new.yml"])
def test_renaming_does_not_overwrite(profile: Path, existing: str) -> None:
    profile.with_name(existing).write_bytes(NEW)

    with pytest.raises(ProfileError, match="the name 'new' is in use"):
        rename_profile(profile, "new")

    assert (profile.read_bytes(), profile.with_name(existing).read_bytes()) == (OLD, NEW)


@pytest.mark.parametrize("name", ["", "a/b", "..", ".", ".x", "a\0b", " "])
def test_renaming_to_an_invalid_name_is_refused(profile: Path, name: str) -> None:
    with pytest.raises(ProfileError, match="not a valid name"):
        rename_profile(profile, name)

    assert names(profile.parent) == ["mine.yaml"]


def test_renaming_a_missing_profile_is_reported(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="No such file"):
        rename_profile(tmp_path / "none.yaml", "new")


def test_renamed_link_remains_a_link(profile: Path) -> None:
    link = profile.with_name("link.yaml")
    link.symlink_to("mine.yaml")

    assert rename_profile(link, "other").readlink() == Path("mine.yaml")


# Deletion


def test_deleted_profile_is_not_listed_and_can_be_restored(profile: Path) -> None:
    deleted = delete_profile(profile, now=NOW)

    assert deleted.trashed == profile.parent / TRASH / "mine.yaml.20261130T120000000000Z"
    assert saved_profiles(profile.parent) == []
    assert restore(deleted) == profile
    assert profile.read_bytes() == OLD
    assert names(profile.parent / TRASH) == []


def test_restoring_does_not_overwrite(profile: Path) -> None:
    deleted = delete_profile(profile)
    for name in ("mine.yaml", "mine.yml"):
        profile.with_name(name).write_bytes(NEW)
        with pytest.raises(ProfileError, match="the name 'mine' is in use"):
            restore(deleted)
        assert profile.with_name(name).read_bytes() == NEW
        profile.with_name(name).unlink()
    restore(deleted)
    with pytest.raises(ProfileError, match="in use"):
        restore(deleted)


def test_profile_missing_from_the_trash_is_reported(profile: Path) -> None:
    with pytest.raises(ProfileError, match="no longer in the trash"):
        restore(Deleted(profile.with_name("gone.yaml"), profile.parent / TRASH / "gone"))


def test_old_entries_are_removed_at_the_next_deletion(profile: Path) -> None:
    old = delete_profile(profile, now=NOW - timedelta(days=TRASH_DAYS, seconds=1))
    profile.write_bytes(OLD)
    kept = delete_profile(profile, now=NOW - timedelta(days=TRASH_DAYS) + timedelta(seconds=1))
    (profile.parent / TRASH / "notes.txt").touch()
    # The age of the file itself does not matter.
    profile.write_bytes(OLD)
    os.utime(profile, (0, 0))

    new = delete_profile(profile, now=NOW)

    assert not old.trashed.exists()
    assert names(profile.parent / TRASH) == sorted(
        (kept.trashed.name, new.trashed.name, "notes.txt")
    )


def test_deletion_is_reported_if_it_fails(profile: Path) -> None:
    profile.with_name(TRASH).write_bytes(b"a file")
    actions: tuple[Callable[[], object], ...] = (
        lambda: delete_profile(profile),
        lambda: delete_profile(profile.with_name("none.yaml")),
    )
    for action in actions:
        with pytest.raises(LoadbenchError, match="Nothing was changed"):
            action()
    assert profile.read_bytes() == OLD
