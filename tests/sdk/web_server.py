"""A web server on this machine, whose answers a test writes as functions of the request."""

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

__all__ = ["WebServer"]


class WebServer:
    """Serves paths; ``pages["/a"]`` is called with the request's handler and answers.

    Attributes:
        url: where it is, without a path.
        pages: what answers each path.
        seen: the requests in the order they came: method, path, headers and body.
    """

    def __init__(self):
        self.pages = {}
        self.seen = []
        served = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def serve(self):
                length = int(self.headers.get("Content-Length") or 0)
                self.body = self.rfile.read(length)
                headers = {name.lower(): value for name, value in self.headers.items()}
                served.seen.append((self.command, self.path, headers, self.body))
                served.pages[self.path.partition("?")[0]](self)

            do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = serve  # noqa: N815 - names given by http.server

            def answer(self, body=b"", status=200, fields=(), *, has_length=True):
                self.send_response(status)
                for name, value in fields:
                    self.send_header(name, value)
                if has_length:
                    self.send_header("Content-Length", str(len(body)))
                else:
                    self.send_header("Connection", "close")
                    self.close_connection = True
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_: (
            None
        )  # a client that hangs up is no fault of the server
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    @contextmanager
    def running(self):
        thread = threading.Thread(target=self._server.serve_forever, args=[0.01])
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            thread.join()
            self._server.server_close()
