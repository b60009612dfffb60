"""Process that writes the page of one run or study: `python -m loadbench.page FOLDER`.

`--compare=PAGE BEFORE AFTER` writes the page of the comparison of the runs in two folders.

With `--no-charts=REASON`, it draws no charts. With `--when-asked=SOCKET`, it loads its libraries
and then waits for the folder.

It prints one line of JSON: `{"page": PATH, "note": TEXT}`, where the note says why the page has no
charts or was kept, or `{"error": MESSAGE}`. `engine.requests.pages` starts it.
"""

import gc

# Until all is loaded, collections find nothing, and take a sixth of the time.
gc.disable()

import json
import os
import socket
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from loadbench.engine.comparison.compare import compare_runs
from loadbench.engine.comparison.sides import side_pair
from loadbench.engine.crash import describe_crash, save_traceback
from loadbench.engine.requests.page_process import END_OF_FOLDER, WHEN_ASKED
from loadbench.engine.requests.pages import COMPARE, NO_CHARTS, BuiltPage
from loadbench.engine.run_reader import read_run
from loadbench.errors import LoadbenchError
from loadbench.page.charts.draw import start_drawing
from loadbench.page.render import load_run_templates
from loadbench.page.write import write_comparison, write_page

gc.freeze()
gc.enable()


def main() -> int:
    """Write the page and return the exit code."""
    options = _options(sys.argv[1:])
    try:
        if options.when_asked is not None:
            options.folders = _folders(options.when_asked)
        if not options.folders:
            return 0
        written = _write(options)
    except LoadbenchError as error:
        return _fail(str(error))
    except Exception as error:  # noqa: BLE001  # every failure must reach the starting process
        return _fail(describe_crash(error, save_traceback(error, "page-error.txt")))
    print(json.dumps({"page": str(written.path), "note": written.note}))
    return 0


def _options(arguments: Sequence[str]) -> Namespace:
    parser = ArgumentParser(allow_abbrev=False)
    parser.add_argument(NO_CHARTS, default="")
    parser.add_argument(COMPARE, type=Path)
    parser.add_argument(WHEN_ASKED, type=int)
    parser.add_argument("folders", nargs="*", type=Path)
    options = parser.parse_args(arguments)
    if not options.folders and options.when_asked is None:
        parser.error("a folder is required")
    return options


def _folders(fd: int) -> list[Path]:
    """Load all that a page needs, and wait for its folder. Empty if no page is wanted."""
    with suppress(Exception):  # reported when the page is written
        load_run_templates()
        start_drawing()
    received = b""
    with socket.socket(fileno=fd) as parent:
        parent.sendall(b"\n")
        while not received.endswith(END_OF_FOLDER):
            part = parent.recv(4096)
            if not part:
                return []
            received += part
    return [Path(os.fsdecode(received.removesuffix(END_OF_FOLDER)))]


def _write(options: Namespace) -> BuiltPage:
    if options.compare is None:
        return write_page(*options.folders, no_charts=options.no_charts)
    before, after = options.folders
    pair = side_pair(read_run(before), read_run(after))
    found = compare_runs(pair.before, pair.after)
    return write_comparison(
        options.compare, [found], before.parent.parent, no_charts=options.no_charts
    )


def _fail(message: str) -> int:
    print(json.dumps({"error": message}))
    return 1


if __name__ == "__main__":
    code = main()
    # Otherwise Python would search all objects again when it exits.
    gc.freeze()
    sys.exit(code)
