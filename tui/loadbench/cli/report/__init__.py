"""The command `report`.

`command` defines it, `forms` has one function for each form, and `result` and `recommendation`
print the tables, also for `run` and `attach`.
"""
