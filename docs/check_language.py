"""Find phrases that this project replaces with plain words. Part of `make lint`.

The check covers strings, docstrings and comments in Python files, comments in profiles, and
Markdown pages. It skips code in backticks, since identifiers such as the rule `neighbours` keep
their names.
"""

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
PHRASES = {
    r"told|tells?|said|spoken": "prints, reports, shows, states, indicates",
    r"somebody|nobody|whoever": "a user, another process; name who it is",
    r"whatever": "any; name what it is",
    r"anew": "again, or a verb such as restart, redraw, remeasure",
    r"endless": "aborted, unlimited",
    r"neighbours?": "other processes",
    r"bound by|what bounds": "limited by, the bottleneck",
    r"at the most": "at most",
    r"as it should(?: be)?": "valid, correct, as expected",
    r"last words": "last log lines",
    r"lets? go|letting go|leash|tether": "release, supervise, terminate",
    r"(?:stood|stands?|standing) still": "hung, stalled, unresponsive",
    r"lateness": "event-loop lag, delay",
    r"(?:goes|gone|going) on|(?:go|went) on with": "continues, resumes",
    r"for want of|speaks? against": "for lack of; failed checks",
}
"""Advice by pattern. Patterns match whole words in any case, also across line breaks."""
PYTHON = ("tui", "stack", "bench", "docs", "locustfile.py")
PROFILES = ("profiles",)
PAGES = (
    *("README.md", "CONTRIBUTING.md", "SECURITY.md", ".github"),
    *("docs", "CHANGELOG.md", "stack"),
)
EXCLUDED = (Path("docs/sample_text.py"),)
"""Files with examples of the phrases to replace."""

_PATTERNS = [
    (re.compile(rf"\b(?:{phrase})\b".replace(" ", r"\s+"), re.IGNORECASE), advice)
    for phrase, advice in PHRASES.items()
]
_CODE = re.compile(r"(`+)(?:(?!\n\s*\n).)+?\1", re.DOTALL)
_FENCE = re.compile(r"^```.*$", re.MULTILINE)
_IDENTIFIER = re.compile(r"[a-z_]+")


@dataclass(frozen=True, slots=True)
class Finding:
    """A phrase to replace."""

    file: Path
    line: int
    phrase: str
    advice: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.phrase}: use instead: {self.advice}"


def findings(root: Path) -> list[Finding]:
    """Return all phrases to replace in a repository, in the order of files and lines.

    Args:
        root: Root folder of the repository.
    """
    readers = (("py", PYTHON, python_texts), ("yaml", PROFILES, comments), ("md", PAGES, pages))
    found: list[Finding] = []
    for suffix, places, read in readers:
        for file in _files(root, places, suffix):
            if file.relative_to(root) in EXCLUDED:
                continue
            source = file.read_text(encoding="utf-8")
            in_file = {
                Finding(file.relative_to(root), line + text[: match.start()].count("\n"), *hit)
                for line, text in read(source)
                for match, hit in _matches(text)
            }
            found += sorted(in_file, key=lambda finding: (finding.line, finding.phrase))
    return found


def python_texts(source: str) -> Iterator[tuple[int, str]]:
    """Yield the strings, docstrings and comment blocks of a Python file, with line numbers."""
    for node in ast.walk(ast.parse(source)):
        match node:
            # A string that is a single identifier is a key, not text.
            case ast.Constant(value=str() as text) if not _IDENTIFIER.fullmatch(text):
                yield node.lineno, text
    lines = io.StringIO(source).readline
    yield from _blocks(
        (token.start[0], token.string)
        for token in tokenize.generate_tokens(lines)
        if token.type == tokenize.COMMENT
    )


def comments(source: str) -> Iterator[tuple[int, str]]:
    """Yield the comment blocks of a YAML file, with line numbers."""
    found = ((line, re.search(r"(?:^|\s)#.*", text)) for line, text in _numbered(source))
    yield from _blocks((line, match[0].strip()) for line, match in found if match)


def pages(source: str) -> Iterator[tuple[int, str]]:
    """Yield the text of a Markdown page, with its line number, 1."""
    yield 1, _FENCE.sub("", source)


def main() -> int:
    """Print all phrases to replace, and return the exit code."""
    found = findings(REPOSITORY)
    for finding in found:
        print(finding)
    return 1 if found else 0


def _files(root: Path, places: Iterable[str], suffix: str) -> Iterator[Path]:
    for place in map(root.joinpath, places):
        inside = sorted(place.rglob(f"*.{suffix}")) if place.is_dir() else [place]
        for file in inside:
            if file.exists() and file.suffix == f".{suffix}" and file != Path(__file__):
                yield file


def _matches(text: str) -> Iterator[tuple[re.Match[str], tuple[str, str]]]:
    prose = _CODE.sub(lambda code: re.sub(r"\S", "-", code[0]), text)
    for pattern, advice in _PATTERNS:
        for match in pattern.finditer(prose):
            yield match, (" ".join(match[0].split()), advice)


def _blocks(lines: Iterable[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """Join the comments of successive lines, so that phrases across line breaks are found."""
    first, block = 0, list[str]()
    for line, text in lines:
        if block and line != first + len(block):
            yield first, "\n".join(block)
            block = []
        first = first if block else line
        block.append(text.lstrip("# "))
    if block:
        yield first, "\n".join(block)


def _numbered(source: str) -> Iterator[tuple[int, str]]:
    return iter(enumerate(source.splitlines(), 1))


if __name__ == "__main__":
    sys.exit(main())
