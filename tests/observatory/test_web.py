"""The server of the page: what it answers, to whom, and that nothing of it stays behind."""

import json
import socket
import threading
from contextlib import ExitStack
from http.client import HTTPConnection
from itertools import islice
from urllib.parse import urlsplit

import pytest

from cascade.observatory.show.page import live_page
from cascade.observatory.show.web import WebServer
from cascade.observatory.show.web_requests import Requests
from observatory.browser import PATIENCE, until
from observatory.recordings import FakeControls, FakeFeed, made_up


@pytest.fixture
def feed():
    return FakeFeed()


@pytest.fixture
def controls():
    return FakeControls()


@pytest.fixture
def server(feed, controls):
    with WebServer(feed, controls) as server:
        yield server


def connect(server):
    return HTTPConnection(urlsplit(server.url).netloc, timeout=PATIENCE)


def ask(server, method, path, body=None, **headers):
    """Return the status, the headers and the text of an answer."""
    connection = connect(server)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read().decode()
    finally:
        connection.close()


def control(server, body, **headers):
    status, _, text = ask(server, "POST", "/control", body, **headers)
    return status, text


def events(answer):
    """Yield the name and the data of each event."""
    while line := answer.readline():
        name = line.decode().removeprefix("event: ").strip()
        yield name, json.loads(answer.readline().decode().removeprefix("data: "))
        assert answer.readline() == b"\n"


def told(server):
    """Open the feed, and return the answer and its events."""
    connection = connect(server)
    connection.request("GET", "/feed")
    answer = connection.getresponse()
    assert answer.getheader("Content-Type") == "text/event-stream; charset=utf-8"
    return answer, events(answer)


# --- the page ---------------------------------------------------------------------------------


def test_the_page_comes_with_headers_that_shut_others_out(server):
    status, headers, text = ask(server, "GET", "/")
    assert (status, text) == (200, live_page())
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Access-Control-Allow-Origin"] is None


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/elsewhere", 404),
        ("GET", "/../page.html", 404),
        ("POST", "/", 404),
        ("GET", "/control", 405),
        ("DELETE", "/", 501),
        ("HEAD", "/", 501),
    ],
)
def test_there_is_nothing_else(server, method, path, status):
    found, headers, _ = ask(server, method, path)
    assert found == status
    assert headers["Content-Type"] == "text/plain; charset=utf-8"
    assert headers["Cache-Control"] == "no-store"


def test_it_listens_on_the_loopback_address_only(server):
    assert urlsplit(server.url).hostname == "127.0.0.1"


# --- the news ---------------------------------------------------------------------------------


def test_the_feed_tells_the_facts_and_then_what_is_new(server, feed):
    feed.now = 2.0
    answer, news = told(server)
    assert next(news) == ("recording", feed.recording())
    name, first = next(news)
    expected = feed.since(0, 0)
    times = pytest.approx(expected["flashes"].pop("times"), abs=1e-6)
    assert name == "more"
    assert first["flashes"].pop("times") == times
    assert first == expected | {"paused": False, "speed": 1.0}

    feed.now = 12.0
    later = next(more for _, more in news if more["now"] == 12.0)
    expected = feed.since(len(first["flashes"]["agents"]), len(first["order"]["times"]))
    assert later["flashes"]["agents"] == expected["flashes"]["agents"]
    assert later["order"] == expected["order"]
    assert later["in_step_after"] == 10.0
    answer.close()


def test_who_comes_late_is_told_everything_in_pieces_and_that_it_is_all(server, feed):
    feed.whole = made_up(600, columns=None)
    feed.now, feed.done = feed.whole["duration"], True
    _, news = told(server)
    (_, facts), *pieces = news
    assert facts["columns"] is None
    assert [more["done"] for _, more in pieces] == [False, False, True]
    told_agents = [agent for _, more in pieces for agent in more["flashes"]["agents"]]
    told_values = [value for _, more in pieces for value in more["order"]["values"]]
    assert told_agents == feed.whole["flashes"]["agents"]
    assert told_values == feed.whole["order"]["values"]


def test_each_of_several_listeners_is_told_everything(server, feed):
    feed.now, feed.done = feed.whole["duration"], True
    listeners = [told(server)[1] for _ in range(3)]
    assert len({len(list(news)) for news in listeners}) == 1


def test_news_stop_when_the_listener_goes(server):
    before = set(threading.enumerate())
    answer, news = told(server)
    next(news)
    assert len(set(threading.enumerate()) - before) == 1
    answer.close()
    until(lambda: not set(threading.enumerate()) - before)


