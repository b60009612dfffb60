"""The size of Locust's log."""

from pathlib import Path

from loadbench.engine.journal.service_log import parse
from loadbench.engine.load.log_file import MIN_START_BYTES, LogFile, newest_lines, own_lines

MAX_BYTES = 2 * MIN_START_BYTES
NOTICE = "Log limited to 0.128 MB: further lines are dropped"


def test_lines_beyond_the_limit_are_dropped_with_a_notice(tmp_path: Path) -> None:
    path = tmp_path / "locust.log"
    log = LogFile(path, max_bytes=MAX_BYTES)

    for number in range(MAX_BYTES):
        log.write(b"line %d" % number)
    log.close()

    _, *lines, last = path.read_bytes().splitlines()
    assert parse(last).text == NOTICE
    texts = [parse(line).text for line in lines]
    assert texts == [f"line {number}" for number in range(len(lines))]
    assert MAX_BYTES < path.stat().st_size < MAX_BYTES + 200


def test_processes_share_twice_the_limit_at_most(tmp_path: Path) -> None:
    path = tmp_path / "locust.log"
    for _ in range(10):
        log = LogFile(path, max_bytes=MAX_BYTES)
        for _ in range(MAX_BYTES // 10):
            log.write(b"x" * 100)
        log.close()

    assert path.stat().st_size < 2 * MAX_BYTES + 2000


def test_the_next_process_can_still_log_its_start(tmp_path: Path) -> None:
    path = tmp_path / "locust.log"
    path.write_bytes(b"x" * MAX_BYTES + b"\n")
    log = LogFile(path, max_bytes=MAX_BYTES)

    for _ in range(MAX_BYTES):
        log.write(b"start")
    log.close()

    assert MIN_START_BYTES < path.stat().st_size - MAX_BYTES < MIN_START_BYTES + 200


def test_without_disk_space_lines_are_dropped() -> None:
    log = LogFile(Path("/dev/full"))

    log.write(b"dropped")
    log.close()


LOG = b"""
[2026-12-01 12:00:00,000] host/INFO/locust.main: Starting Locust 2.47.0
reading
Traceback (most recent call last):
  File "user.py", line 3, in f
    raise ValueError
ValueError
[2026-12-01 12:00:01,000] host/WARNING/user: slow disk
2026-12-01T12:00:01Z <Greenlet at 0x7f: run_user(<user.Mine>)> failed with KeyError
[2026-12-01 12:00:02,000] host/INFO/locust.main: Got SIGTERM signal
Type     Name
--------|------
"""


def test_the_lines_of_a_locustfile_exclude_tracebacks_and_lines_of_locust(tmp_path: Path) -> None:
    for _ in range(2):
        log = LogFile(tmp_path / "locust.log")
        for line in LOG.strip().splitlines():
            log.write(line)
        log.close()

    warning = "[2026-12-01 12:00:01,000] host/WARNING/user: slow disk"
    assert own_lines(tmp_path / "locust.log", 3) == (warning, "reading", warning)
    assert newest_lines(tmp_path / "locust.log", 2) == ("Type     Name", "--------|------")
