"""Completion in shells: the script, its installation, and the names that it completes."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from loadbench.cli.commands import PROGRAM
from loadbench.cli.completion.command import SHELLS, VARIABLE
from loadbench.cli.completion.names import MAX_RUNS
from loadbench.cli.main import main
from tests.support.builders import make_profile, run_started, write_journal
from tests.support.harness import Bench

Complete = Callable[..., list[str]]

FILES = {
    "bash": ".local/share/bash-completion/completions/loadbench-tui",
    "zsh": ".zfunc/_loadbench-tui",
    "fish": ".config/fish/completions/loadbench-tui.fish",
}
VARIABLES = ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "BASH_COMPLETION_USER_DIR", "ZDOTDIR")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench.make(tmp_path / "bench", name="fast")


@pytest.fixture
def complete(bench: Bench) -> Complete:
    """Return a function that completes the last of some words, as a shell does."""

    def completed(*words: str, shell: str = "bash") -> list[str]:
        line = [PROGRAM, "--workspace", str(bench.root), *words]
        environment = {
            VARIABLE: f"{shell}_complete",
            "COMP_WORDS": " ".join(line),
            "COMP_CWORD": words[-1] if shell == "fish" else str(len(line) - 1),
        }
        result = CliRunner(env=environment).invoke(main, [], prog_name=PROGRAM)
        assert result.exit_code == 0, result.output
        assert result.stderr == ""
        return result.stdout.split()

    return completed


def add_run(bench: Bench, profile: str, run: str) -> None:
    write_journal(bench.reports / profile / run, run_started(make_profile(), run=run))


def install(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["completion", "--install", *arguments])


# Script


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_is_printed(shell: str) -> None:
    result = CliRunner().invoke(main, ["completion", shell])

    assert result.exit_code == 0
    assert f"{VARIABLE}={shell}_complete" in result.stdout
    assert result.stderr == ""


@pytest.mark.parametrize(("path", "shell"), [("/bin/zsh", "zsh"), ("/usr/bin/fish", "fish")])
def test_the_login_shell_is_the_default(
    path: str, shell: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHELL", path)

    assert f"{VARIABLE}={shell}_complete" in CliRunner().invoke(main, ["completion"]).stdout


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/bin/tcsh", "your login shell tcsh is not supported. Name one: "),
        ("", "$SHELL is not set. Name one: "),
    ],
)
def test_another_login_shell_is_an_error(
    path: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHELL", path)

    result = CliRunner().invoke(main, ["completion"])

    assert result.exit_code == 2
    assert result.output == f"loadbench-tui: {expected}loadbench-tui completion bash|zsh|fish\n"


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_is_installed_and_replaced(shell: str, home: Path) -> None:
    file = home / FILES[shell]

    for _ in range(2):
        result = install(shell)
        assert result.exit_code == 0, result.output
        assert result.stdout == f"Created {file}\n"
        assert VARIABLE in file.read_text()
    assert ("compinit" in result.stderr) == (shell == "zsh")
    assert "new shell" in result.stderr


def test_folders_of_the_environment_are_used(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in VARIABLES:
        monkeypatch.setenv(name, str(tmp_path / name))
    for shell in SHELLS:
        assert install(shell).exit_code == 0

    assert (tmp_path / "BASH_COMPLETION_USER_DIR/completions/loadbench-tui").is_file()
    assert (tmp_path / "XDG_CONFIG_HOME/fish/completions/loadbench-tui.fish").is_file()
    assert (tmp_path / "ZDOTDIR/.zfunc/_loadbench-tui").is_file()
    assert not home.exists()


def test_a_file_of_the_user_is_kept(home: Path) -> None:
    file = home / FILES["fish"]
    file.parent.mkdir(parents=True)
    file.write_text("# mine\n")

    result = install("fish")

    assert result.exit_code == 2
    assert f"{file} exists and was not created by this command" in result.output
    assert file.read_text() == "# mine\n"


def test_a_folder_that_cannot_be_created_is_one_message(home: Path) -> None:
    home.mkdir()
    (home / ".config").write_text("")

    result = install("fish")

    assert result.exit_code == 3
    assert result.output == f"loadbench-tui: {home / FILES['fish']}: Not a directory\n"


def test_the_target_of_a_symbolic_link_is_replaced(home: Path, tmp_path: Path) -> None:
    file, target = home / FILES["fish"], tmp_path / "dotfile"
    install("fish")
    file.rename(target)
    file.symlink_to(target)
    target.write_text(f"# an older script: {VARIABLE}\n")

    assert install("fish").exit_code == 0
    assert file.is_symlink()
    assert f"{VARIABLE}=fish_complete" in target.read_text()


# Names


def test_commands_and_profiles_are_completed(bench: Bench, complete: Complete) -> None:
    (bench.root / "profiles" / "fine.yaml").write_text("models: [")

    assert complete("pl") == ["plain,plan"]
    assert complete("run", "f") == ["plain,fast", "plain,fine"]
    assert complete("validate", "fast", "fi") == ["plain,fine"]
    assert complete("doctor", "profiles/x") == ["file,profiles/x"]


@pytest.mark.parametrize("name", ["with space", "a,b", "a:b", "a=b", "a'b"])
def test_names_that_shells_would_split_are_not_completed(
    bench: Bench, complete: Complete, name: str
) -> None:
    (bench.root / "profiles" / f"{name}.yaml").write_text("")

    assert complete("run", name[0]) == [f"file,{name[0]}"]


def test_names_with_other_letters_are_completed(bench: Bench, complete: Complete) -> None:
    (bench.root / "profiles" / "größer.yaml").write_text("")

    assert complete("run", "g") == ["plain,größer"]


def test_an_unreadable_folder_of_profiles_completes_nothing(
    bench: Bench, complete: Complete, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_folder: Path) -> list[Path]:
        raise PermissionError

    monkeypatch.setattr("loadbench.engine.profile.loading.saved_profiles", refuse)

    assert complete("run", "f") == ["file,f"]


def test_values_after_an_equals_sign_are_completed(bench: Bench, complete: Complete) -> None:
    add_run(bench, "fast", "20261122-072100")
    run = "fast/20261122-072100"

    # Bash replaces only the part after the equals sign, which is a word of its own there.
    assert complete("run", "--resume", "=", "fast/") == [f"plain,{run}"]
    assert complete("run", "--resume", "=") == ["plain,fast", f"plain,{run}"]
    assert complete("run", "--resume=fast/", shell="zsh") == ["plain", f"--resume={run}", "_"]
    assert complete("run", "--resume=fast/", shell="fish") == [f"plain,--resume={run}"]


def test_runs_and_studies_are_completed(bench: Bench, complete: Complete) -> None:
    add_run(bench, "fast", "20261122-072100")
    add_run(bench, "slow", "20261123-072100")
    folder = bench.reports / "studies" / "devices"
    folder.mkdir(parents=True)
    (folder / "study.json").write_text("{}")

    everything = complete("report", "")

    assert everything == [
        "plain,slow",
        "plain,fast",
        "plain,slow/20261123-072100",
        "plain,fast/20261122-072100",
        "plain,studies/devices",
    ]
    for words in (("attach",), ("stop",), ("label",), ("compare", "slow"), ("run", "--resume")):
        assert complete(*words, "fast/") == ["plain,fast/20261122-072100"], words
    assert complete("run", "--study", "d") == ["plain,devices"]
    assert complete("report", "elsewhere/x") == ["dir,elsewhere/x"]


def test_only_the_newest_runs_are_completed(bench: Bench, complete: Complete) -> None:
    for number in range(MAX_RUNS + 5):
        add_run(bench, "fast", f"20261122-0721{number:02}")

    found = complete("report", "fast/")

    assert len(found) == MAX_RUNS
    assert found[0] == f"plain,fast/20261122-0721{MAX_RUNS + 4:02}"


def test_a_missing_workspace_completes_nothing() -> None:
    environment = {
        VARIABLE: "bash_complete",
        "COMP_WORDS": f"{PROGRAM} --workspace /missing run ",
        "COMP_CWORD": "4",
    }
    result = CliRunner(env=environment).invoke(main, [], prog_name=PROGRAM)

    assert (result.exit_code, result.output) == (0, "file,\n")
