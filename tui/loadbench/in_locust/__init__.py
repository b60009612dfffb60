"""What runs inside Locust's process: the only code that imports locust; nobody imports it.

`python -m loadbench.in_locust` is Locust, made fit to measure with: `patches` (what is changed in
Locust, each with its reason), `routes` (what is added to its web API), `recorder` and `tally` (what
is counted), `clean` (the one place where values of user code are cleaned), `beat` (event-loop lag),
`userfile` (a mistake in the locustfile as one sentence), `settings` (what the runner hands over).
"""
