"""What a workflow is made of, as plain data: tasks, calls, policies, resources, constraints.

Nothing here runs anything; `cascade.runtime` does. Imports inside: `task` uses `lazy_types`,
`policies` and `resource`; `routing` and `combinators` use `task`.
"""

from cascade.spec.constraint import GlobalConstraint
from cascade.spec.lazy_types import LazyResult, MappedLazyResult
from cascade.spec.mapping import fixed
from cascade.spec.policies import Policies, Retry
from cascade.spec.quoting import quote
from cascade.spec.resource import ResourceDefinition, inject, resource
from cascade.spec.routing import param, route
from cascade.spec.task import Task, task

__all__ = [
    "GlobalConstraint",
    "LazyResult",
    "MappedLazyResult",
    "Policies",
    "ResourceDefinition",
    "Retry",
    "Task",
    "fixed",
    "inject",
    "param",
    "quote",
    "resource",
    "route",
    "task",
]
