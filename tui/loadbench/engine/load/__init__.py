"""The load generator: a Protocol and its implementation with Locust.

`protocol` is the interface for the runner; `scenario` is what Locust executes, and `source` analyses
the locustfiles. `locust` controls Locust over its web API; `locust_process` starts it, `status` is
what it reports meanwhile, and `activity` its CPU usage. `wire` defines the names that both sides of the API use. `loadbench.in_locust` contains
the code that runs inside the Locust process.
"""
