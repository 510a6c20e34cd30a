"""What answers the requests of a page on this machine: guards, headers, answers, events."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

__all__ = ["LocalRequestHandler"]

logger = logging.getLogger(__name__)


class LocalRequestHandler(BaseHTTPRequestHandler):
    """Answers one request, in a thread of its own.

    A subclass has ``do_GET``, ``do_POST`` and so on, as `http.server` calls them; whatever it does not
    have is refused. They are reached only by requests of this machine's own page: another site could
    have its own name lead to this address, or send its requests here; the browser states both, in
    ``Host`` and in ``Origin``.
    """

    timeout = 10  # seconds without progress after which the other side is taken for gone
    server_version = "Cascade"
    sys_version = ""

    # --- for subclasses -----------------------------------------------------------------------

    def security_policy(self) -> str:
        """Return the content security policy of the pages; nothing is allowed if not overridden.

        No policy needs to name ``frame-ancestors``: nobody may frame a page of this server.
        """
        return "default-src 'none'"

    @property
    def route(self) -> str:
        """The requested path, without the query."""
        return self.path.partition("?")[0]

    def read_body(self, limit: int) -> bytes | None:
        """Return the body of the request; None if it does not state its length, or is too long.

        Args:
            limit: bytes that are read at most.
        """
        length = self.headers.get("Content-Length", "")
        if not (length.isdecimal() and int(length) <= limit):
            return None
        return self.rfile.read(int(length))

    def answer(self, status: int, text: str = "", kind: str = "text/plain") -> None:
        """Answer with a text of that media type."""
        content = text.encode()
        self._send_head(status, kind, len(content))
        if self.command != "HEAD":
            self.wfile.write(content)

    def refuse(self, status: int, sentence: str) -> None:
        """Answer with an error in one sentence, and close the connection."""
        self.close_connection = True
        self.answer(status, f"{sentence}\n")

    def send_events(self, events: Iterable[tuple[str, Any]]) -> None:
        """Answer with server-sent events, pairs of a name and data for JSON, as they come.

        WHATWG HTML, section 9.2. Ends with the events, or when one side closes the connection.
        """
        self._send_head(HTTPStatus.OK, "text/event-stream")
        for name, data in events:
            text = json.dumps(data, allow_nan=False, separators=(",", ":"))
            self.wfile.write(f"event: {name}\ndata: {text}\n\n".encode())

    # --- for the server -----------------------------------------------------------------------

    def handle(self) -> None:
        """Answer, as long as the other side is there; log what goes wrong here."""
        try:
            super().handle()
        except (ConnectionError, TimeoutError):
            self.close_connection = True
        except Exception:
            logger.exception("a request could not be answered")

    def parse_request(self) -> bool:
        """Read the head of the request, and refuse strangers."""
        return super().parse_request() and self._is_local()

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse what the base class cannot read."""
        self.refuse(code, message or explain or HTTPStatus(code).phrase)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's
        """Log nothing about single requests."""

    def _is_local(self) -> bool:
        """Return whether this machine's own page asks; refuse everybody else."""
        host, origin = self.headers.get("Host", ""), self.headers.get("Origin")
        if not _is_loopback(host):
            self.refuse(HTTPStatus.FORBIDDEN, "this server answers to names of this machine only")
        elif origin not in {None, f"http://{host}"}:
            self.refuse(HTTPStatus.FORBIDDEN, "this server answers to its own page only")
        else:
            return True
        return False

    def _send_head(self, status: int, kind: str, length: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.send_header("Cache-Control", "no-store")
        policy = f"{self.security_policy()}; frame-ancestors 'none'"
        self.send_header("Content-Security-Policy", policy)
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()


def _is_loopback(host: str) -> bool:
    """Return whether a name, perhaps with a port, can only be this machine."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or ip_address(name).is_loopback
    except ValueError:
        return False
