"""The load generator: a Protocol and its implementation with Locust.

`protocol` is the interface for the runner. `scenario` is what Locust executes; `source` analyses
the locustfiles. `locust` controls Locust over its web API; `locust_process` starts it, `log_file`
is its log, `status` what it reports, and `activity` its CPU usage. `answers` parses its messages,
and `wire` defines the names that both sides use. `loadbench.in_locust` contains the code that runs
inside the Locust process.
"""
