"""Locust's own options that a profile or the environment must not set, by name.

All other options and variables are passed to Locust.
"""

import shlex
from collections.abc import Iterable, Iterator, Mapping
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


KEPT_OUT = (
    KeptOut("set load.locustfile", ("locustfile", "f"), ("LOCUST_LOCUSTFILE",)),
    KeptOut("set host", ("host", "H"), ("LOCUST_HOST",)),
    KeptOut("set users", ("users", "u"), ("LOCUST_USERS",)),
    KeptOut("set spawn_rates", ("spawn-rate", "r"), ("LOCUST_SPAWN_RATE",)),
    KeptOut("set run_time", ("run-time", "t"), ("LOCUST_RUN_TIME",)),
    KeptOut("set load.timeout", ("stop-timeout", "s"), ("LOCUST_STOP_TIMEOUT",)),
    # Their variables are passed, because they do not break anything.
    KeptOut("set load.tags", ("tags", "T")),
    KeptOut("set load.exclude_tags", ("exclude-tags", "E")),
    KeptOut("set load.user_classes", ("user_classes",)),
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


def plain_option(name: str) -> str:
    """Return the name of an option without leading dashes."""
    return name.removeprefix("-").removeprefix("-")


def option_key(name: str) -> str:
    """Return the name of an option in one spelling: without leading dashes and underscores."""
    return plain_option(name).replace("_", "-")


def option_values(text: str) -> list[str]:
    """Return the values that the text of an option stands for, as on a command line."""
    try:
        return shlex.split(text)
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


def kept_out_variables(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield those of several environment variables that are not passed, each with the reason."""
    for name in sorted(names):
        if reason := reason_against_variable(name):
            yield name, reason
