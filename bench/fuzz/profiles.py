"""Profile files and `--set` texts."""

import json
import tempfile
from contextlib import suppress
from pathlib import Path
from random import Random

from bench.fuzz.harness import Input, Kind, require
from bench.fuzz.values import DEEP, NUMBERS, TEXTS, damaged, text
from bench.fuzz.workspace import PROFILES
from bench.profile_texts import KEYS, LISTS, SCALARS, Writer
from loadbench.engine.catalog import SavedProfile
from loadbench.engine.journal.timing.durations import durations_of
from loadbench.engine.profile.editing.splice import spliced
from loadbench.engine.profile.loading import load_profile, read_draft
from loadbench.engine.profile.model import ALIASES, MAX_CELLS, Profile
from loadbench.engine.profile.plan import plan_cells, warnings
from loadbench.engine.profile.recorded import read_recorded
from loadbench.engine.profile.source import read_source
from loadbench.errors import ProfileError
from loadbench.ui.lines.glyphs import ASCII, UNICODE
from loadbench.ui.profiles.lines import profile_detail, profile_entry

MAX_COLUMNS = 120
AXES = ("models", "users", "spawn_rates", *ALIASES)
SECTIONS = ("settle", "stack", "load", "goals")

CHANGES = {"users": [3], "description": "changed", "stack.driver": "local"}
"""Changes to make to every file, as the editor does."""
_BASE = "models: [1]\nusers: [2]\nspawn_rates: [1]\n"
_LONG_LIST = ", ".join(map(str, range(1, 1001)))
_LONG = f"models: [{_LONG_LIST}]\nusers: [{_LONG_LIST}]\nspawn_rates: [{_LONG_LIST}]\n"
_LAUGHS = "".join(
    f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 9) if n else 'lol'}]\n" for n in range(12)
)

DOCUMENTS = (
    *("", "\n", "---\n", "null", "[]", "1", "- a\n- b", "a", "{", "}", "? a", "%YAML 9.9\n---\n"),
    *("&a [*a]", "a: &a {b: *a}", "<<: *a", "{<<: {models: [1]}}", f"{_BASE}<<: {{users: [3]}}"),
    *("[" * DEEP, "{a: " * DEEP, "- " * DEEP, "a:\n" * DEEP, "? " * 20_000, "!" * DEEP),
    *(_LAUGHS, _LAUGHS + _BASE, _LONG, f"{_BASE}repeats: 1000000000\n", "#" * 1_000_000),
    *(f"{_BASE}x: !!python/object/apply:os.system [id]", f"{_BASE}? [a, b]\n: c", "\x00", "\ufeff"),
    *('a: "\\UFFFFFFFF"', 'a: "\\ud800"', "a: !!int x", "a: !!float x", "a: !!timestamp x"),
    *("a: !!binary x", "a: !!set {x}", "a: !!omap [x: 1]", "a: !!pairs [x: 1]", "a: !!bool 5"),
    *("a: 2001-99-99", "a: 2001-12-14t21:59:43.10-99:00", "a: 190:20:30", "a: 1:99999999999:59"),
    *("a: 0b" + "1" * 10_000, "a: " + "9" * 10_000, "a: 0x" + "f" * 10_000, "a: .inf", "a: .nan"),
    *(f"{_BASE}{_BASE}", "models: 1\n" * 2000, f"{_BASE}description: {'x ' * 500_000}"),
)
"""Whole files."""

