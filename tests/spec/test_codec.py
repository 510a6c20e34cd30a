"""A call is written as JSON and read again as it was; what would not come back is refused, with its path."""

import datetime as dt
import json
import math
from collections import OrderedDict, deque
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

import cascade as cs
from cascade.interfaces.errors import DecodeError, EncodeError, UnknownTaskError
from cascade.spec import codec
from cascade.spec.codec.comparing import compare
from cascade.spec.containers import field_names
from cascade.spec.lazy_types import LazyResult
from cascade.spec.quoting import Quoted
from cascade.spec.task import DerivedTask, Task
from rows import each_row
from spec import shapes, standing
from spec.shapes import (
    Access,
    Bare,
    Box,
    Closed,
    Colour,
    Doubling,
    Job,
    Lamp,
    Level,
    Model,
    Odd,
    Options,
    Order,
    Point,
    Shape,
    Text,
    anything,
    several,
    sum_of,
    typed,
    with_options,
)
from spec.tasks import double, total


def again(call):
    return codec.decode(codec.encode(call))


def value_again(annotation, value):
    return again(typed(annotation)(value)).args[0]


DAY = dt.date(2024, 2, 29)
NOON = dt.datetime(2024, 2, 29, 12, tzinfo=dt.UTC)

GOOD = [
    *((Any, x) for x in (None, True, 1, 1.5, -0.0, "é\n", [1, [True, {}]], {"a": {"b": [None]}})),
    *((Any, x) for x in (math.inf, -math.inf, math.nan, [math.nan], 2**70, {"$call": 3}, {"$": 1})),
    *((object, [1.0, 1, True]), (shapes.T, "x"), (list, [1, "a"]), (list[Any], [None])),
    *((int, 3), (bool, True), (str, ""), (float, 1.5), (float, 1), (float, math.nan), (None, None)),
    *((bytes, b"\0\xff"), (bytearray, bytearray(b"x")), (Decimal, Decimal("1.50"))),
    *((Decimal, Decimal("NaN")), (UUID, UUID(int=7)), (Path, Path("a/b"))),
    *((dt.date, DAY), (dt.datetime, NOON), (dt.datetime, NOON.replace(tzinfo=None))),
    *((dt.time, dt.time(1, 2)), (dt.timedelta, dt.timedelta(days=-1, microseconds=3))),
    *((Colour, Colour.RED), (Level, Level.LOW), (Access, Access.READ | Access.WRITE)),
    *((shapes.UserId, 7), (list[int], [1, 2]), (list[float], [1, 1.0]), (tuple, (1, "a"))),
    *((tuple[int, ...], (1, 2, 3)), (tuple[int, str], (1, "a")), (tuple[()], ())),
    *((dict, {"a": 1}), (dict[int, str], {1: "a"}), (dict[Colour, int], {Colour.RED: 1})),
    *((dict[Any, Any], {True: 1, "1": 2, None: 3}), (dict[tuple[int, int], str], {(1, 2): "a"})),
    *((set[int], {3, 1, 2}), (frozenset[str], frozenset("ab")), (deque[int], deque([1, 2]))),
    *((OrderedDict[str, int], OrderedDict(b=1, a=2)), (list[Job], [Job("a"), Job("b", 2)])),
    *((shapes.Sequence[int], [1]), (shapes.Sequence[int], (1,)), (shapes.Iterable[str], ("a",))),
    *((shapes.Mapping[str, float], {"a": 1, "b": 1.5}), (int | None, None), (int | None, 1)),
    *((str | list[str], ["a"]), (int | str, "1"), (int | str, 1), (float | int, 1.0)),
    *((list[int] | tuple[int, ...], (1,)), (list[int] | tuple[int, ...], [1])),
    *((float | int, 1), (bool | int, 1), (bool | int, True), (Job | Order | None, Order(1, DAY))),
    *((Job, Job("a", 2, ["x"], Job("b"))), (Box[int], Box(1, {"a": 2})), (Box, Box([1]))),
    *(
        (Box[tuple[int, ...]], Box((1, 2))),
        (Order, Order(1, DAY)),
        (Model, Model(name="a", level=2)),
    ),
    *((Shape, Shape(3, Colour.BLUE)), (Point, Point(1, 2.5)), (Bare, Bare(1, "b"))),
    *((Options, {"depth": 1, "names": ("a",)}), (Options, {}), (list["Job"], [Job("a")])),
    *((Literal["a", 1, True, Colour.RED], each) for each in ("a", 1, True, Colour.RED)),
    *((Annotated[int, {"un": "hashable"}], 3), (type[Exception], KeyError), (Any, shapes.key_of)),
    *((Any, len), (Any, double), (Any, double.with_retry(2)), (Any, Lamp("a").lit)),
]


