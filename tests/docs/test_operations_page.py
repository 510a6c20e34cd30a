"""The commands of docs/operations.md, one after the other in one session with a real broker.

A block of commands may be followed by what it shows; `…` stands for what differs from run to run, and
of a command that keeps running only some lines are shown.
"""

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest

from cascade.cli import main
from cli.program import PROGRAM
from mqtt.access import rules, users
from mqtt.broker import NEEDS_BROKER, Broker
from repository.distributions import ROOT

pytestmark = [*NEEDS_BROKER, pytest.mark.slow]

PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
FENCED = re.compile(r"^```(\w+)(.*)\n((?:.*\n)*?)```$", re.MULTILINE)
PATIENCE = 60  # seconds after which what has not happened never will


@dataclass
class Block:
    commands: str
    shown: str
    keeps_running: bool


def blocks():
    found = [(kind, note.strip(), body) for kind, note, body in FENCED.findall(PAGE)]
    for (kind, note, body), (next_kind, _, shown) in pairwise([*found, ("", "", "")]):
        if kind == "bash":
            yield Block(body, shown if next_kind == "text" else "", note == "keeps running")


def pattern(shown):
    return re.compile("[^\n]*".join(map(re.escape, shown.split("…"))))


class Session:
    """A folder with the workflow, and what runs there in the background."""

    def __init__(self, folder, url):
        (program,) = [body for kind, _, body in FENCED.findall(PAGE) if kind == "python"]
        (folder / "workshop.py").write_text(program, encoding="utf-8")
        self.folder = folder
        programs = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        self.environment = {
            **os.environ,
            "CASCADE_CONNECTOR": url,
            "HOME": str(folder),
            "PATH": programs,
        }
        self.running = []

    def run(self, block):
        # The last line keeps bash from making way for the command before it, which looks for its shell.
        done = subprocess.run(
            ["bash", "-c", f"{block.commands}\nexit $?"],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            text=True,
            timeout=PATIENCE,
            check=True,
        )
        if block.shown:
            assert pattern(block.shown).fullmatch(done.stdout), done.stdout

    def start(self, block):
        out = self.folder / f"out-{len(self.running)}"
        with out.open("w") as stream:
            name, *arguments = shlex.split(block.commands)
            assert name == "cascade"
            command = [*PROGRAM, *arguments]
            process = subprocess.Popen(
                command, cwd=self.folder, env=self.environment, stdout=stream
            )
        self.running.append((block, process, out))
        end = time.monotonic() + PATIENCE
        while not (out.read_text() or self.reports()):
            assert process.poll() is None
            assert time.monotonic() < end
            time.sleep(0.05)

    def reports(self):
        """Whether an engine says that it is there, and runs; only the first of the session is one."""
        if self.running[1:]:
            return False
        command = ["cascade", "status"]
        shown = subprocess.check_output(command, env=self.environment, text=True)
        return ": online, 1 run" in shown

    def end(self):
        for _, process, _ in reversed(self.running):
            process.send_signal(signal.SIGINT)
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        return [(b, process.returncode, out.read_text()) for b, process, out in self.running]


def test_every_command_of_the_page_does_what_it_says(tmp_path):
    with Broker(tmp_path) as broker:
        session = Session(tmp_path, broker.url)
        try:
            for block in blocks():
                (session.start if block.keeps_running else session.run)(block)
        finally:
            ended = session.end()
    assert len(ended) == 2
    for block, status, out in ended:
        assert status == 130
        found = 0
        for line in block.shown.splitlines():
            match = pattern(line + "\n").search(out, found)
            assert match, (line, out)
            found = match.end()


def test_the_session_sees_what_is_not_as_shown(tmp_path):
    session = Session(tmp_path, "")
    with pytest.raises(AssertionError, match="b"):
        session.run(Block("echo b", "a\n", keeps_running=False))
    with pytest.raises(subprocess.CalledProcessError):
        session.run(Block("exit 3", "", keeps_running=False))


def test_who_may_not_steer_is_told_so(tmp_path, monkeypatch, capsys):
    text = (ROOT / "docs" / "examples" / "mosquitto.acl").read_text(encoding="utf-8")
    settings = [*users(tmp_path, watcher="secret", operator="secret"), *rules(tmp_path, text)]
    monkeypatch.setenv("CASCADE_MQTT_PASSWORD", "secret")
    with Broker(tmp_path, *settings, anonymous=False) as broker:
        for user, status in [("watcher", 1), ("operator", 0)]:
            url = broker.url.replace("mqtt://", f"mqtt://{user}@")
            assert main(["pause", "--connector", url]) == status
    out, err = capsys.readouterr()
    assert out == "Paused: global\n"
    assert "refused to let us publish on 'cascade/constraints/global': Not authorized" in err
