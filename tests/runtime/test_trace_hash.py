"""What the hash of a simulation covers, and how values are written for it."""

import functools
import threading
from collections import OrderedDict, deque
from datetime import date
from decimal import Decimal
from enum import Enum
from pathlib import PurePosixPath

import numpy as np
import pandas as pd
import polars as pl
import pytest

import cascade as cs
from cascade.observatory import Experiment, Settings, ring
from cascade.runtime.simulation.canonical import canonical
from cascade.simulation import run_simulated
from rows import each_row


class Plain:
    def __init__(self, x=1):
        self.x = x

    def method(self):
        return self.x


class Slotted:
    __slots__ = ("__own", "x")

    def __init__(self, x, own=0):
        self.x = x
        self.__own = own


class WithText(Plain):
    def __repr__(self):
        return "WithText()"


class Colour(Enum):
    RED = 1
    BLUE = 2


class Empty:
    pass


def _itself():
    held = [1]
    held.append(held)
    return held


def _array(last=0, size=5000):
    array = np.arange(size)
    array[size // 2] = last
    return array


def _objects(last):
    return np.array([Plain(n) for n in range(5)] + [Plain(last)])


@each_row(
    ("one", "other"),
    [
        ({"b", "a", "c"}, {"c", "b", "a"}),
        (frozenset([1, 2]), frozenset([2, 1])),
        (Plain(), Plain()),
        (Slotted(1), Slotted(1)),
        (Empty(), Empty()),
        ([{"k": {1, 2}}], [{"k": {2, 1}}]),
        (_array(), _array()),
        (_objects(1), _objects(1)),
        (pd.DataFrame({"a": _array()}), pd.DataFrame({"a": _array()})),
        (pd.DataFrame({"a": _objects(1)}), pd.DataFrame({"a": _objects(1)})),
        (pl.DataFrame({"a": _array()}), pl.DataFrame({"a": _array()})),
        (Plain().method, Plain().method),
        ([].append, [].append),
        (object(), object()),
        (threading.Lock(), threading.Lock()),
        (_itself(), _itself()),
        (functools.partial(len, "a"), functools.partial(len, "a")),
    ],
)
def test_equal_values_read_the_same(one, other):
    assert canonical(one) == canonical(other)
    assert "0x" not in canonical(one)


def test_different_values_read_differently():
    values = [
        *(1, 1.0, "1", True, None, (1,), [1], {1: 1}, {1}, b"1", "", [], (), {}),
        *(deque([1]), OrderedDict({1: 1}), Decimal(1), date(2024, 1, 1), PurePosixPath("1")),
        *(Plain(), Plain(2), Slotted(1), Slotted(2), Slotted(1, 1), WithText(1), WithText(2)),
        *(Colour.RED, Colour.BLUE, Colour, Empty(), Plain().method, Plain(2).method),
        *(len, print, Plain.method, functools.partial(len, "a"), functools.partial(len, "b")),
        *(_array(), _array(1), _array().astype("i4"), _array().reshape(50, 100)),
        *(_objects(1), _objects(2), pd, np, [].append, [1].append),
        *(pd.DataFrame({"a": _array(n)}) for n in range(2)),
        *(pd.DataFrame({"a": _objects(n)}) for n in range(2)),
        *(pd.Series(_array(n)) for n in range(2)),
        *(pl.DataFrame({"a": _array(n)}) for n in range(2)),
        lambda: 1,
        lambda: 2,
    ]
    assert len(set(map(canonical, values))) == len(values)


# --- what it covers -------------------------------------------------------------------------------


def test_every_message_is_in_the_trace_whoever_hears_it_and_whether_it_is_retained():
    def hash_of(*messages):
        @cs.task
        async def says(left, _sent=None):
            if not left:
                return None
            topic, payload, *retain = left[0]
            return says(left[1:], cs.send(topic, payload, retain=bool(retain)))

        return cs.simulate(says(list(messages))).trace_hash

    silence = hash_of()
    different = [("a", 1), ("a", 2), ("b", 1), ("$own", 1), ("a", "1"), ("a", 1.0), ("a", True)]
    different.append(("a", 1, True))
    assert len({silence, *map(hash_of, different)}) == len(different) + 1
    assert hash_of(("a", 1), ("b", 2)) != hash_of(("b", 2), ("a", 1))


def test_what_runs_come_to_and_how_long_it_takes_are_in_the_trace():
    @cs.task
    async def one(value, _rest=None):
        return value

    targets = [
        one(1),
        one(2),
        one(1, cs.wait(1)),
        [one(1), one(1)],
        {"a": one(1)},
        {"b": one(1)},
        cs.wait(2),
        cs.wait(3),
    ]
    hashes = [cs.simulate(target).trace_hash for target in targets]
    assert len(set(hashes)) == len(targets)
    assert (
        cs.simulate(cs.wait(5), until=2).trace_hash != cs.simulate(cs.wait(5), until=3).trace_hash
    )
    assert hashes == [cs.simulate(target).trace_hash for target in targets]


def test_an_experiment_on_a_bus_that_it_is_given_is_traced_as_on_its_own():
    def hash_of(seed, **options):
        settings = Settings(topology=ring(5), seed=seed, duration=3)
        experiment = Experiment(settings)
        run_simulated(experiment.run(**options))
        return experiment.trace_hash

    def bus():
        return cs.LocalBusConnector(cs.LocalBroker())

    own = [hash_of(seed) for seed in (1, 2)]
    assert own[0] != own[1]
    assert [hash_of(seed, connector=bus()) for seed in (1, 2)] == own
    with pytest.raises(TypeError, match="by a LocalBusConnector"):
        hash_of(1, connector=object())
