"""Calculations on measured data. No I/O, no clock.

- `buckets`, `stages`, `server_timing`: latency histograms and the stages of a request.
- `steady`: whether a cell has settled.
- `conditions`: folds the samples of a measurement window into its conditions.
- `main_request`: the results of one name of requests.
- `rules`: one function per rule of the verdict. `limits`: the limits of these rules.
  `client_bound` and `idle`: the most complex rules, which check the load generator and the
  replicas.
  `verdict`: combines the findings of all rules.
- `bottleneck`: finds what limits a cell.

To add a rule, see `rules`. `report.verdicts` collects the input of a rule, and `report.evidence`
shows its figure next to the limit. docs/measurement.md lists every formula, limit and source.
"""
