"""What users do, from the text of locustfiles: think time, weights and requests."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loadbench.engine.load.source.files import find_locustfiles
from loadbench.engine.load.source.user_patterns import user_patterns
from loadbench.engine.measure.sampling.users import UserPattern
from tests.support.builders import make_profile
from tests.unit.engine.load.source.test_hostile import sources

HEAD = "import os, time, random\nfrom locust import *\nfrom locust import HttpUser, task, between\n"
PREDICT, INDEX = ("POST", "/predict"), ("GET", "/")


def patterns(root: Path, text: str, **load: Any) -> tuple[UserPattern, ...]:
    (root / "a.py").write_text(HEAD + text)
    section = make_profile(load={"locustfile": "a.py", **load}).load
    return user_patterns(find_locustfiles(root, section), section)


def only(root: Path, text: str, **load: Any) -> UserPattern:
    (found,) = patterns(root, text, **load)
    return found


def user(body: str, before: str = "") -> str:
    lines = "".join(f"  {line}\n" for line in body.splitlines())
    task = "  @task\n  def t(self): self.client.get('/')\n"
    return f"{before}class A(HttpUser):\n{lines}{task}"


# Think time


@pytest.mark.parametrize(
    ("wait", "pause_s", "min_cycle_s"),
    [
        ("between(1, 3)", 2, 0),
        ("between(min_wait=0.1, max_wait=0.3)", 0.2, 0),
        ("locust.between(1, 3)", 2, 0),
        ("constant(1.5)", 1.5, 0),
        ("constant(60 / 30)", 2, 0),
        ("constant_pacing(2)", 0, 2),
        ("constant_throughput(0.5)", 0, 2),
        ("lambda self: 1.25", 1.25, 0),
        ("None", 0, 0),
        ("between(LOW, 2 * LOW)", 1.5, 0),
        ("WAIT", 4, 0),
        ("ALIAS", 4, 0),
    ],
)
def test_the_think_time_is_the_mean_pause(
    tmp_path: Path, wait: str, pause_s: float, min_cycle_s: float
) -> None:
    constants = "LOW = 1.0\nWAIT = constant(4)\nALIAS = WAIT\n"

    found = only(tmp_path, user(f"wait_time = {wait}", constants))

    assert found.pause_s == pytest.approx(pause_s)
    assert found.min_cycle_s == min_cycle_s
    assert (found.unknown, found.unknown_requests) == ("", "")


def test_without_a_wait_time_there_is_no_pause(tmp_path: Path) -> None:
    assert only(tmp_path, user("pass")).pause_s == 0


def test_a_function_that_returns_a_number_is_a_pause(tmp_path: Path) -> None:
    assert only(tmp_path, user("def wait_time(self): return 2")).pause_s == 2


@pytest.mark.parametrize(
    ("before", "body", "reason"),
    [
        ("", "wait_time = between(1, float(os.environ['X']))", "the arguments of between are no"),
        ("", "wait_time = between(1)", "the arguments of between are no numbers"),
        ("", "wait_time = between(-1, 3)", "the arguments of between are no numbers"),
        ("", "wait_time = constant(True)", "the arguments of constant are no numbers"),
        ("", "wait_time = constant_throughput(0)", "the arguments of constant_throughput are no"),
        ("", "wait_time = constant(1 / 0)", "the arguments of constant are no numbers"),
        ("", "wait_time = constant(1e400)", "the arguments of constant are no numbers"),
        ("", "wait_time = lambda self: random.expovariate(1)", "it is computed"),
        ("", "def wait_time(self): return random.random()", "it is computed"),
        ("", "def wait_time(self):\n  x = 1\n  return x", "it is computed"),
        ("", "wait_time = pause", "the value of pause is not known"),
        ("def between(a, b): return a\n", "wait_time = between(1, 2)", "between is a function of"),
        ("", "wait_time = between(1, 2)\nwait_time = constant(3)", "it is set more than once"),
        ("X = Y\nY = X\n", "wait_time = X", "it is computed"),
    ],
)
def test_other_think_times_are_unknown(tmp_path: Path, before: str, body: str, reason: str) -> None:
    found = only(tmp_path, user(body, before))

    assert found.unknown.startswith("the think time of A is unknown: " + reason)


def test_the_think_time_is_inherited(tmp_path: Path) -> None:
    (tmp_path / "base.py").write_text(
        "from locust import FastHttpUser, between\nLOW, HIGH = 1, 3\nMEAN = 5\n"
        "class Base(FastHttpUser):\n  abstract = True\n  wait_time = between(MEAN, MEAN)\n"
        "class Mixin:\n  wait_time = between(1, 1)\n"
    )
    text = "from base import Base, Mixin\nclass A(Base): ...\nclass B(Mixin, Base): ...\n"

    assert [one.pause_s for one in patterns(tmp_path, text)] == [5, 1]


def test_constants_of_other_files_are_found(tmp_path: Path) -> None:
    (tmp_path / "settings.py").write_text("PAUSE = 2.5\n")

    text = user("wait_time = constant(PAUSE)", "from settings import PAUSE\n")

    assert only(tmp_path, text).pause_s == 2.5


def test_the_pause_of_a_base_that_is_not_read_is_unknown(tmp_path: Path) -> None:
    text = "from gone import KafkaUser\nclass A(KafkaUser, HttpUser):\n  x = 1\n"

    assert only(tmp_path, text).unknown == "A: the file of its base KafkaUser was not found"
    assert only(tmp_path, text + "  wait_time = constant(1)\n").unknown == ""


# Tasks


def test_requests_follow_from_the_weights_of_tasks(tmp_path: Path) -> None:
    text = """
