"""The requests that a page makes: for itself, for news of the experiment, for a change."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from cascade.observatory.show.page import live_page, security_policy
from cascade.observatory.show.recording import Controls, Feed, More
from cascade.observatory.show.wish import wish_from

__all__ = ["Requests", "Site"]

_PAUSE = 1 / 20  # seconds from news to news
_PART = 5000  # flashes at once in the news: to write out many would hold up the experiment
_LONGEST_WISH = 1000  # bytes

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Site:
    """What is served."""

    feed: Feed
    controls: Controls


class Requests(BaseHTTPRequestHandler):
    """Answers one request, in a thread of its own."""

    timeout = 10  # seconds without progress after which the other side is taken for gone
    server_version = "Cascade"
    sys_version = ""

    def __init__(self, site: Site, *connection: Any) -> None:
        """Answer at once."""
        self._site = site
        super().__init__(*connection)

    def handle(self) -> None:
        """Answer, as far as somebody is there to hear it."""
        try:
            super().handle()
        except (ConnectionError, TimeoutError):
            self.close_connection = True
        except Exception:
            logger.exception("the experiment could not be shown")

    def do_GET(self) -> None:
        """Answer with the page or with news."""
        if not self._is_from_here():
            return
        match self._place:
            case "/":
                self._answer(HTTPStatus.OK, live_page(), "text/html")
            case "/feed":
                self._tell()
            case "/control":
                self.send_error(HTTPStatus.METHOD_NOT_ALLOWED, "changes come by POST")
            case _:
                self.send_error(HTTPStatus.NOT_FOUND, "there is nothing here but the page, at /")

    def do_POST(self) -> None:
        """Do what people want."""
        if not self._is_from_here():
            return
        if self._place != "/control":
            self.send_error(HTTPStatus.NOT_FOUND, "changes go to /control")
            return
        length = self.headers.get("Content-Length", "")
        if not (length.isdecimal() and int(length) <= _LONGEST_WISH):
            problem = f"a change states its length, of at most {_LONGEST_WISH} bytes"
            self.send_error(HTTPStatus.BAD_REQUEST, problem)
            return
        try:
            wish = wish_from(self.rfile.read(int(length)))
        except ValueError as error:
            self.send_error(HTTPStatus.BAD_REQUEST, str(error))
            return
        if wish.paused is not None:
            self._site.controls.paused = wish.paused
        if wish.speed is not None:
            self._site.controls.factor = wish.speed
        self._answer(HTTPStatus.NO_CONTENT)

    # --- who may ask --------------------------------------------------------------------------

    def _is_from_here(self) -> bool:
        """Say whether this machine's own page asks; refuse everybody else.

        Another site could have its own name lead to this address, or send its requests here; the
        browser states both, in ``Host`` and in ``Origin``.
        """
        host, origin = self.headers.get("Host", ""), self.headers.get("Origin")
        if not _is_loopback(host):
            self.send_error(
                HTTPStatus.FORBIDDEN, "this server answers to names of this machine only"
            )
        elif origin not in {None, f"http://{host}"}:
            self.send_error(HTTPStatus.FORBIDDEN, "this server answers to its own page only")
        else:
            return True
        return False

    # --- what is sent -------------------------------------------------------------------------

    def _tell(self) -> None:
        """Send all that was seen, then what is new, until all is told or one side goes."""
        feed, controls = self._site.feed, self._site.controls
        self._head(HTTPStatus.OK, "text/event-stream")
        self._event("recording", feed.recording())
        flashes = points = 0
        while True:
            more = feed.since(flashes, points)
            for part in _parts(more):
                state = {"paused": controls.paused, "speed": controls.factor}
                self._event("more", {**part, **state})
            flashes += len(more["flashes"]["times"])
            points += len(more["order"]["times"])
            if more["done"]:
                return
            time.sleep(_PAUSE)

    def _event(self, name: str, data: Any) -> None:
        text = json.dumps(data, allow_nan=False, separators=(",", ":"))
        self.wfile.write(f"event: {name}\ndata: {text}\n\n".encode())

    def _answer(self, status: int, text: str = "", kind: str = "text/plain") -> None:
        content = text.encode()
        self._head(status, kind, len(content))
        if self.command != "HEAD":
            self.wfile.write(content)

    def _head(self, status: int, kind: str, length: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Security-Policy", f"{security_policy()}; frame-ancestors 'none'")
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse in one sentence."""
        self.close_connection = True
        self._answer(code, f"{message or explain or HTTPStatus(code).phrase}\n")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's
        """Keep silent about single requests."""

    @property
    def _place(self) -> str:
        return self.path.partition("?")[0]


def _is_loopback(host: str) -> bool:
    """Say whether a name, perhaps with a port, can only be this machine."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or ip_address(name).is_loopback
    except ValueError:
        return False


def _parts(more: More) -> Iterator[More]:
    """Yield news in parts, of which only the last one may say that all is told."""
    flashes, order = more["flashes"], more["order"]
    count = max(len(flashes["times"]), len(order["times"]), 1)
    for begin in range(0, count, _PART):
        end = begin + _PART
        yield {
            **more,
            "flashes": {
                "times": [round(each, 6) for each in flashes["times"][begin:end]],
                "agents": list(flashes["agents"][begin:end]),
            },
            "order": {
                "times": list(order["times"][begin:end]),
                "values": list(order["values"][begin:end]),
            },
            "done": more["done"] and end >= count,
        }
