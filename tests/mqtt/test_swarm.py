"""One swarm across operating-system processes, on a real broker: every flash is seen everywhere."""

import subprocess
import sys
from pathlib import Path

import pytest

from mqtt.broker import NEEDS_BROKER
from mqtt.swarm_part import COUNT, PARTS

pytestmark = NEEDS_BROKER

PROGRAM = Path(__file__).with_name("swarm_part.py")
PATIENCE = 150  # seconds, of which a quiet machine takes some four


@pytest.mark.slow
def test_flashes_cross_between_three_processes_with_a_third_of_the_swarm_each(broker):
    started = []
    try:
        for part in range(PARTS):
            command = [sys.executable, PROGRAM, broker.url, str(part)]
            started.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        said = [process.communicate(timeout=PATIENCE)[0] for process in started]
    finally:
        for process in started:
            process.kill()
            process.wait()
    assert [process.returncode for process in started] == [0] * PARTS
    assert said == [f"{list(range(COUNT))}\n"] * PARTS
