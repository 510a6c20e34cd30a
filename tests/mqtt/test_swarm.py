"""The commands of docs/mqtt.md: one swarm across operating-system processes, on a real broker."""

import re
import shlex
import subprocess

import pytest

from cli.program import PROGRAM
from mqtt.broker import NEEDS_BROKER
from repository.distributions import ROOT

pytestmark = NEEDS_BROKER

PAGE = (ROOT / "docs" / "mqtt.md").read_text(encoding="utf-8")
COMMANDS = "".join(re.findall(r"^```bash\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)).splitlines()
FIREFLIES = 900
PATIENCE = 150  # seconds, of which a quiet machine takes some twenty-five


@pytest.mark.slow
def test_three_processes_of_300_fireflies_each_fall_into_step_as_one_swarm(broker, tmp_path):
    started = []
    try:
        for line in COMMANDS:
            at_home = line.replace("mqtt://localhost:1883", broker.url)
            name, *arguments = shlex.split(at_home.removesuffix("&"))
            assert name == "cascade"
            command = [*PROGRAM, *arguments]
            process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True)
            started.append(process)
        said = [process.communicate(timeout=PATIENCE)[0] for process in started]
    finally:
        for process in started:
            process.kill()
            process.wait()
    # No process has more than a third of the swarm, and each has seen nearly all of it flash together.
    assert [process.returncode for process in started] == [0, 0, 0], said
    for words in said:
        assert re.search(rf"In step after .* 99% of {FIREFLIES} fireflies", words)
    assert (tmp_path / "swarm.png").read_bytes().startswith(b"\x89PNG")
