"""A page for the tests of its server: it answers, echoes, counts for ever, and fails."""

import time
from http import HTTPStatus
from itertools import count

from cascade.cli.web import LocalRequestHandler

LIMIT = 10  # bytes of a body


class Page(LocalRequestHandler):
    """Remembers what was posted, for all connections."""

    def __init__(self, posted, *connection):
        self.posted = posted
        super().__init__(*connection)

    def security_policy(self):
        return "default-src 'none'; connect-src 'self'"

    def do_GET(self):  # noqa: N802 - as http.server calls it
        match self.route:
            case "/":
                self.answer(HTTPStatus.OK, "the page ✓", "text/html")
            case "/few":
                self.send_events([("first", {"n": 1}), ("second", [1.5, None])])
            case "/count":
                self.send_events(self._count())
            case "/broken":
                self.send_events(("n", 1 / n) for n in (1, 0))
            case _:
                self.refuse(HTTPStatus.NOT_FOUND, "there is nothing here")

    def do_POST(self):  # noqa: N802 - the same
        body = self.read_body(LIMIT)
        if body is None:
            self.refuse(HTTPStatus.BAD_REQUEST, "too long")
        else:
            self.posted.append(body)
            self.answer(HTTPStatus.NO_CONTENT)

    def _count(self):
        for number in count():
            yield "number", number
            time.sleep(0.01)
