"""Settings of the service, read from environment variables.

An unset or empty variable means the default.
"""

import math
import os
import socket
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeVar
from urllib.parse import urlsplit

from common.errors import ConfigError

Environment = Mapping[str, str]
Device = Literal["cpu", "gpu"]
Config = TypeVar("Config")

BAD_CONFIG_EXIT = 2
CHANNELS = 3
MAX_HELD_JOBS = 256
"""Maximum number of jobs held by all workers together: the API has a thread for each."""
MAX_DIGITS = 9
"""Maximum number of digits of an integer setting."""
MODEL_FOLDER = Path(__file__).resolve().parent.parent / "model"
BROKER_SCHEMES = ("redis://", "rediss://", "unix://")


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiConfig:
    """Settings of the API."""

    broker_url: str
    """BROKER_URL: `redis://host:port` or `unix://path`. Default: redis://127.0.0.1:6379."""
    broker_password: str = field(repr=False)
    """BROKER_PASSWORD: password of the broker. Default: none."""
    max_queue: int
    """MAX_QUEUE: maximum number of jobs waiting for a worker; further requests get 503.
    Default: 256."""
    deadline_ms: int
    """DEADLINE_MS: time in ms after which a request without a reply gets 503. Default: 30000."""

    @property
    def slots(self) -> int:
        """Maximum number of concurrent predictions: waiting, or held by workers."""
        return self.max_queue + MAX_HELD_JOBS

    @property
    def threads(self) -> int:
        """Number of gunicorn threads, with some reserved for /health and error responses."""
        return self.slots + 16

    @classmethod
    def read(cls, environment: Environment) -> "ApiConfig":
        """Read the settings. Raises ConfigError if one is invalid."""
        return cls(
            broker_url=_broker_url(environment),
            broker_password=environment.get("BROKER_PASSWORD", ""),
            max_queue=_integer(environment, "MAX_QUEUE", 256),
            deadline_ms=_integer(environment, "DEADLINE_MS", 30_000),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerConfig:
    """Settings of one worker."""

    broker_url: str
    """BROKER_URL: same as for the API."""
    broker_password: str = field(repr=False)
    """BROKER_PASSWORD: same as for the API."""
    batch_size: int
    """BATCH_SIZE: maximum number of images per batch. Default: 1."""
    batch_wait_ms: int
    """BATCH_WAIT_MS: maximum time in ms that a partly filled batch waits for more images. 0: no
    wait. Default: 5. No effect if BATCH_SIZE is 1."""
    device: Device
    """DEVICE: cpu or gpu. Default: cpu."""
    gpu_memory_mb: int | None
    """GPU_MEMORY_MB: maximum VRAM in MB for the arena of ONNX Runtime. None if unlimited.
    Default: None. No effect on the CPU."""
    model_threads: int
    """MODEL_THREADS: number of CPU threads for inference on one batch. Default: 1."""
    model_path: Path
    """MODEL_PATH: path of the ONNX file. Default: the bundled EfficientNet-Lite0."""
    labels_path: Path
    """LABELS_PATH: path of a file with one class name per line, in the order of the model's
    outputs. Default: the bundled labels."""
    input_side: int | None
    """INPUT_SIDE: height and width of the model's input in pixels. None if the ONNX file specifies
    them; required only if the model accepts any size. Default: None."""
    input_mean: tuple[float, ...]
    """INPUT_MEAN: mean to subtract from pixel values of 0 to 255. One number, or three separated
    by commas for red, green and blue. Default: 127."""
    input_std: tuple[float, ...]
    """INPUT_STD: standard deviation to divide by, in the same format. Default: 128."""
    decode_threads: int
    """DECODE_THREADS: number of threads that decode images. Default: 1 for cpu, 4 for gpu."""
    worker_id: str
    """WORKER_ID: name of the worker in /health and /metrics. Default: hostname-pid."""
    heartbeat_file: Path | None
    """HEARTBEAT_FILE: file that the worker touches every second once it is ready, for health
    checks. Default: none."""

    @property
    def model_name(self) -> str:
        """Display name of the model: the file name without its extension."""
        return self.model_path.stem

    @classmethod
    def read(cls, environment: Environment) -> "WorkerConfig":
        """Read the settings. Raises ConfigError if one is invalid."""
        device = _device(environment)
        return cls(
            broker_url=_broker_url(environment),
            broker_password=environment.get("BROKER_PASSWORD", ""),
            batch_size=_integer(environment, "BATCH_SIZE", 1),
            batch_wait_ms=_integer(environment, "BATCH_WAIT_MS", 5, minimum=0),
            device=device,
            gpu_memory_mb=_optional_integer(environment, "GPU_MEMORY_MB"),
            model_threads=_integer(environment, "MODEL_THREADS", 1),
            model_path=_file(environment, "MODEL_PATH", "efficientnet-lite0.onnx"),
            labels_path=_file(environment, "LABELS_PATH", "labels.txt"),
            input_side=_optional_integer(environment, "INPUT_SIDE"),
            input_mean=_numbers(environment, "INPUT_MEAN", "127"),
            input_std=_numbers(environment, "INPUT_STD", "128", positive=True),
            decode_threads=_integer(environment, "DECODE_THREADS", 4 if device == "gpu" else 1),
            worker_id=environment.get("WORKER_ID") or f"{socket.gethostname()}-{os.getpid()}",
            heartbeat_file=_new_file(environment, "HEARTBEAT_FILE"),
        )


def read_or_exit(read: Callable[[Environment], Config]) -> Config:
    """Read settings from the environment of this process; print an error and exit if invalid."""
    try:
        return read(os.environ)
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(BAD_CONFIG_EXIT) from None


def _integer(environment: Environment, name: str, default: int, *, minimum: int = 1) -> int:
    text = environment.get(name) or str(default)
    if not (text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS and int(text) >= minimum):
        raise ConfigError(f"{name}: expected a whole number ≥ {minimum}, got {text[:40]!r}")
    return int(text)


def _optional_integer(environment: Environment, name: str) -> int | None:
    return _integer(environment, name, 0) if environment.get(name) else None


def _numbers(
    environment: Environment, name: str, default: str, *, positive: bool = False
) -> tuple[float, ...]:
    text = environment.get(name) or default
    try:
        numbers = tuple(float(part) for part in text.split(","))
    except ValueError:
        numbers = ()
    if len(numbers) not in (1, CHANNELS) or not all(
        math.isfinite(number) and (number > 0 or not positive) for number in numbers
    ):
        kind = "a positive number" if positive else "a number"
        raise ConfigError(
            f"{name}: expected {kind}, or three comma-separated values (red, green, blue), "
            f"got {text!r}"
        )
    return numbers


def _device(environment: Environment) -> Device:
    match environment.get("DEVICE") or "cpu":
        case "cpu":
            return "cpu"
        case "gpu":
            return "gpu"
        case other:
            raise ConfigError(f"DEVICE: expected cpu or gpu, got {other!r}")


def _file(environment: Environment, name: str, default: str) -> Path:
    path = Path(environment.get(name) or MODEL_FOLDER / default).absolute()
    try:
        with path.open("rb"):
            return path
    except FileNotFoundError:
        raise ConfigError(f"{name}: file not found: {path}") from None
    except PermissionError:
        user = f"user {os.getuid()}"
        raise ConfigError(
            f"{name}: {user} has no permission to read {path}. Check its permissions"
        ) from None
    except OSError as error:
        raise ConfigError(f"{name}: cannot read {path}: {error.strerror}") from error


def _new_file(environment: Environment, name: str) -> Path | None:
    text = environment.get(name)
    if not text:
        return None
    folder = Path(text).parent
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ConfigError(f"{name}: {folder} is not a writable folder")
    return Path(text)


def _broker_url(environment: Environment) -> str:
    url = environment.get("BROKER_URL") or "redis://127.0.0.1:6379"
    # The messages leave out the URL, since it may contain a password.
    if not url.startswith(BROKER_SCHEMES):
        schemes = ", ".join(BROKER_SCHEMES)
        raise ConfigError(f"BROKER_URL: expected a URL that starts with one of {schemes}")
    try:
        urlsplit(url).port  # noqa: B018  # raises ValueError for an invalid port
    except ValueError:
        raise ConfigError(
            "BROKER_URL: invalid host or port; expected a URL such as redis://127.0.0.1:6379"
        ) from None
    return url
