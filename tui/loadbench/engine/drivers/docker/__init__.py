"""Access to the Docker engine through its command line, without Compose.

`client` runs commands; `monitor` tracks the state of a project's containers with events and
`docker inspect`; `cgroups`, `network` and `gpu` read their resource use from the kernel and from
NVML;
`log_follower` writes their log output to the run's `stack.log`; `facts` describes the engine and
its machine for the journal.
"""
