"""What the users of locustfiles do, from their text: think time, tasks and requests."""

import ast
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from loadbench.engine.load.source.classes import ClassReader, SourceClass, source_class
from loadbench.engine.load.source.files import Locustfiles
from loadbench.engine.load.source.findings import quoted
from loadbench.engine.load.source.modules import SourceProject
from loadbench.engine.load.source.parsing import SourceError, calls, last_part
from loadbench.engine.load.source.think_time import (
    Definition,
    NameLookup,
    NameReader,
    ThinkTime,
    definitions,
    number_of,
    think_time,
)
from loadbench.engine.load.source.urls import request_of, text_constants
from loadbench.engine.measure.sampling.users import RequestKey, UserPattern
from loadbench.engine.profile.sections.load import LoadSection

_MAX_CALLS = 5
"""Maximum number of nested calls that are followed from a task."""
_MAX_FUNCTIONS = 100
"""Maximum number of calls that are followed from a task."""
_LOCUST_USERS = ("User", "HttpUser", "FastHttpUser")
_CHOICES = (ast.If, ast.IfExp, ast.Match, ast.ExceptHandler)
_LOOPS = (
    *(ast.For, ast.AsyncFor, ast.While),
    *(ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp),
)
_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(slots=True)
class _Task:
    """What a task does, as far as its text shows it."""

    weight: float
    requests: Counter[RequestKey] = field(default_factory=Counter)
    sleep_s: float = 0.0
    unknown: str = ""
    """Why its requests are unknown."""
    unknown_sleep: str = ""
    """Why its pauses are unknown."""


def user_patterns(found: Locustfiles, load: LoadSection) -> tuple[UserPattern, ...]:
    """Return what the users of the locustfiles of a profile do. Nothing in them is executed.

    Args:
        found: The locustfiles.
        load: The section `load` of the profile.
    """
    project = SourceProject(load.environment)
    reader = ClassReader(project, found.folder)
    try:
        classes = reader.read(found.paths)
    except SourceError:
        return ()
    used = [one for one in classes.users if not load.user_classes or one.name in load.user_classes]
    patterns = [_PatternReader(project, reader, one, found.paths[0]).pattern() for one in used]
    if load.tags or load.exclude_tags:
        reason = "load.tags or load.exclude_tags selects tasks"
        patterns = [replace(one, unknown_requests=reason) for one in patterns]
    if patterns and classes.may_have_others and not load.user_classes:
        reason = "the locustfile may have other user classes"
        patterns = [replace(one, unknown_requests=reason) for one in patterns]
    return tuple(patterns)


