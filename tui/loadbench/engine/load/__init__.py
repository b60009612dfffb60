"""What puts users on the service: one Protocol, and Locust behind it.

`protocol` is what the runner sees; `locust` starts Locust's process and drives it over its web API;
`wire` has the names that both sides of that API use. What runs inside Locust's process is
`loadbench.in_locust`.
"""
