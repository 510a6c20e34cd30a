"""``cs.http``: requests and answers, over real connections to a server on this machine."""

import asyncio
import gzip
import json
import re
import threading
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

import cascade as cs
from cascade.interfaces.errors import BodyTooLargeError, HttpStatusError
from cascade.providers.http import HttpResponse
from cascade.providers.slots import slots
from cascade.spec import codec
from rows import each_row
from sdk.web_server import WebServer

PATIENCE = 30  # seconds: a bound for what goes wrong, not a measure of anything


@pytest.fixture
def server():
    with WebServer().running() as server:
        server.pages["/echo"] = lambda request: request.answer(
            json.dumps({"method": request.command, "client": request.client_address[1]}).encode(),
            fields=[("Content-Type", "text/plain; charset=utf-8")],
        )
        yield server


@pytest.fixture
def other():
    with WebServer().running() as server:
        server.pages["/there"] = lambda request: request.answer(b"arrived")
        yield server


@each_row("method", ["get", "post", "put", "patch", "delete"])
def test_each_method_is_sent_and_gives_the_answer(server, method):
    request = getattr(cs.http, method)
    answer = cs.run(request(f"{server.url}/echo", params={"q": "1"}, headers={"X-Test": "yes"}))
    sent, path, headers, _ = server.seen[-1]
    assert (sent, path, headers["x-test"]) == (method.upper(), "/echo?q=1", "yes")
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert json.loads(answer.text) == json.loads(answer.bytes) == answer.json()


def test_head_gives_the_fields_and_no_body(server):
    server.pages["/large"] = lambda request: request.answer(b"x" * 1000)
    answer = cs.run(cs.http.head(f"{server.url}/large", max_bytes=10))
    assert (answer.headers["Content-Length"], answer.bytes) == ("1000", b"")


@each_row(
    ("options", "body"),
    [
        ({"json": {"a": 1}}, b'{"a":1}'),
        ({"body": "text"}, b"text"),
        ({"body": b"raw"}, b"raw"),
        ({"body": {"a": "1"}}, b"a=1"),
    ],
)
def test_bodies_are_sent(server, options, body):
    cs.run(cs.http.post(f"{server.url}/echo", **options))
    assert server.seen[-1][3].replace(b": ", b":") == body


def test_files_are_sent_as_multipart_with_their_form(server, tmp_path):
    path = tmp_path / "notes.txt"
    path.write_bytes(b"from a file")
    files = {"one": ("named.bin", b"from memory"), "two": path}
    cs.run(cs.http.post(f"{server.url}/echo", body={"title": "all"}, files=files))
    _, _, headers, body = server.seen[-1]
    assert headers["content-type"].startswith("multipart/form-data; boundary=")
    parts = re.findall(
        rb'name="(\w+)"(?:; filename="([\w.]+)")?.*?\r\n\r\n(.*?)\r\n--', body, re.DOTALL
    )
    assert parts == [
        (b"title", b"", b"all"),
        (b"one", b"named.bin", b"from memory"),
        (b"two", b"notes.txt", b"from a file"),
    ]


@each_row(
    ("options", "kind", "reason"),
    [
        ({"tiemout": 3}, TypeError, "no option 'tiemout'. Did you mean 'timeout'"),
        ({"json": 1, "body": "text"}, ValueError, "one body"),
        ({"files": {"a": b""}}, ValueError, "the file 'a' is neither a Path nor a (name, bytes)"),
        ({"json": 1, "files": {"a": ("n", b"")}}, ValueError, "one body"),
        ({"body": "text", "files": {"a": ("n", b"")}}, ValueError, "the body is a form"),
        ({"max_bytes": -1}, ValueError, "max_bytes is a number of bytes >= 0"),
    ],
)
def test_options_that_cannot_be_used_are_refused(options, kind, reason):
    with pytest.raises(kind, match=re.escape(reason)):
        cs.run(cs.http.post("http://127.0.0.1:1/", **options))


