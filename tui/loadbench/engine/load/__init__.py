"""The load generator: a Protocol and its implementation with Locust.

`protocol` is the interface for the runner; `locust` starts the Locust process and controls it over
its web API; `wire` defines the names that both sides of the API use. `loadbench.in_locust` contains
the code that runs inside the Locust process.
"""
