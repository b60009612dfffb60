"""Whole runs with the real Locust and the real embedded stack, including failures and signals."""

import csv
import json
import os
import re
import shutil
import signal
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from loadbench.engine.journal.codec import FILE_NAME
from loadbench.engine.journal.events import Phase
from loadbench.engine.journal.lock import is_held
from loadbench.engine.journal.state import CellStatus
from loadbench.engine.journal.timing.progress import waiting_text
from loadbench.engine.requests.pages import PAGE_NAME, is_current
from tests.support.harness import (
    FAST,
    Bench,
    child_named,
    gone,
    requests_in_report,
    unexplained_findings,
    until,
)
from tests.support.page_runs import without_date

LONG = FAST.replace("run_time: 1s", "run_time: 120s")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench.make(tmp_path)
    yield bench
    bench.close()


def test_a_run_writes_a_report_and_a_summary_row_for_every_cell(bench: Bench) -> None:
    done = bench.call("run", "fast", "--set", "models=1,2")

    assert done.returncode == 0, done.stderr
    folder = bench.folder()
    assert f"Reports: {folder}" in done.stdout
    reports = {"1_2_10.html", "2_2_10.html"}
    assert {path.name for path in folder.glob("*.html")} == {*reports, PAGE_NAME}
    assert is_current(folder)
    written = without_date(folder / PAGE_NAME)
    assert "<svg" in written
    assert bench.call("report", "fast").returncode == 0
    assert without_date(folder / PAGE_NAME) == written
    assert not (folder / "runner.log").read_text()
    rows = rows_of(folder)
    assert [row["cell"] for row in rows] == ["m1_u2_s10", "m2_u2_s10"]
    for row, report in zip(rows, ("1_2_10.html", "2_2_10.html"), strict=True):
        finished = bench.state().cells[row["cell"]].finished
        assert finished is not None
        assert not unexplained_findings(finished.findings)
        assert row["reasons"] == "; ".join(finished.reasons)
        page = (folder / report).read_text()
        assert int(row["requests"]) == requests_in_report(page) > 0
        assert f">{row['cell']}: " in page
        assert row["bound"].startswith(("the ", "slow ", "waiting ", "constant "))
        assert float(row["infer_ms"]) > 0
        assert float(row["p50_ms"]) <= float(row["p90_ms"]) <= float(row["max_ms"])
    assert [len(workers_of(bench, key)) for key in ("m1_u2_s10", "m2_u2_s10")] == [1, 2]
    assert not is_held(folder)
    assert not list(folder.glob(".*"))


def test_summaries_are_rebuilt_from_the_journal_unchanged(bench: Bench) -> None:
    bench.call("run", "fast")
    folder = bench.folder()
    written = {name: (folder / name).read_bytes() for name in ("summary.csv", "summary.json")}
    for name in written:
        (folder / name).unlink()

    rebuilt = bench.call("report", "fast")
    series = bench.call("report", "fast", "--series")

    assert rebuilt.returncode == 0
    seconds = list(csv.DictReader(series.stdout.splitlines()))
    assert "measuring" in {second["phase"] for second in seconds}
    assert [int(second["second"]) for second in seconds] == list(range(len(seconds)))
    assert any(float(second["p999_ms"] or 0) > 0 for second in seconds)
    assert {name: (folder / name).read_bytes() for name in written} == written


def test_killing_the_runner_leaves_no_process_and_a_resumable_run(bench: Bench) -> None:
    bench.save_profile(LONG)
    folders = broker_folders()
    viewer = bench.start("run", "fast", "--set", "users=1,2")
    bench.when("m1_u1_s10")
    children = bench.runner().children(recursive=True)
    assert len(children) >= 6

    bench.runner().kill()

    until(lambda: gone(children), within_s=5, what="no process left")
    _, stderr = viewer.communicate(timeout=10)
    assert viewer.returncode == 3
    assert "Next: loadbench-tui run --resume fast/" in stderr
    assert "interrupted" in bench.call("runs").stdout
    assert broker_folders() <= folders


