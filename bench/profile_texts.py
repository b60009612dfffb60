"""Generated profile files, for `bench.profile_edits` and its test."""

from dataclasses import dataclass
from random import Random
from typing import Any

DURATIONS = ("7m", "1h20m", "90s", "5s", "1.5s", 30, 12.5)
TEXTS = (
    *("one", "two words", "a: b", "x # y", "#5", "yes", "null", "10", "1:30", "0x1F", "- a"),
    *("it's", 'say "hi"', "", " padded ", "über ☃", "a, b", "[x]", "{y}", "&z", "*w", "!t", "%d"),
    *("@at", "`q`", "back\\slash", "tab\there", "two\nlines", "trailing\n", "nel\x85x"),
    *("2001-01-01", "=", "<<", "~", "emoji 😀", "? q", "a:", "-", "---", "...", "|", ">"),
)
COMMENTS = ("# few", "#bare", "# it's: [a, {b}]", "# users: [1]", '# "quoted', "# ☃ note", "#")
NOT_A_COMMENT = "# part of a text"
"""A line of a text with several lines."""

SCALARS: dict[str, tuple[Any, ...]] = {
    "description": TEXTS,
    "device": ("cpu", "gpu"),
    "batch_size": (1, 10, 4096),
    "run_time": (*DURATIONS, "auto"),
    "min_run_time": DURATIONS,
    "max_run_time": DURATIONS,
    "repeats": (1, 2, 7),
    "recheck_first": (True, False),
    "settle.max": DURATIONS,
    "settle.window": DURATIONS,
    "host": (None, "http://127.0.0.1:8000", "https://[::1]:8443"),
    "stack.driver": ("auto", "compose", "local", "external"),
    "stack.service": ("model", "web app", "1"),
    "stack.health": ("/health", "/a#b", "http://127.0.0.1:1/x"),
    "stack.startup_timeout": DURATIONS,
    "stack.model_threads": (1, 4),
    "stack.memory_mb": (None, 512),
    "stack.gpu_memory_mb": (None, 1024),
    "load.model": ("closed",),
    "load.folder": (None, ".", "a b", "#c"),
    "load.main": (None, "POST /predict", "a: b"),
    "load.start_timeout": DURATIONS,
    "load.images": ("images", "a, b"),
    "load.timeout": DURATIONS,
    "goals.p50_ms": (None, 50, 12.5),
    "goals.p90_ms": (None, 90.0),
    "goals.p95_ms": (None, 500, 1e-05),
    "goals.p99_ms": (None, 1e22),
    "goals.failure_ratio": (None, 0.01, 0, 1),
    "goals.min_rps": (None, 5),
    "search.strategy": ("grid",),
    "search.budget": (None, *DURATIONS),
}
LISTS: dict[str, tuple[Any, ...]] = {
    "models": (1, 2, 3, 4, 8, 16),
    "users": (1, 5, 10, 50, 100, 200, 1000),
    "spawn_rates": (1, 2.5, 10, 0.5, 20.0),
    "stack.compose": ("stack/compose.yaml", "a b.yaml", "c,d.yaml", "e.yaml", "#f.yaml"),
    "load.locustfile": ("locustfile.py", "my file.py", "c,d.py", "load", "#f.py"),
    "load.measurements": ("*token*", "first token", "METRIC", "a, b"),
    "load.tags": ("fast", "two words", "yes", "#x", "1"),
}
ENVIRONMENT = "stack.environment"
GOALS = ("goals.requests", "goals.measurements")
LIMITS: dict[str, tuple[Any, ...]] = {
    "p50": (50, 12.5),
    "p95": (400, 1e-05, 1e22),
    "min_p1": (0.5, 3),
}
"""Limits of the goals of one name."""
SECTIONS = ("settle", "stack", "load", "goals", "search")
KEYS = (*SCALARS, *LISTS, ENVIRONMENT, *GOALS)
_ALIASES = {
    "models": "num_models_list",
    "users": "num_users_list",
    "spawn_rates": "spawn_rate_list",
}
_OLD_BOOLEANS = {True: ("yes", "on", "True", "ON", "true"), False: ("no", "Off", "NO", "false")}