class _PatternReader:
    """Reads what the users of one class do."""

    def __init__(
        self, project: SourceProject, reader: ClassReader, one: SourceClass, locustfile: Path
    ) -> None:
        self._project, self._reader, self._locustfile = project, reader, locustfile
        self._class = one
        self._lineage = reader.lineage(one, locustfile)
        self._names = NameReader(project)

    def pattern(self) -> UserPattern:
        """Return what the users do."""
        name = quoted(self._class.name)
        weight, fixed_count = self._number("weight", 1.0), self._number("fixed_count", 0.0)
        if weight is None or fixed_count is None:
            reason = f"the weight or fixed_count of {name} is computed"
            return UserPattern(name=name, unknown=reason, unknown_requests=reason)
        pause = think_time(self._lineage, self._names)
        if pause is None and (base := self._unread_base()):
            pause = ThinkTime(unknown=f"{name}: the file of its base {quoted(base)} was not found")
        tasks, reason, inner = self._tasks(self._lineage)
        pause = inner or pause or ThinkTime()
        total = sum(one.weight for one in tasks)
        requests: dict[RequestKey, float] = defaultdict(float)
        sleep_s = 0.0
        for one in tasks if total > 0 else ():
            sleep_s += one.weight / total * one.sleep_s
            for key, number in one.requests.items():
                requests[key] += one.weight / total * number
        unknown_sleep = next((one.unknown_sleep for one in tasks if one.unknown_sleep), "")
        return UserPattern(
            name=name,
            weight=max(0.0, weight),
            fixed_count=max(0, int(fixed_count)),
            pause_s=pause.pause_s + sleep_s,
            min_cycle_s=pause.min_cycle_s,
            requests=requests,
            unknown=pause.unknown or unknown_sleep,
            unknown_requests=reason or next((one.unknown for one in tasks if one.unknown), ""),
        )

    def _number(self, key: str, default: float) -> float | None:
        """Return the number to which the class or a base sets a name, or None if it is computed."""
        for one in self._lineage:
            for name, value in definitions(one.node):
                if name == key:
                    return number_of(value, self._names.names_in(one))
        return default

    def _unread_base(self) -> str:
        """Return a base that is neither in the project nor one of Locust, or an empty text."""
        for one in self._lineage:
            imports = self._project.imports(one.file)
            locust = {name for each in imports if each.package == "locust" for name in each.names}
            for base in one.bases:
                is_known = base in (*_LOCUST_USERS, *locust) or not base.endswith("User")
                if not is_known and self._reader.find(base, one.file, self._locustfile) is None:
                    return base
        return ""

    def _tasks(self, lineage: Sequence[SourceClass]) -> tuple[list[_Task], str, ThinkTime | None]:
        """Return the tasks of a class, why they are unknown, and the think time of its task set."""
        found = list(self._definitions_of_tasks(lineage))
        sets = [(one, node) for one, node, _ in found if isinstance(node, ast.ClassDef)]
        known = [
            self._task(one, node, weight)
            for one, node, weight in found
            if isinstance(node, _Function)
        ]
        if not sets and len(known) == len(found):
            return known, "" if known else f"{quoted(self._class.name)} has no known tasks", None
        if len(sets) == len(found) == 1:
            [(owner, node)] = sets
            inner = source_class(owner.file, node, {})
            bases = self._reader.lineage(inner, self._locustfile)
            if not any(
                isinstance(each, ast.ClassDef) for _, each, _ in self._definitions_of_tasks(bases)
            ):
                tasks, reason, _ = self._tasks(bases)
                return tasks, reason, think_time(bases, self._names)
        reason = f"the tasks of {quoted(self._class.name)} are nested or computed"
        return known, reason, self._think_time_of_sets(sets)

    def _think_time_of_sets(
        self, sets: Iterable[tuple[SourceClass, ast.ClassDef]]
    ) -> ThinkTime | None:
        """Return that the think time is unknown if a nested task set has its own."""
        for owner, node in sets:
            inner = source_class(owner.file, node, {})
            if think_time(self._reader.lineage(inner, self._locustfile), self._names):
                name = quoted(node.name)
                return ThinkTime(unknown=f"the task set {name} has its own think time")
        return None

    def _definitions_of_tasks(
        self, lineage: Sequence[SourceClass]
    ) -> Iterator[tuple[SourceClass, Definition | None, float]]:
        """Yield the tasks of a class: its owner, its definition or None, and its weight."""
        seen = set[str]()
        for one in lineage:
            names = self._names.names_in(one)
            for name, node in definitions(one.node):
                if name == "tasks" and name not in seen:
                    for task, weight in _listed_tasks(node, names):
                        yield self._owner(one, task), task, weight
                elif isinstance(node, _Function | ast.ClassDef) and name not in seen:
                    own_weight = _weight(node, names)
                    if own_weight is not None:
                        yield one, node, own_weight
                seen.add(name)

    def _owner(self, one: SourceClass, task: Definition | None) -> SourceClass:
        """Return the class whose file defines a listed task set; otherwise the class itself."""
        if isinstance(task, ast.ClassDef):
            return self._reader.find(task.name, one.file, self._locustfile) or one
        return one

    def _task(self, owner: SourceClass, node: _Function, weight: float) -> _Task:
        task = _Task(weight)
        try:
            texts = text_constants(self._project.tree(owner.file))
        except SourceError:
            texts = {}
        lineage = self._reader.lineage(owner, self._locustfile)
        _Scan(task, self._names.names_in(*lineage), texts).add(node, 0)
        return task


