"""Locustfiles with options, tags, classes, slow starts and mistakes, with a real Locust process."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from loadbench.engine.journal.events import UserClass
from loadbench.engine.load.locust import LocustLoad
from loadbench.engine.load.protocol import Measured
from loadbench.engine.load.scenario import Scenario
from loadbench.engine.load.source.files import Locustfiles
from loadbench.engine.profile.levels import Closed
from loadbench.engine.profile.plan import Cell
from loadbench.errors import LoadError, LoadStartError
from tests.support.harness import until

CELL = Cell(models=1, level=Closed(users=4, spawn_rate=100))
HOST = "http://127.0.0.1:9"
EVENT = "request_type='T', response_time=1.0, response_length=0, exception=None, context={}"

OPTIONS = f"""
import json, os, time
from locust import User, constant, events, task

@events.init_command_line_parser.add_listener
def options(parser):
    parser.add_argument("--engine", required=True, choices=["vllm", "tgi"])
    parser.add_argument("-n", "--num-tokens", type=int, default=1)
    parser.add_argument("--stream", action="store_true")
    parser.add_argument("--hosts", nargs="*", env_var="LOCUST_MY_HOSTS")
    parser.add_argument("--key", env_var="MY_KEY")

class U(User):
    wait_time = constant(0.05)

    @task
    def ask(self):
        found = self.environment.parsed_options
        name = [found.engine, found.num_tokens, found.stream, found.hosts, found.key]
        self.environment.events.request.fire(name=json.dumps(name), {EVENT})
"""
"""Its requests are named after the values of its options."""

CLASSES = f"""
from locust import User, constant, tag, task

class Base(User):
    abstract = True
    wait_time = constant(0.05)

    def fire(self, name):
        text = f"{{type(self).__name__}} {{name}} {{self.host}}"
        self.environment.events.request.fire(name=text, {EVENT})

class Chat(Base):
    @tag("fast")
    @task
    def ask(self): self.fire("ask")

    @tag("fast", "beta")
    @task
    def stream(self): self.fire("stream")

    @task
    def untagged(self): self.fire("untagged")

class Login(Base):
    host = "http://login.example"

    @tag("fast")
    @task
    def sign_in(self): self.fire("sign in")

class Slow(Base):
    @tag("slow")
    @task
    def wait_long(self): self.fire("slow")
"""

WITH_HELPERS = f"""
import helpers
from locust import User, constant, task

DATA = open("data.txt").read()

class Other(User):
    wait_time = constant(0.05)

    @task
    def ask(self):
        import lazy
        text = f"{{DATA}} {{helpers.NAME}} {{lazy.NAME}}"
        self.environment.events.request.fire(name=text, {EVENT})