@each_row(("annotation", "value"), GOOD)
def test_a_value_comes_back_equal_and_of_the_same_types(annotation, value):
    back = value_again(annotation, value)
    compare(value, back)
    assert type(back) is type(value)
    if isinstance(value, float):
        assert math.copysign(1, back) == math.copysign(1, value)


WOULD = "would come back as"
BAD = [
    (Any, (1,), "x", "a tuple is none of JSON's types"),
    (Any, [1, {"a": (1,)}], "x[1]['a']", "a tuple is none of JSON's types"),
    (Any, {"a": {1: 2}}, "x['a']", "keys that are no text are not JSON's"),
    *((Any, each, "x", WOULD) for each in (b"a", DAY, Decimal(1), Colour.RED, {1}, Job("a"))),
    (Any, Text("a"), "x", "values of the type Text have no JSON form"),
    (Any, Closed(1), "x", "register"),
    (Any, "\ud800", "x", "surrogates not allowed"),
    (Any, 10**5000, "x", "4300 digits"),
    (Any, lambda: 1, "x", "made inside a function"),
    (Any, type("Local", (), {}), "x", "nothing stands at"),
    (int, True, "x", "int is asked for, and not True"),
    (int, 1.0, "x", "int is asked for, and not 1.0"),
    (int, Level.LOW, "x", WOULD),
    (bool, 1, "x", "bool is asked for"),
    (str, Text("a"), "x", "no JSON form"),
    (float, True, "x", "float is asked for"),
    (Decimal, 1, "x", WOULD),
    (list[int], [1, 2, "3"], "x[2]", "int is asked for"),
    (list[int], (1,), "x", "list is asked for"),
    (tuple[int, ...], [1], "x", "a tuple is asked for"),
    (tuple[int, str], (1, "a", 2), "x[2]", "longer than its annotation"),
    (dict[int, str], {1: "a", "2": "b"}, "x.keys()[1]", "int is asked for"),
    (dict[int, str], {1: "a", 2: 3}, "x[2]", "str is asked for"),
    (dict, OrderedDict(a=1), "x", WOULD),
    (set[int], {1, True + 1.5}, "x[1]", "int is asked for"),
    (deque[int], deque([1], maxlen=3), "x", WOULD),
    (int | str, 1.5, "x", "str is asked for|int is asked for"),
    (str | list[str], ["a", 1], "x[1]", "str is asked for"),
    (Job, Job("a", 1, ["x", 2]), "x.tags[1]", "str is asked for"),
    (Job, Job("a", 1, [], Job("b", "c")), "x.inner.retries", "float is asked for"),
    (Box[int], Box("a"), "x.content", "int is asked for"),
    (Odd, Odd(1), "x", "Odd cannot be made of its fields"),
    (Doubling, Doubling(1), "x.x", WOULD),
    (Order, Job("a"), "x", "Order is asked for"),
    (Options, {"depth": 1, "other": 2}, "x['other']", "it has no such key"),
    (Literal["a", 1, True, Colour.RED], "b", "x", "one of"),
    (dt.datetime, NOON.astimezone(ZoneInfo("Europe/Paris")), "x", WOULD),
    (Closed, Closed(1), "x", "register"),
    (list[Any], [double, double.map], "x[1]", "no JSON form"),
]


@each_row(("annotation", "value", "path", "reason"), BAD)
def test_what_would_not_come_back_is_refused_with_its_path(annotation, value, path, reason):
    task_ = typed(annotation)
    with pytest.raises(EncodeError, match=reason) as caught:
        codec.encode(anything(task_(value)))
    assert caught.value.path == f"{task_.name}(…).{path}"


