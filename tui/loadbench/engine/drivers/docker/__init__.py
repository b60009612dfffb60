"""The Docker engine from outside, by its command line; no Compose.

`client` asks and follows commands; `monitor` keeps the containers of a project known at every
moment, from events and `inspect`; `cgroups` and `gpu` tell what they use, from the kernel and NVML;
`log_follower` writes their output to the run's `stack.log`.
"""
