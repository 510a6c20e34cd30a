"""Every error that Cascade raises on purpose, in one tree.

    CascadeError
    ├── InvalidTopicError (ValueError)          a topic or filter that MQTT does not allow
    ├── ConnectorError (RuntimeError)
    │   ├── NotConnectedError                   publish or subscribe before connect
    │   ├── QueueFullError                      a subscription's queue is full, policy "error"
    │   ├── NoConnectorError                    recv, send on an engine without a connector
    │   ├── WrongLoopError                      a connector used on another loop than its own
    │   ├── PayloadError (ValueError)           a payload that the transport cannot carry
    │   ├── BrokerUnavailableError              no connection to the broker, for too long
    │   └── BrokerRefusedError                  the broker said no, with a reason code
    ├── LazyUseError (TypeError)                a lazy result used as if it were its value
    ├── GraphError (ValueError)
    │   └── CyclicGraphError                    a lazy result that needs itself
    ├── InvalidTaskError (TypeError)            a task definition or target that cannot run
    ├── UnknownParameterError (LookupError)     cs.param without a value for its name
    ├── ResourceError (RuntimeError)
    │   ├── InvalidResourceError (TypeError)    not a generator function
    │   ├── UnknownResourceError (LookupError)  asked for, never registered
    │   └── ResourceCycleError                  resources that need each other
    ├── ProcessTransferError (TypeError)        what a worker process cannot be sent
    ├── UnknownProviderError (AttributeError)   no provider of that name is installed
    ├── BrokenProviderError (RuntimeError)      a provider that is installed does not load
    ├── ShellError (RuntimeError)               a command ended with an exit status that is not 0
    ├── InvalidConstraintError (ValueError)     an order to the engine that cannot be read
    └── VirtualTimeError (RuntimeError)
        ├── DeadlockError                       nothing ready, no timer left, work unfinished
        ├── RunawayError                        goes round and round, and time does not go on
        └── NonDeterminismError                 threads, processes or sockets in virtual time

An error keeps its facts as attributes, and its text says what to do.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

__all__ = [
    "BrokenProviderError",
    "BrokerRefusedError",
    "BrokerUnavailableError",
    "CascadeError",
    "ConnectorError",
    "CyclicGraphError",
    "DeadlockError",
    "GraphError",
    "InvalidConstraintError",
    "InvalidResourceError",
    "InvalidTaskError",
    "InvalidTopicError",
    "LazyUseError",
    "NoConnectorError",
    "NonDeterminismError",
    "NotConnectedError",
    "PayloadError",
    "ProcessTransferError",
    "QueueFullError",
    "ResourceCycleError",
    "ResourceError",
    "RunawayError",
    "ShellError",
    "UnknownParameterError",
    "UnknownProviderError",
    "UnknownResourceError",
    "VirtualTimeError",
    "WrongLoopError",
    "near_name",
]


def near_name(name: str, known: Iterable[str]) -> str:
    """Return `` Did you mean 'x'?`` for the closest known name, or nothing."""
    close = get_close_matches(name, list(known), n=1)
    return f" Did you mean {close[0]!r}?" if close else ""


_SHOWN_TOPIC = 80  # characters: a topic may have 65,535 bytes, and its beginning tells enough


class CascadeError(Exception):
    """The root: catch it to catch everything that Cascade itself raises."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Keep text and facts on the way back from a worker process.

        The usual way calls the class with the text alone, which none of these classes takes.
        """
        return _rebuild, (type(self), self.args, vars(self))


def _rebuild(
    kind: type[CascadeError], args: tuple[Any, ...], facts: dict[str, Any]
) -> CascadeError:
    error = kind.__new__(kind, *args)
    vars(error).update(facts)
    return error


class InvalidTopicError(CascadeError, ValueError):
    """A topic name or topic filter that MQTT 5.0 §4.7 does not allow.

    Attributes:
        topic: what was given.
        level: number of the offending level, counted from 1; None where the whole is wrong.
        reason: what is wrong, in a few words.
    """

    def __init__(self, topic: object, reason: str, level: int | None = None) -> None:
        """Say what is wrong with ``topic``, and at which level."""
        where = "" if level is None else f" at level {level}"
        long = isinstance(topic, str) and len(topic) > _SHOWN_TOPIC
        shown = f"{topic[:_SHOWN_TOPIC]}…" if long else topic  # type: ignore[index] # long says it is a str
        super().__init__(f"invalid topic {shown!r}{where}: {reason}")
        self.topic = topic
        self.level = level
        self.reason = reason


class ConnectorError(CascadeError, RuntimeError):
    """Something about a connector."""


class NotConnectedError(ConnectorError):
    """Publishing or subscribing through a connector that is not connected."""

    def __init__(self, action: str) -> None:
        """Name the action that needs a connection."""
        super().__init__(
            f"cannot {action}: the connector is not connected; call 'await connector.connect()' first"
        )
        self.action = action


class QueueFullError(ConnectorError):
    """A subscription with the overflow policy ``error`` has no room for the message.

    Attributes:
        topic: the published topic.
        topic_filter: the filter of the subscription that is full.
        limit: how many messages that subscription holds.
    """

    def __init__(self, topic: str, topic_filter: str, limit: int) -> None:
        """Name the message that found no room, and the subscription."""
        super().__init__(
            f"message on {topic!r} refused: the subscription to {topic_filter!r} already holds "
            f"{limit} messages; make its callback faster, raise max_queued or choose another overflow policy"
        )
        self.topic = topic
        self.topic_filter = topic_filter
        self.limit = limit


class NoConnectorError(ConnectorError):
    """A task wants to hear or speak, and the engine has no connector."""

    def __init__(self) -> None:
        """Say how to configure one."""
        super().__init__(
            "this engine has no connector, so recv and send have nowhere to go; "
            "give it one: Engine(connector=LocalBusConnector()) or run(..., connector=LocalBusConnector())"
        )


class WrongLoopError(ConnectorError):
    """A connector that belongs to one event loop, used on another."""

    def __init__(self, action: str) -> None:
        """Name what was tried."""
        super().__init__(
            f"cannot {action} here: this connector was connected on another event loop; give each loop "
            "a connector of its own, or hand the work over with asyncio.run_coroutine_threadsafe"
        )
        self.action = action


class PayloadError(ConnectorError, ValueError):
    """A payload that the transport cannot carry.

    Attributes:
        topic: where it was to be published.
        reason: what is wrong with it.
    """

    def __init__(self, topic: str, reason: str) -> None:
        """Name the topic, and say why."""
        super().__init__(f"the payload for {topic!r} cannot be sent: {reason}")
        self.topic = topic
        self.reason = reason


class BrokerUnavailableError(ConnectorError):
    """There is no connection to the broker, and waiting for one took too long.

    Attributes:
        action: what was to be done.
        address: host and port of the broker.
        reason: what the last attempt ended with.
    """

    def __init__(self, action: str, address: str, reason: str) -> None:
        """Say what was to be done, where, and why it could not."""
        super().__init__(
            f"cannot {action}: no connection to the broker at {address} ({reason}); "
            "check that it runs and can be reached, or wait longer"
        )
        self.action = action
        self.address = address
        self.reason = reason


class BrokerRefusedError(ConnectorError):
    """The broker answered, and its answer is no.

    Attributes:
        action: what was refused.
        code: the reason code, MQTT 5.0 §2.4 (MQTT 3.1.1 has fewer).
        reason: its name.
    """

    def __init__(self, action: str, code: int, reason: str) -> None:
        """Name what was refused, and the broker's reason."""
        super().__init__(
            f"the broker refused to let us {action}: {reason} (reason code {code:#04x}); "
            "check user name, password and the broker's access rules"
        )
        self.action = action
        self.code = code
        self.reason = reason


