"""Every error that Cascade raises on purpose, in one tree.

    CascadeError
    ├── InvalidTopicError (ValueError)          a topic or filter that MQTT does not allow
    ├── ConnectorError (RuntimeError)
    │   ├── NotConnectedError                   publish or subscribe before connect
    │   ├── QueueFullError                      a subscription's queue is full, policy "error"
    │   ├── MailboxFullError                    an agent's mailbox is full of what it does not take
    │   ├── NoConnectorError                    recv, send on an engine without a connector
    │   ├── UnsuitableLoopError                 an event loop that cannot watch sockets
    │   ├── WrongLoopError                      a connector used on another loop than its own
    │   ├── PayloadError (ValueError)           a payload that the transport cannot carry
    │   ├── BrokerUnavailableError              no connection to the broker, for too long
    │   └── BrokerRefusedError                  the broker said no, with a reason code
    ├── LazyUseError (TypeError)                a call used as if it were its value
    ├── GraphError (ValueError)
    │   └── CyclicGraphError                    a call that needs itself
    ├── InvalidTaskError (TypeError)            a task definition or target that cannot run
    │   └── DemandError                         more of a capacity than the engine has
    ├── UnwantedValueError (RuntimeError)       the last attempt's value is one to try again for
    ├── EncodeError (TypeError)                 a call that would not come back as it is
    ├── DecodeError (ValueError)                data that is no call
    │   └── UnknownTaskError (LookupError)      a task that is not found by its id
    ├── UnknownParameterError (LookupError)     cs.param without a value for its name
    ├── InvalidInputError (ValueError)          a parameter or variable that is not of its kind
    ├── MissingVariableError (LookupError)      cs.env without a variable of its name
    ├── ResourceError (RuntimeError)
    │   ├── InvalidResourceError (TypeError)    not a generator function
    │   ├── UnknownResourceError (LookupError)  asked for, never registered
    │   └── ResourceCycleError                  resources that need each other
    ├── ProcessTransferError (TypeError)        what a worker process cannot be sent
    ├── WorkerLostError (RuntimeError)          a worker that ended before its function
    ├── ExecutorError (RuntimeError)            a cluster that cannot be reached or used
    ├── UnknownProviderError (AttributeError)   no provider of that name is installed
    ├── BrokenProviderError (RuntimeError)      a provider that is installed does not load
    ├── ShellError (RuntimeError)               a command ended with an exit status that is not 0
    ├── ShellTimeoutError (TimeoutError)        a command took longer than it may
    ├── HttpStatusError (RuntimeError)          a server answered with a status of 400 or more
    ├── BodyTooLargeError (RuntimeError)        an answer has more bytes than the request allows
    ├── UnknownSchemeError (ValueError)         a URL whose scheme nobody knows
    ├── DrawingError (RuntimeError)             a picture that Graphviz does not draw
    ├── InvalidConstraintError (ValueError)     an order to the engine that cannot be read
    ├── StoreError (RuntimeError)               a store that cannot be opened, read or written
    │   ├── StoreUnavailableError               a store that was not to be reached for too long
    │   ├── LeaseLostError                      a checkpoint of an agent that somebody else has taken
    │   ├── AgentExistsError                    an agent of that name is there already
    │   ├── AgentFinishedError                  a signal to an agent that has ended
    │   └── StateNotKeptError                   a fork from an earlier state that is not there
    ├── NoStoreError (RuntimeError)             a durable agent on an engine without a store
    ├── AgentFailedError (RuntimeError)         a durable agent that has come to no value
    ├── CacheError (RuntimeError)               a cache that cannot be opened, read or written
    ├── MissingOutputError (RuntimeError)       a task did not write a file that it says it writes
    └── SimulationError (RuntimeError)
        ├── DeadlockError                       nothing ready, no timer left, work unfinished
        ├── RunawayError                        livelock: simulated time does not advance
        └── NonDeterminismError                 threads, processes, sockets in simulated time
            └── RunsDifferError                 two runs with one seed that went different ways

An error keeps its facts as attributes, and its text says what to do.
"""

from cascade.interfaces.errors.base import (
    CascadeError,
    near_name,
)
from cascade.interfaces.errors.cache import CacheError, MissingOutputError
from cascade.interfaces.errors.connector import (
    BrokerRefusedError,
    BrokerUnavailableError,
    ConnectorError,
    InvalidTopicError,
    MailboxFullError,
    NoConnectorError,
    NotConnectedError,
    PayloadError,
    QueueFullError,
    UnsuitableLoopError,
    WrongLoopError,
)
from cascade.interfaces.errors.outside import (
    BodyTooLargeError,
    DrawingError,
    HttpStatusError,
    ShellError,
    ShellTimeoutError,
    UnknownSchemeError,
)
from cascade.interfaces.errors.simulation import (
    DeadlockError,
    NonDeterminismError,
    RunawayError,
    RunsDifferError,
    SimulationError,
)
from cascade.interfaces.errors.store import (
    AgentExistsError,
    AgentFailedError,
    AgentFinishedError,
    LeaseLostError,
    NoStoreError,
    StateNotKeptError,
    StoreError,
    StoreUnavailableError,
)
from cascade.interfaces.errors.workflow import (
    BrokenProviderError,
    CyclicGraphError,
    DecodeError,
    DemandError,
    EncodeError,
    ExecutorError,
    GraphError,
    InvalidConstraintError,
    InvalidInputError,
    InvalidResourceError,
    InvalidTaskError,
    LazyUseError,
    MissingVariableError,
    ProcessTransferError,
    ResourceCycleError,
    ResourceError,
    UnknownParameterError,
    UnknownProviderError,
    UnknownResourceError,
    UnknownTaskError,
    UnwantedValueError,
    WorkerLostError,
)

__all__ = [
    "AgentExistsError",
    "AgentFailedError",
    "AgentFinishedError",
    "BodyTooLargeError",
    "BrokenProviderError",
    "BrokerRefusedError",
    "BrokerUnavailableError",
    "CacheError",
    "CascadeError",
    "ConnectorError",
    "CyclicGraphError",
    "DeadlockError",
    "DecodeError",
    "DemandError",
    "DrawingError",
    "EncodeError",
    "ExecutorError",
    "GraphError",
    "HttpStatusError",
    "InvalidConstraintError",
    "InvalidInputError",
    "InvalidResourceError",
    "InvalidTaskError",
    "InvalidTopicError",
    "LazyUseError",
    "LeaseLostError",
    "MailboxFullError",
    "MissingOutputError",
    "MissingVariableError",
    "NoConnectorError",
    "NoStoreError",
    "NonDeterminismError",
    "NotConnectedError",
    "PayloadError",
    "ProcessTransferError",
    "QueueFullError",
    "ResourceCycleError",
    "ResourceError",
    "RunawayError",
    "RunsDifferError",
    "ShellError",
    "ShellTimeoutError",
    "SimulationError",
    "StateNotKeptError",
    "StoreError",
    "StoreUnavailableError",
    "UnknownParameterError",
    "UnknownProviderError",
    "UnknownResourceError",
    "UnknownSchemeError",
    "UnknownTaskError",
    "UnsuitableLoopError",
    "UnwantedValueError",
    "WorkerLostError",
    "WrongLoopError",
    "near_name",
]
