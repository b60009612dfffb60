"""Runs a command and limits its output, for libraries that read output without limits.

Its command line starts with `relay_prefix`. Standard error is merged into standard output, lines
are cut, and after a total size further output is dropped. Run as a script, it imports little, so
that it starts quickly.
"""

import os
import sys

MIN_LINE_BYTES = 64
"""What a shorter line counts as: the reader needs about as much memory for it."""
_CUT = "…".encode()
"""`CUT` of `bounds.texts`, which this script cannot import."""


def relay_prefix(*, max_line_bytes: int, max_bytes: int) -> list[str]:
    """Return the arguments to put in front of a command to limit its output.

    Args:
        max_line_bytes: Maximum length of a line, with its newline.
        max_bytes: Maximum size of the output.
    """
    return [sys.executable, "-I", "-S", __file__, str(max_line_bytes), str(max_bytes)]


def _main(max_line_bytes: int, max_bytes: int, argv: list[str]) -> None:
    """Replace this process with the command. A child process copies its output."""
    read_end, write_end = os.pipe()
    ready_read, ready_write = os.pipe()
    if os.fork() == 0:
        os.close(write_end)
        # The process group of the command is killed when the command exits.
        os.setsid()
        os.close(ready_write)
        try:
            _copy(read_end, max_line_bytes, max_bytes)
        finally:
            os._exit(0)
    os.close(ready_write)
    # Wait for that: a command can exit, and lose its output, before the child process has left.
    os.read(ready_read, 1)
    for fd in (1, 2):
        os.dup2(write_end, fd)
    os.close(read_end)
    os.close(write_end)
    try:
        os.execvp(argv[0], argv)  # noqa: S606  # starts no shell on purpose
    except OSError as error:
        os.write(2, f"{argv[0]}: {error.strerror}\n".encode())
        os._exit(127)


def _copy(read_end: int, max_line_bytes: int, max_bytes: int) -> None:
    with os.fdopen(read_end, "rb") as source, os.fdopen(1, "wb", closefd=False) as target:
        is_start, left = True, max_bytes
        # If a part is not the start of a line, the line was longer than the limit.
        while part := source.readline(max_line_bytes):
            if is_start and left > 0:
                left -= max(len(part), MIN_LINE_BYTES)
                line = part.removesuffix(b"\n")
                if len(line) == max_line_bytes:
                    line = line[: -len(_CUT)] + _CUT
                kept = line if left >= 0 else f"[limit of {max_bytes / 1e6:g} MB reached]".encode()
                target.write(kept + b"\n")
                target.flush()
            is_start = part.endswith(b"\n")


if __name__ == "__main__":
    _main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
