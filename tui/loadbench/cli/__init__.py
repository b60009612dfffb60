"""The command line. stdout is data, stderr is talk.

`main` has the commands; `run` is what `run` does; `plain` follows a run in lines; `exit_codes` says
what an exit code means and which takes precedence. The only code above the screens and the engine.
"""
