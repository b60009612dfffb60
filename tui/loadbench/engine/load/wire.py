"""Names shared by the runner and the Locust process: headers, variables and paths."""

TOKEN_HEADER = "X-Loadbench-Token"  # noqa: S105  # the name of a header, not a token
TOKEN_VARIABLE = "LOADBENCH_TOKEN"  # noqa: S105  # the name of a variable, not a token
READY_FD_VARIABLE = "LOADBENCH_READY_FD"
TIMEOUT_VARIABLE = "LOADBENCH_TIMEOUT_S"
IMAGES_VARIABLE = "LOADBENCH_IMAGES"
"""The shipped locustfile reads this variable by name, so that it also runs under plain Locust."""

CELL_OPTION = "loadbench_cell"
STATE_PATH = "/loadbench/state"
MEASURE_PATH = "/loadbench/measure"
RESULT_PATH = "/loadbench/result"