class LazyUseError(CascadeError, TypeError):
    """A lazy result used as if it were the value it stands for."""

    def __init__(self, lazy: str, use: str) -> None:
        """Name the call and the use."""
        super().__init__(
            f"{lazy} is a lazy result, not a value yet: it cannot be {use}; "
            "run it first with cs.run(...), or hand it to a task that takes its value"
        )
        self.lazy = lazy
        self.use = use


class GraphError(CascadeError, ValueError):
    """A graph that cannot be ordered."""


class CyclicGraphError(GraphError):
    """A lazy result that, through its arguments, needs itself."""

    def __init__(self, cycle: list[str]) -> None:
        """Name the tasks along the cycle."""
        super().__init__(
            f"cyclic graph: {' -> '.join(cycle)}; a task cannot wait for its own value, "
            "return a lazy result from the task (a tail call) to go round again"
        )
        self.cycle = cycle


class InvalidTaskError(CascadeError, TypeError):
    """A task definition, or a target to run, that cannot work."""


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
        super().__init__(f"resources need each other: {' -> '.join(cycle)}; break the circle")
        self.cycle = cycle


class ProcessTransferError(CascadeError, TypeError):
    """A function, argument or result that cannot be sent to or from a worker process."""


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


class ShellError(CascadeError, RuntimeError):
    """A command ended with an exit status other than 0.

    Attributes:
        command: the command line as text.
        returncode: its exit status; negative for a signal.
        stdout: what it wrote to standard output.
        stderr: what it wrote to standard error.
    """

    def __init__(self, command: str, returncode: int, stdout: str, stderr: str) -> None:
        """Show the command, its status and the end of what it said."""
        said = (stderr or stdout).strip()[-500:]
        super().__init__(
            f"command {command!r} ended with status {returncode}: {said or '(no output)'}"
        )
        self.command = command
        self.returncode = returncode
        self.stdout = stdout
        self.stderr = stderr


