"""Providers: how they are found, and what the built-in ones do."""

import asyncio
import json
import os
import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import EntryPoint
from pathlib import Path

import httpx
import pytest

import cascade as cs
from cascade.interfaces.errors import BrokenProviderError, ShellError, UnknownProviderError
from cascade.plugins import Plugin
from cascade.providers import Provider, provider_names, registry
from rows import each_row


@pytest.fixture
def found(monkeypatch):
    """Let the test say which entry points are installed."""

    def install(**points):
        made = {
            name: Plugin(name, "some-package", EntryPoint(name, value, registry.GROUP).load)
            for name, value in points.items()
        }
        monkeypatch.setattr(registry, "plugins", lambda group: made)

    registry.load_provider.cache_clear()
    yield install
    registry.load_provider.cache_clear()


class Doubler:
    name = "double"

    def create_factory(self):
        return cs.Task(lambda x: 2 * x, name="double", mode="inline")


class Unwilling:
    def __init__(self):
        raise OSError("no licence")


def test_the_built_in_providers_are_installed():
    assert provider_names() == [
        *("http.delete", "http.get", "http.post", "http.put", "recv", "shell", "template")
    ]
    assert {"http", "shell", "template"} <= set(dir(cs))


def test_a_third_party_provider_is_found_under_its_name(found):
    found(double=f"{__name__}:Doubler")
    assert cs.run(cs.double(21)) == 42
    assert isinstance(Doubler(), Provider)


def test_a_provider_that_nobody_offers_says_so_with_the_near_name(found):
    found(shell="x:y")
    with pytest.raises(
        UnknownProviderError, match="no installed package provides it.*mean 'shell'"
    ):
        _ = cs.shel
    assert not hasattr(cs, "nothing_like_it")


def test_a_provider_that_lacks_a_library_names_distribution_and_extra(found):
    found(gone="module_that_is_not_there:Provider")
    with pytest.raises(
        BrokenProviderError, match=r"'gone' of the distribution 'some-package'.*pip install"
    ):
        _ = cs.gone


def test_a_provider_that_fails_to_load_is_named(found):
    found(bad=f"{__name__}:Unwilling")
    with pytest.raises(BrokenProviderError, match="'bad'.*OSError: no licence") as caught:
        _ = cs.bad
    assert (caught.value.provider, caught.value.distribution) == ("bad", "some-package")


def test_importing_cascade_imports_no_optional_library():
    code = (
        "import sys, cascade; "
        "late = {'httpx', 'jinja2', 'typer', 'rich', 'matplotlib', 'msgspec'}; "
        "print(sorted(late & set(sys.modules)))"
    )
    assert cs.run(cs.shell([sys.executable, "-c", code])).stdout == "[]\n"


# --- shell ------------------------------------------------------------------------------------


def test_shell_runs_an_argument_list_as_it_is():
    result = cs.run(
        cs.shell([sys.executable, "-c", "import sys; print(sys.argv[1:])", "a b", "$HOME"])
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, "['a b', '$HOME']\n", "")


def test_shell_lets_the_shell_read_a_string():
    result = cs.run(cs.shell("echo one; echo $TWO >&2", env={"TWO": "2"}))
    assert (result.stdout, result.stderr) == ("one\n", "2\n")


def test_shell_takes_a_folder_and_an_input(tmp_path):
    assert (
        cs.run(cs.shell("pwd -P; cat", cwd=tmp_path, stdin="text")).stdout
        == f"{tmp_path.resolve()}\ntext"
    )


def test_shell_raises_for_an_exit_status_unless_told_not_to():
    with pytest.raises(ShellError, match="status 3: sorry") as caught:
        cs.run(cs.shell("echo sorry >&2; exit 3"))
    assert (caught.value.returncode, caught.value.stderr) == (3, "sorry\n")
    assert cs.run(cs.shell("exit 3", check=False)).returncode == 3


def test_shell_refuses_an_empty_command_and_names_a_missing_program():
    with pytest.raises(ValueError, match="not empty"):
        cs.run(cs.shell([]))
    with pytest.raises(FileNotFoundError, match="no-such-program"):
        cs.run(cs.shell(["no-such-program"]))


def _alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat").read_text()
    return stat.rpartition(")")[2].split()[0] != "Z"


async def _gone(pid):
    while _alive(pid):
        await asyncio.sleep(0.01)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")
@pytest.mark.parametrize("how", ["timeout", "cancellation"])
@pytest.mark.parametrize("leader", ["waits", "ends at once"])
async def test_shell_is_killed_with_its_children(tmp_path, how, leader):
    pids = tmp_path / "pids"
    tail = "wait" if leader == "waits" else "exit 0"
    command = f"sleep 600 & echo $! > {pids}.new; mv {pids}.new {pids}; {tail}"
    running = asyncio.create_task(
        cs.run_async(cs.shell(command, timeout=0.3 if how == "timeout" else None))
    )
    while not (pids.exists() or running.done()):  # on a busy machine the time may be over before
        await asyncio.sleep(0.01)
    if how == "cancellation":
        running.cancel()
    with pytest.raises((TimeoutError, asyncio.CancelledError)):
        await running
    if pids.exists():
        async with asyncio.timeout(10):
            await _gone(int(pids.read_text()))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs the command setsid")