URL = "/predict"
class A(HttpUser):
  @task(3)
  def predict(self):
    with self.client.post(URL, json={}, catch_response=True) as response:
      response.success()
  @task
  def index(self):
    self.client.get("/")
    self.client.get(f"/items/{1}", name="item")
"""
    found = only(tmp_path, text)

    assert found.requests == {PREDICT: 0.75, INDEX: 0.25, ("GET", "item"): 0.25}
    assert found.unknown_requests == ""


def test_called_methods_count_too(tmp_path: Path) -> None:
    text = """
def helper(user):
  user.client.get("/")
class Base(HttpUser):
  abstract = True
  def login(self): self.client.post("/login")
class A(Base):
  @task
  def t(self):
    self.login()
    helper(self)
    self.client.request("post", "/predict")
"""
    found = only(tmp_path, text)

    assert found.requests == {("POST", "/login"): 1, INDEX: 1, PREDICT: 1}
    assert found.unknown_requests == ""


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("for _ in range(3): self.client.get('/')", "task t sends requests in a loop or on a"),
        ("[self.client.get('/') for _ in x]", "task t sends requests in a loop or on a"),
        ("if x: self.client.get('/')", "task t sends requests in a loop or on a condition"),
        ("self.client.get(f'/{x}')", "task t computes the name of a request"),
        ("if x: self.more()", "task t sends requests in a loop or on a condition"),
    ],
)
def test_requests_that_are_computed_are_unknown(tmp_path: Path, body: str, reason: str) -> None:
    text = f"""
class A(HttpUser):
  def more(self): self.client.get("/")
  @task
  def t(self):
    {body}
"""
    assert only(tmp_path, text).unknown_requests.startswith(reason)


def test_listed_tasks_have_weights(tmp_path: Path) -> None:
    text = """
def index(user): user.client.get("/")
def predict(user): user.client.post("/predict")
class A(HttpUser):
  tasks = {index: 1, predict: 3}
class B(HttpUser):
  tasks = [index]
class C(HttpUser):
  tasks = make()
"""
    first, second, third = patterns(tmp_path, text)

    assert first.requests == {INDEX: 0.25, PREDICT: 0.75}
    assert second.requests == {INDEX: 1}
    assert third.unknown_requests == "the tasks of C are nested or computed"


def test_a_single_task_set_counts_as_the_tasks_of_its_user(tmp_path: Path) -> None:
    text = """
class Tasks(SequentialTaskSet):
  wait_time = constant(7)
  @task
  def index(self): self.client.get("/")
  @task
  def predict(self): self.client.post("/predict")
class A(HttpUser):
  tasks = [Tasks]
  wait_time = constant(1)
class B(HttpUser):
  wait_time = constant(1)
  @task
  class Inner(TaskSet):
    @task
    def index(self): self.client.get("/")
