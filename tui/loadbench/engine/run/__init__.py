"""The runner: performs a run in its own process.

`python -m loadbench.engine.run` reads a `RunRequest` from standard input and replies with one line
of JSON. From then on, it reports only through the journal.

- `requested`: validates a request. `prepare`: all other checks that can refuse a run; creates the
  run's folder and writes its first event.
- `sweep`: measures all outstanding cells in order, then cleans up.
- `attempt`: one attempt at a cell: scale, ramp, settle, measure, drain, report. Also assembles the
  `Sample` of each second.
- `control_loop`: writes events, handles commands and waits.
- `machine`: resource usage of the machine.
- `doctor`: checks that this machine can perform runs.

Stack and load are passed in, so tests perform runs with fakes without delay.
"""
