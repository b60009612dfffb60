"""Requests of views to the engine. Views use this package instead of drivers and the runner.

- `launch`: previews and starts runs in the process of the runner. Takes a `RunRequest`; returns a
  `RunPlan` or the folder of the run.
- `preflight`: the result of a driver's preflight, as part of a `RunPlan`.
- `command_rules`: the answer to a command in a given state of the run. The runner and the views
  apply the same rules.
"""