@dataclass(slots=True)
class Writer:
    """Writes random YAML. `is_hard` adds anchors, tags, duplicates, tabs and invalid text."""

    random: Random
    is_hard: bool = False
    comments: int = 0
    """Number of comments, each of which contains its number."""

    def profile(self) -> bytes:
        """Return a profile file."""
        self.comments = 0
        names = [key for key in KEYS if "." not in key and self._chance(0.7)]
        names += [
            name for name in ("settle", "stack", "load", "goals", "search") if self._chance(0.6)
        ]
        self.random.shuffle(names)
        lines = [*self._noise("")]
        if self._chance(0.3):
            lines.append(self.random.choice(("---", "--- # start", "%YAML 1.1\n---")))
        if self._chance(0.05):
            lines = [f"{{{', '.join(self._flow_entry(name) for name in names)}}}"]
        else:
            for name in names:
                lines += [*self._noise(""), *self._entry(name, "")]
            lines += self._noise("")
        if self._chance(0.1):
            lines.append("...")
        return self._encoded(lines)

    def _encoded(self, lines: list[str]) -> bytes:
        ends = self.random.choice((("\n",), ("\n",), ("\r\n",), ("\n", "\r\n"), ("\r",)))
        text = "\n".join(lines) + "\n"
        text = "".join(self.random.choice(ends) if c == "\n" else c for c in text)
        if self._chance(0.3):
            text = text.rstrip("\r\n")
        data = (b"\xef\xbb\xbf" if self._chance(0.1) else b"") + text.encode()
        if self.is_hard and self._chance(0.1):
            position = self.random.randrange(len(data) + 1)
            data = data[:position] + self.random.randbytes(2) + data[position:]
        return data

    def _entry(self, name: str, indent: str) -> list[str]:
        key = name.rpartition(".")[2]
        shown = _ALIASES.get(name, key) if self._chance(0.3) else key
        if self._chance(0.05):
            shown = self.random.choice((f'"{shown}"', f"'{shown}'"))
        colon = self.random.choice((":", ":", " :"))
        start = f"{indent}{shown}{colon}"
        if self.is_hard and self._chance(0.04):
            return [f"{indent}? {shown}", f"{indent}: {self.scalar(name)}"]
        if name in SECTIONS:
            lines = self._section(name, start, indent)
        elif name in LISTS:
            lines = self._list(name, start, indent)
        elif name == ENVIRONMENT:
            lines = self._environment(start, indent)
        elif name in GOALS:
            lines = self._goals(start, indent)
        elif name == "description":
            lines = self._description(start, indent)
        else:
            lines = [f"{start} {self._marked(self.scalar(name))}{self._comment()}"]
        return lines * 2 if self.is_hard and self._chance(0.03) else lines

    def _section(self, name: str, start: str, indent: str) -> list[str]:
        keys = [key for key in KEYS if key.startswith(f"{name}.") and self._chance(0.5)]
        kind = self.random.random()
        if kind < 0.1 or not keys:
            empty = self.random.choice(("", " {}", " null", " ~", " { }"))
            return [f"{start}{empty}{self._comment()}"]
        if kind < 0.2:
            entries = (self._flow_entry(key) for key in keys)
            return [f"{start} {{{', '.join(entries)}}}{self._comment()}"]
        inner = indent + " " * self.random.choice((2, 2, 4, 1, 3, 8))
        lines = [f"{start}{self._anchor()}{self._comment()}"]
        self.random.shuffle(keys)
        for key in keys:
            lines += [*self._noise(inner), *self._entry(key, inner)]
        if self.is_hard and self._chance(0.1):
            lines.append(f"{inner}<<: *a")
        return lines

    def _flow_entry(self, name: str) -> str:
        key = name.rpartition(".")[2]
        if name in SECTIONS:
            return f"{key}: {{}}"
        if name in LISTS:
            return f"{key}: [{', '.join(self._items(name))}]"
        if name in GOALS:
            return f"{key}: {self._flow_goals(self._names())}"
        value = "{A: b}" if name == ENVIRONMENT else self.scalar(name)
        return f"{key}: {value}"

    def _list(self, name: str, start: str, indent: str) -> list[str]:
        items = self._items(name)
        kind = self.random.random()
        if kind < 0.1:
            return [f"{start} {items[0]}{self._comment()}"]
        if kind < 0.45:
            separator = self.random.choice((", ", ", ", ",", " , "))
            opening, closing = self.random.choice((("[", "]"), ("[ ", " ]"), ("[", ",]")))
            joined = separator.join(items)
            return [f"{start} {self._marked(f'{opening}{joined}{closing}')}{self._comment()}"]
        inner = indent + " " * self.random.choice((2, 4, 1))
        if kind < 0.75:
            dash_indent = self.random.choice((indent, inner))
            lines = [f"{start}{self._comment()}"]
            for item in items:
                lines += [*self._noise(dash_indent), f"{dash_indent}- {item}{self._comment()}"]
            return lines
        last = self.random.choice(("", ","))
        if kind < 0.85 and len(items) > 1:
            return [
                f"{start} [{items[0]},{self._comment()}",
                f"{inner}{', '.join(items[1:])}{last}]",
            ]
        lines = [f"{start} [{self._comment()}"]
        for number, item in enumerate(items, 1):
            comma = "," if number < len(items) else last
            lines += [*self._noise(inner), f"{inner}{item}{comma}{self._comment()}"]
        return [*lines, f"{inner}]{self._comment()}"]

    def _environment(self, start: str, indent: str) -> list[str]:
        names = self.random.sample(("A", "B_C", "D", "E e", "7"), self.random.randint(0, 4))
        pairs = [f"{name}: {self.scalar('stack.service')}" for name in names]
        if not pairs or self._chance(0.3):
            return [f"{start} {{{', '.join(pairs)}}}{self._comment()}"]
        inner = indent + " " * self.random.choice((2, 4, 1))
        lines = [f"{start}{self._comment()}"]
        for pair in pairs:
            lines += [*self._noise(inner), f"{inner}{pair}{self._comment()}"]
        return lines

    def _goals(self, start: str, indent: str) -> list[str]:
        names = self._names()
        if not names or self._chance(0.3):
            return [f"{start} {self._marked(self._flow_goals(names))}{self._comment()}"]
        inner = indent + " " * self.random.choice((2, 4, 1))
        lines = [f"{start}{self._comment()}"]
        for name in names:
            lines += [*self._noise(inner), *self._goals_of(name, inner)]
        return lines

    def _goals_of(self, name: str, indent: str) -> list[str]:
        limits = self._limits()
        if self._chance(0.3):
            return [f"{indent}{name}: {{{', '.join(limits)}}}{self._comment()}"]
        inner = indent + " " * self.random.choice((2, 4, 1))
        if self._chance(0.2):
            lines = [f"{indent}{name}: {{{self._comment()}"]
            lines += [f"{inner}{limit},{self._comment()}" for limit in limits]
            return [*lines, f"{inner}}}{self._comment()}"]
        lines = [f"{indent}{name}:{self._comment()}"]
        for limit in limits:
            lines += [*self._noise(inner), f"{inner}{limit}{self._comment()}"]
        return lines

    def _flow_goals(self, names: list[str]) -> str:
        goals = (f"{name}: {{{', '.join(self._limits())}}}" for name in names)
        return f"{{{', '.join(goals)}}}"

    def _names(self) -> list[str]:
        names = ("POST /predict", "GET /", '"a: b"', "'7'", "first token")
        return self.random.sample(names, self.random.randint(0, 3))

    def _limits(self) -> list[str]:
        names = self.random.sample(list(LIMITS), self.random.randint(1, 3))
        return [f"{name}: {self._written(self.random.choice(LIMITS[name]))}" for name in names]

    def _description(self, start: str, indent: str) -> list[str]:
        inner = indent + " " * self.random.choice((2, 4, 1))
        match self.random.randrange(5):
            case 0:
                style = self.random.choice(("|", ">", "|-", ">-", "|+", ">+"))
                body = [f"{inner}first: line", "", f"{inner}{NOT_A_COMMENT}"]
                # More indented comments below would be part of the text without this one.
                body = [*body[: self.random.choice((1, 3))], f"{indent}{self._numbered()}"]
                return [f"{start} {style}{self._comment()}", *body]
            case 1:
                return [f"{start} plain text", f"{inner}on two lines{self._comment()}"]
            case 2:
                return [f'{start} "quoted \\', f'{inner}text"{self._comment()}']
            case _:
                return [f"{start} {self._marked(self.scalar('description'))}{self._comment()}"]

    def _items(self, name: str) -> list[str]:
        values = self.random.sample(LISTS[name], self.random.randint(1, 4))
        return [self._written(value) for value in values]

    def scalar(self, name: str) -> str:
        """Return a value of a key as YAML."""
        values = SCALARS.get(name) or LISTS.get(name) or ("x",)
        return self._written(self.random.choice(values))

    def _written(self, value: Any) -> str:
        match value:
            case None:
                return self.random.choice(("null", "~", "null"))
            case bool():
                return self.random.choice(_OLD_BOOLEANS[value])
            case int():
                return self.random.choice((str(value), str(value), hex(value), f"0{value:o}"))
            case float():
                return f"{value:.12f}" if value < 1 else f"{value!r}".replace("e+", ".0e+")
            case _:
                return self._text(str(value))

    def _text(self, text: str) -> str:
        if text.replace("/", "").replace(".", "").isalpha() and self._chance(0.6):
            return text
        if self._chance(0.4) and text.isprintable() and text.isascii():
            return "'" + text.replace("'", "''") + "'"
        escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return '"' + escaped.replace("\t", "\\t").replace("\x85", "\\N") + '"'

    def _marked(self, text: str) -> str:
        if self.is_hard and self._chance(0.08):
            mark = self.random.choice(("&a ", "&b ", "!!str ", "! "))
            return self.random.choice(("*a", mark + text, "\t" + text))
        return text

    def _anchor(self) -> str:
        return self.random.choice((" &a", " !!map")) if self.is_hard and self._chance(0.08) else ""

    def _comment(self) -> str:
        if self._chance(0.6):
            return self.random.choice(("", "", "", " "))
        return " " * self.random.choice((1, 2, 2, 7, 16)) + self._numbered()

    def _noise(self, indent: str) -> list[str]:
        if self._chance(0.8):
            return []
        comment = indent + " " * self.random.choice((0, 0, 9)) + self._numbered()
        return self.random.choice(([""], [comment], ["", comment], [comment, ""], ["  "]))

    def _numbered(self) -> str:
        self.comments += 1
        return f"{self.random.choice(COMMENTS)} ¤{self.comments}¤"

    def _chance(self, probability: float) -> bool:
        return self.random.random() < probability
