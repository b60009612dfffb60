"""Settings of gunicorn for the API.

With `stack` as a source root:

    python -m gunicorn -c python:api.gunicorn_conf --bind 127.0.0.1:8000 'api.app:create_app()'

`--bind fd://N` takes a listening socket that the caller has bound already.
"""

import resource
import sys

from common.config import ApiConfig, read_or_exit

ENOUGH_FILES = 65_536

_config = read_or_exit(ApiConfig.read)

# One process and many threads: a prediction waits in a thread without working, and the threads
# outnumber the predictions that may be under way, so refusals and /health do not queue behind them.
worker_class = "gthread"
workers = 1
threads = _config.threads
worker_connections = threads + 4096

# Longer than load generators pause, so that no connection closes under a request.
keepalive = 75
graceful_timeout = 8
loglevel = "warning"
control_socket_disable = True


def on_starting(_server: object) -> None:
    """Allow a file for each client and each waiting prediction, where the system lets us."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = ENOUGH_FILES if hard == resource.RLIM_INFINITY else min(ENOUGH_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def when_ready(_server: object) -> None:
    """Say once that requests are taken."""
    sys.stderr.write(f"ready: threads={threads} max_queue={_config.max_queue}\n")