VALUES = (
    *(name.strip("+") for name in NUMBERS),
    *(".inf", "-.inf", ".nan", "~", "", "yes", "{}", "[]", "[[]]", "{a: b}", "[1, 1]", "[1, 1.0]"),
    *("1:30", "190:20:30", "2001-01-01", "0x10", "0b1", "017", "1_0", "1e3", "!!str 1", "!!int x"),
    *(
        "*a",
        "&a [*a]",
        "<<",
        "[" * 300 + "]" * 300,
        "{a: " * 300,
        "1..1000000000",
        "1..9 x1.0000001",
    ),
    *("0..1e9 step 1e-9", "1..1000 step 0.0000001", "1 .. 5", "10..1", "1..5 step 0", "1..2..3"),
    *(
        "9" * 20 + "h",
        "1h" * 1000,
        "1e5s",
        "1.5.5m",
        "-5s",
        "infs",
        "nan",
        "0s",
        "1000000h",
        "1m1h",
    ),
    *(
        "http://[::1",
        "http://x:99999",
        "http://a b",
        "http://\x1b[31m",
        "http://user:pw@h",
        "file:///",
    ),
    *("[a, b]", "[1, [2]]", "[1, {a: 2}]", "[null]", "[true]", "[0]", "[-1]", "[1e400]", "[.nan]"),
)
"""Values as YAML."""


def quoted(value: str) -> str:
    """Return a text as a double-quoted YAML scalar, with escapes for all special characters."""
    return json.dumps(value)


def value(random: Random) -> str:
    """Return a value as YAML."""
    match random.randrange(5):
        case 0:
            return quoted(text(random))
        case 1:
            return text(random)
        case 2:
            items = (random.choice(VALUES) for _ in range(random.randint(0, 4)))
            return f"[{', '.join(items)}]"
        case _:
            return random.choice(VALUES)


def use(profile: Profile, file: Path) -> None:
    """Do everything that commands and screens do with a valid profile."""
    cells = plan_cells(profile)
    max_cells = getattr(profile, "max_cells", MAX_CELLS + 1)
    require(len(cells) <= max_cells, "a limited number of cells", len(cells))
    require(len({cell.key for cell in cells}) == len(cells), "unique keys of cells")
    require(len({cell.report_name for cell in cells}) == len(cells), "unique names of reports")
    resolved = profile.resolved()
    recorded = read_recorded(json.loads(json.dumps(resolved, allow_nan=False)))
    require(recorded.profile == profile, "a recorded profile equals its original", resolved)
    require(durations_of(profile, ()).total_s(cells) > 0, "an estimated time")
    warnings(profile, None)
    if len(cells) > 200:
        return
    saved = SavedProfile(file=file, profile=profile)
    for glyphs in (UNICODE, ASCII):
        profile_entry(saved, (), glyphs, 30)
        profile_detail(saved, (), glyphs, MAX_COLUMNS)


class Profiles(Kind):
    """Profile files: generated, shipped ones with changes, and hostile YAML."""

    name = "profiles"
    share = 10.0

    def __init__(self) -> None:
        self._file = Path(tempfile.mkdtemp(prefix="fuzz-")) / "profile.yaml"
        self._shipped = [file.read_text(encoding="utf-8") for file in PROFILES.glob("*.yaml")]
        self._shipped.sort()

    def known(self) -> dict[str, Input]:  # noqa: D102
        found = {
            "10^9 cells from lists": Input(_LONG.encode()),
            "10^9 cells from repeats": Input(f"{_BASE}repeats: 1000000000\n".encode()),
            "nested YAML": Input(b"models: " + b"[" * DEEP),
            "nested aliases": Input((_LAUGHS + _BASE).encode()),
        }
        documents = enumerate(DOCUMENTS)
        return found | {
            f"document {n}": Input(doc.encode("utf-8", "surrogatepass")) for n, doc in documents
        }

    def make(self, random: Random) -> Input:  # noqa: D102
        match random.randrange(10):
            case 0 | 1:
                data = Writer(random, is_hard=random.random() < 0.5).profile()
            case 2 | 3:
                data = damaged(random, random.choice(self._shipped).encode())
            case 4:
                data = damaged(random, random.choice(DOCUMENTS)[:5000].encode("utf-8", "replace"))
            case 5:
                data = f"{_BASE}{self._entries(random)}".encode("utf-8", "surrogatepass")
            case _:
                data = self._changed(random).encode("utf-8", "surrogatepass")
        if random.random() < 0.1:
            data = damaged(random, data)
        return Input(data)

    def check(self, given: Input) -> bool:  # noqa: D102
        assert isinstance(given.data, bytes)
        self._file.write_bytes(given.data)
        try:
            profile = load_profile(self._file)
        except ProfileError as error:
            require(str(error), "a message about an invalid profile")
            return False
        require(read_draft(read_source(self._file)).profile == profile, "the draft is the profile")
        use(profile, self._file)
        with suppress(ProfileError):
            spliced(given.data, CHANGES)
        return True

    def _changed(self, random: Random) -> str:
        """Return a shipped profile with some values replaced."""
        lines = random.choice(self._shipped).splitlines()
        for _ in range(random.choice((1, 1, 2, 3))):
            place = random.randrange(len(lines))
            head, colon, _ = lines[place].partition(":")
            if colon:
                lines[place] = f"{head}: {value(random)}"
            else:
                lines.insert(place, self._entries(random))
        return "\n".join(lines) + "\n"

    def _entries(self, random: Random) -> str:
        """Return lines with keys, known and unknown ones."""
        lines = []
        for _ in range(random.randint(1, 3)):
            key = random.choice((*KEYS, *AXES, *SECTIONS, random.choice(TEXTS)))
            section, dot, name = key.rpartition(".")
            lines.append(
                f"{section}: {{{name}: {value(random)}}}" if dot else f"{key}: {value(random)}"
            )
        return "\n".join(lines) + "\n"


