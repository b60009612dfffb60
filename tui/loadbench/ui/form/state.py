"""The texts entered in a form, and the profile that they describe."""

from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from loadbench.engine.profile.driver_settings import settings_of
from loadbench.engine.profile.editing.keys import ProfileKey, profile_keys
from loadbench.engine.profile.editing.notation import format_value, override_text, parse_value
from loadbench.engine.profile.editing.suggestions import suggestions
from loadbench.engine.profile.loading import Draft, read_draft
from loadbench.engine.profile.model import ALIASES, Profile
from loadbench.engine.profile.plan import Cell, plan_cells
from loadbench.engine.profile.source import Source
from loadbench.engine.profile.values.references import has_references
from loadbench.engine.profile.values.secrets import Secret, find_secrets, masked_data
from loadbench.workspace import Workspace


class Entered:
    """What the texts of all fields mean. Immutable: a changed text gives a new object.

    Args:
        source: The profile file as read.
        texts: The changed texts by key.
        is_masked: Whether to mask secrets in the texts. A mask stands for the value in the file.
    """

    def __init__(
        self, source: Source, texts: Mapping[str, str] | None = None, *, is_masked: bool = False
    ) -> None:
        self.source = source
        self._texts = dict(texts or {})
        self._is_masked = is_masked
        self._saved = read_draft(source)

    def with_text(self, key: str, text: str) -> "Entered":
        """Return the form with another text in a field."""
        texts = {**self._texts, key: text}
        return Entered(self.source, texts, is_masked=self._is_masked)

    def with_source(self, source: Source) -> "Entered":
        """Return the form with the same changes to another version of the file."""
        changed = {
            key: text
            for key, text in self._texts.items()
            if key in self.changes or key in self._text_errors
        }
        return Entered(source, changed, is_masked=self._is_masked)

    def text(self, key: str) -> str:
        """Return the text in a field."""
        return self._texts.get(key, self.saved_text(key))

    def saved_text(self, key: str) -> str:
        """Return the text of the value in the file, or of the default if the key is absent."""
        return self._saved_texts[key]

    @property
    def values(self) -> Mapping[str, Any]:
        """The entered values as plain data, by key. Invalid texts are left out."""
        return self._values

    @cached_property
    def changes(self) -> dict[str, Any]:
        """The values that differ from those in the file, by key. Invalid texts are left out."""
        changes = {}
        for key in profile_keys():
            name = key.name
            if name not in self._texts or name in self._text_errors:
                continue
            if name in self._saved_values and self._values[name] == self._saved_values[name]:
                continue
            changes[name] = self._values[name]
        return changes

    def is_invalid_text(self, key: str) -> bool:
        """Return whether a changed text is no value of its key."""
        return key in self._text_errors and self.text(key) != self.saved_text(key)

    @property
    def is_changed(self) -> bool:
        """Whether any field differs from the file."""
        return bool(self.changes) or any(map(self.is_invalid_text, self._text_errors))

    @cached_property
    def overrides(self) -> tuple[str, ...]:
        """The changes as `KEY=VALUE` texts."""
        keys = {key.name: key for key in profile_keys()}
        return tuple(override_text(keys[name], value) for name, value in self.changes.items())

    @cached_property
    def draft(self) -> Draft:
        """The profile with the changes."""
        return read_draft(self.source, self.overrides)

    @property
    def profile(self) -> Profile | None:
        """The entered profile, or None if a field has an error."""
        return None if self._text_errors else self.draft.profile

    @cached_property
    def cells(self) -> tuple[Cell, ...]:
        """The cells of the profile. Empty if a field has an error."""
        return plan_cells(self.profile) if self.profile else ()

    @cached_property
    def errors(self) -> dict[str, str]:
        """The error of each field that has one, by key."""
        errors = dict(self._text_errors)
        for problem in self.draft.problems:
            if name := _field_of(problem.key):
                # The rest of the key names the goal.
                is_inside = problem.key.startswith(f"{name}.")
                prefix = f"{name}." if is_inside else f"{problem.key}: "
                errors.setdefault(name, problem.text.removeprefix(prefix))
        return errors

    @cached_property
    def other_errors(self) -> tuple[str, ...]:
        """Errors of the file that concern no field, such as an unknown key, with their location."""
        folder = f"{self.source.file.parent}/"
        return tuple(
            f"{problem.location.removeprefix(folder)}: {problem.text}"
            for problem in self.draft.problems
            if not _field_of(problem.key)
        )

    @cached_property
    def _parsed(self) -> tuple[dict[str, Any], dict[str, str]]:
        """The values of the valid texts, and the errors of the others."""
        values, errors = {}, {}
        for key in profile_keys():
            try:
                values[key.name] = self._parse(key, self.text(key.name))
            except ValueError as error:
                errors[key.name] = str(error)
        return values, errors

    @property
    def _values(self) -> dict[str, Any]:
        return self._parsed[0]

    @property
    def _text_errors(self) -> dict[str, str]:
        return self._parsed[1]

    @cached_property
    def _saved_texts(self) -> dict[str, str]:
        return {key.name: self._text_in_file(key) for key in profile_keys()}

    @cached_property
    def _saved_values(self) -> dict[str, Any]:
        """The valid values in the file. Any valid text replaces one with an error."""
        values = {}
        invalid = {_field_of(problem.key) for problem in self._saved.problems}
        for key in profile_keys():
            if key.name in invalid:
                continue
            try:
                values[key.name] = self._parse(key, self.saved_text(key.name))
            except ValueError:
                continue
        return values

    def _parse(self, key: ProfileKey, text: str) -> Any:
        """Parse a text, with the values in the file in place of their masks.

        Raises:
            ValueError: The text is no value of the key.
        """
        value = parse_value(key, text)
        for secret in self._secrets:
            if secret.key == key.name and value == secret.masked:
                value = secret.written
            elif isinstance(value, dict) and secret.key.startswith(f"{key.name}."):
                name = str(secret.path[-1])
                if value.get(name) == secret.masked:
                    value = {**value, name: secret.written}
        return value

    @cached_property
    def _saved_data(self) -> Mapping[str, Any]:
        return self._saved.profile.resolved() if self._saved.profile else self._saved.values

    @cached_property
    def _secrets(self) -> tuple[Secret, ...]:
        """The secrets in the file that are masked in the texts."""
        found = find_secrets(self._saved_data) if self._is_masked else ()
        return tuple(secret for secret in found if secret.is_literal)

    def _text_in_file(self, key: ProfileKey) -> str:
        data = masked_data(self._saved_data) if self._is_masked else self._saved_data
        if self._saved.profile:
            return format_value(key, value_at(data, key.name))
        written = value_at(data, key.name, key.default)
        try:
            return format_value(key, written)
        except (ValueError, TypeError, AttributeError):
            return _as_written(written)


