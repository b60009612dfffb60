"""Symbols for states and charts, in Unicode and in ASCII."""

from dataclasses import dataclass

from loadbench.engine.run_reader import RunStatus

BASELINE, CANDIDATE = "A", "B"
"""Signs of two runs that are compared, also in ASCII."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Glyphs:
    """The symbols, each one column wide."""

    running: str
    pending: str
    failed: str
    skipped: str
    alive: str
    starting: str
    dead: str
    full: str
    empty: str
    arrow: str
    separator: str
    passed: str
    near: str
    undecided: str
    missed: str
    selected: str
    bars: str
    """Bars of a sparkline, the lowest first."""
    ascii: bool

    def of_run(self, status: RunStatus) -> str:
        """Return the symbol of a run's status."""
        return {
            RunStatus.LIVE: self.running,
            RunStatus.INTERRUPTED: "!",
            RunStatus.DONE: self.alive,
            RunStatus.STOPPED: self.skipped,
            RunStatus.ABORTED: self.failed,
        }[status]


UNICODE = Glyphs(
    running="▶",
    pending="·",
    failed="✖",
    skipped="–",
    alive="●",
    starting="○",
    dead="✖",
    full="█",
    empty="░",
    arrow="▸",
    separator="·",
    passed="✓",
    near="≈",
    undecided="?",
    missed="✗",
    selected="▌",
    bars="▁▂▃▄▅▆▇█",
    ascii=False,
)

_IN_ASCII = str.maketrans(
    {
        **dict.fromkeys("·–—─┈−", "-"),
        **dict.fromkeys("▶▸→", ">"),
        **dict.fromkeys("←", "<"),
        **dict.fromkeys("↑", "^"),
        **dict.fromkeys("↓", "v"),
        **dict.fromkeys("✖✗×", "x"),
        **dict.fromkeys("▌│", "|"),
        **dict.fromkeys("█■", "#"),
        **dict.fromkeys("●▲◆", "*"),
        **dict.fromkeys("○□△◇", "o"),
        "░": ".",
        "…": "...",
        "≤": "<=",
        "≥": ">=",
        "✓": "+",
        "≈": "=",
        "⏎": "enter",
    }
)


def in_ascii(text: str) -> str:
    """Return a text with its symbols replaced by ASCII. Other characters stay unchanged."""
    return text.translate(_IN_ASCII)


ASCII = Glyphs(
    running=">",
    pending=".",
    failed="x",
    skipped="-",
    alive="*",
    starting="o",
    dead="x",
    full="#",
    empty=".",
    arrow=">",
    separator="-",
    passed="+",
    near="=",
    undecided="?",
    missed="x",
    selected=">",
    bars="_.:-=+*#",
    ascii=True,
)
