"""Names of headers, environment variables and paths, shared by the runner and Locust."""

TOKEN_HEADER = "X-Loadbench-Token"  # noqa: S105  # the name of a header, not a token
TOKEN_VARIABLE = "LOADBENCH_TOKEN"  # noqa: S105  # the name of a variable, not a token
STATUS_FD_VARIABLE = "LOADBENCH_STATUS_FD"
"""File descriptor of the pipe on which Locust reports its status, one JSON object per line."""

TIMEOUT_VARIABLE = "LOADBENCH_TIMEOUT_S"
CLIENTS_VARIABLE = "LOADBENCH_CLIENTS"
"""Headers and TLS settings of Locust's clients, as JSON."""

SCENARIO_VARIABLE = "LOADBENCH_SCENARIO"
"""The locustfiles with their options, tags and user classes, as JSON."""

IMAGES_VARIABLE = "LOADBENCH_IMAGES"
"""The bundled locustfile also reads this variable by name, so that it runs under plain Locust."""

CELL_OPTION = "loadbench_cell"
REPLICAS_OPTION = "loadbench_replicas"
"""Base URLs of the replicas as a JSON list. Empty if all requests go to one address."""
STATE_PATH = "/loadbench/state"
MEASURE_PATH = "/loadbench/measure"
RESULT_PATH = "/loadbench/result"
SAMPLES_PATH = "/loadbench/samples"
END_PATH = "/loadbench/end"

IMPORT, INIT, TEST_START, TEST_STOP = "import", "init", "test_start", "test_stop"
"""Phases in which Locust executes code of the locustfile outside of users."""
