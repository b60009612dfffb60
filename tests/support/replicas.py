"""Requests to two replicas, as a cell records them."""

from loadbench.engine.journal.events import ErrorCount, ReplicaRequests

ERRORS = (ErrorCount(error="code=503", count=10),)


def replicas() -> tuple[ReplicaRequests, ...]:
    """Return 200 requests to each of two replicas, of which the second failed 10."""
    return (
        ReplicaRequests(name="api-1", host="http://127.0.0.1:32775", successes=((10.0, 200),)),
        ReplicaRequests(
            name="api-2",
            host="http://127.0.0.1:32776",
            successes=((12.0, 190),),
            failures=((2.0, 10),),
        ),
    )
