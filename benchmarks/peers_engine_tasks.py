"""Chains, fan-outs and loops in asyncio, Cascade, and packages where a graph is made of tasks."""

from __future__ import annotations

import asyncio
import operator
import tempfile
from collections.abc import Callable
from inspect import Parameter, Signature
from itertools import pairwise
from pathlib import Path
from typing import Any

import cascade as cs
from benchmarks import engine as own
from benchmarks.harness import peer


async def _plus_one(n: int) -> int:
    return n + 1


async def asyncio_chain(_module: Any, size: int) -> int:
    """Each task takes the value of the one before."""
    n = 0
    for _ in range(size):
        n = await asyncio.create_task(_plus_one(n))
    return n


async def asyncio_fan_out(_module: Any, size: int) -> int:
    """Add up what independent tasks give."""
    return sum(await asyncio.gather(*[_plus_one(n) for n in range(size)]))


async def asyncio_loop(module: Any, size: int) -> int:
    """Count down, a step at a time."""
    return size - await asyncio_chain(module, size)


async def cascade_chain(_module: Any, size: int) -> int:
    """Each task takes the value of the one before."""
    return await cs.Engine().run(own.chain(size))


async def cascade_fan_out(_module: Any, size: int) -> int:
    """Add up what independent tasks give."""
    return await cs.Engine().run(own.fan_out(size))


async def cascade_loop(_module: Any, size: int) -> int:
    """Count down, a step at a time."""
    return await cs.Engine().run(own.countdown(size))


def _named(name: str, needs: list[str], work: Callable[[Any], int]) -> Callable[..., int]:
    """Return a function as Hamilton reads them: its name and its arguments' names are the graph."""

    def call(**values: int) -> int:
        return work(values.values())

    call.__name__ = call.__qualname__ = name
    call.__annotations__ = dict.fromkeys([*needs, "return"], int)
    parameters = [Parameter(each, Parameter.KEYWORD_ONLY, annotation=int) for each in needs]
    call.__dict__["__signature__"] = Signature(parameters, return_annotation=int)
    return call


def _hamilton(module: Any, functions: list[Callable[..., int]]) -> int:
    utilities = peer("hamilton.ad_hoc_utils")
    assert utilities
    made = utilities.create_temporary_module(*functions)
    last = functions[-1].__name__
    return int(module.Builder().with_modules(made).build().execute([last], inputs={"n": 0})[last])


async def hamilton_chain(module: Any, size: int) -> int:
    """Each task takes the value of the one before."""
    names = ["n", *(f"t{k}" for k in range(size))]
    links = pairwise(names)
    return _hamilton(module, [_named(name, [need], lambda n: sum(n) + 1) for need, name in links])


async def hamilton_fan_out(module: Any, size: int) -> int:
    """Add up what independent tasks give."""
    parts = [_named(f"t{k}", ["n"], lambda n, k=k: sum(n) + k + 1) for k in range(size)]
    return _hamilton(module, [*parts, _named("total", [part.__name__ for part in parts], sum)])


async def dask_chain(module: Any, size: int, scheduler: str = "synchronous") -> int:
    """Each task takes the value of the one before."""
    add, value = module.delayed(operator.add), 0
    for _ in range(size):
        value = add(value, 1)
    return int(value.compute(scheduler=scheduler))


async def dask_fan_out(module: Any, size: int, scheduler: str = "synchronous") -> int:
    """Add up what independent tasks give."""
    add = module.delayed(operator.add)
    total = module.delayed(sum)([add(n, 1) for n in range(size)])
    return int(total.compute(scheduler=scheduler))


def _doit(module: Any, tasks: list[dict[str, Any]]) -> None:
    loader = peer("doit.cmd_base")
    assert loader
    with tempfile.TemporaryDirectory() as folder:
        settings = {"dep_file": str(Path(folder) / "db"), "backend": "json", "reporter": "zero"}
        namespace = {"task_all": lambda: (task for task in tasks), "DOIT_CONFIG": settings}
        assert module.DoitMain(loader.ModuleTaskLoader(namespace)).run(["run"]) == 0


def _doit_task(name: str, needs: list[str], work: Callable[[], int], values: Any) -> dict[str, Any]:
    def action() -> None:
        values[name] = work()

    return {"basename": name, "actions": [action], "task_dep": needs}


async def doit_chain(module: Any, size: int) -> int:
    """Each task takes the value of the one before."""
    values = {"t0": 0}
    tasks = [
        _doit_task(
            f"t{k}", [f"t{k - 1}"] if k > 1 else [], lambda k=k: values[f"t{k - 1}"] + 1, values
        )
        for k in range(1, size + 1)
    ]
    _doit(module, tasks)
    return values[f"t{size}"]


async def doit_fan_out(module: Any, size: int) -> int:
    """Add up what independent tasks give."""
    values: dict[str, int] = {}
    parts = [_doit_task(f"t{k}", [], lambda k=k: k + 1, values) for k in range(size)]
    names = [part["basename"] for part in parts]
    total = _doit_task("total", names, lambda: sum(values[name] for name in names), values)
    _doit(module, [*parts, total])
    return values["total"]
