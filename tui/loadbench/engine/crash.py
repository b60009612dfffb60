"""Save the traceback of an internal error, instead of showing it to the user."""

import traceback
from contextlib import suppress
from pathlib import Path

from loadbench.engine.locks import state_folder


def save_traceback(error: BaseException, file_name: str) -> Path | None:
    """Write the traceback of an error to a file in the user's state folder.

    Returns:
        The file, or None if it cannot be written.
    """
    path = state_folder() / file_name
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        text = "".join(traceback.format_exception(error))
        path.write_text(text, encoding="utf-8", errors="backslashreplace")
        return path
    return None


def describe_crash(error: BaseException, file: Path | None) -> str:
    """Return the error and where its traceback is, as sentences for the user."""
    first_line = str(error).strip().partition("\n")[0].rstrip(".")
    summary = f"{type(error).__name__}: {first_line}" if first_line else type(error).__name__
    if file:
        return f"internal error: {summary}. Traceback saved to {file}."
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
    return f"internal error: {summary}{place}."
