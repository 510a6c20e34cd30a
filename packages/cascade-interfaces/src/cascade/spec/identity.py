"""Where a function stands, as ``module:qualname``, and how what stands there is found again.

Tasks, and all else that a call names, are known by their place: two processes of one program find
the same thing under it, and so does a later version of the program.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, Self, TypeAlias

from cascade.interfaces.errors import EncodeError, InvalidTaskError, UnknownTaskError

__all__ = [
    "Identified",
    "Sentinel",
    "Upgrade",
    "check_is_found",
    "find_successor",
    "find_task",
    "is_found",
    "owner_of",
    "place_of",
    "reference_to",
    "standing_at",
]

_MAIN = ("__main__", "__mp_main__")  # the second is what a worker process calls its parent's script


def place_of(thing: object) -> str:
    """Return where a function or class was defined; angle brackets in it mean: nowhere to be found.

    Examples:
        >>> import json
        >>> place_of(json.JSONDecoder.decode)
        'json.decoder:JSONDecoder.decode'
    """
    module = getattr(thing, "__module__", None) or "builtins"
    qualname = getattr(thing, "__qualname__", None) or f"<{type(thing).__qualname__}>"
    if module in _MAIN and module in sys.modules:
        module = _name_of_main(sys.modules[module])
    return f"{module}:{qualname}"


def standing_at(place: str) -> Any:
    """Return what stands at a place.

    Raises:
        LookupError: nothing does; the text says why, and what to do.
    """
    owner = owner_of(place)
    name = place.rpartition(":")[2].rpartition(".")[2]
    try:
        return getattr(owner, name)
    except AttributeError:
        raise LookupError(f"nothing stands at {place!r} (any more)") from None


def reference_to(thing: object, place: str) -> str:
    """Return the place of something, now that it is sure to be found there.

    Raises:
        EncodeError: it is not.
    """
    try:
        found = standing_at(place)
    except LookupError as error:
        raise EncodeError(repr(thing), str(error)) from error
    if found is not thing:
        raise EncodeError(repr(thing), f"something else stands at {place!r}")
    return place


def owner_of(place: str) -> Any:
    """Return the module or class that what stands at a place stands in.

    Raises:
        LookupError: there is none; the text says why, and what to do.
    """
    module, colon, qualname = place.partition(":")
    if not (module and colon and qualname) or module.startswith("."):
        raise LookupError(f"{place!r} names no place; one is written module:qualname")
    if "<" in qualname:
        raise LookupError(
            f"{place!r} cannot be found again, since it is made inside a function or is no function "
            "with a name; define it with 'def' at the top level of a module"
        )
    if module in _MAIN:
        raise LookupError(
            f"{place!r} cannot be found again, since it is made where no file is run (standard "
            "input, a notebook); put it into a module and import it from there"
        )
    owner: Any = _module(module)
    for name in qualname.split(".")[:-1]:
        try:
            owner = getattr(owner, name)
        except AttributeError:
            raise LookupError(f"nothing stands at {place!r} (any more)") from None
    return owner


def _name_of_main(module: ModuleType) -> str:
    """Return the name under which others can import what is run as a program, as far as it has one."""
    spec, file = getattr(module, "__spec__", None), getattr(module, "__file__", None)
    if spec is not None:
        return str(spec.name)
    return _MAIN[0] if file is None or file.startswith("<") else _stem_of(file)


@lru_cache(maxsize=16)
def _stem_of(file: str) -> str:
    return Path(file).stem


def _module(name: str) -> ModuleType:
    """Return a module by its name; the program that runs is not imported a second time."""
    for main in _MAIN:
        if main in sys.modules and _name_of_main(sys.modules[main]) == name:
            return sys.modules[main]
    try:
        return import_module(name)
    except (ImportError, ValueError) as error:
        raise LookupError(f"the module {name!r} cannot be imported: {error}") from error


Upgrade: TypeAlias = Callable[[str | None, dict[str, Any]], dict[str, Any]]
"""``upgrade(version, arguments)`` gives the arguments of a call that an earlier version wrote as those of
this one: plain data by the names that the parameters had then, also of those given by position."""

_BY_ALIAS: dict[str, Identified] = {}
"""Tasks by ids that they had before."""


class Identified:
    """A task, as far as it is known by its id.

    Attributes:
        id: where its function stands, ``module:qualname``. It is found there again, or under another
            name in that module or class.
        version: what tells it from earlier tasks of that id, or None.
        upgrade: how calls that earlier versions wrote become calls of this one, or None.
        base: the task as it stands there, without policies.
        policies: those of this one.
        injections: the resources that this one asks for.
    """

    policies: Any
    injections: Mapping[str, Any]

    def __init__(
        self,
        task_id: str,
        version: str | int | None,
        aliases: Iterable[str] = (),
        upgrade: Upgrade | None = None,
    ) -> None:
        """Be a task of one's own, which is found by earlier ids too.

        Raises:
            InvalidTaskError: the version is neither text nor a whole number, or the aliases are one text.
        """
        if isinstance(aliases, str):
            raise InvalidTaskError(f"a task's aliases are a list of ids, not {aliases!r}")
        if version is not None and type(version) not in (str, int):
            raise InvalidTaskError(f"a task's version is text or a whole number, not {version!r}")
        self.id = task_id
        self.version = None if version is None else str(version)
        self.upgrade = upgrade
        for alias in aliases:
            _BY_ALIAS[alias if ":" in alias else f"{task_id.partition(':')[0]}:{alias}"] = self
        self.base: Any = self

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by id."""
        check_is_found(self)
        if self is self.base:
            return find_task, (self.id, self.version)
        changed = self.injections != self.base.injections
        return self.base.with_others, (self.policies, dict(self.injections) if changed else None)

    def __deepcopy__(self, memo: object) -> Self:
        """Return itself: it is frozen."""
        return self