def test_a_path_shows_arguments_by_position_and_by_name():
    for call, path in [
        (several(1, 2, b""), "several(…).parts[2]"),
        (several(a="", b=1), "several(…).b"),
        (with_options(depth="a"), "with_options(…).depth"),
        (with_options(names=("a", 1)), "with_options(…).names[1]"),
        (sum_of("a"), "sum_of(…).a"),
        (Lamp("a").lit(1.5), "lit(…).times"),
        (double.map([1, "b"]), "map(…).iterables[0][1]"),
        (sum_of.map(a=[1, "b"]), "map(…).iterables['a'][1]"),
        (sum_of.map([1], scale="b"), "map(…).same['scale']"),
        (cs.route(1, {1: b""}), "route(…).routes[1]"),
        (double.with_cache(key=lambda x: x)(1), "double(…).policies.cache.key"),
        (standing.made_inside()(1), "inner(…)"),
    ]:
        with pytest.raises(EncodeError) as caught:
            codec.encode(anything([1, call]))
        assert caught.value.path == path


def test_what_holds_itself_is_refused():
    items = [1]
    items.append({"a": items})
    with pytest.raises(EncodeError, match="it holds itself") as caught:
        codec.encode(anything(items))
    assert caught.value.path == "anything(…).x[1]['a']"
    deep = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(EncodeError, match="nested too deep"):
        codec.encode(anything(deep))


def test_a_call_that_needs_itself_is_refused():
    items = []
    call = anything(items)
    items.append(double(call))
    with pytest.raises(
        EncodeError, match="anything -> double -> anything|double -> anything -> double"
    ):
        codec.encode(call)


def test_containers_may_share():
    part = [1, {"a": 2}]
    assert again(anything([part, part, {"b": part}])).args == ([part, part, {"b": part}],)


def test_a_parameter_whose_annotation_cannot_be_read_says_so_when_it_is_given():
    assert again(shapes.unreadable(double(1), 2)).args[1] == 2
    with pytest.raises(EncodeError, match="name 'Missing' is not defined"):
        codec.encode(shapes.unreadable(1))


# --- calls ------------------------------------------------------------------------------------------

CALLS = [
    double(1),
    double(x=1),
    several(1, 2, a="b"),
    with_options(depth=1, names=("a", "b")),
    sum_of(double(1), scale=double(2)),
    double.with_retry(3, on=(KeyError, LookupError)).with_timeout(2)(1),
    double.with_cache(ttl=2, key=shapes.key_of, ignore=("a",)).with_demands(gpu=0.5)(1),
    standing.second(1),
    standing.patient([1]),
    shapes.through(1, thing=cs.inject("clock")),
    Lamp("a").lit(double(2)),
    double.map([1, double(2)]),
    double.map(range(3)),
    double.map(double(1)),
    sum_of.map([1, 2], (3, 4.5), scale=2),
    sum_of.map(a=[1], b=[double(2)], scale=cs.fixed(3)),
    several.map([1], [2], a="x"),
    double.with_retry(2).run_if(double(0)).map([1, 2]),
    Lamp("a").lit.map([1, double(2)]),
    double.run_if(double(1))(2),
    double.run_if(True).run_if(double(0))(2),
    cs.route(double(1), {1: double(2), 2: 3, None: [double(3)], "a": "b"}),
    cs.route(shapes.pick("red"), {Colour.RED: double(1), Colour.BLUE: 2}),
    cs.retry(double(1), 5, delay=1, on=(KeyError, TimeoutError), when=shapes.key_of),
    cs.timeout(cs.retry(double.run_if(double(1))(2)), 3),
    cs.catch(double(1), KeyError, use=double(2)),
    cs.settle([double(1), 2]),
    cs.settle({"a": double(1)}),
    cs.settle(double.map([1, double(2)])),
    cs.after(double(1), double(2), double(3)),
    cs.recv("a/+"),
    cs.recv(["a", "b"], 5, default=None, buffered=True, with_topic=True, many=True),
    cs.recv(("a", "b"), timeout=double(1), holdoff=0.5),
    cs.send("a", {"b": [1, double(2)]}, retain=True, qos=1),
    cs.wait(5),
    cs.wait(double(5)),
    cs.param("x"),
    cs.param("x", [1]),
    total(cs.quote([1, 2])),
    anything(cs.quote([double(1), {"a": double(2)}])),
    cs.shell(["ls", "-l"], env={"A": double(1)}, timeout=3),
    cs.http.get("http://a", params={"q": 1}, timeout=2),
    cs.template("{{ a }}", a=[1]),
    typed(tuple[int, str])((double(1), double(2))),
    typed(dict[int, str])({1: double(2)}),
    typed(deque[int])(deque([double(1), 2])),
    typed(Point)(Point(double(1), 2)),
    typed(Job)(Job(double(1), 2, [double(3)], Job(double(4)))),
    typed(list[Job])([Job(double(1)), double(2)]),
    typed(Box[int])(Box(double(1), {"a": double(2)})),
    typed(Order)(Order(double(1), DAY)),
    typed(Model)(Model.model_construct(name=double(1))),
    typed(Shape)(Shape(double(1))),
    typed(int | None)(double(1)),
    typed(str | list[str])([double(1), "a"]),
    typed(Options)({"names": double(1)}),
]


