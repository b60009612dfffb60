"""CPU and memory use of containers, read from control groups of both versions."""

from pathlib import Path

import pytest

from loadbench.engine.drivers.docker import cgroups as usage
from loadbench.engine.drivers.docker.cgroups import ControlGroup, ControlGroups, parse_size

ID = "c" * 64
PID = 4711


class Clock:
    now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(usage, "time", made)
    return made


def write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def version_1(root: Path, *, cpu_ns: int, memory: int = 5000, cached: int = 1000) -> None:
    groups = f"5:memory:/docker/{ID}\n4:cpu,cpuacct:/docker/{ID}\n1:name=systemd:/docker/{ID}\n"
    write(root / "proc" / str(PID) / "cgroup", groups)
    mounts = root / "sys" / "fs" / "cgroup"
    write(mounts / "cpuacct" / "docker" / ID / "cpuacct.usage", f"{cpu_ns}\n")
    write(mounts / "memory" / "docker" / ID / "memory.usage_in_bytes", f"{memory}\n")
    write(mounts / "memory" / "docker" / ID / "memory.stat", f"total_inactive_file {cached}\n")


def version_2(root: Path, *, cpu_us: int, memory: int = 5000, cached: int = 1000) -> None:
    scope = f"system.slice/docker-{ID}.scope"
    write(root / "proc" / str(PID) / "cgroup", f"0::/{scope}\n")
    group = root / "sys" / "fs" / "cgroup" / scope
    write(group / "cpu.stat", f"usage_usec {cpu_us}\nuser_usec 1\n")
    write(group / "memory.current", f"{memory}\n")
    write(group / "memory.stat", f"anon 4000\ninactive_file {cached}\n")


def test_version_1_gives_cores_and_memory(tmp_path: Path, clock: Clock) -> None:
    version_1(tmp_path, cpu_ns=1_000_000_000)
    group = ControlGroup(ID, PID, root=tmp_path)
    version_1(tmp_path, cpu_ns=2_500_000_000, memory=9000)
    clock.now += 2

    assert group.usage() == usage.Usage(0.75, 8000)


def test_version_2_gives_cores_and_memory(tmp_path: Path, clock: Clock) -> None:
    version_2(tmp_path, cpu_us=1_000_000)
    group = ControlGroup(ID, PID, root=tmp_path)
    version_2(tmp_path, cpu_us=3_000_000)
    clock.now += 1

    assert group.usage() == usage.Usage(2.0, 4000)


def test_throttling_is_the_share_of_periods_since_the_last_reading(
    tmp_path: Path, clock: Clock
) -> None:
    version_1(tmp_path, cpu_ns=0)
    stat = tmp_path / "sys" / "fs" / "cgroup" / "cpu" / "docker" / ID / "cpu.stat"
    write(stat, "nr_periods 100\nnr_throttled 40\nthrottled_time 4711\n")
    group = ControlGroup(ID, PID, root=tmp_path)
    assert group.usage().throttled is None
    clock.now += 1
    write(stat, "nr_periods 110\nnr_throttled 43\nthrottled_time 4800\n")
    assert group.usage().throttled == pytest.approx(0.3)
    clock.now += 1
    assert group.usage().throttled is None  # an idle container has no periods


def test_version_2_gives_throttling(tmp_path: Path, clock: Clock) -> None:
    version_2(tmp_path, cpu_us=0)
    stat = tmp_path / "sys" / "fs" / "cgroup" / f"system.slice/docker-{ID}.scope" / "cpu.stat"
    write(stat, "usage_usec 0\nnr_periods 0\nnr_throttled 0\nthrottled_usec 0\n")
    group = ControlGroup(ID, PID, root=tmp_path)
    clock.now += 1
    write(stat, "usage_usec 400000\nnr_periods 10\nnr_throttled 9\nthrottled_usec 600000\n")

    assert group.usage().throttled == pytest.approx(0.9)


def test_cores_are_known_from_the_second_reading_and_cached_for_half_a_second(
    tmp_path: Path, clock: Clock
) -> None:
    version_2(tmp_path, cpu_us=0)
    group = ControlGroup(ID, PID, root=tmp_path)
    assert group.usage().cpu_cores is None

    clock.now += 1
    version_2(tmp_path, cpu_us=500_000)
    assert group.usage().cpu_cores == 0.5
    clock.now += 0.2
    version_2(tmp_path, cpu_us=700_000)
    assert group.usage().cpu_cores == 0.5
    clock.now += 0.8
    assert group.usage().cpu_cores == 0.2


def test_a_local_process_with_the_pid_of_a_remote_container_is_rejected(tmp_path: Path) -> None:
    version_2(tmp_path, cpu_us=0)
    with pytest.raises(OSError, match="does not belong to"):
        ControlGroup("d" * 64, PID, root=tmp_path)


def test_unreadable_containers_are_returned() -> None:
    groups = ControlGroups()
    assert groups.follow({ID: 2**22 + 1}) == {ID}
    assert groups.usage() == {}


@pytest.mark.parametrize(
    ("text", "size"),
    [("0B", 0), ("12.5MiB ", 13107200), ("1.5GiB", 1610612736), ("2KiB", 2048)],
)
def test_sizes_of_docker_stats_are_parsed(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["--", "", "5MB", "x B"])
def test_an_invalid_size_is_rejected(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        parse_size(text)
