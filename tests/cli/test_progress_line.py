"""The line that ``cascade run`` shows on a terminal, on a real one."""

import os
import select
import subprocess
import textwrap

import pytest

from cli.program import INSTALLED

pty = pytest.importorskip("pty", reason="Windows has no such terminals")

PATIENCE = 60  # seconds: a bound for what goes wrong, not a measure of anything

SCREEN_FLOW = """
import asyncio
from pathlib import Path
import cascade as cs

async def go_on():
    while not Path("go-on").exists():
        await asyncio.sleep(0.01)

@cs.task
async def work(x):
    print("said", x, flush=True)
    await go_on()
    return x

@cs.task(name="[/odd]")
async def odd():
    await go_on()

@cs.task
async def fails(_):
    raise TimeoutError

@cs.task(mode="inline")
def both(*values):
    return len(values)

work = work.with_demands(hand=1)
target = both(work(1), work(2), odd())
failing = fails(work(1))
"""


def on_terminal(tmp_path, *arguments, wanted, shared=True):
    """Run the program with standard error on a terminal, standard output too if it is shared.

    It goes on when all that is wanted has been seen there, so that no line is missed.
    """
    (tmp_path / "screen.py").write_text(textwrap.dedent(SCREEN_FLOW), encoding="utf-8")
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [INSTALLED, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=theirs if shared else subprocess.PIPE,
        stderr=theirs,
        cwd=tmp_path,
        env={**os.environ, "COLUMNS": "120", "LINES": "30"},
    ) as process:
        os.close(theirs)
        seen = b""
        while True:
            ready, _, _ = select.select([ours], [], [], PATIENCE)
            assert ready, seen
            try:
                more = os.read(ours, 65536)
            except OSError:  # Linux says so when the last one has closed the terminal
                break
            if not more:
                break
            seen += more
            if all(each.encode() in seen for each in wanted):
                (tmp_path / "go-on").touch()
        out = b"" if shared else process.stdout.read()
        process.wait(PATIENCE)
    os.close(ours)
    return seen.decode(), out.decode()


CURSOR_SHOWN_AND_LINE_WIPED = "\x1b[?25h\r\x1b[1A\x1b[2K"


def test_the_line_tells_how_many_are_done_run_and_wait_and_is_wiped(tmp_path):
    wanted = ["0 of 4 tasks done; running: ", "[/odd] × 1", "waiting: 1 (capacity 'hand')"]
    seen, _ = on_terminal(tmp_path, "run", "screen:target", "-c", "hand=1", wanted=wanted)
    assert seen.endswith(f"{CURSOR_SHOWN_AND_LINE_WIPED}3\r\n")


def test_the_line_is_gone_before_a_failure_is_told(tmp_path):
    wanted = ["running: work × 1"]
    seen, _ = on_terminal(tmp_path, "run", "screen:failing", "-c", "hand=1", wanted=wanted)
    after = seen.partition(CURSOR_SHOWN_AND_LINE_WIPED)[2]
    assert after.startswith("cascade: TimeoutError (in task 'fails'")


def test_what_tasks_print_goes_where_it_belongs(tmp_path):
    arguments = ["run", "screen:failing", "-c", "hand=1"]
    wanted = ["running: work × 1"]
    seen, out = on_terminal(tmp_path, *arguments, wanted=wanted, shared=False)
    assert out == "said 1\n"
    assert "said 1" not in seen
    assert "started   work(1)\r\n" in seen
