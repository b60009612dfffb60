"""Options of a profile as command-line arguments."""

import argparse
from typing import Any

import pytest

from loadbench.in_locust.scenario.arguments import OptionError, arguments, required
from loadbench.in_locust.settings import ScenarioSettings


def parser() -> argparse.ArgumentParser:
    """Return a parser with options of all kinds."""
    made = argparse.ArgumentParser()
    made.add_argument("user_classes", nargs="*")
    made.add_argument("--tags", nargs="*")
    made.add_argument("--exclude-tags", nargs="*")
    made.add_argument("--engine")
    made.add_argument("-m", "--net")
    made.add_argument("-p")
    made.add_argument("--stream", action="store_true")
    made.add_argument("--quiet", action="store_false")
    made.add_argument("--cache", action=argparse.BooleanOptionalAction, default=None)
    made.add_argument("--no-proxy", action="store_true")
    made.add_argument("--no-verify", action="store_false", dest="verify")
    made.add_argument("-v", action="count", default=0)
    made.add_argument("--hosts", nargs="+")
    made.add_argument("--pair", nargs=2)
    made.add_argument("--header", action="append")
    made.add_argument("--qps", type=float)
    return made


def parsed(options: dict[str, str], **fields: Any) -> argparse.Namespace:
    scenario = ScenarioSettings(files=("a.py",), options=options, **fields)
    made = parser()
    return made.parse_args(arguments(scenario, made._actions, made._actions))


@pytest.mark.parametrize(
    ("name", "value", "attribute", "expected"),
    [
        ("engine", "vllm", "engine", "vllm"),
        ("--engine", "vllm", "engine", "vllm"),
        ("engine", "", "engine", ""),
        ("engine", "-1", "engine", "-1"),
        ("engine", "--other", "engine", "--other"),
        ("engine", "a b 'c", "engine", "a b 'c"),
        ("net", "llama", "net", "llama"),
        ("m", "llama", "net", "llama"),
        ("p", "-x", "p", "-x"),
        ("p", "", "p", ""),
        ("stream", "true", "stream", True),
        ("stream", "false", "stream", False),
        ("quiet", "true", "quiet", False),
        ("cache", "true", "cache", True),
        ("cache", "false", "cache", False),
        ("no-cache", "true", "cache", False),
        ("no-cache", "false", "cache", True),
        ("no-proxy", "true", "no_proxy", True),
        ("no-proxy", "false", "no_proxy", False),
        ("no-verify", "true", "verify", False),
        ("no-verify", "false", "verify", True),
        ("v", "3", "v", 3),
        ("v", "true", "v", 1),
        ("hosts", "a b", "hosts", ["a", "b"]),
        ("hosts", "'a b' c", "hosts", ["a b", "c"]),
        ("pair", "1 2", "pair", ["1", "2"]),
        ("header", "A: 1\nB: 2\n", "header", ["A: 1", "B: 2"]),
        ("header", "A: 1 2", "header", ["A: 1 2"]),
        ("hosts", "a b\nc\n", "hosts", ["a b", "c"]),
        ("qps", "0.5", "qps", 0.5),
    ],
)
def test_a_value_arrives(name: str, value: str, attribute: str, expected: object) -> None:
    assert getattr(parsed({name: value}), attribute) == expected


def test_tags_and_user_classes_arrive() -> None:
    found = parsed({"engine": "x"}, tags=("a", "b"), exclude_tags=("c",), user_classes=("U", "V"))

    assert (found.tags, found.exclude_tags) == (["a", "b"], ["c"])
    assert (found.user_classes, found.engine) == (["U", "V"], "x")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"engin": "x"}, "engin: the locustfile has no such option. Did you mean engine?"),
        ({"zzzz": "x"}, "zzzz: the locustfile has no such option. It has help, tags, "),
        ({"stream": "fast"}, "stream: expected true or false, because the option has no value"),
        ({"hosts": "'a"}, 'hosts: no closing quotation in "\'a"'),
    ],
)
def test_a_wrong_option_is_explained(options: dict[str, str], message: str) -> None:
    with pytest.raises(OptionError) as caught:
        parsed(options)
    assert str(caught.value).startswith(message)


def test_without_own_options_none_is_suggested() -> None:
    scenario = ScenarioSettings(files=("a.py",), options={"engine": "x"})

    with pytest.raises(OptionError, match="engine: the locustfile has no options"):
        arguments(scenario, [], [])


def test_a_required_option_is_shown_with_its_choices() -> None:
    made = argparse.ArgumentParser()
    action = made.add_argument("-e", "--engine", required=True, choices=["vllm", "tgi"])

    assert required(action) == (
        "the locustfile requires the option engine. Set load.options: {engine: …}, one of vllm, tgi"
    )
