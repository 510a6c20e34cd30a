"""A client that asks a page's server for anything, as a browser or a stranger would."""

import json
import time
from http.client import HTTPConnection
from urllib.parse import urlsplit

TIMEOUT = 60  # seconds; nothing here takes long unless the machine is busy


def until(condition):
    """Wait for something to come true; return what it is."""
    deadline = time.monotonic() + TIMEOUT
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.02)
    return found


def connect(server):
    return HTTPConnection(urlsplit(server.url).netloc, timeout=TIMEOUT)


def ask(server, method, path, body=None, **headers):
    """Return the status, the headers and the text of an answer."""
    connection = connect(server)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read().decode()
    finally:
        connection.close()


def listen(server, path):
    """Open a stream of events; return the answer and an iterator of names and data."""
    connection = connect(server)
    connection.request("GET", path)
    answer = connection.getresponse()
    assert answer.getheader("Content-Type") == "text/event-stream; charset=utf-8"
    return answer, _events(answer)


def _events(answer):
    while line := answer.readline():
        name = line.decode().removeprefix("event: ").strip()
        yield name, json.loads(answer.readline().decode().removeprefix("data: "))
        assert answer.readline() == b"\n"