def test_a_resumed_run_has_every_cell_once(bench: Bench) -> None:
    bench.start("run", "fast", "--set", "users=1,2", "--set", "run_time=3s")
    bench.when("m1_u2_s10")
    bench.runner().kill()
    with (bench.folder() / FILE_NAME).open("ab") as journal:
        journal.write(b'{"type":"sample","torn')
    until(lambda: not is_held(bench.folder()))

    resumed = bench.call("run", "--resume", "fast")

    assert resumed.returncode == 0, resumed.stderr
    assert "1 of 2 cells left to measure" in resumed.stderr
    rows = rows_of(bench.folder())
    assert [(row["cell"], row["attempt"]) for row in rows] == [
        ("m1_u1_s10", "1"),
        ("m1_u2_s10", "2"),
    ]
    lines = (bench.folder() / FILE_NAME).read_text().splitlines()
    assert [json.loads(line)["seq"] for line in lines] == list(range(1, len(lines) + 1))
    assert bench.call("run", "--resume", "fast").returncode == 2


def test_a_run_killed_after_its_last_cell_is_done_and_is_finished_by_a_resume(
    bench: Bench,
) -> None:
    viewer = bench.start("run", "fast", "--plain", "--set", "run_time=2s")
    bench.when("m1_u2_s10")
    runner = bench.runner()
    journal = bench.folder() / FILE_NAME
    while b'{"type":"cell_finished"' not in journal.read_bytes():
        pass
    # Stop it at once: it is still cleaning up, which takes longer than the loop above.
    runner.suspend()
    assert b'"run_finished"' not in journal.read_bytes()
    runner.kill()

    _, stderr = viewer.communicate(timeout=20)

    assert viewer.returncode == 0, stderr
    assert "The runner was killed after the last cell" in stderr
    assert "Next: loadbench-tui run --resume fast/" in stderr
    (bench.folder() / "summary.csv").unlink(missing_ok=True)
    assert bench.run().status.value == "done"
    assert re.search(r"done +1 of 1 +run --resume RUN", bench.call("runs").stdout)
    assert bench.call("attach", "fast", "--plain").returncode == 0

    finished = bench.call("run", "--resume", "fast")

    assert finished.returncode == 0, finished.stderr
    assert "Run done: 1 of 1 cell measured" in finished.stderr
    end = bench.state().finished
    assert end is not None
    assert end.reason == "1 of 1 cell measured; the runner was killed before it recorded the end"
    assert [row["cell"] for row in rows_of(bench.folder())] == ["m1_u2_s10"]
    assert not bench.run().was_killed
    again = bench.call("run", "--resume", "fast")
    assert again.returncode == 2
    assert "no cells left to measure" in again.stderr


def test_stop_uses_a_signal_if_commands_cannot_be_sent(bench: Bench) -> None:
    bench.save_profile(LONG)
    bench.call("run", "fast", "--detach")
    bench.when("m1_u2_s10")
    (bench.folder() / "commands.jsonl").mkdir()
    until(lambda: any("commands.jsonl" in one.text for one in bench.state().messages))

    stopped = bench.call("stop")

    assert stopped.returncode == 0, stopped.stderr
    end = bench.state().finished
    assert end is not None
    assert (end.result.value, end.reason) == ("stopped", "SIGTERM")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_the_run_and_cleans_up(bench: Bench, number: signal.Signals) -> None:
    bench.save_profile(LONG)
    viewer = bench.start("run", "fast")
    bench.when("m1_u2_s10")
    children = bench.runner().children(recursive=True)

    viewer.send_signal(number)
    out, _ = viewer.communicate(timeout=30)

    assert viewer.returncode == 130
    assert "pending" in out
    assert bench.run().status == "stopped"
    assert gone(children)


def test_a_signal_to_the_runner_stops_the_run_and_cleans_up(bench: Bench) -> None:
    bench.save_profile(LONG)
    viewer = bench.start("run", "fast")
    bench.when("m1_u2_s10")
    children = bench.runner().children(recursive=True)

    bench.runner().send_signal(signal.SIGTERM)
    viewer.communicate(timeout=30)

    assert viewer.returncode == 130
    assert bench.state().finished is not None
    assert bench.state().finished.reason == "SIGTERM"  # type: ignore[union-attr]
    assert gone(children)


