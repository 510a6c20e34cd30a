"""The code of a function: its own text, and that of all of its own distribution that it names.

Functions, methods of classes, constants, closures and default arguments, through any number of steps.
What belongs to other distributions counts by its name alone. A function is looked at once, when its code is
first asked for.
"""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from hashlib import sha256
from types import BuiltinFunctionType, FunctionType, MappingProxyType, ModuleType
from typing import Any
from weakref import WeakKeyDictionary

from cascade.spec.containers import CALL_TYPES
from cascade.spec.content.homes import home_of
from cascade.spec.content.naming import named_in
from cascade.spec.content.source import text_of
from cascade.spec.content.values import BY_BASE, WRITERS, NoContentError, Put, digest_of, write
from cascade.spec.file import File
from cascade.spec.identity import Identified, place_of
from cascade.spec.lazy_types import LazyResult
from cascade.spec.resource import Inject, ResourceDefinition

__all__ = ["Code", "code_of", "digest_of_thing"]

_MACHINERY = frozenset(
    {"__dict__", "__weakref__", "__doc__", "__module__", "__annotations__", "__annotate_func__"}
    | {"__static_attributes__", "__firstlineno__", "__annotations_cache__", "__slots__"}
    | {"__abstractmethods__", "_abc_impl"}
)


@dataclass(frozen=True, slots=True)
class Code:
    """What a function does."""

    parts: Mapping[str, str]
    """Digests of all that it consists of, by name."""

    digest: str
    """The digest of all of them together."""


# For the whole process, as functions are.
_KNOWN: WeakKeyDictionary[Any, Code] = WeakKeyDictionary()


def code_of(function: Callable[..., Any]) -> Code:
    """Return the code of a function, or of what else can be called.

    Examples:
        >>> import textwrap
        >>> list(code_of(textwrap.dedent).parts)[:2]
        ['textwrap:_leading_whitespace_re', 'textwrap:_whitespace_only_re']
    """
    try:
        known = _KNOWN.get(function)
    except TypeError:  # it can be no key
        return _Look(function).code()
    if known is None:
        known = _KNOWN[function] = _Look(function).code()
    return known


def digest_of_thing(thing: Any) -> str:
    """Return the digest of something that code depends on: a function, a class, a module, a value.

    Raises:
        NoContentError: it has none.

    Examples:
        >>> len(digest_of_thing(len)) > 0
        True
    """
    if isinstance(thing, ModuleType):
        file = getattr(thing, "__file__", None)
        return digest_of(None if file is None else File(file))
    return digest_of(thing)


class _Look:
    """One look at a function and all that it names, breadth first."""

    def __init__(self, thing: Any) -> None:
        """Look through everything."""
        self._home = home_of(getattr(thing, "__module__", None))
        self._parts: dict[str, str] = {}
        self._seen: dict[tuple[str, int], Any] = {}  # with what was seen, which keeps its id
        self._waiting: deque[tuple[str, Any]] = deque([(place_of(thing), thing)])
        while self._waiting:
            name, each = self._waiting.popleft()
            if (name, id(each)) not in self._seen:
                self._seen[name, id(each)] = each
                self._look_at(name, each)

    def code(self) -> Code:
        """Return what was found."""
        parts = dict(sorted(self._parts.items()))
        text = "\n".join(f"{name} {digest}" for name, digest in parts.items())
        return Code(MappingProxyType(parts), sha256(text.encode()).hexdigest())

    def take(self, thing: Any) -> None:
        """Look at something, too."""
        self._waiting.append((place_of(thing), thing))

    def _look_at(self, name: str, thing: Any) -> None:
        if isinstance(thing, (Inject, ResourceDefinition)):
            return  # resources are no code: each has a part of the key for itself
        if isinstance(thing, Identified):
            self._note(name, [thing.id, thing.version])
            self.take(thing.base.function)
        elif isinstance(thing, (FunctionType, type)):
            self._look_at_named(name, thing)
        elif isinstance(thing, ModuleType) and self._is_own(thing.__name__) and thing.__file__:
            self._note(name, File(thing.__file__))
        elif isinstance(thing, (BuiltinFunctionType, ModuleType)):
            self._note(name, getattr(thing, "__module__", None) or thing.__name__)
        elif callable(getattr(thing, "__wrapped__", None)):
            self.take(thing.__wrapped__)
        else:
            self._look_at_constant(name, thing)

    def _look_at_named(self, name: str, thing: Any) -> None:
        """Look at a function or a class; what is known by another name is noted under that one."""
        place = place_of(thing)
        if name != place:
            self._note(name, place)
            self.take(thing)
        elif not self._is_own(thing.__module__):
            self._note(name, place)
        elif isinstance(thing, type):
            self._look_at_class(place, thing)
        else:
            self._look_at_function(place, thing)

    def _look_at_function(self, place: str, function: FunctionType) -> None:
        self._note(place, text_of(function))
        defaults = (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values())
        self._waiting.extend((f"{place}.{number}", each) for number, each in enumerate(defaults))
        self._waiting.extend(named_in(function))

    def _look_at_class(self, place: str, kind: type) -> None:
        self._note(place, [place_of(base) for base in kind.__bases__])
        self._waiting.extend(
            (place_of(base), base) for base in kind.__bases__ if base is not object
        )
        for name, member in vars(kind).items():
            if name not in _MACHINERY:
                self._waiting.extend((f"{place}.{name}", each) for each in _parts_of(member))

    def _look_at_constant(self, name: str, value: Any) -> None:
        """Note a value; one without content by its type. The methods of its class count, too."""
        self._note(name, value)
        if self._is_own(type(value).__module__):
            self.take(type(value))

    def _is_own(self, module: str | None) -> bool:
        return home_of(module) == self._home

    def _note(self, name: str, content: Any) -> None:
        before = _look.set(self)
        try:
            digest = digest_of(content)
        except NoContentError:
            digest = digest_of(place_of(type(content)))
        finally:
            _look.reset(before)
        known = self._parts.get(name)  # functions made by one function have one name
        self._parts[name] = digest if known is None else digest_of([known, digest])


_look: ContextVar[_Look | None] = ContextVar("cascade_look", default=None)
"""Who looks at code just now: functions among the values are looked at, too, and not begun with anew."""


def _parts_of(member: Any) -> list[Any]:
    """Return the functions that a member of a class is made of, or itself."""
    if isinstance(member, property):
        return [each for each in (member.fget, member.fset) if each is not None]
    if isinstance(member, (staticmethod, classmethod)):
        return [member.__func__]
    if isinstance(member, functools.cached_property):
        return [member.func]
    return [member]


def _write_code(value: Any, put: Put, depth: int) -> None:
    """Write a function or a class among values: what it does is its content."""
    look = _look.get()
    if look is None:
        write((place_of(value), code_of(value).digest), put, depth)
    else:
        look.take(value)
        write(place_of(value), put, depth)


def _write_task(value: Any, put: Put, depth: int) -> None:
    write((value.id, value.version, getattr(value, "given", None)), put, depth)
    write(value.base.function, put, depth)


def _write_call(value: LazyResult[Any], put: Put, depth: int) -> None:
    write((value.task, value.args, value.kwargs), put, depth)


WRITERS.update(dict.fromkeys((FunctionType, BuiltinFunctionType, type), _write_code))
WRITERS.update(dict.fromkeys(CALL_TYPES, _write_call))
BY_BASE.update({type: _write_code, Identified: _write_task})
