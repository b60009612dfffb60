"""The disk that holds a folder, read from fake `/sys`, `/proc`, `/dev` and `/run` trees."""

import os
from pathlib import Path

import pytest

from loadbench.engine.hardware.disk import find_disk


class Tree:
    """A fake root folder. Its devices hold the folder `data`, if `mount_device` is called."""

    def __init__(self, root: Path) -> None:
        self.root = root / "root"
        self.folder = root / "data"
        self.folder.mkdir()

    def add_disk(
        self,
        name: str,
        *,
        bus: str = "scsi",
        number: str = "8:0",
        rotational: str = "",
        **device: str,
    ) -> Path:
        """Add a disk, with files of its device such as `model`, and return its folder."""
        disk = self.root / "sys/devices/pci0/block" / name
        bus_folder = self.root / "sys/bus" / bus
        bus_folder.mkdir(parents=True, exist_ok=True)
        (disk / "device").mkdir(parents=True)
        (disk / "device/subsystem").symlink_to(bus_folder)
        (disk / "queue").mkdir()
        (disk / "queue/rotational").write_text(rotational)
        (disk / "dev").write_text(f"{number}\n")
        for file, text in device.items():
            (disk / "device" / file).write_text(text)
        return disk

    def add_partition(self, disk: Path) -> Path:
        partition = disk / f"{disk.name}1"
        partition.mkdir()
        (partition / "partition").write_text("1\n")
        return partition

    def add_virtual(self, name: str, *slaves: Path) -> Path:
        """Add a device of the kernel, such as a RAID, on other devices."""
        device = self.root / "sys/devices/virtual/block" / name
        (device / "slaves").mkdir(parents=True)
        for slave in slaves:
            (device / "slaves" / slave.name).symlink_to(slave)
        return device

    def mount_device(self, device: Path) -> None:
        """Let a device hold the folder."""
        number = self.folder.stat().st_dev
        entry = self.root / f"sys/dev/block/{os.major(number)}:{os.minor(number)}"
        entry.parent.mkdir(parents=True, exist_ok=True)
        entry.symlink_to(device)

    def add_class(self, device: Path) -> None:
        """Make a device available by its name."""
        entry = self.root / "sys/class/block" / device.name
        entry.parent.mkdir(parents=True, exist_ok=True)
        entry.symlink_to(device)

    def write_mounts(self, *lines: str) -> None:
        file = self.root / "proc/self/mountinfo"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("".join(f"{line}\n" for line in lines))

    def find(self) -> dict[str, object] | None:
        return find_disk(self.folder, root=self.root)


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


@pytest.mark.parametrize(
    ("name", "bus", "rotational", "vendor", "model", "disk"),
    [
        ("sda", "scsi", "1\n", "ATA", "WDC WD40EFRX-68N\n", ("WDC WD40EFRX-68N", "hdd")),
        ("sda", "scsi", "0\n", "ATA", "Samsung SSD 870 \n", ("Samsung SSD 870", "ssd")),
        ("nvme0n1", "nvme", "0\n", "", "Samsung SSD 980\n", ("Samsung SSD 980", "nvme")),
        ("vda", "virtio", "1\n", "0x1af4", "", (None, "virtio")),
        ("xvda", "xen", "0\n", "", "", (None, "virtual")),
        ("sda", "scsi", "1\n", "QEMU    \n", "QEMU HARDDISK   \n", ("QEMU HARDDISK", "virtual")),
        ("sda", "scsi", "1\n", "Msft    \n", "Virtual Disk\n", ("Virtual Disk", "virtual")),
        ("sda", "scsi", "0\n", "Google", "PersistentDisk", ("PersistentDisk", "virtual")),
        ("sda", "scsi", "1\n", "DELL", "PERC H730P Mini", ("PERC H730P Mini", "hdd")),
        ("sda", "scsi", "x", "", "\x1b[2Jevil\x00", ("[2Jevil", None)),
    ],
)
def test_the_disk_of_a_partition_has_model_and_kind(
    tree: Tree,
    name: str,
    bus: str,
    rotational: str,
    vendor: str,
    model: str,
    disk: tuple[str | None, str | None],
) -> None:
    made = tree.add_disk(name, bus=bus, rotational=rotational, vendor=vendor, model=model)
    tree.mount_device(tree.add_partition(made))

    expected = {"model": disk[0], "kind": disk[1]}
    assert tree.find() == {key: value for key, value in expected.items() if value}


def test_an_sd_card_is_recorded_with_its_name(tree: Tree) -> None:
    tree.mount_device(tree.add_disk("mmcblk0", bus="mmc", rotational="0"))
    (tree.root / "sys/devices/pci0/block/mmcblk0/device/name").write_text("SD64G\n")
    assert tree.find() == {"model": "SD64G", "kind": "mmc"}


def test_udev_has_the_complete_model(tree: Tree) -> None:
    made = tree.add_disk("sda", rotational="0", model="Samsung SSD 870 ")
    udev = tree.root / "run/udev/data/b8:0"
    udev.parent.mkdir(parents=True)
    udev.write_text("E:ID_MODEL=x\nE:ID_MODEL_ENC=Samsung\\x20SSD\\x20870\\x20EVO\\x201TB\\x20\n")
    tree.mount_device(made)
    assert tree.find() == {"model": "Samsung SSD 870 EVO 1TB", "kind": "ssd"}


