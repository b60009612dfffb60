"""The `local` driver: broker, API and models as processes on this machine, without Docker.

The processes run the code in `stack/`. Each has a supervisor, which terminates it when the runner
exits.
"""