class _Scan:
    """Adds what a function does to a task, with the functions that it calls."""

    def __init__(self, task: _Task, names: NameLookup, texts: dict[str, str]) -> None:
        self._task, self._names, self._texts = task, names, texts
        self._left = _MAX_FUNCTIONS

    def add(self, function: _Function, depth: int) -> None:
        """Add the requests and pauses of a function, at a depth of calls from the task."""
        uncertain = {
            id(call)
            for node in ast.walk(function)
            if isinstance(node, _CHOICES + _LOOPS)
            for call in calls(node)
        }
        # The condition of a loop or a choice counts as uncertain too, which is rarely a request.
        for call in calls(function):
            self._add_call(call, function, depth, is_certain=id(call) not in uncertain)

    def _add_call(
        self, call: ast.Call, function: _Function, depth: int, *, is_certain: bool
    ) -> None:
        task, place = self._task, f"task {quoted(function.name)}"
        if request := request_of(call, self._texts):
            task.requests[request] += 1
            if not is_certain:
                task.unknown = f"{place} sends requests in a loop or on a condition"
            elif not request[1]:
                task.unknown = f"{place} computes the name of a request"
            return
        name = last_part(call.func)
        if name == "sleep":
            seconds = number_of(call.args[0] if call.args else None, self._names)
            if seconds is None or not is_certain:
                task.unknown_sleep = f"{place} calls sleep with a computed time or on a condition"
            task.sleep_s += max(0.0, seconds or 0.0)
        elif name == "wait" and isinstance(call.func, ast.Attribute):
            task.unknown_sleep = f"{place} calls wait"
        elif isinstance(called := self._called(call), _Function) and called is not function:
            self._left -= 1
            if depth == _MAX_CALLS or self._left < 0:
                task.unknown = f"{place} calls too many functions"
            elif is_certain:
                self.add(called, depth + 1)
            elif any(request_of(each, self._texts) for each in calls(called)):
                task.unknown = f"{place} sends requests in a loop or on a condition"

    def _called(self, call: ast.Call) -> Definition | None:
        match call.func:
            case ast.Attribute(value=ast.Name(id="self"), attr=name) | ast.Name(id=name):
                return self._names(name)
            case _:
                return None


def _listed_tasks(node: Definition, names: NameLookup) -> Iterator[tuple[Definition | None, float]]:
    """Yield the tasks in a value of `tasks`, with their weights. None: it is computed."""
    match node:
        case ast.List(elts=elements) | ast.Tuple(elts=elements):
            pairs: list[tuple[ast.expr | None, float | None]] = [(one, 1.0) for one in elements]
        case ast.Dict(keys=keys, values=values):
            numbers = (number_of(value, names) for value in values)
            pairs = list(zip(keys, numbers, strict=True))
        case _:
            pairs = [(None, 1.0)]
    for key, weight in pairs:
        task = names(key.id) if isinstance(key, ast.Name) else None
        yield (None if weight is None else task), weight or 0.0


def _weight(node: _Function | ast.ClassDef, names: NameLookup) -> float | None:
    """Return the weight of a definition with the decorator `task`; None if it is no task."""
    for decorator in node.decorator_list:
        if last_part(decorator) == "task":
            return 1.0
        if isinstance(decorator, ast.Call) and last_part(decorator.func) == "task":
            given = [*decorator.args, *(one.value for one in decorator.keywords)]
            value = number_of(given[0], names) if given else 1.0
            return 1.0 if value is None else max(0.0, value)
    return None
