"""What goes wrong in tasks, graphs, resources, providers and orders."""

from __future__ import annotations

from collections.abc import Iterable

from cascade.interfaces.errors.base import CascadeError, near_name

__all__ = [
    "BrokenProviderError",
    "CyclicGraphError",
    "DecodeError",
    "DemandError",
    "EncodeError",
    "ExecutorError",
    "GraphError",
    "InvalidConstraintError",
    "InvalidInputError",
    "InvalidResourceError",
    "InvalidTaskError",
    "LazyUseError",
    "MissingVariableError",
    "ProcessTransferError",
    "ResourceCycleError",
    "ResourceError",
    "UnknownParameterError",
    "UnknownProviderError",
    "UnknownResourceError",
    "UnknownTaskError",
    "UnwantedValueError",
    "WorkerLostError",
]


class LazyUseError(CascadeError, TypeError):
    """A call used as if it were the value it stands for."""

    def __init__(self, call: str, use: str) -> None:
        """Name the call and the use."""
        super().__init__(
            f"{call} is a call, not its value yet: it cannot be {use}; "
            "evaluate it first: with cs.run(...), or inside a task by returning it, by taking it as an "
            "argument, or with 'await cs.evaluate(call)'"
        )
        self.call = call
        self.use = use


class GraphError(CascadeError, ValueError):
    """A graph that cannot be ordered."""


class CyclicGraphError(GraphError):
    """A call that, through its arguments, needs itself."""

    def __init__(self, cycle: list[str]) -> None:
        """Name the tasks along the cycle."""
        super().__init__(
            f"cyclic graph: {' -> '.join(cycle)}; a task cannot wait for its own value, "
            "return the call from the task (a tail call) to go on with it"
        )
        self.cycle = cycle


class InvalidTaskError(CascadeError, TypeError):
    """A task definition, or a target to run, that cannot work."""


class DemandError(InvalidTaskError):
    """A task demands more of a capacity than the engine has."""


class UnwantedValueError(CascadeError, RuntimeError):
    """The last of all attempts came to a value that ``when=`` wants another attempt for.

    Attributes:
        value: the value.
    """

    def __init__(self, value: object) -> None:
        """Show the value."""
        super().__init__(f"the value {value!r:.200} is one that 'when' asks another attempt for")
        self.value = value


class EncodeError(CascadeError, TypeError):
    """A call that cannot be written, since it would not come back as it is.

    Attributes:
        path: where in the call, as in ``fetch(…).options['x'][2]``.
        reason: what is wrong there, and what to do.
    """

    def __init__(self, path: str, reason: str) -> None:
        """Name the place and the reason."""
        super().__init__(f"{path} cannot be written: {reason}")
        self.path = path
        self.reason = reason


class DecodeError(CascadeError, ValueError):
    """Data that cannot be read as a call.

    Attributes:
        path: where in the data, as in ``fetch(…).options['x'][2]``; empty for all of it.
        reason: what is wrong there.
    """

    def __init__(self, path: str, reason: str) -> None:
        """Name the place and the reason."""
        super().__init__(f"{path or 'the call'} cannot be read: {reason}")
        self.path = path
        self.reason = reason


class UnknownTaskError(DecodeError, LookupError):
    """A task that is not found by its id.

    Attributes:
        id: the task's id, ``module:qualname``.
    """

    def __init__(self, task_id: str, reason: str) -> None:
        """Name the id, and why there is no such task."""
        super().__init__(f"the task {task_id!r}", reason)
        self.id = task_id


class UnknownParameterError(CascadeError, LookupError):
    """``cs.param(name)`` in a run that was given no such parameter."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        """Name the parameter and the ones that were given."""
        given = sorted(known)
        super().__init__(
            f"this run has no parameter {name!r}; give it with run(target, {{{name!r}: ...}})"
            f" or a default with param({name!r}, default).{near_name(name, given)}"
        )
        self.name = name
        self.known = given


class InvalidInputError(CascadeError, ValueError):
    """A parameter or a variable of the environment that is not of its kind.

    Attributes:
        what: what it is, as in ``the parameter 'n'``.
        kind: what it should be.
    """

    def __init__(self, what: str, value: object, kind: str, reason: str) -> None:
        """Name it, show its value, and say why that is not of its kind."""
        why = f": {reason}" if reason else ""
        super().__init__(f"{what} is {value!r:.200}, which is no {kind}{why}")
        self.what = what
        self.kind = kind


class MissingVariableError(CascadeError, LookupError):
    """``cs.env(name)`` where the environment has no such variable, and no default is given.

    Attributes:
        name: the variable's name.
    """

    def __init__(self, name: str, known: Iterable[str]) -> None:
        """Name the variable, and one that is there with a name like it."""
        super().__init__(
            f"the environment has no variable {name!r}; set it, or give a default: "
            f"cs.env({name!r}, default=...).{near_name(name, known)}"
        )
        self.name = name


class ResourceError(CascadeError, RuntimeError):
    """Something about a resource."""


class InvalidResourceError(ResourceError, TypeError):
    """What was given as a resource is not a generator function."""


class UnknownResourceError(ResourceError, LookupError):
    """A task asks for a resource that nobody registered."""

    def __init__(self, name: str, wanted_by: str, known: Iterable[str]) -> None:
        """Name the resource, who asks, and the nearest registered name."""
        names = sorted(known)
        super().__init__(
            f"{wanted_by} asks for the resource {name!r}, which is not registered; "
            f"call engine.register(...) with it first.{near_name(name, names)}"
        )
        self.name = name
        self.wanted_by = wanted_by
        self.known = names


class ResourceCycleError(ResourceError):
    """Resources that need each other, so none can open first."""

    def __init__(self, cycle: list[str]) -> None:
        """Name the resources along the cycle."""
        super().__init__(f"resources need each other: {' -> '.join(cycle)}; break the cycle")
        self.cycle = cycle


class ProcessTransferError(CascadeError, TypeError):
    """A function, argument or result that cannot be sent to or from a worker process.

    Attributes:
        module: the module that is missing there, if that is why.
    """

    module: str | None = None


class WorkerLostError(CascadeError, RuntimeError):
    """A worker ended by itself, or was killed, before the function that it ran."""


class ExecutorError(CascadeError, RuntimeError):
    """A cluster that cannot be reached, or cannot be used."""


class UnknownProviderError(CascadeError, AttributeError):
    """``cs.<name>`` for which no provider is installed."""


class BrokenProviderError(CascadeError, RuntimeError):
    """A provider that is installed but does not load.

    Attributes:
        provider: its name under ``cs.``.
        distribution: the distribution that offers it.
    """

    def __init__(self, provider: str, distribution: str, reason: str) -> None:
        """Name provider and distribution, and give the reason."""
        super().__init__(
            f"the provider {provider!r} of the distribution {distribution!r} does not load: {reason}"
        )
        self.provider = provider
        self.distribution = distribution


class InvalidConstraintError(CascadeError, ValueError):
    """An order to a running engine that cannot be read."""
