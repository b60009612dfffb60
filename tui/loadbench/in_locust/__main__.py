"""`python -m loadbench.in_locust -f USERFILE`: Locust with extensions for measuring.

The runner starts it in the scenario's working folder and controls it over its web API. Parameters
are passed in the environment, because command lines are visible to all users of the machine.
"""

import gc

# Until all is loaded, collections find nothing, and take a sixth of the time.
gc.disable()

import os
import sys
import traceback
from types import ModuleType

# Locust imports this plugin if it is installed; user files can still import it themselves.
# https://github.com/locustio/locust/pull/2379. Remove when Locust loads plugins only on request,
# as proposed in https://github.com/locustio/locust/issues/3212.
sys.modules["locust_plugins"] = ModuleType("locust_plugins")

from locust.main import main as locust_main

del sys.modules["locust_plugins"]

from loadbench.in_locust import patches, routes
from loadbench.in_locust.recorder import Recorder
from loadbench.in_locust.replicas import Replicas
from loadbench.in_locust.scenario import options, userfile
from loadbench.in_locust.scenario.mistakes import Mistakes
from loadbench.in_locust.scenario.places import UserCode
from loadbench.in_locust.scenario.status import Status
from loadbench.in_locust.settings import Settings

gc.enable()


def main() -> None:
    """Apply the patches, add the routes and run Locust."""
    settings = Settings.from_environment(os.environ)
    scenario, code = settings.scenario, UserCode(settings.scenario.files)
    status, mistakes = Status(settings.status_fd, code), Mistakes(code)
    recorder, replicas = Recorder(main=scenario.main), Replicas()
    patches.apply(settings, recorder, replicas)
    mistakes.watch_listeners()
    userfile.install(scenario, status, mistakes, code)
    options.install(scenario, status, mistakes)
    routes.install(settings, recorder, replicas, mistakes, status)
    sys.argv += ["--web-host", "127.0.0.1", "--web-port", "0"]
    try:
        locust_main()
    except SystemExit as error:
        if not status.is_ready:
            # Locust exits if a listener has failed at the start.
            if mistakes.first:
                userfile.fail(status, mistakes.first)
            if code.place_of_error(error.__traceback__):
                userfile.fail(status, mistakes.describe(error))
        elif code.place_of_error(error.__traceback__):
            # A user has called sys.exit.
            status.fail_cell(status.cell, mistakes.describe(error))
        raise
    except Exception as error:  # noqa: BLE001  # the user's code, or Locust's that it has misused
        traceback.print_exc()
        userfile.fail(status, mistakes.describe(error))


main()
