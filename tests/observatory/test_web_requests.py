"""What the server of the firefly page answers: the page, the feed, and changes."""

import pytest

from cascade.observatory.web.page import live_page
from cli.web.client import ask, listen
from observatory.recordings import FakeControls, firefly_server, made_up
from rows import each_row


@pytest.fixture
def server(feed, controls):
    with firefly_server(feed, controls) as server:
        yield server


def control(server, body, **headers):
    status, _, text = ask(server, "POST", "/control", body, **headers)
    return status, text


# --- the page ---------------------------------------------------------------------------------


def test_the_page_allows_its_own_script_and_style_only(server):
    status, headers, text = ask(server, "GET", "/")
    assert (status, text) == (200, live_page())
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy


@each_row(
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
    assert ask(server, method, path)[0] == status


@each_row("stranger", [{"Host": "example.com"}, {"Origin": "http://example.com"}])
def test_strangers_neither_see_nor_change_anything(server, controls, stranger):
    assert control(server, '{"paused": true}', **stranger)[0] == 403
    assert ask(server, "GET", "/feed", **stranger)[0] == 403
    assert controls == FakeControls()


# --- the feed ---------------------------------------------------------------------------------


def test_the_feed_sends_the_metadata_and_then_what_is_new(server, feed):
    feed.now = 2.0
    answer, events = listen(server, "/feed")
    assert next(events) == ("metadata", feed.metadata())
    name, first = next(events)
    expected = feed.since(0, 0)
    times = pytest.approx(expected["flashes"].pop("times"), abs=1e-6)
    assert name == "update"
    assert first["flashes"].pop("times") == times
    assert first == expected | {"paused": False, "speed": 1.0}

    feed.now = 12.0
    later = next(update for _, update in events if update["now"] == 12.0)
    expected = feed.since(len(first["flashes"]["agents"]), len(first["order"]["times"]))
    assert later["flashes"]["agents"] == expected["flashes"]["agents"]
    assert later["order"] == expected["order"]
    assert later["in_step_after"] == 10.0
    answer.close()


def test_a_late_listener_gets_everything_in_pieces_and_the_last_says_so(server, feed):
    feed.whole = made_up(600, columns=None)
    feed.now, feed.done = feed.whole["duration"], True
    _, events = listen(server, "/feed")
    (_, metadata), *pieces = events
    assert metadata["columns"] is None
    assert [update["done"] for _, update in pieces] == [False, False, True]
    agents = [agent for _, update in pieces for agent in update["flashes"]["agents"]]
    values = [value for _, update in pieces for value in update["order"]["values"]]
    assert agents == feed.whole["flashes"]["agents"]
    assert values == feed.whole["order"]["values"]


def test_each_of_several_listeners_gets_everything(server, feed):
    feed.now, feed.done = feed.whole["duration"], True
    listeners = [listen(server, "/feed")[1] for _ in range(3)]
    one, *others = [list(events) for events in listeners]
    assert others == [one, one]


# --- changes ----------------------------------------------------------------------------------


def test_people_pause_and_change_the_speed(server, controls):
    assert control(server, '{"paused": true}') == (204, "")
    assert controls == FakeControls(paused=True, factor=1.0)
    assert control(server, '{"paused": false, "speed": 2}') == (204, "")
    assert controls == FakeControls(paused=False, factor=2)


@each_row(
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


def test_the_own_page_may_change_something(server, controls):
    assert control(server, '{"paused": true}', Origin=server.url.rstrip("/"))[0] == 204
    assert controls.paused
