"""Bytes received by containers, from the kernel and from `docker stats`."""

from pathlib import Path

import pytest

from loadbench.engine.drivers.docker.network import parse_received, received_bytes

DEV = """Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop
    lo:  99999     200    0    0    0     0          0         0   99999     200    0    0
  eth0: 4711       5    0    0    0     0          0         0        0       0    0    0
 tunl0:1000       1    0    0    0     0          0         0        0       0    0    0
"""


def write(root: Path, text: str) -> None:
    folder = root / "proc" / "4711" / "net"
    folder.mkdir(parents=True)
    (folder / "dev").write_text(text)


def test_received_bytes_are_those_of_all_interfaces_but_loopback(tmp_path: Path) -> None:
    write(tmp_path, DEV)
    assert received_bytes(4711, root=tmp_path) == 5711


def test_a_container_without_a_network_has_received_nothing(tmp_path: Path) -> None:
    write(tmp_path, "\n".join(DEV.splitlines()[:3]))
    assert received_bytes(4711, root=tmp_path) == 0


@pytest.mark.parametrize("text", ["", "a\nb\nno numbers\n", "a\nb\neth0: x\n", "a\nb\neth0:\n"])
def test_unreadable_counters_are_unknown(tmp_path: Path, text: str) -> None:
    assert received_bytes(4711, root=tmp_path) is None
    write(tmp_path, text)
    assert received_bytes(4711, root=tmp_path) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0B / 0B", (0, 0)),
        ("486B / 1.2kB", (486, 0)),
        ("1.23kB / 0B", (1_230, 5)),
        ("1kB / 0B", (1_000, 5)),
        ("1e+03kB / 0B", (1_000_000, 5_000)),
        ("12.3MB / 4GB", (12_300_000, 50_000)),
        ("999GB / 4GB", (999_000_000_000, 500_000_000)),
    ],
)
def test_sizes_of_docker_stats_are_parsed_with_their_rounding_error(
    text: str, expected: tuple[int, int]
) -> None:
    assert parse_received(text) == expected


@pytest.mark.parametrize("text", ["--", "-- / --", "", "5MiB / 0B", "1.2.3kB / 0B", "9e999kB / 0B"])
def test_an_invalid_size_is_rejected(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        parse_received(text)