class Settings(Kind):
    """`--set` texts."""

    name = "--set"
    share = 8.0

    def __init__(self) -> None:
        self._source = read_source(PROFILES / "demo.yaml")

    def known(self) -> dict[str, Input]:  # noqa: D102
        return {
            "10^9 cells": Input(
                ("models=1..1000", "users=1..1000", "spawn_rates=0.001..1 step 0.001")
            ),
            "10^9 repeats": Input(("repeats=1000000000",)),
            "nested value": Input(("host=" + "[" * DEEP,)),
            "invalid escape": Input(('description="\\UFFFFFFFF"',)),
            "range of 10^9": Input(("users=1..1000000000",)),
            "5000 digits": Input(("batch_size=" + "9" * 5000,)),
            "nested aliases": Input(("description={" + _LAUGHS.replace("\n", ", ") + "}",)),
        }

    def make(self, random: Random) -> Input:  # noqa: D102
        return Input(tuple(self.setting(random) for _ in range(random.choice((1, 1, 2, 3)))))

    def check(self, given: Input) -> bool:  # noqa: D102
        assert isinstance(given.data, tuple)
        draft = read_draft(self._source, given.data)
        if draft.profile is None:
            require(draft.problems, "a message about an invalid override")
            return False
        use(draft.profile, draft.file)
        return True

    def setting(self, random: Random) -> str:
        """Return a text for `--set`."""
        if random.random() < 0.5:
            return self._plausible(random)
        key = random.choice((*KEYS, *AXES, *AXES, *SECTIONS, text(random), "a.b.c", ".", "stack."))
        match random.randrange(6):
            case 0:
                return f"{key}={text(random)}"
            case 1:
                return text(random)
            case 2:
                numbers = (random.choice(NUMBERS) for _ in range(random.randint(1, 5)))
                return f"{key}={random.choice((',', ' ', '..', ', '))}".join(["", *numbers])[
                    :20_000
                ]
            case 3:
                start, end, step = (
                    random.choice(("0", "1", "0.1", "5", "1e3", "999999999", "1000"))
                    for _ in range(3)
                )
                return f"{key}={start}..{end} {random.choice(('step ', 'x', '×', ''))}{step}"
            case _:
                return f"{key}={value(random)}"

    @staticmethod
    def _plausible(random: Random) -> str:
        """Return a text with a value that is allowed for its key."""
        key = random.choice((*LISTS, *SCALARS))
        if key not in LISTS:
            found = random.choice(SCALARS[key])
            return f"{key}={'null' if found is None else found}"
        values = random.sample(LISTS[key], random.randint(1, 4))
        if key in AXES and random.random() < 0.3:
            return (
                f"{key}={random.randint(1, 5)}..{random.randint(5, 60)} step {random.randint(1, 9)}"
            )
        return f"{key}={','.join(map(str, values))}"
