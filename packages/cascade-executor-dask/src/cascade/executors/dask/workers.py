"""The workers of a cluster: whether they have what is here, and which of them a call may run on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from distributed import Client

from cascade.common.messaging import bus
from cascade.executors.dask.worker import Facts, digest_of, facts_about
from cascade.interfaces.errors import DemandError, ExecutorError, ProcessTransferError
from cascade.interfaces.executor import Invocation, Placement

__all__ = [
    "Workers",
    "check_versions",
    "compare_module",
    "fits",
    "known_to",
    "lacks_module",
    "named_among",
    "refusal",
]

Workers: TypeAlias = Mapping[str, Mapping[str, Any]]
"""What the scheduler knows of its workers, by their addresses."""


async def known_to(client: Client) -> Workers:
    """Return the workers that the scheduler has now."""
    scheduler: Any = client.scheduler
    identity = await scheduler.identity()
    workers: Workers = identity["workers"]
    return workers


async def check_versions(client: Client) -> None:
    """Compare Python and Cascade on each worker with those here.

    Raises:
        ExecutorError: a worker has another one, or does not have Cascade.
    """
    here = facts_about()
    found: Mapping[str, Any] = await client.run(facts_about, on_error="return")
    for worker, there in found.items():
        if not isinstance(there, Facts):
            raise ExecutorError(
                f"the worker {worker} does not have cascade-executor-dask ({there}); install it there, "
                f"in version {here.cascade}"
            )
        if there != here:
            raise ExecutorError(
                f"the worker {worker} has Python {there.python} and Cascade {there.cascade}, and here are "
                f"Python {here.python} and Cascade {here.cascade}; both have to be the same"
            )


async def compare_module(client: Client, module: str) -> None:
    """Say which workers have another version of a module; those that lack it fail its calls."""
    here = digest_of(module)
    found: Mapping[str, Any] = await client.run(digest_of, module, on_error="return")
    others = sorted(
        worker for worker, there in found.items() if isinstance(there, str) and there != here
    )
    if here is not None and others:
        bus.warning("dask.module_differs", module=module, workers=", ".join(others))


def lacks_module(name: str, worker: str, module: str) -> ProcessTransferError:
    """Return the error of a call whose worker lacks a module."""
    error = ProcessTransferError(
        f"the worker {worker} has no module {module!r}, which {name!r} needs; install it there, or give the "
        f"executor its file: upload=[…], or have its functions go by their code: "
        f"cloudpickle.register_pickle_by_value({module})"
    )
    error.module = module
    return error


def fits(invocation: Invocation, worker: Mapping[str, Any]) -> bool:
    """Return whether a worker has, free or not, what a call demands."""
    resources = worker["resources"]
    return all(resources.get(name, 0) >= units for name, units in invocation.demands.items())


def named_among(workers: Workers, placement: Placement) -> frozenset[str]:
    """Return the addresses of the workers that a placement names."""
    return frozenset(
        address
        for address, each in workers.items()
        if not {address, each["host"], str(each["name"]), *each["resources"]}.isdisjoint(
            placement.where
        )
    )


def refusal(
    invocation: Invocation, workers: Workers, seconds: float
) -> DemandError | ExecutorError:
    """Return the error of a call that no worker fits."""
    if not workers:
        return ExecutorError(
            f"the cluster has had no worker for {seconds:g} s, so {invocation.name!r} was not run; start one "
            "with 'dask worker', or give the executor more patience="
        )
    where = invocation.placement.where
    if where and not named_among(workers, invocation.placement):
        known = sorted({f"{each['name']} on {each['host']}" for each in workers.values()})
        return DemandError(
            f"the task {invocation.name!r} is to run on {' or '.join(where)}, and for {seconds:g} s no worker "
            f"of that name or host, or with that resource, was there; there are {', '.join(known)}"
        )
    wanted = _shown(invocation.demands)
    have = {_shown(each["resources"]) or "nothing" for each in workers.values()}
    return DemandError(
        f"the task {invocation.name!r} demands {wanted}, and for {seconds:g} s none of the {len(workers)} "
        f"workers had that; they have {'; '.join(sorted(have))}. A worker has what it is started with: "
        f"dask worker --resources '{wanted}'"
    )


def _shown(units: Mapping[str, float]) -> str:
    return " ".join(f"{name}={each:g}" for name, each in sorted(units.items()))
