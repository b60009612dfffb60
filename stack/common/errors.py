"""Errors of the service. A message states what is wrong and how to fix it."""


class StackError(Exception):
    """Base class of all errors of the service."""


class ConfigError(StackError):
    """An environment variable has an invalid value."""


class DeviceError(StackError):
    """The configured device cannot run the model."""


class ImageError(StackError):
    """The bytes of a job are not a valid image."""


class UnavailableError(StackError):
    """The service is temporarily unavailable."""


class BrokerError(UnavailableError):
    """The broker did not respond, or returned an error."""


class QueueFullError(UnavailableError):
    """The queue already has the maximum number of waiting jobs."""


class BusyError(UnavailableError):
    """The maximum number of requests is already in flight."""


class NoWorkerError(UnavailableError):
    """No worker is ready."""


class DeadlineError(UnavailableError):
    """No reply arrived before the deadline."""
