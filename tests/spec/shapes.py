"""Classes and tasks with an annotation of every kind, for calls that are written and read."""

import datetime as dt
import enum
from collections import OrderedDict, deque, namedtuple
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import InitVar, dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Generic,
    Literal,
    NamedTuple,
    NewType,
    TypedDict,
    TypeVar,
    Unpack,
)
from uuid import UUID

import attrs
import msgspec
import pydantic

import cascade as cs
from cascade.spec import task

if TYPE_CHECKING:
    from nowhere import Missing

T = TypeVar("T")


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1


class Access(enum.Flag):
    READ = 1
    WRITE = 2


@dataclass(frozen=True)
class Job:
    url: str
    retries: float = 1
    tags: list[str] = field(default_factory=list)
    inner: "Job | None" = None


@dataclass(slots=True)
class Box(Generic[T]):
    content: T
    more: dict[str, T] = field(default_factory=dict)


@dataclass
class Odd:
    x: InitVar[int]


@dataclass
class Doubling:
    x: int

    def __post_init__(self):
        self.x = 2 * self.x


@attrs.frozen
class Order:
    _number: int
    when: dt.date


class Model(pydantic.BaseModel, arbitrary_types_allowed=True):
    name: str
    level: int = 0


class Shape(msgspec.Struct, rename="camel", tag=True):
    corner_count: int
    colour: Colour = Colour.RED


class Point(NamedTuple):
    x: int
    y: float = 0.0


Bare = namedtuple("Bare", "a b")  # noqa: PYI024 - without annotations


class Options(TypedDict, total=False):
    depth: int
    names: tuple[str, ...]


UserId = NewType("UserId", int)


class Text(str):
    __slots__ = ()


class Closed:
    def __init__(self, x):
        self.x = x


class Registered(Closed):
    pass


@task(mode="inline")
def anything(x):
    return x


@task(mode="inline")
def several(*parts: int, **named: str):
    return parts, named


@task(mode="inline")
def with_options(**options: Unpack[Options]):
    return options


@task(mode="inline")
def unreadable(x: "Missing", y: int = 1):
    return y


def typed(annotation):
    """Return a task that stands in this module, and takes that."""
    return TASKS[repr(annotation)]


TASKS = {}


def _define(number, annotation):
    def function(x):
        return x

    function.__name__ = function.__qualname__ = f"typed_{number}"
    function.__annotations__["x"] = annotation
    TASKS[repr(annotation)] = globals()[function.__name__] = task(mode="inline")(function)


KINDS = [
    *(int, bool, str, float, None, Any, object, bytes, bytearray, Decimal, UUID, Path),
    *(dt.date, dt.datetime, dt.time, dt.timedelta, Colour, Level, Access, UserId),
    *(list, list[int], list[float], list[Any], tuple, tuple[int, ...], tuple[int, str], tuple[()]),
    *(dict, dict[int, str], dict[Colour, int], dict[Any, Any], dict[tuple[int, int], str]),
    *(set[int], frozenset[str], deque[int], OrderedDict[str, int], list[Job]),
    *(Sequence[int], Iterable[str], Mapping[str, float], int | None, str | list[str]),
    *(int | str, list[int] | tuple[int, ...], float | int, bool | int, Job | Order | None),
    *(Job, Box[int], Box[tuple[int, ...]], Box, Order, Model, Shape, Point, Bare, Options),
    *(Odd, Doubling, Literal["a", 1, True, Colour.RED], Annotated[int, {"un": "hashable"}]),
    *(type[Exception], Closed, Registered, T, list["Job"]),
]
for _number, _annotation in enumerate(KINDS):
    _define(_number, _annotation)


@task(mode="inline")
def pick(name: str) -> Colour:
    return Colour(name)


@task(mode="inline")
def sum_of(a: float, b: float = 0, *, scale: float = 1) -> float:
    return (a + b) * scale


@dataclass(frozen=True)
class Lamp:
    name: str

    @task(mode="inline")
    def lit(self, times: int) -> str:
        return self.name * times


@cs.resource
def door():
    yield "door"


@task(mode="inline")
def through(x: int, thing=cs.inject(door)) -> str:
    return f"{thing}{x}"


def key_of(x):
    return x