"""
    first, second = patterns(tmp_path, text)

    assert (first.requests, first.pause_s) == ({INDEX: 0.5, PREDICT: 0.5}, 7)
    assert (second.requests, second.pause_s) == ({INDEX: 1}, 1)


def test_several_task_sets_are_unknown(tmp_path: Path) -> None:
    text = """
class One(TaskSet):
  wait_time = constant(7)
class Two(TaskSet): ...
class A(HttpUser):
  tasks = [One, Two]
"""
    found = only(tmp_path, text)

    assert found.unknown_requests == "the tasks of A are nested or computed"
    assert found.unknown == "the task set One has its own think time"


def test_sleep_in_a_task_is_a_pause(tmp_path: Path) -> None:
    text = """
class A(HttpUser):
  wait_time = constant(1)
  @task
  def a(self):
    time.sleep(2)
  @task
  def b(self): self.client.get("/")
"""
    assert only(tmp_path, text).pause_s == 2
    assert "calls sleep with a computed" in only(tmp_path, text.replace("(2)", "(f())")).unknown
    assert only(tmp_path, text.replace("time.sleep(2)", "self.wait()")).unknown == (
        "task a calls wait"
    )


def test_weights_of_classes_are_read(tmp_path: Path) -> None:
    text = """
class A(HttpUser):
  weight = 3
class B(HttpUser):
  fixed_count = 1
class C(HttpUser):
  weight = f()
"""
    first, second, third = patterns(tmp_path, text)

    assert (first.weight, second.fixed_count) == (3, 1)
    assert third.unknown == "the weight or fixed_count of C is computed"


def test_only_the_classes_of_the_profile_count(tmp_path: Path) -> None:
    text = "class A(HttpUser): ...\nclass B(HttpUser): ...\n"

    assert [one.name for one in patterns(tmp_path, text, user_classes=["B"])] == ["B"]


def test_tags_select_tasks_so_their_shares_are_unknown(tmp_path: Path) -> None:
    assert "load.tags" in only(tmp_path, user("pass"), tags=["fast"]).unknown_requests


def test_a_file_that_is_no_python_has_no_patterns(tmp_path: Path) -> None:
    assert patterns(tmp_path, "class (") == ()


# Hostile files


HOSTILE = (
    "class A(HttpUser):\n  wait_time = A\n",
    "class A(HttpUser):\n  tasks = {**x, None: 1}\n",
    "class A(HttpUser):\n  @task(weight=-5)\n  def t(self): self.t()\n",
    "class A(HttpUser):\n  fixed_count = -3\n  weight = -1\n  tasks = []\n",
    "class A(HttpUser):\n  fixed_count = 10 ** 400\n  weight = 1e308 * 10\n",
    "class A(HttpUser):\n  @task\n  class B(TaskSet):\n    @task\n    class C(TaskSet): ...\n",
    "class A(HttpUser):\n  wait_time = constant(*x, **y)\n  tasks = [A]\n",
    "class A(HttpUser):\n  @task()\n  def t(self): self.client.request()\n",
    "class T(TaskSet):\n  tasks = [T]\nclass A(HttpUser):\n  tasks = [T]\n",
)


@pytest.mark.parametrize("text", HOSTILE)
def test_odd_classes_are_read(tmp_path: Path, text: str) -> None:
    for one in patterns(tmp_path, text):
        assert one.weight >= 0
        assert one.fixed_count >= 0
        assert one.pause_s >= 0


def test_calls_are_followed_within_limits(tmp_path: Path) -> None:
    functions = "".join(
        f"  def f{index}(self):\n{f'    self.f{index + 1}()' + chr(10)}" * 1 for index in range(9)
    )
    many = "    self.f0()\n" * 500
    text = f"class A(HttpUser):\n  @task\n  def t(self):\n{many}{functions}  def f9(self): ...\n"

    assert only(tmp_path, text).unknown_requests.endswith("calls too many functions")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(st.lists(sources | st.sampled_from(HOSTILE), max_size=4).map("\n".join))
def test_any_text_is_read_and_nothing_is_executed(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.py").write_bytes(text.encode("utf-8", "surrogatepass"))
    load = make_profile(load={"locustfile": "a.py"}).load

    for one in user_patterns(find_locustfiles(tmp_path, load), load):
        assert one.name.isprintable()
        assert one.unknown.isprintable()
