"""Studies: several runs, of one or more profiles, that answer one question together.

A study is `reports/studies/NAME/study.json`, which names its runs. Everything else is derived:

- `model`: the study as stored, its name, and how it is found.
- `members`: its runs, as far as they can be read.
- `ranking`: the configurations of all runs in one order.
- `sentences`, `doubts`, `table`: the ranking as text. `record`: as plain data.
- `ranked`: a study with its ranking, for views.
"""
