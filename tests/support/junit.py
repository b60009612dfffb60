"""Parse JUnit XML strictly, by the rules of the schemas that CI systems publish.

The rules are those that junit-10.xsd of Jenkins' xUnit plugin and the stricter schema of Ant have
in common: elements, their order and attributes, and the formats of numbers and times. In addition,
the numbers of cases must be those of the cases.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

_COUNT = re.compile(r"\d+")
_SECONDS = re.compile(r"\d+\.\d{3}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
_TEXT = re.compile(r".*", re.DOTALL)
_NAME = re.compile(r".{1,200}", re.DOTALL)
_MESSAGE = re.compile(r".{1,2000}", re.DOTALL)

_REASONS = ("skipped", "error", "failure")
_REQUIRED = {
    "testsuites": {
        "name": _NAME,
        "tests": _COUNT,
        "failures": _COUNT,
        "errors": _COUNT,
        "time": _SECONDS,
    },
    "testsuite": {
        "name": _NAME,
        "id": _COUNT,
        "tests": _COUNT,
        "failures": _COUNT,
        "errors": _COUNT,
        "skipped": _COUNT,
        "time": _SECONDS,
    },
    "properties": {},
    "property": {"name": _NAME, "value": _TEXT},
    "testcase": {"classname": _NAME, "name": _NAME, "time": _SECONDS},
    **{reason: {"type": _NAME, "message": _MESSAGE} for reason in _REASONS},
}
_OPTIONAL = {"testsuite": {"timestamp": _TIME}}
_CHILDREN = {
    "testsuites": r"(testsuite )*",
    "testsuite": r"(properties )?(testcase )*",
    "properties": r"(property )+",
    "testcase": r"((skipped|error|failure) )?",
}


@dataclass(frozen=True)
class ParsedCase:
    """A test case: its name, `passed` or the element with the reason, and the reason."""

    name: str
    outcome: str
    kind: str = ""
    message: str = ""
    time_s: float = 0.0


def parsed(document: bytes | Path) -> dict[str, list[ParsedCase]]:
    """Check a JUnit XML document, and return its cases by the name of their suite."""
    data = document.read_bytes() if isinstance(document, Path) else document
    assert data.startswith(b"<?xml version='1.0' encoding='utf-8'?>\n")
    root = ET.fromstring(data)
    assert root.tag == "testsuites"
    for element in root.iter():
        _check(element)
    for number, suite in enumerate(root):
        assert suite.get("id") == str(number)
        _check_counts(suite, list(suite.iter("testcase")))
    _check_counts(root, list(root.iter("testcase")))
    return {suite.attrib["name"]: list(_cases(suite)) for suite in root}


def _check(element: ET.Element) -> None:
    required, optional = _REQUIRED[element.tag], _OPTIONAL.get(element.tag, {})
    assert set(required) <= set(element.attrib) <= {*required, *optional}, element.attrib
    for name, value in element.attrib.items():
        assert {**required, **optional}[name].fullmatch(value), (name, value)
    children = "".join(f"{child.tag} " for child in element)
    assert re.fullmatch(_CHILDREN.get(element.tag, ""), children), children
    if element.tag in _REASONS:
        assert element.text == element.get("message")


def _check_counts(element: ET.Element, cases: list[ET.Element]) -> None:
    counts = Counter(reason.tag for case in cases for reason in case)
    assert element.get("tests") == str(len(cases))
    assert element.get("failures") == str(counts["failure"])
    assert element.get("errors") == str(counts["error"])
    assert element.get("skipped", str(counts["skipped"])) == str(counts["skipped"])
    total_s = sum(float(case.attrib["time"]) for case in cases)
    assert abs(float(element.attrib["time"]) - total_s) < 0.001 * (1 + len(cases))


def _cases(suite: ET.Element) -> Iterator[ParsedCase]:
    for case in suite.iter("testcase"):
        name, time_s = case.attrib["name"], float(case.attrib["time"])
        if not len(case):
            yield ParsedCase(name, "passed", time_s=time_s)
        for reason in case:
            kind, message = reason.attrib["type"], reason.attrib["message"]
            yield ParsedCase(name, reason.tag, kind, message, time_s)
