"""Everything below the screens: define a run, perform it, record it and report it.

The packages from the top down. Each may import only those below it; import-linter enforces this.

- `run`: performs a run, in a separate process. Only the command line imports it.
- `drivers`, `load`: the service under test and the users that load it, each behind a Protocol.
- `requests`: what a viewer can ask for: start a run, preview it, check a command.
- `catalog`: the profiles and runs of a workspace, and finding one by name.
- `run_reader`: reads and follows one run.
- `report`: folds a run into the data that views and files show.
- `measure`: the arithmetic of a measurement.
- `journal`: the journal of a run: format, writer, readers.
- `profile`: the model of a profile, and the cells that it expands to.
- `process`, `hardware`, `locks`, `files`, `numbers`: helpers that know nothing about runs.

Nothing here imports Textual, Rich, Click or Locust. docs/architecture.md shows the data flow.
"""
