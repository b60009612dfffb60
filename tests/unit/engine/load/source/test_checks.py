"""Findings about locustfiles: from their text, with file and line."""

from pathlib import Path
from typing import Any

import pytest

from loadbench.engine.load.source.checks import MAX_FINDINGS, SourceReport, check_locustfiles
from loadbench.engine.load.source.files import find_locustfiles
from tests.support.builders import make_profile

HOST = "http://shop.example:8000"
USERS = "from locust import HttpUser, task, tag\nclass Visitor(HttpUser): ...\n"


def report(root: Path, *texts: str, host: str | None = HOST, **load: Any) -> SourceReport:
    """Check locustfiles with texts: `a.py`, `b.py` and so on."""
    names = [f"{letter}.py" for letter, _ in zip("abcde", texts, strict=False)]
    for name, text in zip(names, texts, strict=True):
        (root / name).write_text(text)
    section = make_profile(load={"locustfile": names, **load}).load
    return check_locustfiles(find_locustfiles(root, section), section, host)


def found(root: Path, *texts: str, **keys: Any) -> list[str]:
    """Return the findings, with paths relative to the folder."""
    return [
        f"{one.level}: {one}".replace(f"{root}/", "")
        for one in report(root, *texts, **keys).findings
    ]


def test_a_file_with_users_and_nothing_else_has_no_findings(tmp_path: Path) -> None:
    checked = report(tmp_path, USERS)

    assert (checked.users, checked.findings) == (("Visitor",), ())


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("x = (\n", "problem: a.py:1: '(' was never closed"),
        ("def f():\n  x\n y\n", "problem: a.py:3: unindent does not match any outer"),
        ("\0", "problem: a.py"),
        ("# coding: nonsense\n", "problem: a.py:1: unknown encoding: nonsense"),
        ("(" * 5000, "problem: a.py:1: too many nested parentheses"),
        ("x = " + "-" * 5000 + "1", "problem: a.py: nested too deeply"),
        ("x = 1" + " + 1" * 5000, "problem: a.py: nested too deeply"),
        ("x = 0" * 300_000, "problem: a.py: larger than 1 MB"),
    ],
    ids=lambda text: text[:12],
)
def test_a_file_that_is_no_python_is_a_problem(tmp_path: Path, text: str, finding: str) -> None:
    (only,) = found(tmp_path, text)

    assert only.startswith(finding)


# Classes


@pytest.mark.parametrize(
    ("text", "users"),
    [
        ("class A(HttpUser):\n  abstract = True\nclass B(A): pass", ("B",)),
        ("class A(HttpUser):\n  abstract: bool = True\nclass B(A): pass", ("B",)),
        ("class A(locust.contrib.fasthttp.FastHttpUser): ...", ("A",)),
        ("class Base: ...\nclass A(Base, HttpUser): ...", ("A",)),
        ("if True:\n  class A(HttpUser): ...", ("A",)),
        ("class User(BaseModel): ...\nclass Item(User): ...\nclass A(FastHttpUser): ...", ("A",)),
        ("class A(B): ...\nclass B(A): ...\nclass C(C): ...\nclass D(HttpUser): ...", ("D",)),
        ("from near import *", ("Near",)),
        ("from near import Near, Base", ("Near",)),
        ("from near import Base\nclass A(Base): ...", ("A",)),
        ("import near\nclass A(near.Base): ...", ("A",)),
        ("from package import Inner", ("Inner",)),
        ("from package.inner import Inner", ("Inner",)),
    ],
)
def test_user_classes_are_found_as_locust_finds_them(
    tmp_path: Path, text: str, users: tuple[str, ...]
) -> None:
    near = "class Base(HttpUser):\n  abstract = True\nclass Near(Base): ...\nfrom a import *\n"
    (tmp_path / "near.py").write_text(near)
    (tmp_path / "package").mkdir()
    (tmp_path / "package/__init__.py").write_text("from .inner import Inner\n")
    (tmp_path / "package/inner.py").write_text("class Inner(HttpUser): ...\n")

    assert report(tmp_path, text).users == users


