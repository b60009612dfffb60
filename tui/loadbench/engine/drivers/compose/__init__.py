"""The `compose` driver: a service in containers, started and scaled with Docker Compose.

`project` reads the Compose project; `override_file` generates the override file of a run. `client`
runs Compose commands with time limits and is the only module that imports python-on-whales.
`messages` shortens the output of Compose, `faults` explains container failures, `leftovers` finds
and removes containers of earlier runs. `stack` combines these modules.
"""
