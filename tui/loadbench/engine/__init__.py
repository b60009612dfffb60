"""The engine: everything that plans, performs, records and reports a run. Knows no screen."""
