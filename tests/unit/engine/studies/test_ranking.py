"""The ranking of a study: its order, its sentences, its doubts and its table."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from loadbench.engine.journal.events import Verdict
from loadbench.engine.profile.target import Target
from loadbench.engine.studies.doubts import doubts
from loadbench.engine.studies.model import StudyEntry
from loadbench.engine.studies.ranked import rank_study
from loadbench.engine.studies.ranking import Ranking
from loadbench.engine.studies.sentences import first_sentence, sentences
from loadbench.engine.studies.table import MAX_OMITTED, num_left, ranking_table
from tests.support.builders import requests
from tests.support.study_runs import GOALS, REFUSED, add_device_study, add_run, add_study

FAST, SLOW = {"m1_u2_s2": 100.0}, {"m1_u2_s2": 900.0}


def ranking(reports: Path, *entries: StudyEntry) -> Ranking:
    """The ranking of a study with these entries."""
    return rank_study(add_study(reports, "devices", entries)).ranking


def ranks(found: Ranking) -> list[tuple[int | None, str, int]]:
    """Rank, profile and number of models of each configuration."""
    return [(one.rank, one.member.label, one.configuration.models) for one in found.configurations]


def test_configurations_are_ranked_across_devices_and_batches(tmp_path: Path) -> None:
    found = rank_study(add_device_study(tmp_path)).ranking

    assert ranks(found) == [
        (1, "with_gpu", 2),
        (2, "with_gpu", 1),
        (3, "with_cpu", 2),
        (4, "with_cpu", 1),
        (None, "batch_10", 1),
        (None, "batch_10", 2),
    ]


def test_the_first_sentence_can_be_quoted_alone(tmp_path: Path) -> None:
    found = rank_study(add_device_study(tmp_path)).ranking

    first, batch_10, two_gpus = sentences(found)
    assert first == (
        "2 GPU containers at batch 10 (with_gpu) carry the most, at least 200 users: "
        "p95 310 ms (goal 500 ms), 40.0 req/s; next are 2 CPU containers at batch 1 (with_cpu) "
        "with 50 users; batch_10: goals not met."
    )
    assert batch_10 == (
        "batch_10: No configuration met the goals. The closest was 10 users with 2 containers: "
        "p95 800 ms (goal 500 ms)."
    )
    assert two_gpus == f"two_gpus was refused: {REFUSED}."


def test_the_table_names_what_decides(tmp_path: Path) -> None:
    header, rows = ranking_table(rank_study(add_device_study(tmp_path)).ranking)

    assert header[:6] == ("rank", "profile", "configuration", "capacity", "goal", "req/s")
    assert rows[0] == (
        *("1", "with_gpu", "2 GPU containers at batch 10", "≥ 200 users", "p95 310 ms", "40.0"),
        "20261122-072100",
    )
    assert rows[4] == (
        *("-", "batch_10", "1 CPU container at batch 10", "none", "p95 900 ms", "40.0"),
        "20261122-072100",
    )


def test_fewer_replicas_come_first_at_an_equal_capacity(tmp_path: Path) -> None:
    two = {"m2_u2_s2": 100.0}
    found = ranking(
        tmp_path,
        add_run(tmp_path, "two", two, models=[2], goals=GOALS),
        add_run(tmp_path, "one", FAST, goals=GOALS),
    )

    assert ranks(found) == [(1, "one", 1), (2, "two", 2)]
    assert first_sentence(found) == (
        "1 CPU container at batch 1 (one) carries the largest measured load, at least 2 users: "
        "p95 100 ms (goal 500 ms), 40.0 req/s; 2 CPU containers at batch 1 (two) carry at least "
        "2 users too."
    )


def test_without_goals_nearly_equal_throughputs_share_a_rank(tmp_path: Path) -> None:
    found = ranking(
        tmp_path,
        add_run(tmp_path, "slow", FAST, results={"m1_u2_s2": {"completed": 200}}),
        add_run(tmp_path, "two", {"m2_u2_s2": 1.0}, models=[2]),
        add_run(tmp_path, "one", FAST, results={"m1_u2_s2": {"completed": 390}}),
    )

    assert ranks(found) == [(1, "one", 1), (1, "two", 2), (3, "slow", 1)]
    assert first_sentence(found) == (
        "1 CPU container at batch 1 (one) reaches the highest measured throughput, at least "
        "39.0 req/s; "
        "2 CPU containers at batch 1 (two) reach at least 40.0 req/s, equal within 5 %; "
        "next is 1 CPU container at batch 1 (slow) with at least 20.0 req/s."
    )
    header, rows = ranking_table(found)
    assert header == ("rank", "profile", "configuration", "load", "req/s", "run ")
    assert rows[0][3:5] == ("2 users", "≥ 39.0")


def test_different_goals_are_not_ranked(tmp_path: Path) -> None:
    found = ranking(
        tmp_path,
        add_run(tmp_path, "strict", FAST, goals={"p95_ms": 150}),
        add_run(tmp_path, "lax", FAST, goals=GOALS),
        add_run(tmp_path, "none", FAST),
    )

    assert [one.rank for one in found.configurations] == [None, None, None]
    first, *answers = sentences(found)
    assert first == (
        "The configurations cannot be ranked, because the goals differ: strict: p95 ≤ 150 ms; "
        "lax: p95 ≤ 500 ms; none: no goals."
    )
    assert [text.partition(":")[0] for text in answers] == ["strict", "lax", "none"]


def test_if_no_configuration_meets_the_goals_each_answer_follows(tmp_path: Path) -> None:
    found = ranking(
        tmp_path,
        add_run(tmp_path, "one", SLOW, goals=GOALS),
        add_run(tmp_path, "other", SLOW, goals=GOALS),
    )

    assert found.best == ()
    assert sentences(found)[0] == (
        "No configuration is known to meet the goals: one: goals not met, other: goals not met."
    )
    assert sentences(found)[1].startswith("one: No configuration met the goals. The closest was")


def test_profiles_without_results_are_named_with_the_reason(tmp_path: Path) -> None:
    deleted = add_run(tmp_path, "deleted", FAST)
    damaged = add_run(tmp_path, "damaged", FAST)
    shutil.rmtree(tmp_path / "deleted")
    (tmp_path / "damaged" / damaged.run / "journal.jsonl").write_text("{")
    found = ranking(
        tmp_path,
        deleted,
        damaged,
        add_run(tmp_path, "empty", {}),
        StudyEntry(profile="two_gpus", refused=f"{REFUSED}."),
        StudyEntry(profile="later"),
    )

    first, gone, unreadable, empty, refused, pending = sentences(found)

    assert first == "No run of the study has results."
    assert gone == ("deleted has no results: the run deleted/20261122-072100 was deleted or moved.")
    assert unreadable.startswith("damaged has no results: ")
    assert empty == "empty: No results yet."
    assert refused == f"two_gpus was refused: {REFUSED}."
    assert pending == "Not started: later."
    assert doubts(found) == ()


def test_a_study_with_remaining_work_is_ranked_so_far(tmp_path: Path) -> None:
    run = add_run(tmp_path, "with_cpu", FAST, users=[2, 4], goals=GOALS)
    found = ranking(tmp_path, run)

    assert first_sentence(found).startswith("So far: 1 CPU container")
    assert doubts(found) == ("with_cpu has remaining cells: 1 of 2",)
    assert ranking_table(found)[1][0][-1] == "not complete"
    complete = add_run(tmp_path, "with_cpu", FAST, goals=GOALS)
    pending = ranking(tmp_path, complete, StudyEntry(profile="later"))
    assert first_sentence(pending).startswith("So far: ")


def test_several_runs_of_a_profile_are_told_apart_by_their_ids(tmp_path: Path) -> None:
    found = ranking(
        tmp_path,
        add_run(tmp_path, "with_cpu", FAST, run="20261122-072100", goals=GOALS),
        add_run(tmp_path, "with_cpu", FAST, run="20261122-082100", goals=GOALS),
        StudyEntry(profile="with_cpu", refused=REFUSED),
    )

    assert [member.label for member in found.members] == [
        *("with_cpu/20261122-072100", "with_cpu/20261122-082100", "with_cpu")
    ]
    assert [one.rank for one in found.configurations] == [1, 1]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {"started": {"hardware": {"cores": 2, "gpus": [{"name": "L4"}]}}},
            "Different machines: 2 cores (one); 2 cores, L4 (other)",
        ),
        ({"started": {"driver": "local"}}, "Different drivers: compose (one); local (other)"),
        (
            {"load": {"locustfile": "other.py"}},
            "Different locustfiles: locustfile.py (one); other.py (other)",
        ),
        (
            {"load": {"main": "POST /predict"}},
            "Different main requests: all requests (one); POST /predict (other)",
        ),
        ({"images": {"models": "sha256:2", "api": "sha256:1"}}, "Different images of models"),
    ],
)
def test_what_differs_between_the_runs_is_a_doubt(
    tmp_path: Path, changes: dict[str, Any], expected: str
) -> None:
    same = {"models": "sha256:1", "api": "sha256:1"}
    found = ranking(
        tmp_path,
        add_run(tmp_path, "one", FAST, images=same),
        add_run(tmp_path, "other", FAST, **{"images": same, **changes}),
    )

    assert expected in doubts(found)
    assert len(doubts(found)) == 1


def test_images_of_different_devices_are_no_doubt(tmp_path: Path) -> None:
    found = ranking(
        tmp_path,
        add_run(tmp_path, "with_cpu", FAST, images={"model": "sha256:1"}),
        add_run(tmp_path, "with_gpu", FAST, images={"model": "sha256:2"}, device="gpu"),
    )

    assert doubts(found) == ()


def test_targets_are_compared_only_for_equal_drivers(tmp_path: Path) -> None:
    def add(name: str, address: str, driver: str) -> StudyEntry:
        started = {"target": Target(address=address), "driver": driver}
        return add_run(tmp_path, name, FAST, started=started)

    one = add("one", "port 80 of a", "compose")
    found = ranking(tmp_path, one, add("other", "port 80 of b", "compose"))
    assert doubts(found) == ("Different targets: port 80 of a (one); port 80 of b (other)",)
    found = ranking(tmp_path, one, add("other", "a free local port", "local"))
    assert doubts(found) == ("Different drivers: compose (one); local (other)",)


def test_a_remote_docker_engine_is_another_machine(tmp_path: Path) -> None:
    remote = {"cores": 2, "engine": {"same_machine": False, "name": "far"}}
    found = ranking(
        tmp_path,
        add_run(tmp_path, "one", FAST, started={"hardware": {"cores": 2, "engine": None}}),
        add_run(tmp_path, "other", FAST, started={"hardware": remote}),
    )

    assert doubts(found) == (
        "Different machines: 2 cores (one); 2 cores, Docker on another machine (far) (other)",
    )


def test_the_least_important_columns_are_omitted_first(tmp_path: Path) -> None:
    found = rank_study(add_device_study(tmp_path)).ranking
    full, _ = ranking_table(found)

    headers = [ranking_table(found, omitted)[0] for omitted in range(MAX_OMITTED + 1)]

    assert headers[0] == full
    assert headers[1] == full[:-1]
    assert headers[-1] == ("rank", "configuration", "capacity")
    assert [num_left(header) for header in (headers[0], headers[-1])] == [3, 2]
    assert all(len(row) == 3 for row in ranking_table(found, MAX_OMITTED)[1])


def test_equal_runs_have_no_doubts(tmp_path: Path) -> None:
    found = ranking(tmp_path, add_run(tmp_path, "one", FAST), add_run(tmp_path, "other", FAST))

    assert doubts(found) == ()


def test_suspect_results_and_lower_bounds_are_doubts(tmp_path: Path) -> None:
    keys: dict[str, Any] = {"users": [2, 4], "goals": GOALS}
    suspect = {"m1_u4_s2": {"verdict": Verdict.SUSPECT, "reasons": ("not settled",)}}
    fast = {"m1_u2_s2": 100.0, "m1_u4_s2": 200.0}
    found = ranking(
        tmp_path,
        add_run(tmp_path, "best", fast, results=suspect, **keys),
        add_run(tmp_path, "small", FAST, goals=GOALS),
    )

    assert "(suspect); next is" in first_sentence(found)
    assert doubts(found) == (
        "The results of 1 CPU container at batch 1 (best) are suspect",
        "1 CPU container at batch 1 (small) may carry more than 2 users, because no load failed",
    )
    assert ranking_table(found)[1][0][-1] == "suspect"


def test_a_service_that_is_not_scaled_is_named_within_the_sentence(tmp_path: Path) -> None:
    external: dict[str, Any] = {
        "stack": {"driver": "external"},
        "host": "http://other:80",
        "started": {"driver": "external"},
    }
    slow = {"m1_u2_s2": {"completed": 100}}
    found = ranking(
        tmp_path, add_run(tmp_path, "one", FAST), add_run(tmp_path, "ext", FAST, **external)
    )
    assert "the service at other:80 (ext) reaches at least 40.0 req/s, equal" in first_sentence(
        found
    )
    found = ranking(
        tmp_path,
        add_run(tmp_path, "one", FAST),
        add_run(tmp_path, "ext", FAST, results=slow, **external),
    )
    assert "next is the service at other:80 (ext) with at least 10.0" in first_sentence(found)


def test_a_capacity_is_undecided_only_if_a_load_below_the_first_failed_may_pass(
    tmp_path: Path,
) -> None:
    few: dict[str, Any] = {"requests": requests(((100.0, 40),)), "completed": 40}
    keys: dict[str, Any] = {"users": [2, 4], "goals": GOALS}
    found = ranking(
        tmp_path,
        add_run(
            tmp_path,
            "below",
            {"m1_u2_s2": 100.0, "m1_u4_s2": 900.0},
            results={"m1_u2_s2": few},
            **keys,
        ),
        add_run(
            tmp_path,
            "above",
            {"m1_u2_s2": 900.0, "m1_u4_s2": 100.0},
            results={"m1_u4_s2": few},
            **keys,
        ),
    )

    capacities = [row[3] for row in ranking_table(found)[1]]

    assert capacities == ["undecided", "none"]


def test_an_equal_capacity_that_is_a_lower_bound_is_a_doubt(tmp_path: Path) -> None:
    found = ranking(
        tmp_path,
        add_run(tmp_path, "one", FAST, goals=GOALS, batch_size=10),
        add_run(tmp_path, "two", {"m2_u2_s2": 100.0}, models=[2], goals=GOALS),
    )

    assert doubts(found) == (
        "2 CPU containers at batch 1 (two) may carry more than 2 users, because no load failed",
    )
