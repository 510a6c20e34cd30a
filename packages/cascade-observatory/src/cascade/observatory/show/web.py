"""The page on this machine's own loopback address, with news of a running experiment.

The server shows an experiment to the people at this machine and to nobody else.
"""

from __future__ import annotations

import socket
from contextlib import suppress
from functools import partial
from http.server import ThreadingHTTPServer
from socketserver import TCPServer
from threading import Lock, Thread
from typing import Any, Self

from cascade.observatory.show.recording import Controls, Feed
from cascade.observatory.show.web_requests import Requests, Site

__all__ = ["WebServer"]

_ADDRESS = "127.0.0.1"
_LOOK = 0.05  # seconds after which the server notices at the latest that it is to stop


class WebServer:
    """Serves the page for one experiment as long as the context is open.

    Leaving the context ends all answers that are still under way, and every thread.
    """

    def __init__(self, feed: Feed, controls: Controls, port: int = 0) -> None:
        """Be ready to listen on a port of the loopback address; 0 is any free one.

        Raises:
            ValueError: there is no such port.
        """
        if not 0 <= port <= 0xFFFF:  # noqa: PLR2004 - sixteen bits
            raise ValueError(f"a port is a number from 0 to 65535, not {port}")
        self._site = Site(feed, controls)
        self._port = port
        self._server: _Server | None = None
        self._thread: Thread | None = None

    @property
    def url(self) -> str:
        """Where the page is.

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
            self._server = _Server(self._site, self._port)
        except OSError as error:
            raise OSError(error.errno, f"port {self._port}: {error.strerror}") from error
        self._thread = Thread(
            target=self._server.serve_forever, args=(_LOOK,), name="cascade-web", daemon=True
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
    """Keeps its connections in mind, so that it can end them."""

    daemon_threads = False  # only such threads are waited for
    allow_reuse_port = False  # a port that somebody else serves is taken

    def __init__(self, site: Site, port: int) -> None:
        self._open: set[socket.socket] = set()
        self._lock = Lock()
        super().__init__((_ADDRESS, port), partial(Requests, site))

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