def find_task(task_id: str, version: str | None) -> Any:
    """Return the task of that id and version, as it stands in its module.

    Raises:
        UnknownTaskError: there is none, or none that is the only one; the text says what to do.
    """
    try:
        found = standing_at(task_id)
        if not isinstance(found, Identified):  # its function stands there, as with built-in tasks
            found = _only_one(task_id, vars(owner_of(task_id)).values())
    except LookupError as error:
        raise UnknownTaskError(task_id, str(error)) from error
    base: Identified = found.base
    if base.id != task_id:
        raise UnknownTaskError(task_id, f"the task that stands there is {base.id!r}")
    if base.version != version:
        raise UnknownTaskError(task_id, f"its version is {base.version}, and not {version}")
    return base


def find_successor(task_id: str, version: str | None) -> Any:
    """Return the task that a call is for which was written with that id and version, maybe long ago.

    Raises:
        UnknownTaskError: there is none; the text says what to do.
    """
    try:
        return find_task(task_id, version)
    except UnknownTaskError as error:
        with suppress(LookupError):
            owner_of(task_id)  # imports its module, in which the alias may stand
        found = _BY_ALIAS.get(task_id) or _with_upgrade(task_id)
        if found is None:
            advice = "; where it was renamed, give the new task aliases=[...]"
            raise UnknownTaskError(task_id, error.reason + advice) from error
    if found.version != version and found.upgrade is None:
        reason = f"its version is {found.version}, and not {version}; say how by upgrade="
        raise UnknownTaskError(task_id, reason)
    return found


def _with_upgrade(task_id: str) -> Identified | None:
    """Return the task of that id, of whatever version, if it says how it takes earlier calls."""
    try:
        found = standing_at(task_id)
    except LookupError:
        return None
    return found.base if isinstance(found, Identified) and found.base.upgrade else None


def _only_one(task_id: str, things: Iterable[object]) -> Identified:
    tasks = [each for each in things if isinstance(each, Identified) and each.id == task_id]
    bases: list[Identified] = [each.base for each in tasks]
    if not bases:
        raise LookupError("a function stands there, and no task beside it is made of that function")
    if any(each is not bases[0] for each in bases):
        raise LookupError("several tasks are made of it; write a function for each")
    return bases[0]


def is_found(task: Identified) -> bool:
    """Return whether a task's id leads to it."""
    try:
        return find_task(task.id, task.version) is task.base
    except UnknownTaskError:
        return False


def check_is_found(task: Identified) -> None:
    """Refuse a task that its id does not lead to.

    Raises:
        EncodeError: it is another one, or none.
    """
    try:
        found = find_task(task.id, task.version)
    except UnknownTaskError as error:
        raise EncodeError(repr(task), error.reason) from error
    if found is not task.base:
        raise EncodeError(
            repr(task),
            f"{task.id!r} is another task; stand it there, or give it a function of its own",
        )


class Sentinel:
    """Stands for an argument that was not given, and is itself again wherever it is read.

    Examples:
        >>> Sentinel("cascade.spec.routing:REQUIRED")
        <REQUIRED>
    """

    __slots__ = ("place",)

    def __init__(self, place: str) -> None:
        """Keep the place where it stands."""
        self.place = place

    def __reduce__(self) -> tuple[Callable[[str], Any], tuple[str]]:
        """Pickle by place."""
        return standing_at, (self.place,)

    def __repr__(self) -> str:
        """Show the name."""
        return f"<{self.place.rpartition(':')[2]}>"
