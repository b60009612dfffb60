"""How the service under test is started, scaled, watched and taken down.

`protocol` has what the rest of the program sees: a `Driver`, which answers whether it can run a
profile here (by a `Preflight`), and the `Stack` that it opens. `registry` finds a driver by
name and tries them in order for `auto`; nobody else compares names.

- `compose`, `local`, `external`: a folder a driver. They know nothing of each other.
- `docker`: the engine from outside, without Compose: asked, followed, inspected.
- `health`, `metrics`: readiness and metrics of any service, by its URLs.
- `our_service`: the environment variables of the service in `stack/`.
- `requirements`: what more than one driver needs of a machine.
- `stack_log`: the run's `stack.log`.

To add a driver: its settings in `profile/driver_settings.py` and their place in `SETTINGS`; its
name at `stack.driver` in `profile/model.py`; a folder here with a `driver.py`; its place in
`registry.py`; its folder in the layers of `pyproject.toml`.
"""