class InvalidConstraintError(CascadeError, ValueError):
    """An order to a running engine that cannot be read."""


class VirtualTimeError(CascadeError, RuntimeError):
    """Something that simulated time cannot do."""


class DeadlockError(VirtualTimeError):
    """Nothing is ready, no timer is left, and the work is not finished.

    Attributes:
        time: when that was, in simulated seconds.
        waiting: who waits for what, a line each.
    """

    def __init__(self, time: float, waiting: list[str]) -> None:
        """Say who waits for what."""
        super().__init__(
            f"deadlock at {time:g} s of simulated time: nothing is ready and no timer is left; "
            f"{'; '.join(waiting) or 'nobody waits for anything'}. "
            "Give cs.recv a timeout, or have somebody send what is waited for"
        )
        self.time = time
        self.waiting = waiting


class RunawayError(VirtualTimeError):
    """The simulation goes round and round within one instant.

    Attributes:
        time: the instant, in simulated seconds.
        tasks: names of tasks that are ready to go round again.
    """

    def __init__(self, time: float, tasks: list[str]) -> None:
        """Name the instant and who is busy."""
        super().__init__(
            f"at {time:g} s of simulated time the work goes round and round, and time does not go "
            f"on; busy: {', '.join(tasks) or '(callbacks)'}. Put a cs.wait(seconds) into the circle"
        )
        self.time = time
        self.tasks = tasks


class NonDeterminismError(VirtualTimeError):
    """A thread, process or socket inside a simulation, where order must be a function of the seed.

    Attributes:
        cause: what was asked for, such as ``"a thread"``.
        task: name of the task that asked, once that is known.
    """

    def __init__(self, cause: str, task: str | None = None) -> None:
        """Name what was asked for, and by whom."""
        super().__init__(cause, task)
        self.cause = cause
        self.task = task

    def __str__(self) -> str:
        """Say who asked for what, and what to do instead."""
        who = "somebody" if self.task is None else f"the task {self.task!r}"
        return (
            f"{who} asked for {self.cause} in virtual time, where every run must go the same way; "
            "let a def task run inline, wait with cs.wait, and speak with cs.send and cs.recv"
        )
