"""Tests of the page of a run: its content, links, escaping and size."""

import re
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest

from loadbench.engine.journal.events import ErrorCount, Event, Result, RunFinished
from loadbench.engine.journal.writer import JournalWriter
from loadbench.engine.requests.pages import PAGE_NAME
from loadbench.engine.run_reader import Run, read_run
from loadbench.errors import RefusedError
from loadbench.page.content.cells import cells_table
from loadbench.page.content.run_page import run_page
from loadbench.page.content.tables import Mood
from loadbench.page.render import DrawnCharts, render_run
from loadbench.page.write import write_page
from tests.support.builders import (
    cell_failed,
    cell_finished,
    cell_started,
    entries,
    make_profile,
    requests,
    run_started,
    write_entries,
)
from tests.support.chat_cells import add_chat_run
from tests.support.goal_cells import (
    FAILED,
    MISSED,
    NEAR,
    PASSED,
    SUSPECT,
    UNDECIDED,
    add_goal_run,
)
from tests.support.golden import JOURNALS
from tests.support.hostile import hostile_journal, unsafe_characters

NOW = datetime(2026, 12, 2, 7, 0, tzinfo=UTC)
MARKUP = "</svg></style></title><script>alert(1)</script><img src=x onerror=alert(2)>"


class Parsed(HTMLParser):
    """The tags and the text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def attributes(self, name: str) -> list[str]:
        return [
            value for _, found in self.tags for key, value in found.items() if key == name and value
        ]


def rendered(folder: Path) -> str:
    return render_run(run_page(read_run(folder)), DrawnCharts(), NOW)


def golden_run(name: str, tmp_path: Path) -> Path:
    folder = tmp_path / name / "20261130-120000"
    folder.mkdir(parents=True)
    shutil.copy(JOURNALS / f"{name}.jsonl", folder / "journal.jsonl")
    return folder


def texts_of(run: Run, cell: str) -> dict[str, str]:
    table = cells_table(run)
    row = next(row for row in table.rows if row[0].text == cell)
    return {name: value.text for name, value in zip(table.header, row, strict=True)}


def test_first_heading_is_the_recommendation(tmp_path: Path) -> None:
    page = rendered(add_goal_run(tmp_path))

    answer = "2 CPU model processes at batch 1 carry 4 users: p95 60.0 ms (goal 100 ms)"
    assert re.search(r"<h1>(.*?)</h1>", page, re.DOTALL)[1].startswith(answer)  # type: ignore[index]
    assert page.index("<h1>") < page.index(">Doubts<") < page.index(">Cells<")
    assert page.index(">Cells<") < page.index(">Problems<") < page.index(">Method<")


def test_cells_show_verdict_and_goals_by_sign_word_and_colour(tmp_path: Path) -> None:
    run = read_run(add_goal_run(tmp_path))

    states = {cell: texts_of(run, cell)["goals"] for cell in (PASSED, NEAR, MISSED, UNDECIDED)}
    assert states == {
        PASSED: "✓ pass",
        NEAR: "✓ near",
        MISSED: "✗ miss",
        UNDECIDED: "? undecided",
    }
    assert texts_of(run, SUSPECT)["verdict"] == "! suspect"
    assert texts_of(run, FAILED)["verdict"] == "✗ failed"
    table = cells_table(run)
    missed = next(row for row in table.rows if row[0].text == MISSED)
    goals = missed[table.header.index("goals")]
    assert (goals.mood, goals.hint) == (
        Mood.BAD,
        "p95 150 ms (goal 100 ms); 0 % failures (goal ≤ 2 %)",
    )
    assert missed[table.header.index("p95")].mood is Mood.BAD
    assert missed[table.header.index("p90")].mood is Mood.PLAIN


def test_cells_link_only_to_existing_reports(tmp_path: Path) -> None:
    folder = add_goal_run(tmp_path)
    (folder / "1_2_2.html").write_text("report")
    (folder / "2_8_2.html").write_text("report of the failed cell")

    assert Parsed(rendered(folder)).attributes("href") == ["data:,", "1_2_2.html"]


def test_failures_have_their_last_log_lines_once(tmp_path: Path) -> None:
    lines = ("loading model", "MemoryError: <out of memory>")
    events: list[Event] = [run_started(make_profile(users=[2, 4]))]
    for key in ("m1_u2_s2", "m1_u4_s2"):
        events += [cell_started(key), replace(cell_failed(key), log_lines=lines)]
    page = rendered(write_entries(tmp_path / "demo" / "20261122-072100", entries(events)))

    assert page.count("MemoryError: &lt;out of memory&gt;") == 1
    assert "<b>m1_u2_s2, m1_u4_s2</b> model-1 ended (137)" in page


def test_errors_are_summed_over_cells(tmp_path: Path) -> None:
    error = ErrorCount(error="HTTP 503 <b>", count=3)
    events: list[Event] = [run_started(make_profile(users=[2, 4]))]
    for key in ("m1_u2_s2", "m1_u4_s2"):
        events += [cell_started(key), cell_finished(key, errors=(error,))]
    page = rendered(write_entries(tmp_path / "demo" / "20261122-072100", entries(events)))

    row = '<td class="l">request</td><td>6</td><td>2</td><td class="l w">HTTP 503 &lt;b&gt;</td>'
    assert row in page


def test_reason_of_an_early_end_is_shown(tmp_path: Path) -> None:
    reason = "service did not start: model-1 ended (137); fix this, then resume"
    events: list[Event] = [run_started(), RunFinished(result=Result.ABORTED, reason=reason)]
    page = rendered(write_entries(tmp_path / "demo" / "20261122-072100", entries(events)))

    assert f'<p class="note">Run aborted: {reason}.</p>' in page


def test_measurements_are_shown_apart_from_requests(tmp_path: Path) -> None:
    page = rendered(add_chat_run(tmp_path))

    assert "They are not counted as requests." in page
    assert "first token (TTFT)" in page
    assert "first token p95 ≤ 90 ms" in page
    assert "Main request: POST /v1/chat/completions." in page


def test_markup_from_user_code_stays_text(tmp_path: Path) -> None:
    folder = golden_run("faults", tmp_path)
    journal = folder / "journal.jsonl"
    lines = "".join(f"{line}\n" for line in hostile_journal("faults"))
    journal.write_text(lines.replace("DCS", MARKUP))

    parsed = Parsed(page := rendered(folder))

    assert MARKUP in parsed.text
    assert {tag for tag, _ in parsed.tags} & {"script", "img", "svg", "iframe", "object"} == set()
    assert [name for _, found in parsed.tags for name in found if name.startswith("on")] == []
    assert unsafe_characters(page) == set()


@pytest.mark.parametrize("name", ["demo", "eight", "front", "faults", "containers", "interrupted"])
def test_page_fetches_nothing_and_has_no_scripts(name: str, tmp_path: Path) -> None:
    parsed = Parsed(page := rendered(golden_run(name, tmp_path)))

    assert "script" not in {tag for tag, _ in parsed.tags}
    assert parsed.attributes("src") == []
    assert parsed.attributes("href") == ["data:,"]
    assert "@import" not in page
    assert "url(" not in page
    policy = next(found["content"] for tag, found in parsed.tags if "http-equiv" in found)
    assert policy is not None
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; img-src data:")


def test_rebuilt_page_differs_only_in_its_date(tmp_path: Path) -> None:
    folder = golden_run("demo", tmp_path)
    first = rendered(folder)
    later = render_run(run_page(read_run(folder)), DrawnCharts(), NOW + timedelta(days=1))

    assert first != later
    assert later == first.replace("2026-12-02 07:00 UTC", "2026-12-03 07:00 UTC")


def test_run_of_unreadable_profile_has_a_page(tmp_path: Path) -> None:
    folder = golden_run("demo", tmp_path)
    journal = folder / "journal.jsonl"
    journal.write_text(journal.read_text().replace('"batch_size":', '"batch_size":"?","b":', 1))
    page = rendered(folder)

    assert "<h1>This version cannot read the profile of the run" in page
    assert "batch_size" in page[page.index("<h1>") : page.index(">Cells<")]
    assert ">Cells<" in page


def test_profile_and_messages_are_complete(tmp_path: Path) -> None:
    page = rendered(golden_run("demo", tmp_path))

    assert "device: cpu" in page
    assert "<summary>Profile</summary>" in page


def test_live_run_has_no_page(tmp_path: Path) -> None:
    folder = tmp_path / "demo" / "20261122-072100"
    write_entries(folder, entries([run_started(), cell_started()]))
    writer = JournalWriter(folder)
    try:
        with pytest.raises(RefusedError, match=r"is live\. Its page is written when it ends"):
            write_page(folder)
    finally:
        writer.close()
    assert not (folder / PAGE_NAME).exists()


def test_requests_without_results_are_dashes(tmp_path: Path) -> None:
    events: list[Event] = [
        run_started(),
        cell_started(),
        cell_finished(requests=requests((), ((5.0, 3),)), completed=0),
    ]
    run = read_run(write_entries(tmp_path / "demo" / "20261122-072100", entries(events)))

    assert texts_of(run, "m1_u2_s2")["p95"] == "-"
    assert texts_of(run, "m1_u2_s2")["failures"] == "3"