def test_a_second_signal_kills_the_run(bench: Bench) -> None:
    bench.save_profile(LONG)
    viewer = bench.start("run", "fast")
    bench.when("m1_u2_s10")
    runner = bench.runner()
    children = runner.children(recursive=True)
    # A suspended runner cannot handle the first signal.
    runner.suspend()

    viewer.send_signal(signal.SIGINT)
    until(lambda: (bench.folder() / "commands.jsonl").exists())
    viewer.send_signal(signal.SIGINT)
    viewer.communicate(timeout=30)

    assert viewer.returncode == 130
    assert bench.run().status == "interrupted"
    until(lambda: gone(children), within_s=5)


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, "stopped"), (signal.SIGHUP, "done")]
)
def test_signals_are_handled_from_the_start(
    bench: Bench, number: signal.Signals, status: str
) -> None:
    viewer = bench.start("run", "fast")
    runner = until(lambda: child_of(viewer.pid))

    viewer.send_signal(number)
    viewer.communicate(timeout=30)

    assert viewer.returncode == (130 if number == signal.SIGINT else 0)
    until(lambda: gone([runner]))
    assert bench.run().status == status


def test_a_run_survives_the_loss_of_its_terminal(bench: Bench) -> None:
    viewer = bench.start("run", "fast", "--set", "run_time=3s")
    bench.when("m1_u2_s10")

    viewer.send_signal(signal.SIGHUP)
    bench.runner().send_signal(signal.SIGHUP)
    viewer.communicate(timeout=10)

    until(lambda: bench.state().finished)
    assert bench.run().status == "done"


def test_a_detached_run_can_be_stopped_by_name(bench: Bench) -> None:
    bench.save_profile(LONG)
    name = bench.call("run", "fast", "--detach").stdout.strip()
    bench.when("m1_u2_s10")

    stopped = bench.call("stop", name)

    assert stopped.returncode == 0
    assert stopped.stdout == f"{name}: stopped\n"
    assert bench.run().status == "stopped"
    assert "not live" in bench.call("stop", name).stderr


def test_a_sweep_survives_killing_a_worker_the_broker_and_locust(bench: Bench) -> None:
    viewer = bench.start("run", "fast", "--set", "users=1,2,3,4", "--set", "run_time=3s")
    bench.when("m1_u1_s10")
    child_named(bench.runner(), "model.worker").kill()
    bench.when("m1_u2_s10")
    child_named(bench.runner(), "valkey-server").kill()
    bench.when("m1_u3_s10")
    child_named(bench.runner(), "loadbench.in_locust").kill()
    viewer.communicate(timeout=90)

    cells = bench.state().cells
    assert viewer.returncode == 3
    worker, broker = cells["m1_u1_s10"].failed, cells["m1_u2_s10"].failed
    assert worker is not None
    assert (worker.container, worker.exit_code) == ("model-1", -9)
    assert any("ready" in line for line in worker.log_lines)
    assert broker is not None
    assert (broker.container, broker.exit_code) == ("broker", -9)
    assert cells["m1_u3_s10"].finished is not None
    assert cells["m1_u3_s10"].attempt == 2
    assert cells["m1_u4_s10"].finished is not None
    assert not unexplained_findings(cells["m1_u4_s10"].finished.findings)


def test_a_hung_locust_is_replaced_and_its_cell_measured_again(bench: Bench) -> None:
    viewer = bench.start("run", "fast", "--set", "run_time=5s")
    bench.when("m1_u2_s10")
    child_named(bench.runner(), "loadbench.in_locust").suspend()
    _, stderr = viewer.communicate(timeout=90)

    assert viewer.returncode == 0
    assert "no response from Locust" in stderr
    assert bench.state().cells["m1_u2_s10"].attempt == 2


def test_commands_pause_skip_and_measure_again(bench: Bench) -> None:
    from loadbench.engine.journal.commands import send_command

    bench.start("run", "fast", "--set", "users=1,2", "--set", "run_time=2s")
    bench.when("m1_u1_s10")
    folder = bench.folder()
    send_command(folder, "pause")
    until(lambda: bench.state().cells["m1_u1_s10"].status is CellStatus.FINISHED)
    send_command(folder, "skip", cell="m1_u2_s10")
    send_command(folder, "again", cell="m1_u1_s10")
    send_command(folder, "dance")
    until(lambda: len(bench.state().answered) == 4)
    assert bench.state().paused
    send_command(folder, "resume")
    until(lambda: bench.state().finished)

    cells = bench.state().cells
    assert cells["m1_u1_s10"].attempt == 2
    assert cells["m1_u2_s10"].status is CellStatus.SKIPPED


