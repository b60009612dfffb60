"""Locust's own options that a profile or the environment must not set, by name.

All other options and variables are passed to Locust.
"""

import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

_CONTROLLED = "Locust is controlled over its web API"
_ONE_PROCESS = "Locust runs in one process"
_FILES = "reports and logs are saved in the folder of the run"
_ENDS = "Locust would exit at once"


@dataclass(frozen=True, slots=True)
class KeptOut:
    """Options of Locust that are not available."""

    reason: str
    """Why, or which key of the profile to use instead."""
    names: tuple[str, ...]
    """Long and short names without dashes."""
    variables: tuple[str, ...] = ()
    """Environment variables with the same effect, which are removed."""
    without_effect: tuple[str, ...] = ()
    """Environment variables that are passed, but have no effect on a run."""


def _instead(key: str) -> str:
    return f"set the key {key} of the profile"


KEPT_OUT = (
    KeptOut(
        "set the key load.locustfile of the profile",
        ("locustfile", "f"),
        without_effect=("LOCUST_LOCUSTFILE",),
    ),
    KeptOut(_instead("host"), ("host", "H"), without_effect=("LOCUST_HOST",)),
    KeptOut(_instead("users"), ("users", "u"), without_effect=("LOCUST_USERS",)),
    KeptOut(
        "set the key spawn_rates of the profile",
        ("spawn-rate", "r"),
        without_effect=("LOCUST_SPAWN_RATE",),
    ),
    KeptOut(
        "set the key run_time of the profile",
        ("run-time", "t"),
        without_effect=("LOCUST_RUN_TIME",),
    ),
    KeptOut(
        "set the key load.timeout of the profile",
        ("stop-timeout", "s"),
        without_effect=("LOCUST_STOP_TIMEOUT",),
    ),
    # Their variables are passed, because they do not break anything.
    KeptOut(_instead("load.tags"), ("tags", "T")),
    KeptOut(_instead("load.exclude_tags"), ("exclude-tags", "E")),
    KeptOut(_instead("load.user_classes"), ("user_classes",)),
    KeptOut("the name of the profile is used", ("profile",)),
    KeptOut("set these options in load.options", ("config",)),
    KeptOut(
        _CONTROLLED,
        (
            *("headless", "headful", "autostart", "autoquit", "web-host", "web-host-display-name"),
            *("web-port", "P", "web-auth", "web-login", "web-base-path", "tls-cert", "tls-key"),
            *("class-picker", "build-path", "legacy-ui"),
        ),
        (
            *("LOCUST_HEADLESS", "LOCUST_HEADFUL", "LOCUST_AUTOSTART", "LOCUST_AUTOQUIT"),
            *("LOCUST_WEB_HOST", "LOCUST_WEB_HOST_DISPLAY_NAME", "LOCUST_WEB_PORT"),
            *("LOCUST_WEB_AUTH", "LOCUST_WEB_LOGIN", "LOCUST_WEB_BASE_PATH", "LOCUST_TLS_CERT"),
            *("LOCUST_TLS_KEY", "LOCUST_USERCLASS_PICKER", "LOCUST_BUILD_PATH"),
            "LOCUST_LEGACY_UI",
        ),
    ),
    KeptOut(
        _ONE_PROCESS,
        (
            *("master", "master-bind-host", "master-bind-port", "expect-workers"),
            *("expect-workers-max-wait", "enable-rebalancing", "expect-slaves", "worker"),
            *("processes", "slave", "master-host", "master-port"),
        ),
        (
            *("LOCUST_MODE_MASTER", "LOCUST_MASTER_BIND_HOST", "LOCUST_MASTER_BIND_PORT"),
            *("LOCUST_EXPECT_WORKERS", "LOCUST_EXPECT_WORKERS_MAX_WAIT", "LOCUST_MODE_WORKER"),
            *("LOCUST_PROCESSES", "LOCUST_MASTER_NODE_HOST", "LOCUST_MASTER_NODE_PORT"),
        ),
    ),
    KeptOut(
        _FILES,
        ("csv", "csv-full-history", "html", "json", "json-file", "logfile"),
        ("LOCUST_CSV", "LOCUST_CSV_FULL_HISTORY", "LOCUST_HTML", "LOCUST_LOGFILE"),
    ),
    KeptOut(
        _ENDS,
        (
            *("list", "l", "show-task-ratio", "show-task-ratio-json", "version", "V"),
            *("help", "h"),
        ),
    ),
)
"""Locust 2.47; `tests/e2e/test_locust_contract.py` checks that the names exist."""

PASSED_ON = (
    *("config-users", "print-stats", "only-summary", "reset-stats", "skip-log-setup"),
    *("loglevel", "L", "exit-code-on-error", "equal-weights", "otel"),
)
"""All other options of Locust. They start no listener, write no file and do not end the process."""

_BY_NAME: Mapping[str, KeptOut] = {
    name.replace("_", "-"): one for one in KEPT_OUT for name in one.names
}
_BY_VARIABLE: Mapping[str, KeptOut] = {name: one for one in KEPT_OUT for name in one.variables}
_WITHOUT_EFFECT: Mapping[str, KeptOut] = {
    name: one for one in KEPT_OUT for name in one.without_effect
}


def plain_option(name: str) -> str:
    """Return the name of an option without leading dashes."""
    return name.removeprefix("-").removeprefix("-")


def option_key(name: str) -> str:
    """Return the name of an option in one spelling: without leading dashes and underscores."""
    return plain_option(name).replace("_", "-")


def joined_values(values: Sequence[str]) -> str:
    """Return a list of values of an option as one text, with each value on a line."""
    return "".join(f"{value}\n" for value in values)


def split_values(text: str) -> list[str]:
    """Return the values in a text of `joined_values`, or in one that is split as in a shell.

    Raises:
        ValueError: A quotation is not closed.
    """
    return text.removesuffix("\n").split("\n") if text.endswith("\n") else shlex.split(text)


def option_values(text: str) -> list[str]:
    """Return the values that a text, which may be invalid, stands for."""
    try:
        return split_values(text)
    except ValueError:  # a quotation is not closed
        return [text]


def reason_against_option(name: str) -> str:
    """Return why an option is not available, or an empty text if it is.

    Args:
        name: The option with or without leading dashes, with dashes or underscores in it.
    """
    kept_out = _BY_NAME.get(option_key(name))
    return kept_out.reason if kept_out else ""


def reason_against_variable(name: str) -> str:
    """Return why an environment variable is not passed to Locust, or an empty text if it is."""
    kept_out = _BY_VARIABLE.get(name)
    return kept_out.reason if kept_out else ""


def variable_notes(names: Iterable[str]) -> Iterator[str]:
    """Yield notes about the environment variables of Locust that a run does not follow."""
    for name in sorted(names):
        if name in _BY_VARIABLE:
            yield f"environment variable {name} is ignored: {_BY_VARIABLE[name].reason}"
        elif name in _WITHOUT_EFFECT:
            reason = _WITHOUT_EFFECT[name].reason
            yield f"environment variable {name} has no effect on the run: {reason}"


def passed_variables(environ: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of Locust.

    Args:
        environ: The environment of the run.
        given: The variables of the profile.
    """
    kept = {name: value for name, value in environ.items() if name not in _BY_VARIABLE}
    return {**kept, **given}