def test_a_request_can_be_written_and_read_again(server, tmp_path):
    path = tmp_path / "notes.txt"
    path.write_bytes(b"notes")
    files = {"one": ("named", b"from memory"), "two": path}
    call = cs.http.post(f"{server.url}/echo", files=files, check=True)
    cs.run(codec.decode(codec.encode(call)))
    assert b"from memory" in server.seen[-1][3]
    assert b"notes" in server.seen[-1][3]


# --- statuses -------------------------------------------------------------------------------------


def test_any_status_is_an_answer_unless_a_check_is_asked_for(server):
    server.pages["/missing"] = lambda request: request.answer(b"not here", 404)
    url = f"{server.url}/missing"
    answer = cs.run(cs.http.get(url))
    assert (answer.status, answer.text) == (404, "not here")
    with pytest.raises(
        HttpStatusError, match="/missing answered 404 Not Found: not here"
    ) as caught:
        answer.raise_for_status()
    assert (caught.value.status, caught.value.body) == (404, b"not here")
    with pytest.raises(HttpStatusError):
        cs.run(cs.http.get(url, check=True))
    fine = cs.run(cs.http.get(f"{server.url}/echo", check=True))
    assert fine.raise_for_status() is fine


def busy_once(waits):
    """Return a page that asks to wait, and answers when asked again."""
    asked = []

    def page(request):
        asked.append(request.path)
        if len(asked) > 1:
            request.answer(b"now")
        else:
            request.answer(b"", 429, [("Retry-After", waits)])

    return page


def test_a_retry_waits_as_long_as_the_server_asks(server):
    server.pages["/busy"] = busy_once("0")
    events = []

    async def fetch():
        engine = cs.Engine()
        engine.events.listen(events.append)
        # Without the server's word it would wait for longer than any test.
        asks = cs.http.get.with_retry(2, delay=3600, max_delay=3600)
        return await engine.run(asks(f"{server.url}/busy", check=True))

    assert asyncio.run(asyncio.wait_for(fetch(), PATIENCE)).text == "now"
    assert [event.wait for event in events if type(event).__name__ == "TaskRetrying"] == [0.0]


def answer_with(retry_after):
    return HttpResponse("http://x/", 503, (("retry-after", retry_after),), b"", "utf-8")


@each_row(
    ("text", "seconds"),
    [("120", 120.0), ("0", 0.0), ("soon", None), ("", None), ("-5", None), ("1.5", None)],
)
def test_what_a_server_asks_to_wait_is_read_in_seconds(text, seconds):
    assert answer_with(text).retry_after == seconds


def test_a_date_to_wait_for_becomes_seconds():
    later = format_datetime(datetime.now(UTC) + timedelta(hours=10), usegmt=True)
    assert 35_000 < answer_with(later).retry_after < 36_001
    assert answer_with("Wed, 21 Oct 2015 07:28:00 GMT").retry_after == 0.0
    assert answer_with("Wed, 21 Oct 2015 07:28:00 -0000").retry_after == 0.0
    assert HttpResponse("http://x/", 503, (), b"", "utf-8").retry_after is None


# --- header fields and bodies ---------------------------------------------------------------------


def test_a_field_that_comes_several_times_is_given_whole(server):
    cookies = ["a=1; Expires=Wed, 21 Oct 2037 07:28:00 GMT", "b=2"]
    fields = [*(("Set-Cookie", each) for each in cookies), ("Vary", "Accept"), ("Vary", "Cookie")]
    server.pages["/fields"] = lambda request: request.answer(b"", fields=fields)
    headers = cs.run(cs.http.get(f"{server.url}/fields")).headers
    assert headers.get_list("Set-Cookie") == cookies
    assert headers["set-cookie"] == "\n".join(cookies)
    assert headers["VARY"] == "Accept, Cookie"
    assert headers.get_list("x-none") == []
    assert {"vary", "set-cookie", "content-length"} <= set(headers)