def test_a_concurrent_run_is_refused_with_the_name_of_the_first(bench: Bench) -> None:
    bench.save_profile(LONG)
    bench.start("run", "fast")
    bench.when("m1_u2_s10", Phase.MEASURING)

    second = bench.call("run", "fast")

    assert second.returncode == 3
    assert is_one_message(second.stderr)
    assert f"in use by the run fast/{bench.folder().name}" in second.stderr
    assert len(list((bench.reports / "fast").iterdir())) == 2  # the first one, and `latest`


def test_a_run_waits_for_another_and_measures_cells_again_after_its_end(bench: Bench) -> None:
    bench.save_profile(LONG, "long")
    first = bench.call("run", "long", "--detach").stdout.strip()
    bench.when("m1_u2_s10", name="long")
    second = bench.start("run", "fast", "--wait", "--plain")
    until(lambda: waiting_text(bench.run().state), what="waiting")
    assert waiting_text(bench.run().state) == f"Waiting for {first} to end"
    assert not bench.runner().children()
    third = bench.call("run", "long", "--wait", "--detach").stdout.strip()
    os.kill(bench.runner("long").pid, signal.SIGKILL)  # the third run, while it waits
    until(lambda: not is_held(bench.folder("long")))

    assert bench.call("stop", first).returncode == 0

    _, stderr = second.communicate(timeout=60)
    assert second.returncode == 0, stderr
    assert f"Waiting for {first} to end" in stderr
    assert "Run done: 1 of 1 cell measured" in stderr
    assert third in bench.call("runs").stdout
    again = bench.call("run", "--resume", "fast", "--again", "m1_u2_s10", "--plain")
    assert again.returncode == 0, again.stderr
    assert bench.state().cells["m1_u2_s10"].attempt == 2


def test_a_changed_profile_is_not_resumed(bench: Bench) -> None:
    bench.save_profile(LONG)
    bench.start("run", "fast")
    bench.when("m1_u2_s10")
    bench.runner().kill()
    until(lambda: not is_held(bench.folder()))
    journal = (bench.folder() / FILE_NAME).read_bytes()
    bench.save_profile(LONG.replace("users: [2]", "users: [2, 3]"))

    refused = bench.call("run", "--resume", "fast")

    assert refused.returncode == 3
    assert is_one_message(refused.stderr)
    assert "users was [2], is [2, 3]" in refused.stderr
    assert (bench.folder() / FILE_NAME).read_bytes() == journal


def test_an_exception_in_the_locustfile_is_reported_with_its_line(bench: Bench) -> None:
    (bench.root / "broken.py").write_text("from locust import HttpUser\n\n1 / 0\n")

    ended = bench.call("run", "fast", "--set", "load.locustfile=broken.py")

    assert ended.returncode == 3
    assert "broken.py:3: ZeroDivisionError: division by zero" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "If the profile or the locustfile is the cause, correct it" in ended.stderr
    assert bench.run().status == "aborted"


def test_other_locust_configuration_is_ignored(bench: Bench) -> None:
    hostile = "headless = true\nweb-port = 1\nusers = 7\nautostart = true\nmaster = true\n"
    bench.home.mkdir()
    folder = bench.root / "mine"
    folder.mkdir()
    shutil.copy(bench.root / "locustfile.py", folder / "locustfile.py")
    for path in (folder / "locust.conf", bench.home / ".locust.conf"):
        path.write_text(hostile)
    (folder / "pyproject.toml").write_text("[tool.locust]\nheadless = true\n")
    (folder / "http.py").write_text("raise RuntimeError('shadowed')\n")

    done = bench.call(
        "run",
        "fast",
        "--set",
        "load.locustfile=mine/locustfile.py",
        LOCUST_HEADLESS="1",
        LOCUST_MASTER="1",
        LOCUST_WEB_HOST="0.0.0.0",
    )

    assert done.returncode == 0, done.stderr
    finished = bench.state().cells["m1_u2_s10"].finished
    assert finished is not None
    assert finished.completed > 0


