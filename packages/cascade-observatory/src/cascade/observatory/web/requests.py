"""The requests that the firefly page makes: for itself, for the feed, for a change."""

from __future__ import annotations

import time
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from cascade.cli.web import LocalRequestHandler
from cascade.observatory.web.control_request import parse_control_request
from cascade.observatory.web.page import live_page, security_policy
from cascade.observatory.web.recording import Controls, Feed, Update

__all__ = ["FireflyRequests"]

_UPDATE_INTERVAL = 1 / 20  # seconds
_MAX_UPDATE = 5000  # flashes in one update: to write out more at once would hold up the experiment
_MAX_CONTROL_REQUEST = 1000  # bytes


class FireflyRequests(LocalRequestHandler):
    """Answers one request of the page that shows an experiment.

    | route | |
    | --- | --- |
    | ``GET /`` | the page |
    | ``GET /feed`` | the experiment as server-sent events: ``metadata`` once, then ``update`` |
    | ``POST /control`` | pause, or change the speed: see `parse_control_request` |
    """

    def __init__(self, feed: Feed, controls: Controls, *connection: Any) -> None:
        """Answer at once, about the experiment behind this feed and these controls."""
        self._feed = feed
        self._controls = controls
        super().__init__(*connection)

    def security_policy(self) -> str:
        """Return the policy of the page."""
        return security_policy()

    def do_GET(self) -> None:  # noqa: N802 - as http.server calls it
        """Answer with the page or with the feed."""
        match self.route:
            case "/":
                self.answer(HTTPStatus.OK, live_page(), "text/html")
            case "/feed":
                self.send_events(self._events())
            case "/control":
                self.refuse(HTTPStatus.METHOD_NOT_ALLOWED, "changes come by POST")
            case _:
                self.refuse(HTTPStatus.NOT_FOUND, "there is nothing here but the page, at /")

    def do_POST(self) -> None:  # noqa: N802 - the same
        """Pause the experiment, let it go on, or change its speed."""
        if self.route != "/control":
            self.refuse(HTTPStatus.NOT_FOUND, "changes go to /control")
            return
        body = self.read_body(_MAX_CONTROL_REQUEST)
        if body is None:
            problem = f"a change states its length, of at most {_MAX_CONTROL_REQUEST} bytes"
            self.refuse(HTTPStatus.BAD_REQUEST, problem)
            return
        try:
            request = parse_control_request(body)
        except ValueError as error:
            self.refuse(HTTPStatus.BAD_REQUEST, str(error))
            return
        if request.paused is not None:
            self._controls.paused = request.paused
        if request.speed is not None:
            self._controls.factor = request.speed
        self.answer(HTTPStatus.NO_CONTENT)

    def _events(self) -> Iterator[tuple[str, Any]]:
        """Yield all that was seen, then what is new, until the experiment has ended."""
        feed, controls = self._feed, self._controls
        yield "metadata", feed.metadata()
        flashes = points = 0
        while True:
            update = feed.since(flashes, points)
            for part in _split(update):
                yield "update", {**part, "paused": controls.paused, "speed": controls.factor}
            flashes += len(update["flashes"]["times"])
            points += len(update["order"]["times"])
            if update["done"]:
                return
            time.sleep(_UPDATE_INTERVAL)


def _split(update: Update) -> Iterator[Update]:
    """Yield an update in parts, of which only the last one may say that nothing follows."""
    flashes, order = update["flashes"], update["order"]
    count = max(len(flashes["times"]), len(order["times"]), 1)
    for begin in range(0, count, _MAX_UPDATE):
        end = begin + _MAX_UPDATE
        yield {
            **update,
            "flashes": {
                "times": [round(each, 6) for each in flashes["times"][begin:end]],
                "agents": list(flashes["agents"][begin:end]),
            },
            "order": {
                "times": list(order["times"][begin:end]),
                "values": list(order["values"][begin:end]),
            },
            "done": update["done"] and end >= count,
        }