def plain(value):
    """Return a call as nested plain data, to compare: calls refuse to be."""
    kind = type(value)
    if isinstance(value, LazyResult):
        parts = [value.task, value.args, value.kwargs]
    elif isinstance(value, DerivedTask):
        parts = [value.task, value.given]
    elif isinstance(value, Task):
        return (value.base, value.policies, value.injections)
    elif isinstance(value, Quoted):
        parts = [value.value]
    elif field_names(kind) is not None:
        parts = [getattr(value, name) for name in field_names(kind)]
    elif isinstance(value, dict):
        return (kind, [(key, plain(part)) for key, part in value.items()])
    elif isinstance(value, (list, tuple, deque)):
        parts = value
    else:
        return (kind, value)
    return (kind, [plain(part) for part in parts])


@each_row("call", CALLS)
def test_a_call_comes_back_as_it_was(call):
    back = again(call)
    assert repr(back) == repr(call)
    assert plain(back) == plain(call)
    assert codec.encode(back) == codec.encode(call)


def test_a_shared_call_is_written_once_and_is_one_call_again():
    shared = double(1)
    data = codec.encode(anything([shared, sum_of(shared), cs.quote([shared]), {"a": shared}]))
    assert len(json.loads(data)["calls"]) == 3
    back = codec.decode(data)
    first, second, quoted, named = back.args[0]
    assert first is named["a"]
    assert second.args[0] is first
    assert quoted.value[0] is first


def test_tasks_without_changes_are_those_of_the_module_and_equal_changes_are_one_task():
    patient = double.with_retry(2)
    back = again(total([double(1), patient(2), double.with_retry(2)(3)]))
    plain_one, first, second = (call.task for call in back.args[0])
    assert plain_one is double
    assert first is second
    assert first.is_plain == patient.is_plain


@pytest.mark.slow
def test_no_chain_is_too_deep():
    call = double(1)
    for _ in range(20_000):
        call = double(call)
    back = codec.decode(codec.encode(call))
    depth = 0
    while isinstance(back.args[0], LazyResult):
        back, depth = back.args[0], depth + 1
    assert depth == 20_000


def test_what_is_written_is_the_same_each_time():
    call = typed(set[int])(set(range(100, 0, -7)))
    assert codec.encode(call) == codec.encode(again(call))


@each_row("value", [1, [double(1)], None, double])
def test_what_is_no_call_is_refused(value):
    with pytest.raises(EncodeError, match="it is no call"):
        codec.encode(value)


def test_a_type_gets_a_form_by_registration():
    call = typed(shapes.Registered)(shapes.Registered([1, double(2)]))
    with pytest.raises(EncodeError, match="values of the type Registered have no JSON form"):
        codec.encode(call)
    codec.register(shapes.Registered, lambda it: it.x, shapes.Registered)
    back = again(call)
    assert type(back.args[0]) is shapes.Registered
    assert repr(back.args[0].x) == "[1, double(2)]"
    with pytest.raises(EncodeError, match="would come back as"):
        codec.encode(anything(shapes.Registered(1)))


# --- what cannot be read ----------------------------------------------------------------------------


