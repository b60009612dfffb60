"""`python -m loadbench.in_locust -f USERFILE`: Locust, made fit to measure with.

The runner starts it in the user file's folder and speaks to it over its web API alone. What the
runner must tell it comes in the environment, since a command line can be read by every user of
the machine.
"""

import os
import sys
from types import ModuleType

# A stray LOCUST_HEADLESS=1 would take the web API away, so this must come before the import.
# No upstream issue known (searched 2026-11). Can go when Locust can ignore its environment.
for _name in [name for name in os.environ if name.startswith("LOCUST_")]:
    del os.environ[_name]
# Locust imports this plugin wherever it is installed; a user file may still do so itself.
# https://github.com/locustio/locust/pull/2379. Can go when Locust loads plugins on request only,
# as https://github.com/locustio/locust/issues/3212 proposes.
sys.modules["locust_plugins"] = ModuleType("locust_plugins")

from locust.main import main as locust_main  # noqa: E402  # after what stands above

del sys.modules["locust_plugins"]

from loadbench.in_locust import patches, routes, userfile  # noqa: E402  # as above
from loadbench.in_locust.recorder import Recorder  # noqa: E402  # as above
from loadbench.in_locust.settings import Settings  # noqa: E402  # as above


def main() -> None:
    """Apply the patches, add the routes, and be Locust from then on."""
    settings = Settings.take(os.environ)
    recorder = Recorder()
    patches.apply(settings, recorder)
    userfile.report_mistakes(settings)
    routes.install(settings, recorder)
    sys.argv += ["--web-host", "127.0.0.1", "--web-port", "0", "--loglevel", "INFO"]
    locust_main()


main()
