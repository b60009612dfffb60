"""The command line. Data goes to stdout, messages go to stderr.

`main` defines the program, its global options and the commands that open a screen.
`profile_commands` and `run_commands` define the commands that only print. `run` implements
`loadbench-tui run`, `plain` follows a run line by line, `exit_codes` maps outcomes to exit codes.
"""
