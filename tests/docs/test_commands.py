"""The commands of the how-to pages, each page one session in a folder with the programs that it names.

A program whose first line is ``# name.py`` lies in the folder under that name. What a block of commands
shows follows it; `…` stands for what differs from run to run.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from repository.distributions import ROOT

FENCED = re.compile(r"^```(\w+)\n(.*?)^```\n(?:\n```text\n(.*?)^```$)?", re.MULTILINE | re.DOTALL)
NAME = re.compile(r"# (\w+\.py)\n")


def sessions():
    for page in sorted((ROOT / "docs" / "how-to").glob("*.md")):
        blocks = FENCED.findall(page.read_text(encoding="utf-8"))
        if any(kind == "bash" for kind, _, _ in blocks):
            yield pytest.param(blocks, id=page.stem)


def shows(expected, shown):
    return re.fullmatch("[^\n]*".join(map(re.escape, expected.split("…"))), shown)


@pytest.mark.parametrize("blocks", list(sessions()))
def test_the_commands_of_a_page_show_what_it_says(tmp_path, blocks):
    programs = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    for kind, body, expected in blocks:
        if kind == "python" and (named := NAME.match(body)):
            (tmp_path / named[1]).write_text(body, encoding="utf-8")
        elif kind == "bash":
            done = subprocess.run(
                ["bash", "-c", body],
                cwd=tmp_path,
                env={**os.environ, "PATH": programs, "HOME": str(tmp_path)},
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
            assert done.returncode == 0, done.stderr
            assert shows(expected, done.stdout), done.stdout


def test_there_are_sessions_to_run():
    assert list(sessions())


def test_what_is_not_as_shown_is_seen():
    assert shows("a … b\n", "a 17 b\n")
    assert not shows("a\n", "b\n")
