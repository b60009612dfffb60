"""A Docker engine of a test's own, which the test can kill without disturbing other tests."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.support.harness import until

START_TIMEOUT_S = 30.0


def missing_reason() -> str | None:
    """Return the reason why no engine can be started, or None if one can be started."""
    if os.getuid() != 0:
        return "a Docker engine can only be started by root"
    missing = [name for name in ("dockerd", "ip", "nsenter", "unshare") if not shutil.which(name)]
    return f"{' and '.join(missing)} not installed" if missing else None


class OwnEngine:
    """A second engine with its own data, socket and network namespace.

    Without the namespace it would share bridges and firewall rules with the machine's own engine.
    """

    def __init__(self) -> None:
        # The paths of Unix sockets are limited to about 100 characters.
        self._folder = Path(tempfile.mkdtemp(prefix="lb-engine-"))
        self._engine: subprocess.Popen[bytes] | None = None
        # This process keeps the namespace while no engine runs.
        self._namespace = subprocess.Popen(
            ["unshare", "--net", "sh", "-c", "ip link set lo up && echo up && exec sleep infinity"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
        )
        assert self._namespace.stdout is not None
        assert self._namespace.stdout.readline() == b"up\n"
        self.start()

    @property
    def prefix(self) -> list[str]:
        """Start of a command line that runs where published ports are reachable."""
        return ["nsenter", f"--net=/proc/{self._namespace.pid}/ns/net"]

    @property
    def host(self) -> str:
        """Value for `DOCKER_HOST`."""
        return f"unix://{self._folder}/docker.sock"

    def start(self) -> None:
        """Start the engine, also after `kill`, and wait until it answers."""
        # A killed engine leaves files behind that stop the next one from starting.
        for pattern in ("docker.*", "exec/containerd/*.pid", "exec/containerd/*.sock*"):
            for file in self._folder.glob(pattern):
                file.unlink()
        options = {
            "host": self.host,
            "data-root": self._folder / "data",
            "exec-root": self._folder / "exec",
            "pidfile": self._folder / "docker.pid",
            "containerd-namespace": "loadbench-test",
            "containerd-plugins-namespace": "loadbench-test-plugins",
        }
        flags = [f"--{name}={value}" for name, value in options.items()]
        with (self._folder / "log").open("ab") as log:
            self._engine = subprocess.Popen(
                [*self.prefix, "dockerd", *flags],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        until(self._answers, within_s=START_TIMEOUT_S, what=f"an engine at {self.host}")

    def copy_image(self, name: str) -> None:
        """Copy an image from the default engine."""
        file = self._folder / "image.tar"
        subprocess.run(["docker", "save", "--output", file, name], check=True)
        self.docker("load", "--input", str(file))
        file.unlink()

    def docker(self, *arguments: str) -> str:
        """Run a `docker` command on this engine, and return its output."""
        command = ["docker", "--host", self.host, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    def kill(self) -> None:
        """Kill the engine with SIGKILL. Its containers keep running."""
        assert self._engine is not None
        self._engine.kill()
        self._engine.wait()
        self._engine = None

    def close(self) -> None:
        """Remove all containers, stop the engine and remove its data."""
        if self._engine is None:
            self.start()
        if ids := self.docker("ps", "--all", "--quiet").split():
            self.docker("rm", "--force", *ids)
        # Without containers, there is nothing to shut down.
        self.kill()
        self._namespace.kill()
        self._namespace.communicate()
        # A killed engine does not unmount its data.
        subprocess.run(["umount", str(self._folder / "data")], stderr=subprocess.DEVNULL)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _answers(self) -> bool:
        assert self._engine is not None
        assert self._engine.poll() is None, (self._folder / "log").read_text()[-2000:]
        command = ["docker", "--host", self.host, "info"]
        return subprocess.run(command, capture_output=True).returncode == 0
