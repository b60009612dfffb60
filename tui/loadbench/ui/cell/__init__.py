"""One cell of a run: its charts, statistics, verdict, evidence, failures and log lines."""
