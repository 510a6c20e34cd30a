"""``cs.shell``: commands as real processes, with what they say, how long they take, and how they end."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

import cascade as cs
from cascade.caches.memory import MemoryCache
from cascade.common.messaging.testing import capture
from cascade.interfaces.errors import ShellError, ShellTimeoutError
from cascade.providers.slots import slots
from cascade.spec import codec

PATIENCE = 30  # seconds: a bound for what goes wrong, not a measure of anything


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
def test_shell_does_not_wait_for_what_left_its_session(tmp_path, caplog):
    pid = tmp_path / "pid"
    command = f"setsid sh -c 'echo $$ > {pid}.new; mv {pid}.new {pid}; exec sleep 600' & sleep 600"
    with pytest.raises(TimeoutError, match="took longer than 0.5 s"):
        cs.run(cs.shell(command, timeout=0.5))
    assert caplog.records == []
    if pid.exists():  # on a busy machine the time may be over before
        os.kill(int(pid.read_text()), signal.SIGKILL)


# --- what it says ---------------------------------------------------------------------------------


def python(code):
    return [sys.executable, "-c", code]


def test_no_more_is_kept_than_allowed_and_what_is_missing_is_said():
    code = "import sys; sys.stdout.write('x' * 900_000 + 'end'); sys.stderr.write('short')"
    with capture() as messages:
        result = cs.run(cs.shell(python(code), max_output=10))
    assert (result.stdout, result.stderr, result.dropped) == ("x" * 7 + "end", "short", 899_993)
    (message,) = messages
    assert message.id == "shell.output_cut"
    assert (message.facts["count"], message.facts["limit"]) == (899_993, 10)


def test_what_just_fits_is_kept_whole_without_a_word():
    with capture() as messages:
        result = cs.run(cs.shell("printf 1234567890", max_output=10))
    assert (result.stdout, result.dropped, messages) == ("1234567890", 0, [])
    with pytest.raises(ValueError, match="max_output is a number of bytes above 0, not 0"):
        cs.run(cs.shell("true", max_output=0))


def test_a_time_out_keeps_what_was_said_until_then():
    command = "echo out; echo half an answer >&2; exec sleep 600"
    for seconds in (0.2, 2, PATIENCE):  # on a busy machine it has said nothing before the first
        with pytest.raises(ShellTimeoutError) as caught:
            cs.run(cs.shell(command, timeout=seconds))
        if caught.value.stderr:
            break
    assert isinstance(caught.value, TimeoutError)
    assert (caught.value.stdout, caught.value.stderr) == ("out\n", "half an answer\n")
    assert "until then it said: half an answer" in str(caught.value)


async def test_lines_are_heard_while_the_command_runs(tmp_path):
    heard, go_on = [], tmp_path / "go-on"

    def hear(line):
        heard.append(line)
        go_on.touch()  # the command waits for this

    command = f"echo first; while ! test -e {go_on}; do sleep 0.01; done; printf 'last\\r\\nopen'"
    async with asyncio.timeout(PATIENCE):
        result = await cs.run_async(cs.shell(command, on_line=hear))
    assert heard == ["first", "last", "open"]
    assert result.stdout == "first\nlast\r\nopen"


def test_what_hears_the_lines_may_be_async_and_hears_both_streams():
    heard = []

    async def hear(line):
        await asyncio.sleep(0)
        heard.append(line)

    cs.run(cs.shell("echo one; echo two >&2", on_line=hear))
    assert sorted(heard) == ["one", "two"]


def test_a_line_without_an_end_comes_in_pieces():
    heard = []
    cs.run(cs.shell(python("print('x' * 300_000)"), on_line=heard.append))
    assert "".join(heard) == "x" * 300_000
    assert max(map(len, heard)) < 2**17


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")
async def test_a_listener_that_fails_ends_the_command(tmp_path):
    def refuse(line):
        raise TimeoutError(line)  # not the command's own time-out

    async with asyncio.timeout(PATIENCE):
        with pytest.raises(TimeoutError) as caught:
            await cs.run_async(cs.shell("echo $$; exec sleep 600", on_line=refuse, timeout=600))
        assert not isinstance(caught.value, ShellTimeoutError)
        await _gone(int(str(caught.value)))


def test_what_a_command_does_not_read_is_no_error():
    assert cs.run(cs.shell("exec true", stdin="x" * 1_000_000)).returncode == 0


# --- how many at once -----------------------------------------------------------------------------


def test_so_many_run_at_once_and_no_more(tmp_path):
    # Each says how many are there; the one that leaves takes its file along.
    command = f"cd {tmp_path}; touch $$; ls | wc -l; sleep 0.02; rm $$"
    results = cs.run(cs.shell.map([command] * 12), resources=[slots("shell", at_once=3)])
    assert max(int(each.stdout) for each in results) <= 3


def test_the_default_bound_holds_for_a_hundred_and_fifty(tmp_path):
    command = f"cd {tmp_path}; touch $$; ls | wc -l; rm $$"
    results = cs.run(cs.shell.map([command] * 150))
    assert max(int(each.stdout) for each in results) <= 32


def test_a_command_that_failed_leaves_its_slot():
    calls = [cs.shell("exit 3", check=False), cs.shell(["no-such-program"]), cs.shell("echo on")]
    *_, last = cs.run(cs.settle(calls), resources=[slots("shell", at_once=1)])
    assert last.stdout == "on\n"


def test_what_a_command_said_may_be_remembered(tmp_path):
    command = cs.shell.with_cache()(f"echo x >> {tmp_path}/count; wc -l < {tmp_path}/count")
    cache = MemoryCache()
    said = [cs.run(command, cache=cache).stdout.strip() for _ in range(2)]
    assert said == ["1", "1"]


def test_a_command_can_be_written_and_read_again():
    call = codec.decode(codec.encode(cs.shell(["echo", "on"], timeout=PATIENCE, on_line=print)))
    assert cs.run(call).stdout == "on\n"
