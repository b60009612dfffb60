"""Code that runs inside the Locust process.

Only this package imports locust, and no other package imports this one. `python -m
loadbench.in_locust` runs Locust with extensions for measuring: `patches` (changes to Locust, each
with its reason), `routes` (additions to its web API), `recorder` and `tally` (counts of requests),
`clean` (cleaning of values from user code), `replicas` (addresses of users), `event_loop_lag` (lag
of Locust's event loop), `userfile` (loading of locustfiles), `options` and `arguments` (their
command-line options), `user_classes` (tags and hosts), `mistakes` and `places` (exceptions of the
user's code and their lines), `status` (what the runner waits for) and `settings` (parameters from
the runner).
"""
