"""The password of the broker: read from BROKER_PASSWORD, and never printed."""

import pytest

from common.config import ApiConfig, WorkerConfig
from common.errors import ConfigError
from tests.support.stack_harness import Stack, image, until

PASSWORD = "-correct_horse battery $taple"


@pytest.fixture
def protected(stack: Stack) -> Stack:
    """A stack whose broker requires a password. Connections of its own client stay valid."""
    with stack.broker.client() as client:
        client.config_set("requirepass", PASSWORD)
    return stack


def test_the_service_uses_the_password_and_does_not_print_it(protected: Stack) -> None:
    api = protected.start_api(BROKER_PASSWORD=PASSWORD)
    worker = protected.start_ready_worker(BROKER_PASSWORD=PASSWORD)

    assert protected.post(image("cat")).json()["label"] == "Egyptian cat"

    for program in (worker, api):
        assert program.end() == 0
        assert PASSWORD not in program.log_text()


@pytest.mark.parametrize("wrong", ["", "guess"])
def test_a_wrong_password_is_reported_without_the_password(protected: Stack, wrong: str) -> None:
    protected.start_api(BROKER_PASSWORD=wrong)
    worker = protected.start_worker(BROKER_PASSWORD=wrong)

    until(lambda: "waiting for the broker: " in worker.log_text())
    health = protected.health()

    assert health.status_code == 503
    expected = "invalid username-password pair" if wrong else "Authentication required"
    assert expected in worker.log_text()
    assert not wrong or wrong not in worker.log_text() + health.text


def test_a_password_for_a_broker_without_one_is_reported(stack: Stack) -> None:
    worker = stack.start_worker(BROKER_PASSWORD=PASSWORD)
    until(lambda: "waiting for the broker: " in worker.log_text())
    assert "without any password configured" in worker.log_text()
    assert PASSWORD not in worker.log_text()


def test_settings_do_not_show_the_password() -> None:
    environment = {"BROKER_PASSWORD": PASSWORD}
    for config in (ApiConfig.read(environment), WorkerConfig.read(environment)):
        assert config.broker_password == PASSWORD
        assert PASSWORD not in repr(config)


@pytest.mark.parametrize(
    "url",
    ["http://:hidden@x", "redis://:hidden@x:99999", "redis://:hidden", "redis://:hidden#x@[::1"],
)
def test_an_invalid_url_is_reported_without_its_password(url: str) -> None:
    with pytest.raises(ConfigError, match="BROKER_URL: ") as refused:
        WorkerConfig.read({"BROKER_URL": url})
    assert "hidden" not in str(refused.value)