@pytest.mark.parametrize(
    ("text", "findings"),
    [
        ("", ["problem: a.py: no class derived from HttpUser was found. Define one, such as"]),
        (
            "class A(HttpUser):\n  abstract = True",
            ["problem: a.py: no class derived from HttpUser was found. A is abstract"],
        ),
        (
            "x = 1\nclass A(HttpLocust): ...",
            ["problem: a.py:2: A: HttpLocust is a class of Locust 0"],
        ),
        (
            "from yaml import *",
            ["warning: a.py: no class derived from HttpUser was found. Does it"],
        ),
        (
            "from yaml import x",
            ["warning: a.py: no class derived from HttpUser was found. Does it"],
        ),
        (
            "A = type('A', (B,), {})",
            ["warning: a.py: no class derived from HttpUser was found. Do"],
        ),
        (
            "def test_a(session): ...",
            ["warning: a.py: no class derived from HttpUser was found. D"],
        ),
    ],
)
def test_a_file_without_users_is_a_problem_if_it_cannot_get_them_elsewhere(
    tmp_path: Path, text: str, findings: list[str]
) -> None:
    actual = found(tmp_path, text)

    assert len(actual) == len(findings)
    assert all(one.startswith(start) for one, start in zip(actual, findings, strict=True))


def test_a_load_shape_is_a_problem_unless_it_is_abstract(tmp_path: Path) -> None:
    shape = "class Base(locust.LoadTestShape):\n  abstract = True\n"

    assert found(tmp_path, f"{USERS}{shape}") == []
    assert found(tmp_path, f"{USERS}{shape}class Steps(Base):\n  def tick(self): ...\n") == [
        (
            "problem: a.py:5: the load shape Steps would replace the user counts of "
            "the profile. Remove "
            "it, or set abstract = True in it"
        )
    ]


def test_two_user_classes_with_one_name_are_a_problem(tmp_path: Path) -> None:
    assert found(tmp_path, USERS, "from a import Visitor") == []
    assert found(tmp_path, USERS, USERS) == [
        "problem: b.py:2: user class Visitor is also defined in a.py. Rename one of them"
    ]


@pytest.mark.parametrize("key", ["user_classes", "keep_host"])
def test_a_class_of_the_profile_that_does_not_exist_is_a_problem(tmp_path: Path, key: str) -> None:
    text = f"{USERS}class Base(HttpUser):\n  abstract = True\n"
    names = ["Visitor", "Vistor", "Base"]

    assert found(tmp_path, text, **{key: names}) == [
        (
            f"problem: load.{key}: there is no user class Vistor. Did you mean "
            f"Visitor? User classes: "
            "Visitor"
        ),
        f"problem: load.{key}: Base is abstract, so Locust starts no users of it",
    ]
    (one,) = found(tmp_path, f"{USERS}from yaml import *", **{key: ["Other"]})
    assert one.startswith("warning: ")
    (one,) = found(tmp_path, f"{USERS}globals()['Other'] = 1", **{key: ["Other"]})
    assert one.startswith("warning: ")
    assert found(tmp_path, f"{USERS}from yaml import Other", **{key: ["Other"]}) == []


def test_a_host_that_the_profile_replaces_is_a_warning(tmp_path: Path) -> None:
    text = (
        f"{USERS}class Base(HttpUser):\n  abstract = True\n  host = 'http://u:p@admin/x?key=1'\n"
        "class Admin(Base): ...\nclass Root(Base): ...\n"
        "class Same(HttpUser):\n  host = 'http://SHOP.example:8000/'\n"
        "class Other(HttpUser):\n  host = HOST\n"
        "class Without(HttpUser):\n  host = None\n"
    )

    assert found(tmp_path, text) == [
        (
            "warning: a.py:5: the host http://***@admin/x?*** of Admin, Root is not "
            "used: requests go "
            f"to {HOST}, the host of the profile. To keep it, set load.keep_host: [Admin, Root]"
        ),
        (
            f"warning: a.py:11: the host of Other is not used: requests go to "
            f"{HOST}, the host of the "
            "profile. To keep it, set load.keep_host: [Other]"
        ),
    ]
    assert found(tmp_path, text, keep_host=["Admin", "Root", "Other"]) == []
    assert found(tmp_path, text, user_classes=["Visitor"]) == []
    (first, *_) = found(tmp_path, text, host=None, user_classes=["Admin"])
    assert "requests go to the service under test. To keep it, set load.keep_host: [Admin]" in first


