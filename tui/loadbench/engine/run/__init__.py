"""The runner: executes a run in a separate process.

`python -m loadbench.engine.run` reads a `RunRequest` from standard input and replies with one line
of JSON. After that, it reports only through the journal.

- `requested`: validates a request. `prepare`: runs all other checks that can refuse a run, creates
  the run's folder and writes its first event.
- `sweep`: measures all remaining cells in order, then cleans up.
- `attempt`: one attempt at a cell: scale, ramp, settle, measure, drain, report. Also assembles the
  `Sample` of each second.
- `control_loop`: writes events, handles commands and waits.
- `machine`: resource usage of the machine.
- `doctor`: checks that this machine can execute runs.

The stack and the load generator are passed in, so that tests can use fakes without delays.
"""
