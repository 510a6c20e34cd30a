"""Agents whose processes are killed at any instant: every one of them comes to its end, and to the same."""

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from cascade.stores.sqlite import SqliteStore

PROGRAM = Path(__file__).parent / "shop.py"
AGENTS = 60
ROUNDS = 8
KILLS = 8
PATIENCE = 120  # seconds: a bound for what goes wrong, not a measure of anything


def begin(folder):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen(
        [sys.executable, PROGRAM, folder / "agents.db", folder / "effects", str(AGENTS)],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def effects_in(folder):
    path = folder / "effects"
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


async def agents_in(folder):
    store = SqliteStore(folder / "agents.db")
    await store.open()
    try:
        return await store.list()
    finally:
        await store.aclose()


def killed(program, folder, chance, *, patience):
    """Wait until a program is at work, and kill it a moment later; return whether it was not quicker."""
    before = len(effects_in(folder))
    while not patience and program.poll() is None and len(effects_in(folder)) == before:
        time.sleep(0.005)
    try:
        program.wait(PATIENCE if patience else chance.uniform(0.0, 0.4))
    except subprocess.TimeoutExpired:
        program.send_signal(signal.SIGKILL)
        return True
    return False


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="a system without SIGKILL")
def test_agents_outlive_processes_that_are_killed_at_any_instant(tmp_path):
    chance = random.Random(7)
    kills = 0
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        program = begin(tmp_path)
        try:
            kills += killed(program, tmp_path, chance, patience=kills >= KILLS)
            output = program.communicate()[0].decode()
        finally:
            program.kill()  # where this test itself is ended
            program.wait()
        if program.returncode == 0:
            break
        assert program.returncode == -signal.SIGKILL, output
    else:
        pytest.fail("the agents did not come to their end")
    found = asyncio.run(agents_in(tmp_path))
    assert {agent.name: (agent.status, agent.result) for agent in found} == {
        f"a{number}": ("finished", b"11111111") for number in range(AGENTS)
    }
    assert kills >= 3
    effects = Counter(effects_in(tmp_path))
    assert len(effects) == AGENTS * ROUNDS  # each payment under one key, however often it was made
    assert max(effects.values()) <= 1 + kills
