"""Compare the measurements of the chat example with the log of the streaming server."""

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from loadbench.engine.journal.events import Buckets, CellFinished, CellPhase, Measurement, Phase
from loadbench.engine.journal.reader import JournalReader
from loadbench.engine.measure.buckets import count, percentile, to_buckets
from tests.support.streaming_server import Logged

FRACTIONS = (0.5, 0.9, 0.95)
MAX_ERROR_RATIO = 0.05
MAX_ERROR_MS = 2.0
FIRST_TOKEN = "time to first token"
EDGE_S = 0.1
"""Uncertainty of the edges of a window, because the journal records phases by the wall clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstTokens:
    """Times to first token of one cell, as reported by the tool and as logged by the server."""

    reported: Buckets
    logged: Buckets
    num_at_edges: int
    """Number of first tokens so close to an edge of the window that they may not count."""

    def percentiles(self) -> list[tuple[float, float, float]]:
        """Return the fraction, reported time and logged time of each percentile, in ms."""
        found = []
        for fraction in FRACTIONS:
            reported, logged = (percentile(one, fraction) for one in (self.reported, self.logged))
            found.append((fraction, reported or 0.0, logged or 0.0))
        return found

    def problems(self) -> list[str]:
        """Return the numbers that differ too much."""
        found = [
            f"p{100 * fraction:g}: reported {reported:.1f} ms, logged {logged:.1f} ms"
            for fraction, reported, logged in self.percentiles()
            if abs(reported - logged) > max(MAX_ERROR_RATIO * logged, MAX_ERROR_MS)
        ]
        reported_count, logged_count = count(self.reported), count(self.logged)
        if not reported_count or abs(reported_count - logged_count) > self.num_at_edges:
            found.append(f"reported {reported_count} first tokens, logged {logged_count}")
        return found


def window_of(folder: Path, cell: str) -> tuple[float, float]:
    """Return start and end of the measurement window of a cell, in seconds of the monotonic clock.

    Args:
        folder: Folder of the run.
        cell: Key of the cell.
    """
    offset_s = time.time() - time.monotonic()
    begin_s = length_s = 0.0
    for entry in JournalReader(folder).poll():
        match entry.event:
            case CellPhase(cell=key, phase=Phase.MEASURING) if key == cell:
                begin_s = datetime.fromisoformat(entry.at).timestamp() - offset_s
            case CellFinished(cell=key, measured_s=measured_s) if key == cell:
                length_s = measured_s
    return begin_s, begin_s + length_s


def measurement(finished: CellFinished, name: str) -> Measurement:
    """Return the only measurement of a cell with a name."""
    [found] = [one for one in finished.measurements if one.name == name]
    return found


def first_tokens(
    finished: CellFinished, entries: Iterable[Logged], window: tuple[float, float]
) -> FirstTokens:
    """Return the times to first token of a cell.

    Args:
        finished: Its results.
        entries: The log of all servers.
        window: Start and end of its window, in seconds of the monotonic clock.
    """
    begin_s, end_s = window
    began = [one for one in entries if begin_s - EDGE_S <= one.first_s < end_s + EDGE_S]
    logged = Counter(one.first_token_ms for one in began if begin_s <= one.first_s < end_s)
    edges = [edge_s for one in began for edge_s in window if abs(one.first_s - edge_s) < EDGE_S]
    return FirstTokens(
        reported=measurement(finished, FIRST_TOKEN).values,
        logged=to_buckets(logged),
        num_at_edges=len(edges),
    )
