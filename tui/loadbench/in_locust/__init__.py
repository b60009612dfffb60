"""Code that runs inside the Locust process.

Only this package imports locust, and no other package imports this one. `python -m
loadbench.in_locust` runs Locust with extensions for measuring: `patches` (changes to Locust, each
with its reason), `routes` (additions to its web API), `recorder`, `window` and `tally` (counts of
requests), `names` (limits of distinct names), `observed` (failures before the window and unusual
events), `clean` (cleaning of values from user code), `replicas` (addresses of users),
`event_loop_lag` (lag of Locust's event loop), `scenario` (the locustfiles and their mistakes) and
`settings` (parameters from the runner).
"""
