"""Completion of `--option=value`, which click does not support in all shells.

Work-around for https://github.com/pallets/click/issues/2847. Can go when that is closed.
"""

from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ShellComplete,
    ZshComplete,
    add_completion_class,
)


class _WholeWords(ShellComplete):
    """Completions for shells that replace the whole word, including `--option=`."""

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem[str]]:
        """Return the completions of a word, with the option and the equals sign before them."""
        found = super().get_completions(args, incomplete)
        option, equals, _ = incomplete.partition("=")
        if not (equals and option.startswith("--")):
            return found
        return [
            CompletionItem(f"{option}={item.value}", help=item.help)
            for item in found
            if item.type == "plain"
        ]


class _Zsh(_WholeWords, ZshComplete):
    """Completion in zsh."""


class _Fish(_WholeWords, FishComplete):
    """Completion in fish."""


class _Bash(BashComplete):
    """Completion in bash, where an equals sign is a word of its own."""

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the words before the incomplete one, and that one, with options joined again."""
        args, incomplete = super().get_completion_args()
        if incomplete == "=" and args and args[-1].startswith("--"):
            return args[:-1], f"{args[-1]}="
        if args[-1:] == ["="] and len(args) > 1 and args[-2].startswith("--"):
            return args[:-2], f"{args[-2]}={incomplete}"
        return args, incomplete


def register() -> None:
    """Replace the completion classes of click."""
    for kind in (_Bash, _Zsh, _Fish):
        add_completion_class(kind)
