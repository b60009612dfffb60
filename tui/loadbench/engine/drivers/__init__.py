"""Drivers: how the service under test is started, scaled, monitored and shut down.

`protocol` defines the interface that the rest of the program uses. A `Driver` runs the preflight of
a profile on this machine and opens a `Stack`. `registry` finds a driver by name and tries several
for `auto`; no other module compares driver names.

- `compose`, `local`, `external`: one package per driver. They do not import each other.
- `docker`: the Docker engine, accessed through its command line, without Compose.
- `health`, `metrics`: readiness and metrics of any service, polled over HTTP.
- `our_service`: environment variables of the bundled service in `stack/`.
- `requirements`: machine requirements that several drivers share.
- `stack_log`: the writer of a run's `stack.log`.

To add a driver: add its settings class to `profile/driver_settings.py` and to `SETTINGS` there; add
its name to `stack.driver` in `profile/model.py`; create a package here with a `driver.py`; register
it in `registry.py`; add the package to the layers in `pyproject.toml`.
"""