# Modules, files and variables


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("import gone.x", "problem: a.py:3: module gone.x was not found: it is not installed in"),
        ("from gone import y", "problem: a.py:3: module gone was not found"),
        ("class A:\n  import gone", "problem: a.py:4: module gone was not found"),
        ("try:\n  import gone\nexcept KeyError: ...", "problem: a.py:4: module gone was not found"),
        ("def f():\n  import gone", "warning: a.py:4: module gone was not found"),
        ("if x:\n  import gone", "warning: a.py:4: module gone was not found"),
        (
            "import sys\nsys.path.append('x')\nimport gone",
            "warning: a.py:5: module gone was not fo",
        ),
        (
            "import sys\nsys.path[0:0] = ['x']\nimport gone",
            "warning: a.py:5: module gone was not f",
        ),
        ("import near", "problem: near.py:1: module gone was not found"),
        ("def f():\n  import near", "warning: near.py:1: module gone was not found"),
        ("import broken", "problem: broken.py:1: invalid syntax. It is imported by a.py"),
        (
            "from . import near",
            "problem: a.py:3: from . import near: a locustfile is not part of a",
        ),
        (
            "from .near import x",
            "problem: a.py:3: from .near import x: a locustfile is not part of",
        ),
    ],
)
def test_a_module_that_is_missing_is_found(tmp_path: Path, text: str, finding: str) -> None:
    (tmp_path / "near.py").write_text("import gone\nimport gone.more\n" * 2)
    (tmp_path / "broken.py").write_text("1 +\n")

    assert found(tmp_path, USERS + text)[0].startswith(finding)


@pytest.mark.parametrize(
    "text",
    [
        "import os.path, yaml, locust.contrib.fasthttp",
        "try:\n  import gone\nexcept (KeyError, ImportError):\n  pass",
        "try:\n  import gone\nexcept:\n  pass",
        "import contextlib\nwith contextlib.suppress(ModuleNotFoundError):\n  import gone",
        "import typing\nif typing.TYPE_CHECKING:\n  import gone",
        "if __name__ == '__main__':\n  import gone",
        "try:\n  from . import gone\nexcept ImportError:\n  pass",
    ],
)
def test_a_module_that_may_be_missing_is_no_finding(tmp_path: Path, text: str) -> None:
    assert found(tmp_path, USERS + text) == []