"""


def files(folder: Path, **texts: str) -> Locustfiles:
    """Write locustfiles to a folder, in which Locust then runs."""
    for name, text in texts.items():
        (folder / f"{name}.py").write_text(text)
    return Locustfiles(tuple(folder / f"{name}.py" for name in texts), folder)


@contextmanager
def started(tmp_path: Path, scenario: Scenario) -> Iterator[LocustLoad]:
    """Start Locust with a scenario."""
    load = LocustLoad(scenario, images=tmp_path, timeout_s=5, log=tmp_path / "log")
    try:
        load.start()
        yield load
    finally:
        load.close()


def error_of(tmp_path: Path, scenario: Scenario) -> LoadError:
    """Return why Locust does not start with a scenario."""
    with pytest.raises(LoadError) as caught, started(tmp_path, scenario):
        pass
    assert "\n" not in str(caught.value)
    return caught.value


def measured(load: LocustLoad, cell: Cell = CELL, tag: str = "t") -> Measured:
    """Measure a cell for half a second."""
    load.swarm(cell, HOST, tag)
    until(lambda: (now := load.state(0)) is not None and now.spawned)
    load.measure(0.5)
    until(lambda: (now := load.state(0)) is not None and now.remaining_s == 0)
    load.stop()
    return load.measured()


def names(result: Measured) -> set[str]:
    return {one.name for one in result.requests}


def test_options_and_variables_of_the_profile_arrive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCUST_MY_HOSTS", "[a, b]")
    monkeypatch.setenv("LOCUST_HEADLESS", "true")
    monkeypatch.setenv("LOCUST_LOCUSTFILE", "nowhere.py")
    options = {"engine": "vllm", "n": "5", "stream": "true"}
    scenario = Scenario(
        files=files(tmp_path, user=OPTIONS), options=options, environment={"MY_KEY": "k"}
    )

    with started(tmp_path, scenario) as load:
        notes = load.notes()
        assert names(measured(load)) == {'["vllm", 5, true, ["a", "b"], "k"]'}
        assert load.notes() == []

    assert notes == [
        "environment variable LOCUST_HEADLESS is ignored: Locust is controlled over its web API",
        (
            "environment variable LOCUST_LOCUSTFILE has no effect on the run: set the key "
            "load.locustfile of the profile"
        ),
    ]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {},
            (
                "the locustfile requires the option engine. Set load.options: {engine: …}, one of "
                "vllm, tgi"
            ),
        ),
        ({"engine": "x"}, "load.options: argument --engine: invalid choice: 'x'"),
        ({"engine": "vllm", "n": "x"}, "load.options: argument -n/--num-tokens: invalid int value"),
        ({"engin": "x"}, "load.options.engin: the locustfile has no such option. Did you mean"),
    ],
)
def test_a_wrong_option_is_explained(
    tmp_path: Path, options: Mapping[str, str], message: str
) -> None:
    error = error_of(tmp_path, Scenario(files=files(tmp_path, user=OPTIONS), options=options))
    assert str(error).startswith(message)


def test_tags_select_tasks_and_drop_classes_without_tasks(tmp_path: Path) -> None:
    scenario = Scenario(
        files=files(tmp_path, user=CLASSES),
        tags=("fast",),
        exclude_tags=("beta",),
        keep_host=("Login",),
    )

    with started(tmp_path, scenario) as load:
        result = measured(load)
        notes = load.notes()

    assert names(result) == {f"Chat ask {HOST}", "Login sign in http://login.example"}
    assert result.user_classes == (
        UserClass(name="Chat", users=2),
        UserClass(name="Login", users=2),
    )
    assert notes == [
        (
            "user class Slow gets no users, because load.tags or load.exclude_tags leave none of "
            "its tasks"
        )
    ]


def test_user_classes_are_selected_and_another_host_is_noted(tmp_path: Path) -> None:
    scenario = Scenario(files=files(tmp_path, user=CLASSES), user_classes=("Slow", "Login"))

    with started(tmp_path, scenario) as load:
        result = measured(load)
        notes = load.notes()

    assert names(result) == {f"Slow slow {HOST}", f"Login sign in {HOST}"}
    assert notes == [
        (
            "warning: user class Login sets the host http://login.example, but its requests go to "
            "the service under test. To keep its host, set load.keep_host: [Login]"
        )
    ]


HOSTS = (
    CLASSES.replace("from locust import", "from locust import events,")
    + """
class Odd(Base):
    host = ("localhost", 50051)

    @task
    def call(self): self.fire("call")

@events.init.add_listener
def set_host(environment, **_):
    Slow.host = "http://bob:hunter2@slow.example"
