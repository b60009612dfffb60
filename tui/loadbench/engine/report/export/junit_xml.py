"""Write test results as JUnit XML, which CI systems show.

There is no standard of the format. The elements and attributes are those of junit-10.xsd
(https://github.com/jenkinsci/xunit-plugin), which Jenkins, GitLab and actions for GitHub read.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from xml.etree import ElementTree as ET

from loadbench.engine.bounds.texts import shortened, shortened_in_middle
from loadbench.engine.files import write_atomically
from loadbench.printable import printable

MAX_NAME_CHARACTERS = 200
MAX_MESSAGE_CHARACTERS = 2000
_ROOT_NAME = "loadbench-tui"


class JUnitOutcome(StrEnum):
    """Outcome of a test case. The values of all but the first are names of XML elements."""

    PASSED = "passed"
    FAILURE = "failure"
    """What was tested is not as required."""
    ERROR = "error"
    """The test could not be carried out."""
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class JUnitCase:
    """A test case."""

    name: str
    """Name that remains the same in later builds, by which CI systems show the history."""
    outcome: JUnitOutcome = JUnitOutcome.PASSED
    kind: str = ""
    """Kind of a failure, an error or a skipped case, such as `goal missed`."""
    message: str = ""
    """Reason of a failure, an error or a skipped case."""
    time_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class JUnitSuite:
    """A suite of test cases."""

    name: str
    group: str
    """Class name of the cases, such as `loadbench.demo`."""
    cases: tuple[JUnitCase, ...]
    started_at: str = ""
    """Start: UTC, ISO 8601. Empty if it is unknown."""
    properties: tuple[tuple[str, str], ...] = ()

    def count(self, outcome: JUnitOutcome) -> int:
        """Return the number of cases with an outcome."""
        return sum(case.outcome is outcome for case in self.cases)

    @property
    def time_s(self) -> float:
        """Total duration of the cases in seconds."""
        return sum(case.time_s for case in self.cases)


def junit_xml(suites: Sequence[JUnitSuite]) -> bytes:
    """Return test suites as a JUnit XML document.

    Unprintable characters, of which XML 1.0 forbids most, are replaced. Long texts are shortened.
    """
    root = ET.Element(
        "testsuites",
        name=_ROOT_NAME,
        tests=str(sum(len(suite.cases) for suite in suites)),
        failures=str(sum(suite.count(JUnitOutcome.FAILURE) for suite in suites)),
        errors=str(sum(suite.count(JUnitOutcome.ERROR) for suite in suites)),
        time=_seconds(sum(suite.time_s for suite in suites)),
    )
    root.extend(_suite(index, suite) for index, suite in enumerate(suites))
    ET.indent(root)
    text: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


def write_junit(path: Path, suites: Sequence[JUnitSuite]) -> None:
    """Write test suites to a JUnit XML file.

    Raises:
        JournalError: The file cannot be written. The message names it.
    """
    write_atomically(path, junit_xml(suites))


def _suite(index: int, suite: JUnitSuite) -> ET.Element:
    element = ET.Element(
        "testsuite",
        name=_name(suite.name),
        id=str(index),
        tests=str(len(suite.cases)),
        failures=str(suite.count(JUnitOutcome.FAILURE)),
        errors=str(suite.count(JUnitOutcome.ERROR)),
        skipped=str(suite.count(JUnitOutcome.SKIPPED)),
        time=_seconds(suite.time_s),
    )
    if suite.started_at:
        element.set("timestamp", _timestamp(suite.started_at))
    if suite.properties:
        properties = ET.SubElement(element, "properties")
        for name, value in suite.properties:
            ET.SubElement(properties, "property", name=_name(name), value=_message(value))
    element.extend(_case(suite.group, case) for case in suite.cases)
    return element


def _case(group: str, case: JUnitCase) -> ET.Element:
    names = {"classname": _name(group), "name": _name(case.name)}
    element = ET.Element("testcase", names, time=_seconds(case.time_s))
    if case.outcome is not JUnitOutcome.PASSED:
        message = _message(case.message)
        reason = ET.SubElement(element, case.outcome.value, type=case.kind, message=message)
        # Some CI systems show only the text of the element, others only its message.
        reason.text = message
    return element


def _name(text: str) -> str:
    return shortened_in_middle(printable(text), MAX_NAME_CHARACTERS)


def _message(text: str) -> str:
    return shortened(printable(text), MAX_MESSAGE_CHARACTERS)


def _seconds(time_s: float) -> str:
    return f"{time_s:.3f}"


def _timestamp(at: str) -> str:
    """Return a time without time zone and fraction, which the stricter schemas do not allow."""
    return datetime.fromisoformat(at).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
