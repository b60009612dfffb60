"""The names that the runner and Locust's process speak to each other with."""

TOKEN_HEADER = "X-Loadbench-Token"  # noqa: S105  # the name of a header, not a token
TOKEN_VARIABLE = "LOADBENCH_TOKEN"  # noqa: S105  # the name of a variable, not a token
READY_FD_VARIABLE = "LOADBENCH_READY_FD"
TIMEOUT_VARIABLE = "LOADBENCH_TIMEOUT_S"
IMAGES_VARIABLE = "LOADBENCH_IMAGES"
"""The shipped locustfile reads this one by its name, to run under plain Locust too."""

CELL_OPTION = "loadbench_cell"
STATE_PATH = "/loadbench/state"
MEASURE_PATH = "/loadbench/measure"
RESULT_PATH = "/loadbench/result"
