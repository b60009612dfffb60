"""What pages show, as plain data that the templates arrange.

- `tables`: a table for the templates. `cells`: the table of cells. `failures`: findings, failures
  and errors. `facts`: machine, software and target.
- `run_page`, `study_page`: everything on the page of a run, and of a study. `times`: times as text.
"""
