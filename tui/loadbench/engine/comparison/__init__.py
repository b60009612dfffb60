"""Compares runs: what differs between them, and how their results differ.

`sides` finds the runs that names stand for. `compare` computes the result in `model`: `matching`
finds the common cells, `statistics` and `variances` test their values with `student_t` and
`gamma_functions`, `differences` and `comparability` compare everything else. `sentences`,
`by_recommendation`, `table` and `record` have the result as texts and plain data.
"""