def _field_of(key: str) -> str:
    """Return the field of a key, which may be inside of its value. Empty if there is none."""
    names = (one.name for one in profile_keys())
    return next((name for name in names if f"{key}.".startswith((f"{name}.", f"{name}["))), "")


_PATH_TYPES: Mapping[str, Callable[[Path], bool]] = {
    "load.locustfile": Path.exists,  # a file or a folder
    "load.folder": Path.is_dir,
    "load.images": Path.is_dir,
}


def file_warnings(values: Mapping[str, Any], workspace: Workspace) -> dict[str, str]:
    """Return a warning for each key that names a missing file, folder or Compose service.

    Args:
        values: The values by dotted key.
        workspace: Where relative paths start.
    """
    root = workspace.root
    settings = settings_of(str(values.get("stack.driver")))
    keys = ["load.locustfile", "load.folder", "load.images"]
    if settings is None or settings.supports("compose"):
        keys.append("stack.compose")
    warnings = {}
    for key in keys:
        value = values.get(key) or ()
        paths = [value] if isinstance(value, str) else value
        has_type = _PATH_TYPES.get(key, Path.is_file)
        missing = [
            path
            for path in paths
            if not has_references(path) and not _exists(root / path, has_type)
        ]
        if missing:
            warnings[key] = f"not found: {', '.join(missing)}"
    if has_references(str(values.get("stack.service"))) or any(
        map(has_references, values.get("stack.compose", ()))
    ):
        return warnings
    services = suggestions("stack.service", values, workspace) if "stack.compose" in keys else ()
    if services and values.get("stack.service") not in services:
        warnings["stack.service"] = f"no such service. Services: {', '.join(services)}"
    return warnings


def _exists(path: Path, has_type: Callable[[Path], bool]) -> bool:
    try:
        return has_type(path)
    except (OSError, ValueError):
        # The name is too long or contains NUL, or a folder may not be searched.
        return False


def value_at(values: Mapping[str, Any], key: str, default: Any = None) -> Any:
    """Return the value of a dotted key in the structure of a profile file.

    Args:
        values: The values, possibly under alternative names of their keys.
        key: The key in dotted notation.
        default: Returned if the key is absent.
    """
    value: Any = values
    for part in key.split("."):
        names = (part, *(alias for alias, name in ALIASES.items() if name == part))
        if not isinstance(value, Mapping):
            return default
        found = [name for name in names if name in value]
        if not found:
            return default
        value = value[found[0]]
    return value


def _as_written(value: object) -> str:
    """Return an invalid value as text for its field."""
    if isinstance(value, list):
        return " ".join(map(str, value))
    return "" if value is None else str(value)
