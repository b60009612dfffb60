"""Requests from views to the engine. Views use this package instead of drivers and the runner.

- `launch`: sends a `RunRequest` to a new runner process, to preview or to start a run. Returns a
  `RunPlan` or the folder of the run.
- `resumption`: which cells resuming a run measures.
- `holder`: the run that uses the service under test, as part of a `RunPlan`.
- `preflight`: the result of a driver's preflight, as part of a `RunPlan`.
- `stopping`: stops the runner of a live run.
- `labelling`: changes the label of a run, live or not.
- `command_rules`: the answer to a command in a given state of the run. The runner and the views
  use the same rules.
"""
