"""Follow a run: read its journal in a thread and share the result among its screens.

`follower` reads the journal as it grows. `watched` holds the newest view and the cell data that was
read on request. `cell_logs` caches the log lines of cells. This package does not use Textual.
"""
