"""Environment variables of the bundled API and models, set from a profile by any driver."""

from difflib import get_close_matches

from loadbench.engine.profile.driver_settings import StartedSettings
from loadbench.engine.profile.model import Profile

SET_BY_KEYS = {
    "DEVICE": "device",
    "BATCH_SIZE": "batch_size",
    "MODEL_THREADS": "stack.model_threads",
    "GPU_MEMORY_MB": "stack.gpu_memory_mb",
    "BROKER_URL": "the driver",
    "BROKER_PASSWORD": "the driver",
    "WORKER_ID": "the driver",
    "HEARTBEAT_FILE": "the driver",
    "PYTHONPATH": "the driver",
}
"""Variables that `stack.environment` must not set, each with the key or driver that sets it."""

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
"""Variables that only a profile's `stack.environment` may set."""


def conflicting_variables(settings: StartedSettings) -> list[str]:
    """Return one error message for each variable that `stack.environment` must not set."""
    return [
        f"stack.environment: {variable} is set by {SET_BY_KEYS[variable]}; remove it here"
        for variable in settings.environment
        if variable in SET_BY_KEYS
    ]


def unknown_variables(settings: StartedSettings) -> list[str]:
    """Return one warning for each variable that the bundled service does not read."""
    known = (*SET_BY_KEYS, *SET_BY_PROFILES)
    found = []
    for variable in settings.environment:
        if variable not in known:
            similar = get_close_matches(variable.upper(), known, 1)
            hint = f"; did you mean {similar[0]}?" if similar else ""
            found.append(f"stack.environment: the bundled service has no variable {variable}{hint}")
    return found


def service_settings(profile: Profile, settings: StartedSettings) -> dict[str, str]:
    """Return the environment variables with which a profile configures the bundled service.

    Args:
        profile: The profile to run.
        settings: Its driver settings.
    """
    vram = settings.gpu_memory_mb
    # Shorter than the client's timeout, so that the client receives a 503 for a late request.
    deadline_ms = int(profile.load.timeout * 900)
    return {
        "DEVICE": profile.device,
        "BATCH_SIZE": str(profile.batch_size),
        "MODEL_THREADS": str(settings.model_threads),
        "GPU_MEMORY_MB": "" if vram is None else str(vram),
        "DEADLINE_MS": str(max(1, deadline_ms)),
        **settings.environment,
    }