def test_an_experiment_that_fails_is_logged_and_leaves_the_server_standing(server, feed, caplog):
    feed.since = lambda _flashes, _points: 1 / 0
    _, news = told(server)
    assert [name for name, _ in news] == ["recording"]
    until(lambda: "the experiment could not be shown" in caplog.text)
    assert ask(server, "GET", "/")[0] == 200


# --- changes ----------------------------------------------------------------------------------


def test_people_pause_and_change_the_speed(server, controls):
    assert control(server, '{"paused": true}') == (204, "")
    assert controls == FakeControls(paused=True, factor=1.0)
    assert control(server, '{"paused": false, "speed": 2}') == (204, "")
    assert controls == FakeControls(paused=False, factor=2)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("", "a change is a JSON object"),
        ("{", "a change is a JSON object"),
        ("[" * 999, "a change is a JSON object"),
        ("[]", 'a change is a JSON object with "paused", "speed" or both'),
        ("{}", 'a change is a JSON object with "paused", "speed" or both'),
        ('{"volume": 1}', 'a change is a JSON object with "paused", "speed" or both'),
        ('{"paused": 1}', '"paused" is true or false'),
        ('{"speed": "fast"}', '"speed" is a number from 0.1 to 20'),
        ('{"speed": true}', '"speed" is a number from 0.1 to 20'),
        ('{"speed": NaN}', '"speed" is a number from 0.1 to 20'),
        ('{"speed": 21}', '"speed" is a number from 0.1 to 20'),
        ('{"paused": true, "speed": 0}', '"speed" is a number from 0.1 to 20'),
        (" " * 1001, "a change states its length, of at most 1000 bytes"),
    ],
)
def test_a_wrong_change_changes_nothing_and_says_why(server, controls, body, text):
    assert control(server, body) == (400, f"{text}\n")
    assert controls == FakeControls()


# --- strangers --------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["localhost", "localhost:8000", "127.0.0.1:1", "[::1]:8000"])
def test_names_of_this_machine_are_answered(server, host):
    assert ask(server, "GET", "/", Host=host)[0] == 200


@pytest.mark.parametrize(
    "host",
    ["", "example.com", "localhost.example.com", "127.0.0.1.example.com:80", "10.0.0.1", "["],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_foreign_name_is_refused(server, controls, host, method):
    path = "/" if method == "GET" else "/control"
    status, _, text = ask(server, method, path, '{"paused": true}', Host=host)
    assert (status, text) == (403, "this server answers to names of this machine only\n")
    assert controls == FakeControls()


@pytest.mark.parametrize("origin", ["null", "http://example.com", "http://127.0.0.1:1", "x"])
def test_a_foreign_page_is_refused(server, controls, origin):
    status, text = control(server, '{"paused": true}', Origin=origin)
    assert (status, text) == (403, "this server answers to its own page only\n")
    assert controls == FakeControls()
    assert ask(server, "GET", "/", Origin=origin)[0] == 403


def test_the_own_page_is_heard(server, controls):
    assert control(server, '{"paused": true}', Origin=server.url.rstrip("/"))[0] == 204
    assert controls.paused


# --- the end ----------------------------------------------------------------------------------


def test_closing_ends_every_answer_and_every_thread(feed, controls, capfd, monkeypatch):
    monkeypatch.setattr(Requests, "timeout", None)  # nothing ends by itself
    before = set(threading.enumerate())
    server = WebServer(feed, controls)
    with ExitStack() as clients:
        server.__enter__()
        address = ("127.0.0.1", urlsplit(server.url).port)
        answer, listening = told(server)
        clients.enter_context(answer)
        next(listening)
        silent = clients.enter_context(socket.create_connection(address, PATIENCE))
        until(lambda: len(set(threading.enumerate()) - before) == 3)
        closer = threading.Thread(target=server.__exit__, args=(None, None, None))
        closer.start()
        closer.join(PATIENCE)
        assert set(threading.enumerate()) == before
        assert list(islice(listening, 1000))[-1][1]["done"] is False
        assert silent.recv(1) == b""
    assert capfd.readouterr() == ("", "")


def test_an_address_exists_only_while_the_server_is_open(feed, controls):
    server = WebServer(feed, controls)
    with pytest.raises(RuntimeError, match="only while it is open"):
        _ = server.url
    with server, pytest.raises(RuntimeError, match="open already"):
        server.__enter__()
    with server:
        assert ask(server, "GET", "/")[0] == 200


def test_a_taken_port_and_a_wrong_one_are_named(server, feed, controls):
    port = urlsplit(server.url).port
    with pytest.raises(OSError, match=f"port {port}: Address already in use"):
        WebServer(feed, controls, port).__enter__()
    with pytest.raises(ValueError, match="a port is a number from 0 to 65535, not 65536"):
        WebServer(feed, controls, 65536)