"""
)


def test_hosts_that_are_set_in_other_ways_are_kept_or_noted(tmp_path: Path) -> None:
    scenario = Scenario(files=files(tmp_path, user=HOSTS), keep_host=("Slow",))
    with started(tmp_path, scenario) as load:
        result = measured(load, Cell(models=1, level=Closed(users=8, spawn_rate=100)))
    noted = Scenario(files=files(tmp_path, user=HOSTS))
    with started(tmp_path, noted) as load:
        load.swarm(CELL, HOST, "t")
        notes = load.notes()

    assert "Slow slow http://bob:hunter2@slow.example" in names(result)
    assert f"Odd call {HOST}" in names(result)
    assert [note.partition(" sets ")[0] for note in notes] == [
        "warning: user class Login",
        "warning: user class Slow",
    ]
    assert "hunter2" not in "".join(notes)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"keep_host": ("Chat",)}, "load.keep_host: user class Chat has no host as a text"),
        ({"tags": ("quick",)}, "no task is left. The locustfile has the tags beta, fast, slow"),
        (
            {"user_classes": ("Absent",)},
            "load.user_classes: the locustfile has no user class Absent",
        ),
        ({"keep_host": ("Absent",)}, "load.keep_host: the locustfile has no user class Absent"),
    ],
)
def test_unknown_tags_and_classes_are_explained(
    tmp_path: Path, fields: dict[str, tuple[str, ...]], message: str
) -> None:
    error = error_of(tmp_path, Scenario(files=files(tmp_path, user=CLASSES), **fields))  # type: ignore[arg-type]
    assert message in str(error)


def test_several_files_share_a_folder_with_modules_and_data(tmp_path: Path) -> None:
    (tmp_path / "load").mkdir()
    (tmp_path / "data.txt").write_text("data")
    (tmp_path / "helpers.py").write_text("NAME = 'helper'")
    (tmp_path / "lazy.py").write_text("NAME = 'lazy'")
    found = files(tmp_path / "load", a_file=CLASSES, **{"b, with a comma": WITH_HELPERS})
    scenario = Scenario(files=Locustfiles(found.paths, tmp_path))

    with started(tmp_path, scenario) as load:
        result = measured(load, Cell(models=1, level=Closed(users=8, spawn_rate=100)))

    assert "data helper lazy" in names(result)
    assert f"Chat ask {HOST}" in names(result)
    assert result.exceptions == ()
    assert list(tmp_path.rglob("__pycache__")) == []


WITH_PYTEST = """
def test_ask(fastsession):
    fastsession.get("/")
"""


def test_test_functions_of_pytest_are_users(tmp_path: Path) -> None:
    with started(tmp_path, Scenario(files=files(tmp_path, user=WITH_PYTEST))) as load:
        result = measured(load)

    assert [one.name for one in result.user_classes] == ["test_ask"]
    assert names(result) == {"/"}
    assert list(tmp_path.rglob("__pycache__")) == []


def test_users_fixed_beyond_the_cell_leave_others_without_users(tmp_path: Path) -> None:
    text = CLASSES.replace("class Slow(Base):", "class Slow(Base):\n    fixed_count = 9")
    with started(tmp_path, Scenario(files=files(tmp_path, user=text))) as load:
        result = measured(load)

    assert [(one.name, one.users, one.fixed) for one in result.user_classes] == [
        ("Chat", 0, 0),
        ("Login", 0, 0),
        ("Slow", 4, 9),
    ]


WAIT = "import time\ntime.sleep(60)\n"
COMPUTE = "import time\nend = time.monotonic() + 60\nwhile time.monotonic() < end: pass\n"
SLOW_INIT = """
import time
from locust import events
@events.init.add_listener
def prepare(**_):
    time.sleep(60)
"""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            WAIT,
            (
                "the import of the locustfile took longer than load.start_timeout (2 s). It is "
                "waiting at user.py:2. Increase load.start_timeout"
            ),
        ),
        (COMPUTE, "It is computing at user.py:3."),
        (
            SLOW_INIT,
            (
                "the init listeners of the locustfile took longer than load.start_timeout "
                "(2 s). It is waiting at user.py:6 in prepare."
            ),
        ),
    ],
)
def test_a_start_that_takes_too_long_names_the_line(
    tmp_path: Path, text: str, message: str
) -> None:
    scenario = Scenario(
        files=files(tmp_path, user=f"{text}\n{CLASSES}" if text == SLOW_INIT else text),
        start_timeout_s=2.0,
    )
    error = error_of(tmp_path, scenario)
    assert isinstance(error, LoadStartError)
    assert message in str(error)


BUSY_START = """
import time
from locust import events

