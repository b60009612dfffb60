"""`profiles --schema`."""

from click.testing import CliRunner

from loadbench.cli.main import main
from loadbench.engine.profile.schema import schema_text


def test_profiles_prints_the_schema() -> None:
    result = CliRunner().invoke(main, ["profiles", "--schema"])

    assert (result.exit_code, result.output) == (0, schema_text())


def test_keys_and_schema_cannot_be_combined() -> None:
    result = CliRunner().invoke(main, ["profiles", "--schema", "--keys"])

    assert result.exit_code != 0
    assert "--keys and --schema cannot be combined" in str(result.output) + str(result.exception)
