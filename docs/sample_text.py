"""Draw a random sample of the project's text, for a review of its language.

    python docs/sample_text.py [--seed N] [--each 15] [--planted 3]

The sample has the same number of texts from each of four sources: lines of the saved screens,
`--help`, messages in the code (errors, events, findings), and docstrings. It also contains a few
planted sentences from earlier versions, with language that the project no longer uses. If a
reviewer misses any of them, the review was not careful enough.

Standard output has the seed, the size of each source and the sample. Standard error has the numbers
of the planted sentences.
"""

import argparse
import ast
import random
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from loadbench.cli.main import main as program

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("tui", "stack")
MIN_WORDS = 3
PLANTED = (
    "of all frames the newest, when the terminal has taken the one before",
    "enter starts it, escape does not",
    "no rule speaks against its numbers",
    "how often each cell is measured; from 2 on, the medians of its repeats are told",
    "nothing was said in its time",
    "Return what is allowed but may not be meant",
)
"""Sentences from earlier versions that have been rewritten."""

_BOX = re.compile(r"[│╭╮╰╯─▌█┤├┬┴┼▄▀]+|\s{3,}")
_WORD = re.compile(r"[A-Za-z]{2,}")
_NUMBER = re.compile(r"\d+")


def screens() -> Iterator[str]:
    """Yield the texts of the saved screens, without frames and charts."""
    for file in sorted((ROOT / "tests" / "screens" / "looks").glob("*.txt")):
        for row in file.read_text(encoding="utf-8").splitlines():
            yield from _BOX.split(row)


def command_help() -> Iterator[str]:
    """Yield the paragraphs and options in the `--help` of the program and of its commands."""
    for name, command in [("loadbench-tui", program), *program.commands.items()]:
        context = click.Context(command, info_name=name)
        for paragraph in (command.help or "").split("\n\n"):
            yield " ".join(paragraph.replace("\b", "").split())
        for parameter in command.params:
            if isinstance(parameter, click.Option) and (
                record := parameter.get_help_record(context)
            ):
                yield " ".join(" ".join(record).split())


def messages() -> Iterator[str]:
    """Yield all string constants and f-strings of the code except docstrings."""
    for tree in _trees():
        skipped = {id(node) for node in _docstring_nodes(tree)}
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr):
                skipped.update(id(part) for part in ast.walk(node) if part is not node)
        for node in ast.walk(tree):
            if id(node) in skipped:
                continue
            if isinstance(node, ast.JoinedStr):
                yield "".join(
                    str(part.value) if isinstance(part, ast.Constant) else "{…}"
                    for part in node.values
                )
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def docstrings() -> Iterator[str]:
    """Yield the first paragraph of each docstring, including those of fields and constants."""
    for tree in _trees():
        for node in _docstring_nodes(tree):
            yield str(node.value).split("\n\n", maxsplit=1)[0]


def _trees() -> Iterator[ast.Module]:
    for folder in FOLDERS:
        for file in sorted((ROOT / folder).rglob("*.py")):
            yield ast.parse(file.read_text(encoding="utf-8"))


def _docstring_nodes(tree: ast.Module) -> Iterator[ast.Constant]:
    for node in ast.walk(tree):
        match node:
            case ast.Expr(value=ast.Constant(value=str()) as text):
                yield text


def _texts(source: Iterator[str]) -> list[str]:
    """Return the distinct texts with at least `MIN_WORDS` words, ignoring their numbers."""
    distinct: dict[str, str] = {}
    for text in source:
        words = text.split()
        if sum(bool(_WORD.search(word)) for word in words) >= MIN_WORDS:
            distinct.setdefault(_NUMBER.sub("0", " ".join(words)), " ".join(words))
    return sorted(distinct.values())


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--each", type=int, default=15, help="number of texts from each source")
    parser.add_argument("--planted", type=int, default=3, help="number of planted sentences")
    return parser.parse_args()


def main() -> None:
    """Draw a sample and print it."""
    arguments = _arguments()
    dice = random.Random(arguments.seed)
    readers = (screens, command_help, messages, docstrings)
    sources = {reader.__name__: _texts(reader()) for reader in readers}
    drawn = [
        (name, text)
        for name, texts in sources.items()
        for text in dice.sample(texts, min(arguments.each, len(texts)))
    ]
    drawn += [("planted", text) for text in dice.sample(PLANTED, arguments.planted)]
    dice.shuffle(drawn)

    sizes = ", ".join(f"{name} {len(texts)}" for name, texts in sources.items())
    print(f"seed {arguments.seed} · drawn {arguments.each} each of: {sizes}")
    for number, (_, text) in enumerate(drawn, 1):
        print(f"{number:3}  {text}")
    planted = [str(number) for number, (name, _) in enumerate(drawn, 1) if name == "planted"]
    print(f"planted: {', '.join(planted)}", file=sys.stderr)


if __name__ == "__main__":
    main()