def compute(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end: pass

@events.test_start.add_listener
def prepare(**_):
    compute({seconds})

@events.test_stop.add_listener
def clean_up(**_):
    compute(1.5)
"""


def test_listeners_that_compute_are_not_a_hung_locust(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loadbench.engine.load.locust.RESPONSE_TIMEOUT_S", 1.0)
    text = f"{BUSY_START.format(seconds=3)}\n{CLASSES}"
    with started(tmp_path, Scenario(files=files(tmp_path, user=text))) as load:
        assert load.awaited() == ""
        for tag in ("first", "second"):
            result = measured(load, tag=tag)
            assert f"Chat ask {HOST}" in names(result)


SLOW_STOP = """
import time
from locust import events

@events.test_stop.add_listener
def clean_up(**_):
    time.sleep({seconds})
"""


def test_results_are_kept_if_test_stop_takes_too_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loadbench.engine.load.locust.RESPONSE_TIMEOUT_S", 1.0)
    text = f"{SLOW_STOP.format(seconds=60)}\n{CLASSES}"
    scenario = Scenario(files=files(tmp_path, user=text), start_timeout_s=1.0)
    load = LocustLoad(scenario, images=tmp_path, timeout_s=0.5, log=tmp_path / "log")
    try:
        load.start()
        results = [measured(load, tag=tag) for tag in ("first", "second")]
        notes = load.notes()
    finally:
        load.close()

    assert all(f"Chat ask {HOST}" in names(result) for result in results)
    assert notes[-1] == (
        "warning: the test_stop listeners of the locustfile took longer than load.start_timeout "
        "(1 s). It is at user.py:7 in clean_up. Increase load.start_timeout; restarting Locust"
    )


def test_a_test_start_that_takes_too_long_fails_the_cell(tmp_path: Path) -> None:
    text = f"{BUSY_START.format(seconds=30)}\n{CLASSES}"
    scenario = Scenario(files=files(tmp_path, user=text), start_timeout_s=2.0)
    with started(tmp_path, scenario) as load, pytest.raises(LoadStartError) as caught:
        measured(load)
    assert str(caught.value).startswith(
        "the test_start listeners of the locustfile took longer than load.start_timeout (2 s)."
    )
    assert "in compute. Increase load.start_timeout" in str(caught.value)


MISTAKES = """
import itertools, json, os
from locust import User, constant, events, task
NUMBERS = itertools.count()

@events.test_start.add_listener
def fetch_token(**_):
    json.loads("no JSON")

class Mine(User):
    wait_time = constant(0.05)

    def on_start(self):
        if next(NUMBERS) == 0:
            os.environ["MISSING"]

    @task
    def ask(self):
        raise ValueError("two\\nlines \\ud83d")
"""


def test_each_mistake_has_the_place_in_the_users_code(tmp_path: Path) -> None:
    with started(tmp_path, Scenario(files=files(tmp_path, user=MISTAKES))) as load:
        result = measured(load)

    errors = [one.error for one in result.exceptions]
    assert errors[0] == (
        "user.py:8 in fetch_token: JSONDecodeError: Expecting value: line 1 column 1 (char 0)"
    )
    assert errors[1] == "user.py:15 in on_start: KeyError: 'MISSING'"
    assert errors[2] == "user.py:19 in ask: ValueError: two lines"
    assert result.exceptions[2].count > 4


MANY_MISTAKES = """
import itertools
from locust import User, constant, task
NUMBERS = itertools.count()

class Mine(User):
    wait_time = constant(0.001)

    @task
    def ask(self):
        raise ValueError(f"\x1b[2J{next(NUMBERS)}")
"""


def test_distinct_mistakes_are_limited(tmp_path: Path) -> None:
    with started(tmp_path, Scenario(files=files(tmp_path, user=MANY_MISTAKES))) as load:
        result = measured(load)

    errors = {one.error: one.count for one in result.exceptions}
    assert "user.py:11 in ask: ValueError: [2J0" in errors
    assert len(errors) == 51
    assert errors["other exceptions"] > 1


QUITS = """
from locust import events
@events.test_start.add_listener
def check(environment, **_):
    print("no token")
    environment.runner.quit()
"""
EXITS = QUITS.replace("environment.runner.quit()", "raise SystemExit('no token')")
STOP_TEST = QUITS.replace("environment.runner.quit()", "raise StopTest('no token')").replace(
    "from locust import events", "from locust import events; from locust.exception import StopTest"
)
TASK_EXITS = CLASSES.replace('self.fire("ask")', "raise SystemExit(3)")
STOPS = CLASSES.replace('self.fire("ask")', "self.environment.runner.stop()")
CANNOT_CREATE = CLASSES.replace(
    "    abstract = True",
    """    abstract = True
    def __init__(self, environment):
        super().__init__(environment)
        {}['key']""",
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (QUITS + CLASSES, "user.py:6 in check: the locustfile stopped the test"),
        (EXITS + CLASSES, "user.py:6 in check: SystemExit: no token"),
        (STOP_TEST + CLASSES, "user.py:6 in check: StopTest: no token"),
        (TASK_EXITS, "user.py:15 in ask: SystemExit: 3"),
        (STOPS, "user.py:15 in ask: the locustfile stopped the test"),
        (CANNOT_CREATE, "user.py:8 in __init__: KeyError: 'key'"),
    ],
)
def test_a_locustfile_that_ends_the_cell_is_named(tmp_path: Path, text: str, message: str) -> None:
    with (
        started(tmp_path, Scenario(files=files(tmp_path, user=text))) as load,
        pytest.raises(LoadError) as caught,
    ):
        measured(load)
    assert message in str(caught.value)
    assert caught.value.log_lines[-1:] == (("no token",) if "no token" in text else ())


HELPER = "import json\n\ndef read():\n    return json.loads('{')\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "import os\nX = os.environ['KEY_X']",
            "user.py:2: KeyError: 'KEY_X'. Set this variable, or load.environment: {KEY_X: …}",
        ),
        ("import helper\nhelper.read()", "helper.py:4 in read: JSONDecodeError: "),
        ("import json\njson.loads('{')", "user.py:2: JSONDecodeError: "),
        ("import broken", "broken.py:1: SyntaxError: "),
        (
            "import no_such.module",
            (
                "user.py:1: ModuleNotFoundError: No module named 'no_such'. Install "
                "the package that has no_such in the environment of loadbench-tui, or set "
                "load.folder"
            ),
        ),
        ("import sys\nsys.exit('no token')", "user.py:2: SystemExit: no token"),
        (
            "from locust import events\n@events.init.add_listener\n"
            "def f(**_): raise SystemExit('no token')\n" + CLASSES,
            "user.py:3 in f: SystemExit: no token",
        ),
        (
            "open('data/x.txt')",
            (
                "user.py:1: FileNotFoundError: [Errno 2] No such file or directory: "
                "'data/x.txt'. It is in "
            ),
        ),
        (
            "from locust import events\n@events.init.add_listener\ndef f(**_): 1 / 0\n" + CLASSES,
            "user.py:3 in f: ZeroDivisionError: division by zero",
        ),
        (
            "from locust import events\n@events.init_command_line_parser.add_listener\n"
            "def f(parser): parser.add_argument('--host')\n" + CLASSES,
            "user.py:3 in f: ArgumentError: argument --host: conflicting option string",
        ),
    ],
)
def test_a_mistake_at_the_start_has_its_place_and_advice(
    tmp_path: Path, text: str, message: str
) -> None:
    folder = tmp_path / "load"
    folder.mkdir()
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "x.txt").touch()
    (folder / "helper.py").write_text(HELPER)
    (folder / "broken.py").write_text("def f(:")

    error = error_of(tmp_path, Scenario(files=files(folder, user=text)))

    assert str(error).startswith(f"{folder}/")
    assert message in str(error)
    assert list(tmp_path.rglob("__pycache__")) == []


def test_the_log_lines_before_a_mistake_are_kept(tmp_path: Path) -> None:
    text = "print('reading the tokenizer')\nprint('from the cache')\nraise OSError('no space')"
    error = error_of(tmp_path, Scenario(files=files(tmp_path, user=text)))

    assert error.log_lines == ("reading the tokenizer", "from the cache")
