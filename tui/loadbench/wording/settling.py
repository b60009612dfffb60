"""How much of a run is spent on waiting for steady numbers."""

from loadbench.engine.profile.duration import readable_duration
from loadbench.engine.profile.model import SETTLE_WINDOWS, Profile
from loadbench.engine.profile.plan import plan_cells


def settling_text(profile: Profile) -> str:
    """Return how long cells settle: `15 s to 30 s per cell, 1 min to 2 min in total`.

    The first time is that of three windows that agree, and the second that of `settle.max`, which
    low rates may extend. Without settling, the text is empty. The number of cells of a search is
    unknown.
    """
    longest_s = profile.settle.max
    if not longest_s:
        return ""
    shortest_s = min(SETTLE_WINDOWS * profile.settle.window, longest_s)
    text = f"{_range(shortest_s, longest_s)} per cell"
    if profile.is_search:
        return text
    cells = len(plan_cells(profile))
    return f"{text}, {_range(cells * shortest_s, cells * longest_s)} in total"


def _range(shortest_s: float, longest_s: float) -> str:
    texts = readable_duration(shortest_s), readable_duration(longest_s)
    return texts[0] if texts[0] == texts[1] else " to ".join(texts)
