"""A web server on this machine's own loopback address, with a thread for each request."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress
from http.server import ThreadingHTTPServer
from socketserver import TCPServer
from threading import Lock, Thread
from typing import Any, Self, TypeAlias

from cascade.cli.web.requests import LocalRequestHandler

__all__ = ["HandlerFactory", "WebServer"]

HandlerFactory: TypeAlias = Callable[[Any, Any, Any], LocalRequestHandler]
"""Called for each connection with what `http.server` gives a handler: the socket, the client's address
and the server. A handler that needs more is wrapped with `functools.partial`."""

_ADDRESS = "127.0.0.1"
_POLL_INTERVAL = 0.05  # seconds after which the server notices at the latest that it is to stop


class WebServer:
    """Serves pages as long as the context is open.

    Leaving the context ends all answers that are still under way, and every thread.
    """

    def __init__(self, handler: HandlerFactory, port: int = 0) -> None:
        """Prepare to listen; the port opens with the context.

        Args:
            handler: makes what answers a connection.
            port: of the loopback address; 0 is any free one.

        Raises:
            ValueError: there is no such port.
        """
        if not 0 <= port <= 0xFFFF:  # noqa: PLR2004 - sixteen bits
            raise ValueError(f"a port is a number from 0 to 65535, not {port}")
        self._handler = handler
        self._port = port
        self._server: _Server | None = None
        self._thread: Thread | None = None

    @property
    def url(self) -> str:
        """Where the pages are.

        Raises:
            RuntimeError: the server is not open.
        """
        if self._server is None:
            raise RuntimeError("the web server has an address only while it is open")
        return f"http://{_ADDRESS}:{self._server.server_address[1]}/"

    def __enter__(self) -> Self:
        """Listen.

        Raises:
            OSError: the port is taken, or not for everybody.
            RuntimeError: the server is open already.
        """
        if self._server is not None:
            raise RuntimeError("the web server is open already")
        try:
            self._server = _Server(self._handler, self._port)
        except OSError as error:
            raise OSError(error.errno, f"port {self._port}: {error.strerror}") from error
        self._thread = Thread(
            target=self._server.serve_forever,
            args=(_POLL_INTERVAL,),
            name="cascade-web",
            daemon=True,
        )
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        """Stop listening, end all answers, and wait for their threads."""
        server, thread = self._server, self._thread
        self._server = self._thread = None
        if server is not None and thread is not None:
            server.stop()
            thread.join()


class _Server(ThreadingHTTPServer):
    """Remembers its open connections, so that it can close them."""

    daemon_threads = False  # only such threads are waited for
    allow_reuse_port = False  # a port that somebody else serves is taken

    def __init__(self, handler: HandlerFactory, port: int) -> None:
        self._open: set[socket.socket] = set()
        self._lock = Lock()
        super().__init__((_ADDRESS, port), handler)

    def server_bind(self) -> None:
        """Bind without asking for this machine's name, which may take long."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = _ADDRESS, self.server_address[1]

    def stop(self) -> None:
        self.shutdown()
        with self._lock:
            for connection in self._open:
                _hang_up(connection)
        self.server_close()

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)


def _hang_up(connection: socket.socket) -> None:
    with suppress(OSError):  # the other side may have hung up first
        connection.shutdown(socket.SHUT_RDWR)