def test_a_missing_gpu_is_reported_before_anything_starts(bench: Bench) -> None:
    if Path("/dev/nvidia0").exists():
        pytest.skip("this machine has a GPU")

    refused = bench.call("run", "fast", "--set", "device=gpu")

    assert refused.returncode == 3
    assert is_one_message(refused.stderr)
    assert "device: gpu requires" in refused.stderr
    assert "--set device=cpu" in refused.stderr
    assert not bench.reports.exists()


def test_a_port_in_use_is_reported(bench: Bench) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        ended = bench.call("run", "fast", "--set", f"host=http://127.0.0.1:{port}")

    assert ended.returncode == 3
    assert f"cannot listen on 127.0.0.1:{port}: Address already in use" in ended.stderr


def test_a_model_that_does_not_start_fails_its_cells_with_its_last_log_lines(bench: Bench) -> None:
    ended = bench.call("run", "fast", "--set", "stack.environment={MODEL_PATH: /nowhere.onnx}")

    assert ended.returncode == 3
    failed = bench.state().cells["m1_u2_s10"].failed
    assert failed is not None
    assert failed.container == "model-1"
    assert failed.log_lines
    assert bench.run().status == "done"


def test_an_unwritable_reports_folder_is_reported_before_anything_starts(bench: Bench) -> None:
    bench.reports.write_text("a file where the folder should be")

    refused = bench.call("run", "fast")

    assert refused.returncode == 2
    assert is_one_message(refused.stderr)
    assert "reports" in refused.stderr


def test_a_full_disk_aborts_the_run_and_loses_no_cell(bench: Bench) -> None:
    bench.reports.mkdir()
    if os.geteuid() != 0 or os.system(f"mount -t tmpfs -o size=24m tmpfs {bench.reports}") != 0:
        pytest.skip("only root can mount a small disk")
    try:
        viewer = bench.start("run", "fast", "--set", "users=1,2,3", "--set", "run_time=3s")
        bench.when("m1_u2_s10")
        children = bench.runner().children(recursive=True)
        fill(bench.reports / "filler")
        _, stderr = viewer.communicate(timeout=60)

        assert viewer.returncode == 3
        assert "MB free, about" in stderr
        assert "free some disk space, then resume" in stderr
        assert "Traceback" not in stderr
        state = bench.state()
        assert state.finished is not None
        assert state.finished.result == "aborted"
        assert state.cells["m1_u1_s10"].finished is not None
        assert gone(children)
        (bench.reports / "filler").unlink()
        assert bench.call("run", "--resume", "fast").returncode == 0
        assert bench.state().count(CellStatus.FINISHED) == 3
    finally:
        bench.close()
        os.system(f"umount -l {bench.reports}")


def child_of(pid: int) -> psutil.Process | None:
    """Return the runner that a command line has started, or None if there is none yet."""
    return next(iter(psutil.Process(pid).children()), None)


def rows_of(folder: Path) -> list[dict[str, str]]:
    """Return the rows of a run's summary.csv."""
    return list(csv.DictReader((folder / "summary.csv").read_text().splitlines()))


def workers_of(bench: Bench, key: str) -> set[str]:
    """Return the names of the workers in the samples of a cell."""
    lines = (bench.folder() / FILE_NAME).read_text().splitlines()
    samples = [json.loads(line) for line in lines if line.startswith('{"type":"sample"')]
    return {
        container["name"]
        for sample in samples
        if sample["cell"] == key
        for container in sample["containers"]
        if container["service"] == "model"
    }


def broker_folders() -> set[Path]:
    """Return the existing temporary folders of brokers."""
    return set(Path(tempfile.gettempdir()).glob("loadbench-*"))


def is_one_message(stderr: str) -> bool:
    return stderr.startswith("loadbench-tui: ") and "Traceback" not in stderr


def fill(path: Path) -> None:
    """Fill the rest of the disk with a file."""
    with path.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12, 1):
            try:
                while True:
                    file.write(b"\0" * size)
            except OSError:
                continue