def test_shell_does_not_wait_for_what_left_its_session(tmp_path):
    pid = tmp_path / "pid"
    command = f"setsid sh -c 'echo $$ > {pid}.new; mv {pid}.new {pid}; exec sleep 600' & sleep 600"
    with pytest.raises(TimeoutError, match="took longer than 0.5 s"):
        cs.run(cs.shell(command, timeout=0.5))
    if pid.exists():  # on a busy machine the time may be over before
        os.kill(int(pid.read_text()), signal.SIGKILL)


# --- template ---------------------------------------------------------------------------------


def test_template_fills_in_lazies():
    @cs.task(mode="inline")
    def name():
        return "<you>"

    assert cs.run(cs.template("Hello {{ name }}\n", name=name())) == "Hello <you>\n"


def test_template_refuses_an_unknown_name():
    with pytest.raises(Exception, match="'nobody' is undefined"):
        cs.run(cs.template("{{ nobody }}"))


# --- http -------------------------------------------------------------------------------------


class _Echo(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _answer(self):
        length = int(self.headers.get("Content-Length") or 0)
        said = {
            "method": self.command,
            "path": self.path,
            "body": self.rfile.read(length).decode(),
            "type": self.headers.get("Content-Type"),
            "client": self.client_address[1],
            "x": self.headers.get("X-Test"),
        }
        body = b"no json" if self.path == "/text" else json.dumps(said).encode()
        self.send_response(404 if self.path == "/missing" else 200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        if self.path == "/cookies":
            self.send_header("Set-Cookie", "a=1; Expires=Wed, 21 Oct 2037 07:28:00 GMT")
            self.send_header("Set-Cookie", "b=2")
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815 - names given by http.server

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Echo)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


@each_row("method", ["get", "post", "put", "delete"])
def test_http_sends_each_method_and_gives_the_answer(server, method):
    request = getattr(cs.http, method)
    answer = cs.run(request(f"{server}/a", params={"q": "1"}, headers={"X-Test": "yes"}))
    said = answer.json()
    assert (said["method"], said["path"], said["x"]) == (method.upper(), "/a?q=1", "yes")
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert json.loads(answer.text) == json.loads(answer.bytes) == said


@each_row(
    ("options", "body"),
    [
        ({"json": {"a": 1}}, '{"a":1}'),
        ({"body": "text"}, "text"),
        ({"body": b"raw"}, "raw"),
        ({"body": {"a": "1"}}, "a=1"),
    ],
)
def test_http_sends_bodies(server, options, body):
    assert cs.run(cs.http.post(f"{server}/a", **options)).json()["body"].replace(": ", ":") == body


def test_http_takes_any_status_for_an_answer(server):
    assert cs.run(cs.http.get(f"{server}/missing")).status == 404


def test_http_keeps_cookies_apart(server):
    headers = cs.run(cs.http.get(f"{server}/cookies")).headers
    assert headers["set-cookie"] == "a=1; Expires=Wed, 21 Oct 2037 07:28:00 GMT\nb=2"


def test_http_counts_no_waiting_for_a_free_connection():
    seen = []

    def answer(request):
        seen.append(request.extensions["timeout"])
        return httpx.Response(200)

    @cs.resource(name="http_client")
    async def watched():
        async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
            yield client

    cs.run(cs.http.get("http://here/", timeout=2), resources=[watched])
    assert seen == [{"connect": 2, "read": 2, "write": 2, "pool": None}]


def test_http_says_what_is_not_json(server):
    with pytest.raises(ValueError, match=r"/text \(status 200\) is not JSON"):
        cs.run(cs.http.get(f"{server}/text")).json()


def test_http_reuses_its_connection_within_a_run(server):
    @cs.task(mode="inline")
    def client_of(answer):
        return answer.json()["client"]

    @cs.task
    async def second(first):
        return both(first, client_of(cs.http.get(f"{server}/b")))

    @cs.task(mode="inline")
    def both(*clients):
        return clients

    first, then = cs.run(second(client_of(cs.http.get(f"{server}/a"))))
    assert first == then


def test_http_without_an_answer_raises_and_names_the_task():
    with pytest.raises(Exception, match="connection") as caught:
        cs.run(cs.http.get("http://127.0.0.1:1/", timeout=1))
    assert "in task 'http.get' of run 'run-1'" in caught.value.__notes__


def test_http_itself_is_not_called():
    with pytest.raises(TypeError, match=r"cs\.http\.get"):
        cs.http("http://127.0.0.1")
