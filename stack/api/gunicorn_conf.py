"""gunicorn settings for the API.

To start the API, run in the folder `stack`:

    python -m gunicorn -c python:api.gunicorn_conf --bind 127.0.0.1:8000 'api.app:create_app()'

`--bind fd://N` uses a listening socket that the caller has already bound.
"""

import resource
import sys

from common.config import ApiConfig, read_or_exit

MAX_OPEN_FILES = 65_536

_config = read_or_exit(ApiConfig.read)

# One process with many threads: a thread only waits for its prediction. There are more threads than
# concurrent predictions, so that error responses and /health never queue behind them.
worker_class = "gthread"
workers = 1
threads = _config.threads
worker_connections = threads + 4096

# Longer than the wait times of load generators, so that the server does not close a connection
# while the next request is in transit.
keepalive = 75
graceful_timeout = 8
loglevel = "warning"
control_socket_disable = True


def on_starting(_server: object) -> None:
    """Raise the limit of open files: each client and each waiting prediction uses one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = MAX_OPEN_FILES if hard == resource.RLIM_INFINITY else min(MAX_OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < limit:
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))


def when_ready(_server: object) -> None:
    """Log that the API accepts requests."""
    sys.stderr.write(f"ready: threads={threads} max_queue={_config.max_queue}\n")
