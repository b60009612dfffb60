"""Hostile texts and numbers, and random damage to bytes and JSON."""

import json
from collections.abc import Sequence
from random import Random
from typing import Any

ESCAPES = (
    "\x1b]0;title\x07",
    "\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\",
    "\x1b[31mred\x1b[0m",
    "\x1b[2J\x1b[H",
    "\x9b31m",
    "\x9d0;title\x9c",
    "\x1bP+q\x1b\\",
    "\u202egnp.exe\u202c",
    "\u2066isolate\u2069",
    "\u200f\u061c",
    "\x00",
    "\x07\x08",
    "\r overwritten",
    "\x7f",
    "\x85\u2028\u2029",
    "\ufeff",
)
"""OSC, CSI and C1 sequences, bidirectional and other control characters."""

TEXTS = (
    *ESCAPES,
    *("", " ", "\n", "\t", "a" * 10_000, "é" * 300, "\ud800", "x\udfffy", "👩\u200d👩\u200d👧"),
    *("[red]", "[/]", "[bold", "{}", "{0.__class__}", "%s%n", "'", '"', "\\", "`", "$(id)"),
    *("${HOME}", "${", "${X:-${Y}}", "$$", "null", "true", "-", "--", "-1", "@", "*", "&a", "!x"),
    *(
        "../../../etc/passwd",
        "/",
        ".",
        "..",
        "a/b",
        "latest",
        "x" * 255,
        "x/" * 3000,
        "~unknown-user",
    ),
    *("m1_u2_s8", "m1_u2_s8_recheck", "m0_u0_s0", "20261122-111101", "99999999-999999"),
    *("1e999", "9" * 400, "0x" + "f" * 300, "1_000", "١٢٣", "1:30:00", "2001-01-01", "0o17"),
    *("2026-11-22T11:11:01.203Z", "0000-00-00T00:00:00Z", "9999-12-31T23:59:59+23:59"),
)

NUMBERS = (
    *("0", "-0", "-0.0", "1", "-1", "2", "0.5", "1e-320", "1e15", "1e16", "1e300", "-1e300"),
    *("1e308", "1e999", "-1e999", "NaN", "Infinity", "-Infinity", "2147483648", "1000000000"),
    *("9223372036854775807", "9223372036854775808", "18446744073709551616", "1" + "0" * 400),
    *("-" + "9" * 400, "9" * 5000, "0.1", "1e-9", "123456789012345678901234567890"),
)
"""Numbers as JSON tokens."""

DEEP = 100_000
"""Levels of nesting that no parser supports."""

TOKENS = (
    *NUMBERS,
    *("null", "true", "false", '""', "[]", "{}", "[[]]", "[null]", '[""]', '{"":{}}', "[[1]]"),
    *("[[1,2,3]]", "[[null,null]]", '[[1,"x"]]', "[[NaN,1]]", "[[1,-1]]", "[[1,1e999]]"),
    *("[[-5,3]]", "[[2,1],[1,1]]", "[" * 150 + "]" * 150, "[" * DEEP, "[" * DEEP + "]" * DEEP),
    *('{"a":' * 150 + "1" + "}" * 150, '{"a":' * DEEP, '"\\ud800"', '"\\u0000"', '"\\u202e"'),
)
"""JSON tokens, valid and invalid."""

_MARK = "\ue000fuzz\ue000"


def text(random: Random) -> str:
    """Return a text, sometimes joined from two."""
    if random.random() < 0.2:
        return random.choice(TEXTS) + random.choice(TEXTS)
    return random.choice(TEXTS)


def token(random: Random) -> str:
    """Return a JSON token."""
    if random.random() < 0.3:
        return json.dumps(text(random))
    # Deep nesting is slow to generate and to read.
    found = random.choice(TOKENS)
    return found if len(found) < 10_000 or random.random() < 0.1 else random.choice(NUMBERS)


def changed_json(random: Random, line: bytes) -> bytes:
    """Return a JSON object with one to three values replaced, removed, renamed or added."""
    try:
        fields = json.loads(line)
    except ValueError:
        return line
    tokens: list[str] = []
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        parent = _random_parent(random, fields)
        if parent is None:
            break
        key = random.choice(list(parent) if isinstance(parent, dict) else range(len(parent)))
        match random.random():
            case chance if chance < 0.15:
                del parent[key]
            case chance if chance < 0.25 and isinstance(parent, dict):
                parent[random.choice((text(random), "type", "cell", "seq", "at"))] = parent.pop(key)
            case chance if chance < 0.3 and isinstance(parent, list):
                parent *= random.choice((0, 2, 3))
            case _:
                parent[key] = f"{_MARK}{len(tokens)}{_MARK}"
                tokens.append(token(random))
    changed = json.dumps(fields, separators=(",", ":"), ensure_ascii=random.random() < 0.5)
    for number, raw in enumerate(tokens):
        for mark in (json.dumps(f"{_MARK}{number}{_MARK}"), f'"{_MARK}{number}{_MARK}"'):
            changed = changed.replace(mark, raw)
    return changed.encode("utf-8", "surrogatepass")


def _random_parent(random: Random, value: Any) -> Any:
    """Return a random non-empty object or list inside a value, or None if there is none."""
    if not isinstance(value, dict | list) or not value:
        return None
    while True:
        items = list(value.values()) if isinstance(value, dict) else value
        inner = [item for item in items if isinstance(item, dict | list) and item]
        if not inner or random.random() < 0.4:
            return value
        value = random.choice(inner)


def damaged(random: Random, data: bytes) -> bytes:
    """Return data with a random change: flipped, removed, repeated or inserted bytes."""
    if not data:
        return random.randbytes(random.randint(0, 20))
    start = random.randrange(len(data))
    end = min(len(data), start + random.choice((1, 1, 2, 5, 20, 200)))
    match random.randrange(8):
        case 0:
            middle = bytes(byte ^ (1 << random.randrange(8)) for byte in data[start:end])
        case 1:
            middle = b""
        case 2:
            middle = data[start:end] * random.choice((2, 2, 3, 50))
        case 3:
            middle = b"\0" * random.choice((1, 16, 4096))
        case 4:
            return data[:start]
        case 5:
            middle = data[start:end] + text(random).encode("utf-8", "surrogatepass")
        case 6:
            middle = random.choice(NUMBERS).encode()
        case _:
            middle = random.randbytes(random.randint(1, 8))
    return data[:start] + middle + data[end:]


def moved(random: Random, lines: Sequence[bytes], others: Sequence[bytes]) -> list[bytes]:
    """Return lines with some removed, repeated, moved, joined, or inserted from other lines."""
    changed = list(lines)
    for _ in range(random.choice((1, 1, 2, 4))):
        if not changed:
            break
        place = random.randrange(len(changed))
        match random.randrange(6):
            case 0:
                del changed[place : place + random.choice((1, 1, 3, 20))]
            case 1:
                changed[place:place] = [changed[place]] * random.choice((1, 2, 10))
            case 2:
                changed.insert(random.randrange(len(changed)), changed.pop(place))
            case 3:
                changed[place : place + 2] = [b"".join(changed[place : place + 2])]
            case 4:
                changed.insert(place, random.choice(others))
            case _:
                other = random.randrange(len(changed))
                changed[place], changed[other] = changed[other], changed[place]
    return changed
