"""The command-line interface. Data goes to stdout, messages go to stderr.

`main` defines the program, its global options and the commands `run`, `attach`, `init` and
`doctor`. `profile_commands` and `run_commands` define the other commands. `run` implements
`loadbench-tui run`, `plain` prints the events of a run, `exit_codes` maps outcomes to exit codes,
and `completion` is for completion in shells.
"""