def test_what_is_not_json_is_said_without_secrets(server):
    server.pages["/text"] = lambda request: request.answer(b"no json")
    address = server.url.replace("//", "//ann:secret@")
    answer = cs.run(cs.http.get(f"{address}/text?key=secret"))
    with pytest.raises(ValueError, match=r"/text \(status 200\) is not JSON") as caught:
        answer.json()
    assert "secret" not in str(caught.value)


@each_row("has_length", [True, False])
@each_row("fields", [[], [("Content-Encoding", "gzip")]])
def test_a_body_has_a_bound(server, has_length, fields):
    body = gzip.compress(b"x" * 2000) if fields else b"x" * 2000
    server.pages["/large"] = lambda request: request.answer(
        body, fields=fields, has_length=has_length
    )
    with pytest.raises(BodyTooLargeError, match="more than 1999 bytes; allow more with max_bytes="):
        cs.run(cs.http.get(f"{server.url}/large", max_bytes=1999))
    assert len(cs.run(cs.http.get(f"{server.url}/large", max_bytes=2000)).bytes) == 2000


def test_a_body_goes_to_a_file_whole_or_not_at_all(server, tmp_path):
    body = bytes(range(256)) * 10_000
    server.pages["/large"] = lambda request: request.answer(body)
    server.pages["/missing"] = lambda request: request.answer(b"not here", 404)

    def cut_short(request):
        request.send_response(200)
        request.send_header("Content-Length", "5000")
        request.end_headers()
        request.wfile.write(b"x" * 100)
        request.close_connection = True

    server.pages["/short"] = cut_short
    path = tmp_path / "body"
    answer = cs.run(cs.http.get(f"{server.url}/large", save_to=path))
    assert (answer.saved_to, answer.bytes) == (path, b"")
    assert path.read_bytes() == body
    with pytest.raises(httpx.HTTPError, match=r"GET http://127.0.0.1:\d+/short: "):
        cs.run(cs.http.get(f"{server.url}/short", save_to=path))
    with pytest.raises(BodyTooLargeError):
        cs.run(cs.http.get(f"{server.url}/large", save_to=path, max_bytes=10))
    missing = cs.run(cs.http.get(f"{server.url}/missing", save_to=path))
    assert (missing.saved_to, missing.text) == (None, "not here")
    assert path.read_bytes() == body
    assert list(tmp_path.iterdir()) == [path]


# --- redirects ------------------------------------------------------------------------------------


def redirect(to, status=302, fields=(), body=b""):
    return lambda request: request.answer(body, status, [("Location", to), *fields])


SECRETS = {"Authorization": "Bearer t", "Cookie": "c=1", "X-Api-Key": "k", "Accept": "text/plain"}


def test_a_redirect_to_another_host_takes_no_headers_along(server, other):
    server.pages["/away"] = redirect(f"{other.url}/back")
    other.pages["/back"] = redirect(f"{other.url}/there", fields=[("Set-Cookie", "own=1")])
    answer = cs.run(cs.http.get(f"{server.url}/away", headers=SECRETS))
    assert (answer.text, answer.url) == ("arrived", f"{other.url}/there")
    assert server.seen[0][2]["x-api-key"] == "k"
    for _, _, headers, _ in other.seen:
        assert not {"authorization", "x-api-key"} & set(headers)
        assert headers["accept"] == "text/plain"
    assert [headers.get("cookie") for _, _, headers, _ in other.seen] == [None, "own=1"]


def test_nor_what_a_client_of_the_users_own_adds(server, other):
    server.pages["/away"] = redirect(f"{other.url}/there", 307)

    @cs.resource(name="http_client")
    async def client():
        async with httpx.AsyncClient(
            follow_redirects=True,
            auth=("ann", "secret"),
            headers={"X-Api-Key": "k"},
            cookies={"a": "1"},
        ) as client:
            yield client

    call = cs.http.post(f"{server.url}/away", body="text")
    assert cs.run(call, resources=[client]).text == "arrived"
    first, last = server.seen[0], other.seen[0]
    assert {"authorization", "x-api-key", "cookie"} <= set(first[2])
    assert not {"authorization", "x-api-key", "cookie"} & set(last[2])
    assert (last[0], last[3]) == ("POST", b"text")


