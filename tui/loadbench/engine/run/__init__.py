"""Performing a run: the runner's own process.

`python -m loadbench.engine.run` reads a `RunRequest` from standard input, answers with one line of
JSON, and speaks through the journal alone from then on.

- `requested`: what a request carries, checked. `prepare`: everything else that may refuse a run,
  then its folder and the first event.
- `sweep`: every outstanding cell, one after the other, and the clean-up at the end.
- `attempt`: one attempt at a cell: scale, ramp, settle, measure, drain, report; a second's `Sample`
  is put together here.
- `control_loop`: where events go out, commands come in, and waiting is done.
- `machine`: how busy this machine is meanwhile.
- `doctor`: can this machine do the job?

A stack and a load are given to it, so tests perform runs with fakes in no time.
"""
