"""What views may ask the engine for, without knowing how it is done.

`launch`: preview and start runs, by starting the runner's process; a `RunRequest` goes there, a
`RunPlan` or a folder comes back. `preflight`: what a driver found, as part of a plan.
`command_rules`: the answer to a command in a state of the run, the same for the runner that follows
it and the view that offers it.
"""