def test_a_redirect_on_the_same_host_keeps_them_and_the_connection(server):
    server.pages["/from"] = redirect("/echo", body=b"moved")
    answer = cs.run(cs.http.get(f"{server.url}/from", headers={"X-Api-Key": "k"}))
    assert server.seen[1][2]["x-api-key"] == "k"
    assert answer.json()["method"] == "GET"


def test_a_client_that_follows_no_redirects_gets_them_as_answers(server):
    server.pages["/from"] = redirect("/echo")

    @cs.resource(name="http_client")
    async def client():
        async with httpx.AsyncClient() as client:
            yield client

    assert cs.run(cs.http.get(f"{server.url}/from"), resources=[client]).status == 302


def test_redirects_without_an_end_are_an_error(server):
    server.pages["/round"] = redirect("/round")
    with pytest.raises(httpx.TooManyRedirects, match="/round: redirected more than 20 times"):
        cs.run(cs.http.get(f"{server.url}/round"))


# --- connections and time -------------------------------------------------------------------------


def test_connections_are_used_again_within_a_run(server):
    @cs.task(mode="inline")
    def client_of(answer):
        return answer.json()["client"]

    @cs.task
    async def second(first):
        return both(first, client_of(cs.http.get(f"{server.url}/echo")))

    @cs.task(mode="inline")
    def both(*clients):
        return clients

    first, then = cs.run(second(client_of(cs.http.get(f"{server.url}/echo"))))
    assert first == then


def test_no_answer_in_time_is_a_time_out_that_names_request_and_phase(server):
    over = threading.Event()
    server.pages["/never"] = lambda request: over.wait(PATIENCE)
    try:
        with pytest.raises(TimeoutError) as caught:
            cs.run(cs.http.get(f"{server.url}/never?key=secret", timeout=0.1))
    finally:
        over.set()
    assert str(caught.value) == (
        f"GET {server.url}/never: waiting for the answer took longer than 0.1 s"
    )


def test_no_connection_is_an_error_that_names_the_request_and_the_task():
    with pytest.raises(httpx.ConnectError, match="GET http://127.0.0.1:1/: .*connection") as caught:
        cs.run(cs.http.get("http://127.0.0.1:1/", timeout=1))
    assert "in task 'http.get' of run 'run-1'" in caught.value.__notes__


def test_requests_to_one_host_wait_in_line(server):
    running, most, lock = 0, 0, threading.Lock()
    others = threading.Event()

    def page(request):
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        others.wait(0.05)  # so that more of them would be here at once
        with lock:
            running -= 1
        request.answer(b"done")

    server.pages["/slow"] = page
    calls = cs.http.get.map([f"{server.url}/slow"] * 12)
    answers = cs.run(calls, resources=[slots("http", at_once=2)])
    assert [answer.text for answer in answers] == ["done"] * 12
    assert most <= 2


def test_one_host_does_not_wait_for_another(server, other):
    let_go = threading.Event()

    def held(request):
        let_go.wait(PATIENCE)
        request.answer(b"late")

    def free(request):
        let_go.set()
        request.answer(b"at once")

    server.pages["/held"], other.pages["/free"] = held, free
    calls = [cs.http.get(f"{server.url}/held"), cs.http.get(f"{other.url}/free")]
    answers = cs.run(calls, resources=[slots("http", at_once=1)])
    assert [answer.text for answer in answers] == ["late", "at once"]


def test_http_itself_is_not_called():
    with pytest.raises(TypeError, match=r"cs\.http\.get"):
        cs.http("http://127.0.0.1")
