"""One swarm across operating-system processes, whose fireflies meet on a real broker."""

import re
import subprocess
import sys

import pytest

from mqtt.broker import NEEDS_BROKER

pytestmark = NEEDS_BROKER

PROGRAM = [sys.executable, "-c", "import sys; from cascade.cli import main; sys.exit(main())"]
PROCESSES, SIDE = 3, 30
PATIENCE = 150  # seconds, of which a quiet machine takes some twenty-five

# A long period gives a busy machine time; a strong pulse makes it few of them.
SWARM = ["--side", str(SIDE), "--period", "3", "--epsilon", "0.1", "--duration", "100", "--quiet"]


@pytest.mark.slow
def test_three_processes_of_300_fireflies_each_fall_into_step_as_one_swarm(broker):
    command = [*PROGRAM, "fireflies", "--connector", broker.url, *SWARM]
    parts = [f"{number}/{PROCESSES}" for number in range(1, PROCESSES + 1)]
    started = [
        subprocess.Popen([*command, "--part", part], stdout=subprocess.PIPE, text=True)
        for part in parts
    ]
    try:
        said = [process.communicate(timeout=PATIENCE)[0] for process in started]
    finally:
        for process in started:
            process.kill()
            process.wait()
    # No process has more than a third of the swarm, and each has seen nearly all of it flash together.
    assert [process.returncode for process in started] == [0] * PROCESSES, said
    for words in said:
        assert re.search(rf"In step after .* 99% of {SIDE**2} fireflies", words)
