"""Everything below the screens: what a run is, how it is performed, what is said of it.

The packages from the top down; each may use those below it, and import-linter holds that:

- `run`: performing a run, in a process of its own. Nothing imports it but the command line.
- `drivers`, `load`: the service under test and the users on it, each behind one Protocol.
- `requests`: what views may ask for: start a run, preview it, judge a command.
- `catalog`: the profiles and runs of a workspace, and finding one by its name.
- `run_reader`: reading and following one run.
- `report`: folds of a run to data that views and files show.
- `measure`: the arithmetic of a measurement.
- `journal`: a run as it is written and read.
- `profile`: what a profile says, and the cells that it makes.
- `process`, `hardware`, `locks`, `files`, `numbers`: small tools that know nothing of runs.

Nothing here imports Textual, Rich, Click or Locust. docs/architecture.md draws how data flows.
"""
