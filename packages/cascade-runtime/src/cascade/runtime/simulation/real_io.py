"""What has a time of its own, and so is refused on simulated time: threads, processes, sockets, files."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import NoReturn, TypeVar

from cascade.interfaces.errors import NonDeterminismError

__all__ = ["refuse_real_io"]

L = TypeVar("L", bound=type[asyncio.AbstractEventLoop])

_METHODS = {
    "a thread": ["run_in_executor", "getaddrinfo", "getnameinfo"],
    "a process": ["subprocess_exec", "subprocess_shell"],
    "a signal of the operating system": ["add_signal_handler", "remove_signal_handler"],
    "a pipe": ["connect_read_pipe", "connect_write_pipe"],
    "a file descriptor": ["add_reader", "remove_reader", "add_writer", "remove_writer"],
    "a socket": [
        *("create_connection", "create_server", "create_datagram_endpoint"),
        *("create_unix_connection", "create_unix_server", "connect_accepted_socket"),
        *("sock_recv", "sock_recv_into", "sock_recvfrom", "sock_recvfrom_into"),
        *("sock_sendall", "sock_sendto", "sock_sendfile", "sock_connect", "sock_accept"),
        *("sendfile", "start_tls"),
    ],
}


def refuse_real_io(loop_class: L) -> L:
    """Decorate a class of event loops: asking it for real input or output is a `NonDeterminismError`."""
    for cause, methods in _METHODS.items():
        for method in methods:
            setattr(loop_class, method, _refusal(cause))
    return loop_class


def _refusal(cause: str) -> Callable[..., NoReturn]:
    def refuse(_loop: asyncio.AbstractEventLoop, *_: object, **__: object) -> NoReturn:
        raise NonDeterminismError(cause)

    return refuse
