"""Process that writes the page of one run or study: `python -m loadbench.page FOLDER`.

With `--no-charts REASON`, it draws no charts.

It prints one line of JSON: `{"page": PATH, "note": TEXT}`, where the note says why the page has no
charts or was kept, or `{"error": MESSAGE}`. `engine.requests.pages` starts it.
"""

import json
import sys
from pathlib import Path

from loadbench.engine.crash import describe_crash, save_traceback
from loadbench.engine.requests.pages import NO_CHARTS
from loadbench.errors import LoadbenchError
from loadbench.page.write import write_page


def main() -> int:
    """Write the page and return the exit code."""
    folder, *options = sys.argv[1:]
    try:
        written = write_page(
            Path(folder), no_charts=options[1] if options[:1] == [NO_CHARTS] else ""
        )
    except LoadbenchError as error:
        return _fail(str(error))
    except Exception as error:  # noqa: BLE001  # every failure must reach the starting process
        return _fail(describe_crash(error, save_traceback(error, "page-error.txt")))
    print(json.dumps({"page": str(written.path), "note": written.note}))
    return 0


def _fail(message: str) -> int:
    print(json.dumps({"error": message}))
    return 1


if __name__ == "__main__":
    sys.exit(main())