def graph(*calls, **more):
    return json.dumps({"format": 1, "calls": list(calls), **more})


DOUBLE = "spec.tasks:double"
UNREADABLE = [
    ("", "the call cannot be read: Input data was truncated"),
    ("[]", "the call cannot be read: Expected `object`"),
    (b"\xff", "the call cannot be read"),
    (graph(), "there is none"),
    (graph({"task": DOUBLE, "args": [1]}, other=1), "unknown field `other`"),
    (json.dumps({"format": 2, "calls": []}), "Invalid enum value 2"),
    (graph({"task": DOUBLE, "args": [1], "color": 1}), "unknown field `color`"),
    (
        graph({"task": DOUBLE, "args": [{"$call": 1}]}),
        r"double\(…\).x cannot be read: there is no call 1",
    ),
    (graph({"task": DOUBLE, "args": [{"$call": "0"}]}), "there is no call '0'"),
    (graph({"task": DOUBLE, "args": [1, 2]}), "takes 1 arguments by position, not 2"),
    (graph({"task": DOUBLE, "kwargs": {"y": 1}}), "has no parameter 'y'"),
    (graph({"task": DOUBLE, "args": ["a"]}), "int is asked for, and not 'a'"),
    (graph({"task": DOUBLE, "args": [{"$at": "os:environ"}]}), "is not what a call names"),
    (graph({"task": DOUBLE, "args": [{"$at": "os:gone"}]}), "nothing stands at 'os:gone'"),
    (graph({"task": DOUBLE, "args": [{"$at": 1}]}), "1 is no place"),
    (graph({"task": DOUBLE, "args": [{"$task": 1}]}), "Expected `object`"),
    (
        graph({"task": DOUBLE, "args": [{"$task": {"of": {}, "x": 1}}]}),
        "unknown field|missing required",
    ),
    (graph({"task": DOUBLE, "policies": {"retry": {"attempts": 0}}}), "attempts is at least 1"),
    (graph({"task": DOUBLE, "policies": {"color": 1}}), "Policies is asked for"),
    (graph({"task": "spec.shapes:typed_0", "args": [{"$float": "1"}]}), "int is asked for"),
    (graph({"task": DOUBLE, "args": ["[" * 5]}), "int is asked for"),
    (b"[" * 100_000, "the call cannot be read"),
]


@each_row(("data", "reason"), UNREADABLE)
def test_what_is_no_call_cannot_be_read(data, reason):
    with pytest.raises(DecodeError, match=reason):
        codec.decode(data)


@each_row(
    ("form", "reason"),
    [
        ({"task": "spec.tasks:gone"}, "nothing stands at"),
        ({"task": "spec.nowhere:f"}, "cannot be imported"),
        ({"task": "spec.standing:second", "version": "1"}, "its version is 2, and not 1"),
        ({"task": DOUBLE, "version": "1"}, "its version is None, and not 1"),
    ],
)
def test_a_task_that_is_not_found_is_named(form, reason):
    with pytest.raises(UnknownTaskError, match=reason) as caught:
        codec.decode(graph({**form, "args": [1]}))
    assert caught.value.id == form["task"]
    with pytest.raises(UnknownTaskError, match=reason):
        codec.decode(graph({"task": DOUBLE, "args": [{"$task": form}]}))


def test_the_form_is_the_one_that_is_kept():
    patient = double.with_retry(2, on=(KeyError,))
    written = codec.encode(total([patient(1), double.run_if(True)(2)], scale=2))
    retry = {"attempts": 2, "on": {"$tuple": [{"$at": "builtins:KeyError"}]}}
    assert json.loads(written) == {
        "format": 1,
        "calls": [
            {
                "task": "spec.tasks:total",
                "args": [[{"$call": 1}, {"$call": 2}]],
                "names": ["parts"],
                "kwargs": {"scale": 2},
            },
            {
                "task": DOUBLE,
                "policies": {"retry": retry},
                "args": [1],
                "names": ["x"],
            },
            {"task": "cascade.spec.task:_run_if", "args": [True, {"$quote": {"$call": 3}}]},
            {"task": DOUBLE, "args": [2], "names": ["x"]},
        ],
    }
