"""The `compose` driver: a service in containers, started and scaled by Docker Compose.

`files` reads the compose files, by Compose itself; `override_file` makes the override of a run.
`client` is the only module that imports python-on-whales: config, build, pull, up, down, each with
a time limit. `messages` shortens what Compose prints, `faults` explains what containers did,
`leftovers` finds and removes containers of runs that have ended. `stack` puts these
together.
"""
