"""The command line. stdout is data, stderr is talk.

`main` has the program's options, and the commands that open a screen; `profile_commands` and
`run_commands` have those that print. `run` is what `run` does; `plain` follows a run in lines;
`exit_codes` says what an exit code means and which takes precedence.
"""
