"""`new` and `doctor PROFILE` with a real Compose. No container is started."""

import yaml

from tests.support.docker_harness import DockerBench


def test_a_first_profile_is_valid_and_described(foreign: DockerBench) -> None:
    written = foreign.call("new", str(foreign.root / "foreign"), "--name", "first")

    assert written.returncode == 0, written.stderr
    assert "first: valid, 6 cells" in written.stdout
    profile = yaml.safe_load((foreign.root / "profiles" / "first.yaml").read_text())
    assert profile["stack"] == {
        "driver": "compose",
        "compose": ["foreign/compose.yaml"],
        "service": "app",
        "port": "gateway:8080",
        "health": "/",
    }
    assert profile["load"] == {"locustfile": "foreign/user.py"}

    checked = foreign.call("doctor", "first")

    assert checked.returncode == 0, checked.stdout
    assert "receives the requests" in checked.stdout
    assert "port 8080 of gateway (from stack.port), balance: front" in checked.stdout
    assert "users: Reader" in checked.stdout
    assert foreign.left() == []


def test_a_missing_env_file_does_not_end_the_checks(foreign: DockerBench) -> None:
    foreign.change_foreign_services(app={"env_file": "missing.env"})

    checked = foreign.call("doctor", "theirs")

    assert checked.returncode == 3
    assert "missing.env not found" in checked.stdout
    assert "scaled" in checked.stdout
    assert "1 problem found" in checked.stderr
