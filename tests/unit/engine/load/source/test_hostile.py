"""Any text of a locustfile gives findings, not an internal error."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loadbench.engine.load.source.checks import check_locustfiles
from loadbench.engine.load.source.files import find_locustfiles
from loadbench.engine.load.source.modules import MAX_MODULES, SourceProject
from tests.support.builders import make_profile

PARTS = (
    *(
        "from locust import HttpUser\n",
        "class A(HttpUser):\n",
        "  host = 'http://['\n",
        "import a\n",
    ),
    *("from . import *\n", "from .. import b\n", "from ...a import b as c\n", "import a.b.c\n"),
    *("  abstract = True\n", "try:\n", "except* ImportError:\n", "  import gone\n", "with x:\n"),
    *("@tag('a', *b)\n", "@tag()\n", "def f(self):\n", "  self.client.get(f'http://{a!r:>{b}}')\n"),
    *("p.add_argument('-', required=True)\n", "p.add_argument(*x, **y)\n", "p.add_argument()\n"),
    *("match x:\n", "  case [a, *b]:\n", "    import c\n", "open('\\0')\n", "open('a' * 9)\n"),
    *("import sys\nsys.path += [x]\n", "class B(A, metaclass=M, **k): ...\n", "lambda: (yield)\n"),
    *("x: int\n", "'\\ud800'\n", "os.environ['\\n']\n", "class A(A): ...\n", "é = 1\n", "\ufeff"),
    *(
        "async def g():\n",
        "  async with a as b, c: ...\n",
        "type X = int\n",
        "\t",
        "\\\n",
        "(" * 300,
    ),
)
sources = st.lists(st.sampled_from(PARTS) | st.text(max_size=5), max_size=12).map("".join)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(sources, sources)
def test_any_text_is_checked(tmp_path: Path, first: str, second: str) -> None:
    for name, text in (("a.py", first), ("b.py", second)):
        (tmp_path / name).write_bytes(text.encode("utf-8", "surrogatepass"))
    load = make_profile(
        load={"locustfile": ["a.py", "b.py"], "tags": ["a"], "options": {"o": 1}}
    ).load
    checked = check_locustfiles(find_locustfiles(tmp_path, load), load, "http://h")

    assert all(str(one).isprintable() for one in checked.findings)
    assert all(one.line >= 0 for one in checked.findings)


def test_many_modules_that_import_each_other_are_read_within_limits(tmp_path: Path) -> None:
    everything = "".join(f"from m{index} import *\n" for index in range(300))
    for index in range(300):
        (tmp_path / f"m{index}.py").write_text(everything)
    load = make_profile(load={"locustfile": "m0.py"}).load
    found = find_locustfiles(tmp_path, load)

    assert len(SourceProject({}).reached(found.paths, tmp_path)) == MAX_MODULES
    assert len(check_locustfiles(found, load, None).findings) == 1


@pytest.mark.parametrize("text", ["raise SystemExit", "import a, antigravity, this"])
def test_nothing_is_executed(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
    (tmp_path / "a.py").write_text("open('/executed', 'w')\nraise SystemExit\n")
    (tmp_path / "b.py").write_text(text)
    load = make_profile(load={"locustfile": "b.py"}).load

    assert check_locustfiles(find_locustfiles(tmp_path, load), load, None).findings
    assert capsys.readouterr().out == ""
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["a.py", "b.py"]
