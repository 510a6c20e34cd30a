__path__ = __import__("pkgutil").extend_path(__path__, __name__)
# First of all, since the other distributions of Cascade put their packages into this one.

"""Cascade: workflows that can listen.

``@task`` makes calls of a function lazy, `run` evaluates a graph of them, `recv` and `send` let a workflow
hear and speak, and a task that returns another call goes on there for ever: it is an agent.

The providers (`shell`, `http`, `template`, `read`, `write`, `fs`, `sql`, and whatever other packages
offer) are found when their names are first used.
"""

from typing import TYPE_CHECKING, Any

from cascade.connectors.local import LocalBroker, LocalBusConnector
from cascade.interfaces.errors import CascadeError
from cascade.notebooks import show_calls as _show_calls
from cascade.providers import registry as _registry
from cascade.providers.environment import env
from cascade.providers.sending import agent, send
from cascade.providers.signal import recv
from cascade.providers.wait import wait
from cascade.running import run, run_async
from cascade.runtime.engine import Engine
from cascade.runtime.evaluation.inside import current, evaluate
from cascade.simulation import simulate
from cascade.spec.combinators import after, catch, retry, settle, timeout
from cascade.spec.constraint import GlobalConstraint
from cascade.spec.file import File
from cascade.spec.lazy_types import LazyResult, MappedLazyResult
from cascade.spec.mapping import fixed
from cascade.spec.quoting import quote
from cascade.spec.resource import inject, resource
from cascade.spec.routing import param, route
from cascade.spec.task import Task, task

__all__ = [
    "CascadeError",
    "Engine",
    "File",
    "GlobalConstraint",
    "LazyResult",
    "LocalBroker",
    "LocalBusConnector",
    "MappedLazyResult",
    "Task",
    "after",
    "agent",
    "catch",
    "current",
    "env",
    "evaluate",
    "fixed",
    "inject",
    "param",
    "quote",
    "recv",
    "resource",
    "retry",
    "route",
    "run",
    "run_async",
    "send",
    "settle",
    "simulate",
    "task",
    "timeout",
    "wait",
]

_show_calls()

if TYPE_CHECKING:
    # What the providers of this package put here; a checker knows of no others.
    from cascade.providers import fs as fs
    from cascade.providers import http as http
    from cascade.providers import read as read
    from cascade.providers import write as write
    from cascade.providers.shell import shell as shell
    from cascade.providers.sql import sql as sql
    from cascade.providers.template import template as template
else:

    def __getattr__(name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return _registry.load_provider(name)


def __dir__() -> list[str]:
    provided = {name.partition(".")[0] for name in _registry.provider_names()}
    return sorted({*globals(), *provided})