def test_a_malformed_device_number_reads_no_other_file(tree: Tree) -> None:
    made = tree.add_disk("sda", rotational="0", model="right", number="../../../secret")
    tree.mount_device(made)
    assert tree.find() == {"model": "right", "kind": "ssd"}


def test_an_encrypted_volume_is_on_the_disk_below_it(tree: Tree) -> None:
    partition = tree.add_partition(tree.add_disk("nvme0n1", bus="nvme", model="WD Black"))
    tree.mount_device(tree.add_virtual("dm-1", tree.add_virtual("dm-0", partition)))
    assert tree.find() == {"model": "WD Black", "kind": "nvme"}


def test_the_disks_of_a_raid_are_counted(tree: Tree) -> None:
    disks = [tree.add_disk(name, rotational="1", model="ST4000") for name in ("sda", "sdb")]
    tree.mount_device(tree.add_virtual("md0", *map(tree.add_partition, disks)))
    assert tree.find() == {"model": "ST4000", "kind": "hdd", "count": 2}


def test_disks_of_different_kinds_have_no_kind(tree: Tree) -> None:
    fast = tree.add_disk("sda", rotational="0", model="Fast")
    slow = tree.add_disk("sdb", rotational="1", model="Slow")
    tree.mount_device(tree.add_virtual("dm-0", fast, slow))
    assert tree.find() == {"model": "Fast + Slow", "count": 2}


def test_a_cycle_of_devices_has_no_disk(tree: Tree) -> None:
    one = tree.add_virtual("dm-0")
    (one / "slaves/dm-1").symlink_to(tree.add_virtual("dm-1", one))
    tree.mount_device(one)
    assert tree.find() is None


def test_memory_and_loop_devices_are_no_disks(tree: Tree) -> None:
    tree.mount_device(tree.add_virtual("loop0"))
    assert tree.find() is None


def test_a_file_system_with_its_own_device_number_is_found_by_its_mount(tree: Tree) -> None:
    disk = tree.add_disk("nvme0n1", bus="nvme", model="WD Black")
    tree.add_class(tree.add_partition(disk))
    tree.write_mounts(
        "22 1 8:2 / / rw - ext4 /dev/sda2 rw",
        f"23 22 0:40 /@ {tree.folder.parent} rw shared:1 - btrfs /dev/nvme0n1p9 rw",
        f"24 22 0:41 /@ {tree.folder.parent} rw - btrfs /dev/nvme0n11 rw",
        f"25 22 0:42 / {tree.folder}-other rw - tmpfs tmpfs rw",
    )
    assert tree.find() == {"model": "WD Black", "kind": "nvme"}


def test_a_mapped_device_is_found_by_its_link(tree: Tree) -> None:
    device = tree.add_virtual("dm-0", tree.add_disk("sda", rotational="0", model="Crucial"))
    tree.add_class(device)
    (tree.root / "dev/mapper").mkdir(parents=True)
    (tree.root / "dev/mapper/vg-root").symlink_to("../dm-0")
    tree.write_mounts("22 1 0:30 / / rw - btrfs /dev/mapper/vg-root rw")
    assert tree.find() == {"model": "Crucial", "kind": "ssd"}


def test_an_overlay_is_on_the_disk_of_its_upper_folder(tree: Tree, tmp_path: Path) -> None:
    upper = tmp_path / "upper folder"
    upper.mkdir()
    tree.add_class(tree.add_disk("sdc", rotational="0", model="Kingston"))
    escaped = str(upper).replace(" ", "\\040")
    tree.write_mounts(
        "22 1 0:20 / / rw - btrfs /dev/sdc rw",
        f"23 22 0:21 / {tree.folder} rw - overlay overlay rw,lowerdir=/a:/b,upperdir={escaped}",
    )
    assert tree.find() == {"model": "Kingston", "kind": "ssd"}


@pytest.mark.parametrize(
    "mounts",
    [
        ["22 1 0:30 / / rw - nfs4 server:/export rw"],
        ["22 1 0:30 / / rw - tmpfs tmpfs rw"],
        ["22 1 0:30 / / rw - zfs rpool/data rw"],
        ["22 1 0:30 / / rw - ext4 /dev/gone rw"],
        ["22 1 0:30 / / rw - ext4 /dev/a\\000b rw"],
        ["22 1 0:30 / / rw - overlay overlay rw,upperdir=/missing/on/this/machine"],
        ["22 1 0:30 / / rw - overlay overlay rw,upperdir=relative"],
        ["22 1 0:30 / / rw - overlay overlay rw,upperdir=/"],
        ["", "x", " - ", "1 2 3 4", "\x00 - \\ \\9 /"],
        [],
    ],
)
def test_an_unknown_disk_is_omitted(tree: Tree, mounts: list[str]) -> None:
    tree.write_mounts(*mounts)
    assert tree.find() is None


def test_a_system_without_sysfs_has_no_disk(tree: Tree) -> None:
    assert tree.find() is None


def test_the_disk_of_this_machine_is_read_without_an_error(tmp_path: Path) -> None:
    assert set(find_disk(tmp_path) or {}) <= {"model", "kind", "count"}
