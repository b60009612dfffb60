"""How long cells must last: from the newest run, or else from the locustfile."""

from pathlib import Path
from typing import Any

from loadbench.engine.journal.events import Requests
from loadbench.engine.load.sampling import sampling_plan
from loadbench.engine.measure.sampling.needs import samples_with_margin
from loadbench.engine.profile.model import Profile
from tests.support.builders import make_profile, swept

KEY = "m1_u2_s2"
FILE = """
from locust import HttpUser, between, task
class A(HttpUser):
  wait_time = between(1, 3)
  @task(3)
  def predict(self): self.client.post("/predict")
  @task
  def index(self): self.client.get("/")
"""


def profile(root: Path, **keys: Any) -> Profile:
    (root / "a.py").write_text(FILE)
    load = {"locustfile": "a.py", "main": "POST /predict"}
    return make_profile(load=load, goals={"p95_ms": 400}, **keys)


def test_without_a_run_the_locustfile_decides(tmp_path: Path) -> None:
    plan = sampling_plan(tmp_path, profile(tmp_path), ())

    rate = 0.75 * 2 / 2.4
    assert plan.source == "estimated from the locustfile"
    assert plan.cells[KEY].needed_s == samples_with_margin(200) / rate


def test_a_run_is_better_than_the_locustfile(tmp_path: Path) -> None:
    requests = (Requests(method="POST", name="/predict", successes=((300.0, 30),)),)
    state = swept(profile(tmp_path), **{KEY: {"measured_s": 20.0, "requests": requests}})

    plan = sampling_plan(tmp_path, profile(tmp_path), [state])

    assert plan.source == "from run 20261122-072100"
    assert plan.cells[KEY].expected_s == 200 / 1.5


def test_what_a_run_has_not_measured_comes_from_the_locustfile(tmp_path: Path) -> None:
    state = swept(profile(tmp_path))
    goals = {"p95_ms": 400, "requests": {"GET /": {"p50": 10}}}
    now = profile(tmp_path).model_copy(update={"goals": make_profile(goals=goals).goals})

    plan = sampling_plan(tmp_path, now, [state])

    assert plan.source == "from run 20261122-072100 and estimated from the locustfile"
    assert plan.cells[KEY].percentile == "p50 of GET /"


def test_without_a_locustfile_the_time_is_unknown(tmp_path: Path) -> None:
    plan = sampling_plan(tmp_path, make_profile(load={"locustfile": "gone.py"}), ())

    assert plan.unknown == ("no user classes were found",)
    assert plan.source == ""


def test_cells_with_the_same_load_need_the_same_time(tmp_path: Path) -> None:
    plan = sampling_plan(tmp_path, profile(tmp_path, repeats=3, recheck_first=True), ())

    assert len(plan.cells) == 4
    assert len(set(plan.cells.values())) == 1
