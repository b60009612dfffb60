"""The language check finds phrases in each kind of file, and leaves ordinary English alone."""

from pathlib import Path

import pytest

from docs import check_language
from docs.check_language import PHRASES, findings

PLANTED = {
    "tui/loadbench/string.py": 'MESSAGE = "the run goes on"\n',
    "tui/loadbench/joined.py": 'MESSAGE = "the runner " "stood still"\n',
    "tui/loadbench/formatted.py": 'MESSAGE = f"nobody asked for {1}"\n',
    "stack/api/docstring.py": 'def f() -> None:\n    """Return what was\n    told."""\n',
    "bench/comment.py": "# A comment that says what\n# somebody wants.\nX = 1\n",
    "docs/script.py": "# redraws the screen anew\n",
    "locustfile.py": '"""Sends endless requests."""\n',
    "profiles/demo.yaml": "models: [1]  # at the most ten\n",
    "README.md": "Other words:\nit is bound\nby the model.\n",
    "docs/page.md": "```\nfailed for want of memory\n```\n",
    "CHANGELOG.md": "- Neighbours are detected.\n",
    "stack/model/README.md": "The last words of a container.\n",
}

ORDINARY = {
    "tui/loadbench/code.py": '"""Check the rule `neighbours`."""\nRULE = "neighbours"\n',
    "tui/loadbench/words.py": '"""The intelligent hotel is a fortune-teller\'s tellurium."""\n',
    "profiles/demo.yaml": "description: whatever the user likes\n",
    "docs/page.md": "The upper bound is 5. Most users go on to the next page. At most 10.\n",
    "tests/unit/fixture.py": 'MESSAGE = "nobody was told"\n',
}


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


@pytest.mark.parametrize("name", PLANTED)
def test_planted_phrase_is_found(tmp_path: Path, name: str) -> None:
    write(tmp_path, {name: PLANTED[name]})

    assert [str(finding.file) for finding in findings(tmp_path)] == [name]


def test_finding_has_file_line_phrase_and_advice(tmp_path: Path) -> None:
    write(tmp_path, {"README.md": PLANTED["README.md"]})

    (found,) = findings(tmp_path)

    assert str(found) == "README.md:2: bound by: use instead: limited by, the bottleneck"


@pytest.mark.parametrize("name", ORDINARY)
def test_ordinary_english_and_identifiers_are_accepted(tmp_path: Path, name: str) -> None:
    write(tmp_path, {name: ORDINARY[name]})

    assert findings(tmp_path) == []


def test_exit_code_is_1_if_a_phrase_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(check_language, "REPOSITORY", tmp_path)
    assert check_language.main() == 0

    write(tmp_path, {"README.md": PLANTED["README.md"]})

    assert check_language.main() == 1
    assert "README.md:2" in capsys.readouterr().out


def test_there_are_at_most_15_patterns() -> None:
    assert 10 <= len(PHRASES) <= 15