def test_a_module_in_a_folder_where_locust_does_not_look_is_named(tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    (tmp_path / "far.py").write_text("")

    assert found(work, f"{USERS}import far") == [
        (
            f"problem: a.py:3: module far is in {tmp_path}, where Locust does not "
            f"look. Set load.folder: "
            f"{tmp_path}"
        )
    ]


def test_a_module_above_a_file_that_changes_the_search_path_is_no_finding(tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    (tmp_path / "far").mkdir()

    assert found(work, f"{USERS}import sys\nsys.path.append(__file__)\nfrom far import x") == []


def test_a_file_that_is_opened_and_missing_is_a_warning(tmp_path: Path) -> None:
    text = f"{USERS}LINES = list(open('data/x.csv'))\ntry:\n  open('y')\nexcept OSError: ...\n"

    assert found(tmp_path, text) == [
        f"warning: a.py:3: data/x.csv was not found in {tmp_path}, where Locust runs"
    ]
    assert found(tmp_path, f"import os\nos.chdir('..')\n{text}") == []


def test_a_variable_that_is_not_set_is_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IS_SET", "1")
    text = f"{USERS}import os\nA = os.environ['IS_SET'], os.environ['GIVEN']\n"
    later = "def f(): os.environ['LATER']\nB = os.environ.get('C', 1)\nos.environ['D'] = 'x'\n"

    assert found(tmp_path, text + later) == [
        (
            "warning: a.py:4: the environment variable GIVEN is not set. Set it, or add it to "
            "load.environment"
        )
    ]
    assert found(tmp_path, text + later, environment={"GIVEN": "1"}) == []


# URLs


@pytest.mark.parametrize(
    ("call", "shown"),
    [
        ("self.client.get('https://x.example/a')", "https://x.example/a"),
        ("self.client.post(url='https://x.example/a')", "https://x.example/a"),
        ("self.client.request('GET', 'https://x.example/a')", "https://x.example/a"),
        ("self.user.client.put('https://x.example/a')", "https://x.example/a"),
        ("self.rest('GET', 'https://x.example/a')", "https://x.example/a"),
        ("self.client.get(f'https://x.example/{path}')", "https://x.example/"),
        ("self.client.get(f'http://{place}/a')", "http://"),
        ("self.client.get('https://x.example' + path)", "https://x.example"),
        ("self.client.get('https://%s/a' % place)", "https://"),
        ("self.client.get('https://x.example/{}'.format(1))", "https://x.example/"),
        ("self.client.get(BASE + '/a')", "http://base.example/a"),
        ("self.client.get(f'{BASE}/{path}')", "http://base.example/"),
        ("self.client.get(self.OWN)", "http://own.example"),
        ("self.client.get(Visitor.OWN)", "http://own.example"),
        ("self.client.get('http://u:p@x.example/a?key=s3cret')", "http://***@x.example/a?***"),
        ("self.client.get('http://shop.example/a')", "http://shop.example/a"),
    ],
)
def test_an_absolute_url_is_a_warning(tmp_path: Path, call: str, shown: str) -> None:
    text = (
        "BASE = 'http://base.example'\nclass Visitor(HttpUser):\n  OWN = 'http://own.example'\n"
        f"  def ask(self):\n    {call}\n    {call}\n"
    )

    assert found(tmp_path, text) == [
        (
            f"warning: a.py:5: requests to {shown} bypass host. Use a path, such as "
            'self.client.get("/path")'
        )
    ]


@pytest.mark.parametrize(
    "call",
    [
        "self.client.get('/a', headers={'Referer': 'http://x.example'})",
        "self.client.get('http://SHOP.example:8000/a')",
        "self.client.get(f'{self.host}/a')",
        "self.client.get(TWICE)",
        "self.client.get(UNKNOWN + 'http://x')",
        "self.client.fetch('http://x.example')",
        "requests.get('http://x.example')",
        "self.client.get()",
        "self.client.get('http://[')",
    ],
)
def test_other_requests_are_no_finding(tmp_path: Path, call: str) -> None:
    text = f"{USERS}TWICE = 'http://a'\nTWICE = '/b'\ndef ask(self):\n  {call}\n"
    findings = found(tmp_path, text)

    assert findings == [] or "http://[ bypass host" in findings[0]


# Options and tags

OPTIONS = """
from locust import events
@events.init_command_line_parser.add_listener
def options(parser):
    group = parser.add_argument_group("mine")
    group.add_argument("--engine", "-e", required=True, choices=["vllm", "tgi"])
    parser.add_argument("--key", required=True, env_var="MY_KEY")
    parser.add_argument("--depth", type=int, choices=(1, 2))
    parser.add_argument("classes", nargs="*")
"""


def test_a_required_option_must_be_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert found(tmp_path, USERS + OPTIONS) == [
        (
            "problem: a.py:8: the option --engine is required. Set load.options: "
            "{engine: …}, one of "
            "vllm, tgi"
        ),
        (
            "problem: a.py:9: the option --key is required. Set load.options: {key: …}, or the "
            "environment variable MY_KEY"
        ),
    ]
    given = {"e": "tgi", "depth": 2}
    assert found(tmp_path, USERS + OPTIONS, options=given, environment={"MY_KEY": "x"}) == []
    monkeypatch.setenv("MY_KEY", "x")
    assert found(tmp_path, USERS + OPTIONS, options={"--engine": "vllm"}) == []


def test_an_option_of_another_parser_is_not_required(tmp_path: Path) -> None:
    text = "import argparse\ndef main():\n  p = argparse.ArgumentParser()\n"

    assert found(tmp_path, f"{USERS}{text}  p.add_argument('--x', required=True)\n") == []
    called = (
        f"{USERS}from locust import events\ndef own(p):\n  p.add_argument('--x', required=True)\n"
    )
    (one,) = found(tmp_path, f"{called}events.init_command_line_parser.add_listener(own)\n")
    assert one.startswith("problem: a.py:5: the option --x is required")


def test_unknown_options_and_values_that_are_not_allowed_are_found(
    tmp_path: Path,
) -> None:
    given = {"engine": "triton", "key": "k", "dept": "1", "depth": "3", "loglevel": "DEBUG"}

    assert found(tmp_path, USERS + OPTIONS, options=given) == [
        (
            "warning: load.options: no locustfile adds the option dept, and Locust "
            "has none. Did you "
            "mean depth?"
        ),
        "problem: load.options: engine must be one of vllm, tgi, got triton",
        "problem: load.options: depth must be one of 1, 2, got 3",
    ]
    dynamic = f"{USERS}def f(parser):\n  for n in names: parser.add_argument(n)\n"
    assert found(tmp_path, dynamic, options={"any": 1}) == []


def test_a_tag_that_no_task_has_is_a_warning(tmp_path: Path) -> None:
    text = f"{USERS}@tag('fast', 'slow')\ndef ask(self): ...\n"

    assert found(tmp_path, text, tags=["fast", "slw"], exclude_tags=["x\u2028y"]) == [
        "warning: load.tags: no task has the tag slw. Did you mean slow? Tags: fast, slow",
        "warning: load.exclude_tags: no task has the tag x\\u2028y. Tags: fast, slow",
    ]
    assert found(tmp_path, USERS, tags=["fast"]) == [
        "warning: load.tags: no task has the tag fast. The locustfile has no @tag"
    ]
    assert found(tmp_path, f"{text}@tag(NAME)\ndef f(): ...\n", tags=["other"]) == []


def test_findings_are_ordered_by_line_and_limited(tmp_path: Path) -> None:
    text = USERS + "".join(f"import gone{index}\n" for index in range(30))
    checked = report(tmp_path, f"{text}def f(self): self.client.get('http://x')\n", tags=["a"])
    lines = [one.line for one in checked.findings]

    assert lines == [*range(3, 33), 33, 0]
    assert len(checked.listed("problem")) == MAX_FINDINGS + 1
    assert str(checked.listed("problem")[-1]) == "and 10 more"
    assert len(checked.listed("warning")) == 2


@pytest.mark.parametrize(
    "text",
    [
        "from locust import HttpUser as Base\nclass Shop(Base): ...\n",
        "import locust\nBase = locust.HttpUser\nBase = Base\nclass Shop(locust.HttpUser): ...\n",
        f"{USERS}Shop = Chat\n",
    ],
)
def test_classes_with_another_name_are_found(tmp_path: Path, text: str) -> None:
    assert found(tmp_path, text, user_classes=["Shop"]) == []


def test_a_load_shape_with_another_name_is_found(tmp_path: Path) -> None:
    text = f"{USERS}from locust import LoadTestShape as Base\nclass Steps(Base): ...\n"

    assert "the load shape Steps" in found(tmp_path, text)[0]


def test_packages_in_the_search_path_of_the_profile_are_installed(tmp_path: Path) -> None:
    (tmp_path / "more" / "tools").mkdir(parents=True)
    (tmp_path / "more" / "tools" / "__init__.py").touch()
    text = f"{USERS}import tools\n"

    assert "module tools" in found(tmp_path, text)[0]
    assert found(tmp_path, text, environment={"PYTHONPATH": str(tmp_path / "more")}) == []
