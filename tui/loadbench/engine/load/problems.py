"""Messages about failed requests to Locust."""

from collections.abc import Mapping

from loadbench.engine.bounds.parsing import BadInputError
from loadbench.engine.bounds.texts import one_line
from loadbench.engine.load.locust_process import MAX_MESSAGE_CHARACTERS
from loadbench.errors import LoadLostError


def endpoint_of(path: str, fields: Mapping[str, str] | None) -> str:
    """Return the method and path of a request for a message, without its query."""
    return f"{'GET' if fields is None else 'POST'} {path.partition('?')[0]}"


def unusable(endpoint: str, error: BadInputError) -> LoadLostError:
    """Return the error for a response that cannot be parsed."""
    problem = one_line(str(error), MAX_MESSAGE_CHARACTERS)
    return LoadLostError(f"unusable response from Locust to {endpoint}: {problem}")
