"""Everything that can go wrong here and is not a bug. A message says what, and what to do."""


class StackError(Exception):
    """Root of the errors of this service."""


class ConfigError(StackError):
    """An environment variable has a value that cannot be used."""


class DeviceError(StackError):
    """The device that was asked for cannot run the network."""


class ImageError(StackError):
    """The bytes of a job are not a picture."""


class UnavailableError(StackError):
    """The service cannot answer now, and may later."""


class BrokerError(UnavailableError):
    """The broker did not answer, or refused."""


class QueueFullError(UnavailableError):
    """As many jobs wait as may."""


class BusyError(UnavailableError):
    """As many requests are under way as there may be at once."""


class NoWorkerError(UnavailableError):
    """Nobody would take the job."""


class DeadlineError(UnavailableError):
    """No reply came in time."""
