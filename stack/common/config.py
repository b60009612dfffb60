"""The service's settings, all of them environment variables. Unset and empty mean the default."""

import math
import os
import socket
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
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
"""How many jobs the workers may hold together: the API has a thread for each."""
MAX_DIGITS = 9
MODEL_FOLDER = Path(__file__).resolve().parent.parent / "model"
BROKER_SCHEMES = ("redis://", "rediss://", "unix://")


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiConfig:
    """Settings of the API."""

    broker_url: str
    """BROKER_URL: `redis://host:port` or `unix://path`. Default: redis://127.0.0.1:6379."""
    max_queue: int
    """MAX_QUEUE: jobs that may wait for a worker; one more is refused with 503. Default: 256."""
    deadline_ms: int
    """DEADLINE_MS: how long a request waits for its reply before it gets 503. Default: 30000."""

    @property
    def slots(self) -> int:
        """Predictions under way at once: those that wait, and those that workers hold."""
        return self.max_queue + MAX_HELD_JOBS

    @property
    def threads(self) -> int:
        """Threads for gunicorn: some stay free for /health and refusals when all slots wait."""
        return self.slots + 16

    @classmethod
    def read(cls, environment: Environment) -> "ApiConfig":
        """Read the settings. Raises ConfigError."""
        return cls(
            broker_url=_broker_url(environment),
            max_queue=_whole(environment, "MAX_QUEUE", 256),
            deadline_ms=_whole(environment, "DEADLINE_MS", 30_000),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerConfig:
    """Settings of one worker."""

    broker_url: str
    """BROKER_URL: as for the API."""
    batch_size: int
    """BATCH_SIZE: the most images in one run of the network. Default: 1."""
    batch_wait_ms: int
    """BATCH_WAIT_MS: how long a batch that is not full waits for more. 0: not at all. Default: 5.
    Without effect when BATCH_SIZE is 1."""
    device: Device
    """DEVICE: cpu or gpu. Default: cpu."""
    gpu_memory_mb: int | None
    """GPU_MEMORY_MB: the most VRAM the network's arena takes. None: grows by need. Default: None.
    Without effect on the CPU."""
    model_threads: int
    """MODEL_THREADS: threads of one run of the network on the CPU. Default: 1."""
    model_path: Path
    """MODEL_PATH: the ONNX file. Default: the one beside the worker's code."""
    labels_path: Path
    """LABELS_PATH: a class a line, in the order of the network's outputs. Default: the one beside
    the worker's code."""
    input_side: int | None
    """INPUT_SIDE: height and width of the pictures that the network takes, in pixels. None: what
    the file says, which leaves it open only where the network takes any size. Default: None."""
    input_mean: tuple[float, ...]
    """INPUT_MEAN: what is subtracted from a pixel's value of 0…255: a number, or one for each of
    red, green and blue with commas. Default: 127."""
    input_std: tuple[float, ...]
    """INPUT_STD: what the difference is divided by, written as INPUT_MEAN. Default: 128."""
    decode_threads: int
    """DECODE_THREADS: pictures that are decoded at once, beside the network.
    Default: 1 for cpu, 4 for gpu."""
    worker_id: str
    """WORKER_ID: the name shown by /health. Default: hostname-pid."""
    heartbeat_file: Path | None
    """HEARTBEAT_FILE: touched every second once ready, for health checks. Default: none."""

    @property
    def model_name(self) -> str:
        """The model's name as people see it."""
        return self.model_path.stem

    @classmethod
    def read(cls, environment: Environment) -> "WorkerConfig":
        """Read the settings. Raises ConfigError."""
        device = _device(environment)
        return cls(
            broker_url=_broker_url(environment),
            batch_size=_whole(environment, "BATCH_SIZE", 1),
            batch_wait_ms=_whole(environment, "BATCH_WAIT_MS", 5, least=0),
            device=device,
            gpu_memory_mb=_whole_or_none(environment, "GPU_MEMORY_MB"),
            model_threads=_whole(environment, "MODEL_THREADS", 1),
            model_path=_file(environment, "MODEL_PATH", "efficientnet-lite0.onnx"),
            labels_path=_file(environment, "LABELS_PATH", "labels.txt"),
            input_side=_whole_or_none(environment, "INPUT_SIDE"),
            input_mean=_numbers(environment, "INPUT_MEAN", "127"),
            input_std=_numbers(environment, "INPUT_STD", "128", zero=False),
            decode_threads=_whole(environment, "DECODE_THREADS", 4 if device == "gpu" else 1),
            worker_id=environment.get("WORKER_ID") or f"{socket.gethostname()}-{os.getpid()}",
            heartbeat_file=_new_file(environment, "HEARTBEAT_FILE"),
        )


def read_or_exit(read: Callable[[Environment], Config]) -> Config:
    """Read settings from this process's environment; exit with one line if they are bad."""
    try:
        return read(os.environ)
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(BAD_CONFIG_EXIT) from None


def _whole(environment: Environment, name: str, default: int, *, least: int = 1) -> int:
    text = environment.get(name) or str(default)
    if not (text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS and int(text) >= least):
        raise ConfigError(f"{name} must be a whole number of at least {least}, not {text[:40]!r}")
    return int(text)


def _whole_or_none(environment: Environment, name: str) -> int | None:
    return _whole(environment, name, 0) if environment.get(name) else None


def _numbers(
    environment: Environment, name: str, default: str, *, zero: bool = True
) -> tuple[float, ...]:
    text = environment.get(name) or default
    try:
        numbers = tuple(float(part) for part in text.split(","))
    except ValueError:
        numbers = ()
    if len(numbers) not in (1, CHANNELS) or not all(
        math.isfinite(number) and (zero or number > 0) for number in numbers
    ):
        above = "" if zero else " above 0"
        raise ConfigError(
            f"{name} must be a number{above}, or three with commas for red, green and blue, "
            f"not {text!r}"
        )
    return numbers


def _device(environment: Environment) -> Device:
    match environment.get("DEVICE") or "cpu":
        case "cpu":
            return "cpu"
        case "gpu":
            return "gpu"
        case other:
            raise ConfigError(f"DEVICE must be cpu or gpu, not {other!r}")


def _file(environment: Environment, name: str, default: str) -> Path:
    path = Path(environment.get(name) or MODEL_FOLDER / default).absolute()
    try:
        with path.open("rb"):
            return path
    except FileNotFoundError:
        raise ConfigError(f"{name} must name a file: there is none at {path}") from None
    except PermissionError:
        user = f"user {os.getuid()}"
        raise ConfigError(f"{name} must name a file that {user} may read, not {path}") from None
    except OSError as error:
        raise ConfigError(f"{name} must name a file, not {path}: {error.strerror}") from error


def _new_file(environment: Environment, name: str) -> Path | None:
    text = environment.get(name)
    if not text:
        return None
    folder = Path(text).parent
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ConfigError(f"{name} must be in a folder that can be written to, not in {folder}")
    return Path(text)


def _broker_url(environment: Environment) -> str:
    url = environment.get("BROKER_URL") or "redis://127.0.0.1:6379"
    if not url.startswith(BROKER_SCHEMES):
        raise ConfigError(f"BROKER_URL must start with {', '.join(BROKER_SCHEMES)}; it is {url!r}")
    try:
        urlsplit(url).port  # noqa: B018  # it raises on what is no port
    except ValueError as error:
        raise ConfigError(f"BROKER_URL must be an address, not {url!r}: {error}") from error
    return url
