"""Access to the Docker engine through its command line, without Compose.

`client` runs commands; `monitor` keeps the state of a project's containers up to date, from events
and `docker inspect`; `cgroups` and `gpu` read their resource use from the kernel and from NVML;
`log_follower` writes their log output to the run's `stack.log`.
"""
