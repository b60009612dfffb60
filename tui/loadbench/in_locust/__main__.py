"""`python -m loadbench.in_locust -f USERFILE`: Locust with extensions for measuring.

The runner starts it in the user file's folder and controls it over its web API. Parameters are
passed in the environment, because command lines are visible to all users of the machine.
"""

import os
import sys
from types import ModuleType

# An inherited LOCUST_HEADLESS=1 would disable the web API. Must precede the import of locust.
# No upstream issue known (searched 2026-11). Remove when Locust can ignore its environment.
for _name in [name for name in os.environ if name.startswith("LOCUST_")]:
    del os.environ[_name]
# Locust imports this plugin if it is installed; user files can still import it themselves.
# https://github.com/locustio/locust/pull/2379. Remove when Locust loads plugins only on request,
# as proposed in https://github.com/locustio/locust/issues/3212.
sys.modules["locust_plugins"] = ModuleType("locust_plugins")

from locust.main import main as locust_main  # noqa: E402  # after the changes above

del sys.modules["locust_plugins"]

from loadbench.in_locust import patches, routes, userfile  # noqa: E402  # as above
from loadbench.in_locust.recorder import Recorder  # noqa: E402  # as above
from loadbench.in_locust.replicas import Replicas  # noqa: E402  # as above
from loadbench.in_locust.settings import Settings  # noqa: E402  # as above


def main() -> None:
    """Apply the patches, add the routes and run Locust."""
    settings = Settings.from_environment(os.environ)
    recorder, replicas = Recorder(), Replicas()
    patches.apply(settings, recorder, replicas)
    userfile.report_errors(settings)
    routes.install(settings, recorder, replicas)
    sys.argv += ["--web-host", "127.0.0.1", "--web-port", "0", "--loglevel", "INFO"]
    locust_main()


main()
