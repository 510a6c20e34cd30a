"""The server of a page: where it listens, and that nothing of it stays behind."""

import socket
import threading
from contextlib import ExitStack
from functools import partial
from itertools import islice
from urllib.parse import urlsplit

import pytest

from cascade.cli.web import WebServer
from cli.web.client import TIMEOUT, ask, listen, until
from cli.web.handlers import Page


def test_it_listens_on_the_loopback_address_only(server):
    assert urlsplit(server.url).hostname == "127.0.0.1"


def test_closing_ends_every_answer_and_every_thread(posted, capfd, monkeypatch):
    monkeypatch.setattr(Page, "timeout", None)  # nothing ends by itself
    before = set(threading.enumerate())
    server = WebServer(partial(Page, posted))
    with ExitStack() as clients:
        server.__enter__()
        address = ("127.0.0.1", urlsplit(server.url).port)
        answer, events = listen(server, "/count")
        clients.enter_context(answer)
        next(events)
        silent = clients.enter_context(socket.create_connection(address, TIMEOUT))
        until(lambda: len(set(threading.enumerate()) - before) == 3)
        closer = threading.Thread(target=server.__exit__, args=(None, None, None))
        closer.start()
        closer.join(TIMEOUT)
        assert set(threading.enumerate()) == before
        left = list(islice(events, 100_000))
        assert [number for _, number in left] == list(range(1, len(left) + 1))
        assert silent.recv(1) == b""
    assert capfd.readouterr() == ("", "")


def test_an_address_exists_only_while_the_server_is_open(posted):
    server = WebServer(partial(Page, posted))
    with pytest.raises(RuntimeError, match="only while it is open"):
        _ = server.url
    with server, pytest.raises(RuntimeError, match="open already"):
        server.__enter__()
    with server:
        assert ask(server, "GET", "/")[0] == 200


def test_a_taken_port_and_a_wrong_one_are_named(server, posted):
    port = urlsplit(server.url).port
    with pytest.raises(OSError, match=f"port {port}: Address already in use"):
        WebServer(partial(Page, posted), port).__enter__()
    with pytest.raises(ValueError, match="a port is a number from 0 to 65535, not 65536"):
        WebServer(partial(Page, posted), 65536)
