"""The engine defines, executes, records and reports runs. It has no user interface.

Packages from the top layer to the bottom. Each may import only the layers below it, which
import-linter enforces.

- `run`: executes a run in a separate process. Only the command line imports it.
- `drivers`, `load`: the service under test and the load generator, each behind a Protocol.
- `requests`: requests from viewers: preview a run, start it, check a command.
- `catalog`: the profiles and runs of a workspace, with lookup of runs by name.
- `run_reader`: reads and follows one run. `run_order`: ids of runs, and their order by time.
- `report`: aggregates a run into the data shown in views and files.
- `measure`: calculations on measured values.
- `journal`: the journal of a run: format, writer, readers.
- `profile`: the profile model, and the cells of a profile.
- `process`, `hardware`, `locks`, `files`, `numbers`: helpers that do not depend on runs.

Nothing here imports Textual, Rich, Click or Locust. docs/architecture.md shows the data flow.
"""
