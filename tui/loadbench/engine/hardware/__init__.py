"""The hardware and software of this machine, as recorded with a run.

- `record`: assembles all values of `hardware` in `run_started` and `run_resumed`.
- `cpu`, `disk`, `gpu`: where these values come from; `gpu` is the only module that imports NVML.
- `readings`: reads files and values; no value that cannot be read is an error.
- `values`: limits and cleans everything that is read.
- `description`: recorded hardware as text for people.
- `versions`: versions of the software that influences the results.
"""
