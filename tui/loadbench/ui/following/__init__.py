"""Follow a run: read its journal in a thread and keep the result for all its screens. No Textual.

`follower` reads the journal as it grows; `watched` keeps the newest view and the data of cells that
were read on request; `cell_logs` keeps the log lines of cells.
"""
