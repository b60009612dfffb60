"""The command `report`: `command` defines it; `result` and `recommendation` print a run."""
