"""Pages that commands serve to the browser on this machine, and to nobody else.

Imports point down this list; nothing beyond the standard library is needed.

* `server`: a web server on the loopback address, open as long as its context is
* `requests`: the base class of what answers: it refuses strangers, sets the security headers, and
  sends events

A command derives its own handler, and gives the server whatever that needs:

    class Greeting(LocalRequestHandler):
        def do_GET(self):
            self.answer(HTTPStatus.OK, "hello")

    with WebServer(Greeting) as server:
        print(server.url)
"""

from cascade.cli.web.requests import LocalRequestHandler
from cascade.cli.web.server import HandlerFactory, WebServer

__all__ = ["HandlerFactory", "LocalRequestHandler", "WebServer"]
