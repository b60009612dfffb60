"""The environment variables that our own API and models get from a profile, whatever the driver."""

from difflib import get_close_matches

from loadbench.engine.profile.driver_settings import StartedSettings
from loadbench.engine.profile.model import Profile

SET_BY_KEYS = {
    "DEVICE": "device",
    "BATCH_SIZE": "batch_size",
    "MODEL_THREADS": "stack.model_threads",
    "GPU_MEMORY_MB": "stack.gpu_memory_mb",
    "BROKER_URL": "the driver",
    "WORKER_ID": "the driver",
    "HEARTBEAT_FILE": "the driver",
    "PYTHONPATH": "the driver",
}
"""Variables of the services that `stack.environment` must not contradict, and who sets them."""

SET_BY_PROFILES = (
    "MAX_QUEUE",
    "DEADLINE_MS",
    "BATCH_WAIT_MS",
    "DECODE_THREADS",
    "MODEL_PATH",
    "LABELS_PATH",
    "INPUT_SIDE",
    "INPUT_MEAN",
    "INPUT_STD",
)
"""Variables of the services that a profile's `stack.environment` alone may set."""


def contradictions(settings: StartedSettings) -> list[str]:
    """Return what `stack.environment` sets that is not for it to set, a sentence each."""
    return [
        f"stack.environment: {variable} is set by {SET_BY_KEYS[variable]}; remove it from here"
        for variable in settings.environment
        if variable in SET_BY_KEYS
    ]


def strangers(settings: StartedSettings) -> list[str]:
    """Return what `stack.environment` sets that our service does not read, a sentence each."""
    known = (*SET_BY_KEYS, *SET_BY_PROFILES)
    found = []
    for variable in settings.environment:
        if variable not in known:
            like = get_close_matches(variable.upper(), known, 1)
            meant = f"; is {like[0]} meant?" if like else ""
            found.append(f"stack.environment: our service has no variable {variable}{meant}")
    return found


def service_settings(profile: Profile, settings: StartedSettings) -> dict[str, str]:
    """Return the variables that a profile sets.

    Args:
        profile: What is to be run.
        settings: What it asks of its driver.
    """
    vram = settings.gpu_memory_mb
    # Shorter than the client's patience, so that a late answer is the service's own 503.
    deadline_ms = int(profile.load.timeout * 900)
    return {
        "DEVICE": profile.device,
        "BATCH_SIZE": str(profile.batch_size),
        "MODEL_THREADS": str(settings.model_threads),
        "GPU_MEMORY_MB": "" if vram is None else str(vram),
        "DEADLINE_MS": str(max(1, deadline_ms)),
        **settings.environment,
    }
