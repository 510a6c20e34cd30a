"""What a page's server answers, to whom it answers, and what it refuses."""

import threading

from cascade.cli.web import LocalRequestHandler, WebServer
from cli.web.client import ask, listen, until
from cli.web.handlers import LIMIT
from rows import each_row

# --- answers --------------------------------------------------------------------------------------


def test_an_answer_comes_with_headers_that_shut_others_out(server):
    status, headers, text = ask(server, "GET", "/")
    assert (status, text) == (200, "the page ✓")
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    policy = headers["Content-Security-Policy"]
    assert policy == "default-src 'none'; connect-src 'self'; frame-ancestors 'none'"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Access-Control-Allow-Origin"] is None
    assert headers["Server"].strip() == "Cascade"


def test_a_query_is_no_part_of_the_route(server):
    assert ask(server, "GET", "/?at=5")[0] == 200


@each_row("method", ["GET", "POST", "HEAD", "DELETE", "OPTIONS"])
def test_a_handler_without_methods_allows_and_answers_nothing(method):
    with WebServer(LocalRequestHandler) as server:
        status, headers, text = ask(server, method, "/")
    assert status == 501
    assert text == ("" if method == "HEAD" else f"Unsupported method ('{method}')\n")
    assert headers["Content-Type"] == "text/plain; charset=utf-8"
    assert headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"


def test_a_refusal_is_one_sentence_and_not_kept_by_caches(server):
    status, headers, text = ask(server, "GET", "/elsewhere")
    assert (status, text) == (404, "there is nothing here\n")
    assert headers["Content-Type"] == "text/plain; charset=utf-8"
    assert headers["Cache-Control"] == "no-store"


def test_a_body_is_read_up_to_the_limit(server, posted):
    assert ask(server, "POST", "/", "x" * LIMIT)[0] == 204
    assert posted == [b"x" * LIMIT]


@each_row("length", [str(LIMIT + 1), "-1", "1e1", "many", ""])
def test_a_body_that_is_too_long_or_of_unknown_length_is_not_read(server, posted, length):
    headers = {"Content-Length": length}
    status, _, text = ask(server, "POST", "/", "x", **headers)
    assert (status, text) == (400, "too long\n")
    assert posted == []


# --- events ---------------------------------------------------------------------------------------


def test_events_come_with_their_names_and_data(server):
    _, events = listen(server, "/few")
    assert list(events) == [("first", {"n": 1}), ("second", [1.5, None])]


def test_events_stop_when_the_listener_goes(server):
    before = set(threading.enumerate())
    answer, events = listen(server, "/count")
    assert next(events) == ("number", 0)
    assert len(set(threading.enumerate()) - before) == 1
    answer.close()
    until(lambda: not set(threading.enumerate()) - before)


def test_a_handler_that_fails_is_logged_and_leaves_the_server_open(server, caplog):
    _, events = listen(server, "/broken")
    assert list(events) == [("n", 1.0)]
    until(lambda: "a request could not be answered" in caplog.text)
    assert "ZeroDivisionError" in caplog.text
    assert ask(server, "GET", "/")[0] == 200


# --- strangers ------------------------------------------------------------------------------------


@each_row("host", ["localhost", "localhost:8000", "127.0.0.1:1", "[::1]:8000"])
def test_names_of_this_machine_are_answered(server, host):
    assert ask(server, "GET", "/", Host=host)[0] == 200


@each_row(
    "host",
    ["", "example.com", "localhost.example.com", "127.0.0.1.example.com:80", "10.0.0.1", "["],
)
@each_row("method", ["GET", "POST", "DELETE"])
def test_a_foreign_name_is_refused(server, posted, host, method):
    status, _, text = ask(server, method, "/", "x", Host=host)
    assert (status, text) == (403, "this server answers to names of this machine only\n")
    assert posted == []


@each_row("origin", ["null", "http://example.com", "http://127.0.0.1:1", "x"])
@each_row("method", ["GET", "POST", "DELETE"])
def test_a_foreign_page_is_refused(server, posted, origin, method):
    status, _, text = ask(server, method, "/", "x", Origin=origin)
    assert (status, text) == (403, "this server answers to its own page only\n")
    assert posted == []


def test_the_own_page_is_answered(server, posted):
    assert ask(server, "POST", "/", "x", Origin=server.url.rstrip("/"))[0] == 204
    assert posted == [b"x"]
